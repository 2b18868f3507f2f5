use std::sync::Arc;

use ipnet::IpNet;

use super::{FilterKey, Limiter, RuleId};
use crate::config::{Action, Cast, Filter};

/// One rule, compiled so that every key is a comparison.
pub struct Rule {
    id: RuleId,
    /// Where it came from or leaves.
    port: Option<u16>,
    cast: Option<Cast>,
    protocol: Option<u8>,
    /// 4 or 6 if an address is asked for.
    family: Option<u8>,
    src: Network,
    dst: Network,
    /// Inclusive ranges of source and destination port, if any is asked for.
    ports: Option<[(u16, u16); 2]>,
    action: Action,
    limiter: Option<Arc<Limiter>>,
}

/// Bits an address must have.
#[derive(Clone, Copy)]
struct Network {
    bits: u128,
    mask: u128,
}

impl Rule {
    pub(super) fn new(filter: &Filter, id: RuleId, limiter: Option<Arc<Limiter>>) -> Self {
        let matches = &filter.matches;
        let family = |net: IpNet| if net.addr().is_ipv4() { 4 } else { 6 };
        const ANY: (u16, u16) = (0, u16::MAX);
        let ranges = [matches.src_port, matches.dst_port];
        Self {
            id,
            port: matches.port.map(|port| port.0),
            cast: matches.cast,
            protocol: matches.proto.map(crate::config::Protocol::number),
            family: matches.src.or(matches.dst).map(family),
            src: Network::of(matches.src),
            dst: Network::of(matches.dst),
            ports: (ranges != [None; 2]).then(|| ranges.map(|range| range.unwrap_or(ANY))),
            action: filter.action,
            limiter,
        }
    }

    /// Whose counters its hits are.
    pub fn id(&self) -> RuleId {
        self.id
    }

    /// What becomes of what matches.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Its rate.
    pub fn limiter(&self) -> Option<&Limiter> {
        self.limiter.as_deref()
    }

    /// Whether all of its keys match.
    #[inline]
    pub(super) fn matches(&self, key: &FilterKey) -> bool {
        self.port.is_none_or(|port| port == key.port) && self.might_match(key)
    }

    /// Whether all of its keys but the port match.
    #[inline]
    pub(super) fn might_match(&self, key: &FilterKey) -> bool {
        self.protocol.is_none_or(|protocol| protocol == key.protocol && key.family != 0)
            && self.cast.is_none_or(|cast| cast == key.cast)
            && self.family.is_none_or(|family| family == key.family)
            && self.src.has(key.src)
            && self.dst.has(key.dst)
            && self.ports.is_none_or(|[src, dst]| {
                key.ports.is_some_and(|(from, to)| is_in(from, src) && is_in(to, dst))
            })
    }
}

impl Network {
    fn of(net: Option<IpNet>) -> Self {
        match net {
            None => Self { bits: 0, mask: 0 },
            Some(IpNet::V4(net)) => {
                Self { bits: net.network().to_bits().into(), mask: net.netmask().to_bits().into() }
            }
            Some(IpNet::V6(net)) => {
                Self { bits: net.network().to_bits(), mask: net.netmask().to_bits() }
            }
        }
    }

    #[inline]
    const fn has(self, address: u128) -> bool {
        (address ^ self.bits) & self.mask == 0
    }
}

const fn is_in(port: u16, (first, last): (u16, u16)) -> bool {
    first <= port && port <= last
}
