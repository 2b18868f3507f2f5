//! A router for IPv4 and IPv6 (RFC 1812, RFC 8200 with the checks of semantics section 5).
//!
//! *Invariant:* what is forwarded came untagged to the port's own address (or, if multicast, to a
//! group), with a header that ingress found valid and addresses that may pass a router. A next hop
//! may lie behind the port the datagram came from. Absent: rewriting, which fan-out does; sending
//! answers; redirects.

mod address;
mod arp;
mod fib;
mod host;
mod interface;
mod mfib;
mod nd;
mod neighbor;
mod origin;
mod own;
mod plain;
mod plane;
mod rib;
mod skips;
mod strides;
#[cfg(all(test, not(loom)))]
mod tests;
mod watch;

use core::net::{Ipv4Addr, Ipv6Addr};

pub use interface::Interface;
use origin::Origin;
pub use plain::{PlainRouter, Question};
use plane::{Plane, Query};
pub use watch::Watch;

use crate::config::Config;
use crate::packet::{Decision, DropReason, FrameInfo, MacAddr, Network, NextHop, WatchId};
use crate::wire::{Arp, Ethernet, Ipv4, Ipv6, ethertype, view};

/// The routing tables, shared by all routed ports.
pub(super) struct Router {
    v4: Plane<Ipv4Addr>,
    v6: Plane<Ipv6Addr>,
    origin: Origin,
}

impl Router {
    /// `macs` are the link addresses of all ports; `seed` decides how flows are spread over paths.
    /// Unicast tables that would be those of `previous` are: hundreds of thousands of routes do not
    /// delay a change of a group.
    pub(super) fn build(
        config: &Config,
        macs: &[MacAddr],
        seed: u64,
        previous: Option<&Self>,
    ) -> Self {
        let origin = Origin::of(config, macs, seed);
        let same = previous.filter(|previous| previous.origin == origin);
        Self {
            v4: Plane::build(config, macs, seed, same.map(|same| &same.v4)),
            v6: Plane::build(config, macs, seed, same.map(|same| &same.v6)),
            origin,
        }
    }

    /// Whether both have the same unicast tables in memory.
    #[cfg(test)]
    pub(super) fn shares_unicast(&self, other: &Self) -> bool {
        self.v4.shares_unicast(&other.v4) && self.v6.shares_unicast(&other.v6)
    }

    #[inline]
    pub(super) fn decide(
        &self,
        interface: &Interface,
        info: &FrameInfo,
        head: &[u8],
    ) -> Result<Decision, DropReason> {
        let alone = self.decide_alone(interface, info, head);
        match interface.shadow() {
            Some(shadow) => host::decide(alone, info, head, shadow),
            None => alone,
        }
    }

    /// What decides on plain datagrams of one port.
    #[inline]
    pub(super) fn plain(&self, interface: &Interface) -> PlainRouter<'_> {
        PlainRouter::new(interface.mac(), &self.v4, &self.v6)
    }

    /// What becomes of a frame where no host's kernel listens.
    fn decide_alone(
        &self,
        interface: &Interface,
        info: &FrameInfo,
        head: &[u8],
    ) -> Result<Decision, DropReason> {
        let dst = view::<Ethernet>(head, 0).ok_or(DropReason::RuntFrame)?.dst;
        if dst != interface.mac() && !dst.is_group() {
            return Err(DropReason::OtherMac);
        }
        if info.tags > 0 {
            return Err(DropReason::Tagged);
        }
        let offset = usize::from(info.l2_len);
        match info.network {
            Network::Ipv4 => {
                let header = view(head, offset).ok_or(DropReason::BadIpHeader)?;
                self.v4.decide(&query_v4(header, info, dst))
            }
            Network::Ipv6 => {
                let header = view(head, offset).ok_or(DropReason::BadIpHeader)?;
                self.decide_v6(interface, &query_v6(header, info, dst), header, (info, head))
            }
            Network::Arp => {
                let message: &Arp = view(head, offset).ok_or(DropReason::BadNeighborMessage)?;
                arp::decide(message, interface)
            }
            Network::Broken(malformed) => Err(malformed.drop_reason()),
            Network::Other => Err(refuse_type(dst, info.ethertype)),
        }
    }

    /// A multicast route that the kernel has too, of a datagram of this network.
    pub(super) fn watch(&self, network: Network, id: WatchId) -> Option<&Watch> {
        match network {
            Network::Ipv4 => self.v4.watch(id),
            Network::Ipv6 => self.v6.watch(id),
            Network::Arp | Network::Other | Network::Broken(_) => None,
        }
    }

    /// All of them.
    pub(super) fn watches(&self) -> impl Iterator<Item = &Watch> {
        self.v4.watches().iter().chain(self.v6.watches())
    }

    /// How the source of a datagram is reached.
    pub(super) fn way_back(&self, info: &FrameInfo, head: &[u8]) -> Option<NextHop> {
        let (offset, dst) = (usize::from(info.l2_len), MacAddr::default());
        match info.network {
            Network::Ipv4 => self.v4.way_back(&query_v4(view(head, offset)?, info, dst)),
            Network::Ipv6 => self.v6.way_back(&query_v6(view(head, offset)?, info, dst)),
            Network::Arp | Network::Other | Network::Broken(_) => None,
        }
    }

    /// Neighbour discovery comes first: its addresses would be martians to a router.
    fn decide_v6(
        &self,
        interface: &Interface,
        query: &Query<Ipv6Addr>,
        header: &Ipv6,
        (info, head): (&FrameInfo, &[u8]),
    ) -> Result<Decision, DropReason> {
        let kinds_agree = query.link_group == query.destination.is_multicast();
        let discovery = kinds_agree.then(|| nd::decide(header, info, head, interface)).flatten();
        discovery.unwrap_or_else(|| self.v6.decide(query))
    }
}

#[inline]
fn query_v4(header: &Ipv4, info: &FrameInfo, dst: MacAddr) -> Query<Ipv4Addr> {
    Query {
        ingress: info.port,
        link_group: dst.is_group(),
        source: header.src.into(),
        destination: header.dst.into(),
        hops: header.ttl,
    }
}

#[inline]
fn query_v6(header: &Ipv6, info: &FrameInfo, dst: MacAddr) -> Query<Ipv6Addr> {
    Query {
        ingress: info.port,
        link_group: dst.is_group(),
        source: header.src.into(),
        destination: header.dst.into(),
        hops: header.hop_limit,
    }
}

/// Why a frame that is neither IP nor ARP goes nowhere.
fn refuse_type(dst: MacAddr, ethertype: u16) -> DropReason {
    match ethertype {
        // Ingress reads whole tags: this one was cut short.
        ethertype::VLAN | ethertype::SERVICE_VLAN | ethertype::OLD_QINQ => DropReason::BadEthernet,
        _ if dst.is_link_reserved() => DropReason::LinkReserved,
        _ => DropReason::UnknownEthertype,
    }
}
