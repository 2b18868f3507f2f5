//! The multicast database of one bridge: which ports have members of a group.
//!
//! What the file lists goes to its members always. What the kernel's snooping knows counts while
//! there is a querier: then a known group goes to members and routers, an unknown one to routers
//! alone; without one everything unknown floods (RFC 4541 2.1.2, as Linux' bridge). Link-scope groups
//! flood whatever is known, and so do IGMP and MLD messages without the kernel's snooping: somebody
//! behind a port may be the router that waits for them.
//! *Size:* as many entries as the snapshot was built from.

use core::hash::Hash;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::{Snooped, SnoopedFamily};
use crate::forward::Map;
use crate::packet::{FrameInfo, MacAddr, Network, PortMask};
use crate::wire::{Icmpv6, Ipv4, Ipv6, Mld, protocol, view};

/// Groups and their members.
pub(super) struct Mdb {
    v4: Family<Ipv4Addr>,
    v6: Family<Ipv6Addr>,
    /// Nothing is known: everything floods.
    is_idle: bool,
}

struct Family<A> {
    groups: Map<A, PortMask>,
    /// By group and source, where some source has members of its own.
    sources: Map<(A, A), PortMask>,
    /// Where groups without members go, and reports; `None`: everywhere.
    routers: Option<PortMask>,
}

impl Mdb {
    /// From (group, members), several of one group adding up, and what the kernel knows.
    pub(super) fn new(
        groups: impl Iterator<Item = (IpAddr, PortMask)>,
        snooped: Option<&Snooped>,
    ) -> Self {
        let families = snooped.map(|snooped| snooped.families).unwrap_or_default();
        let [v4, v6] = families;
        let mut mdb = Self { v4: Family::new(v4), v6: Family::new(v6), is_idle: false };
        for (group, members) in groups {
            match group {
                IpAddr::V4(group) => mdb.v4.add(group, None, members.or(v4.routers)),
                IpAddr::V6(group) => mdb.v6.add(group, None, members.or(v6.routers)),
            }
        }
        for entry in snooped.into_iter().flat_map(|snooped| &snooped.groups) {
            match (entry.group, entry.source) {
                (IpAddr::V4(group), None) => mdb.v4.learn(group, None, entry.ports),
                (IpAddr::V6(group), None) => mdb.v6.learn(group, None, entry.ports),
                (IpAddr::V4(group), Some(IpAddr::V4(source))) => {
                    mdb.v4.learn(group, Some(source), entry.ports);
                }
                (IpAddr::V6(group), Some(IpAddr::V6(source))) => {
                    mdb.v6.learn(group, Some(source), entry.ports);
                }
                _ => {} // of two families: no datagram is
            }
        }
        mdb.is_idle = mdb.v4.is_idle() && mdb.v6.is_idle();
        mdb
    }

    /// The ports that a frame to a group address is for; `None`: flood it.
    pub(super) fn members(&self, dst: MacAddr, info: &FrameInfo, head: &[u8]) -> Option<PortMask> {
        if self.is_idle {
            return None;
        }
        match group(dst, info, head)? {
            IpAddr::V4(group) => {
                self.v4.members(group, || Some(view::<Ipv4>(head, info.l2_len.into())?.src.into()))
            }
            IpAddr::V6(group) => {
                self.v6.members(group, || Some(view::<Ipv6>(head, info.l2_len.into())?.src.into()))
            }
        }
    }

    /// Where reports of a family go; `None`: everywhere.
    pub(super) fn routers(&self, network: Network) -> Option<PortMask> {
        if network == Network::Ipv4 { self.v4.routers } else { self.v6.routers }
    }
}

impl<A: Copy + Eq + Hash> Family<A> {
    fn new(known: SnoopedFamily) -> Self {
        let routers = known.has_querier.then_some(known.routers);
        Self { groups: Map::default(), sources: Map::default(), routers }
    }

    fn is_idle(&self) -> bool {
        self.groups.is_empty() && self.routers.is_none()
    }

    fn add(&mut self, group: A, source: Option<A>, ports: PortMask) {
        let known = match source {
            Some(source) => self.sources.entry((group, source)).or_default(),
            None => self.groups.entry(group).or_default(),
        };
        *known = known.or(ports);
    }

    /// The kernel's: only what the file lists is limited to members when nobody asks for them.
    fn learn(&mut self, group: A, source: Option<A>, members: PortMask) {
        match self.routers {
            Some(routers) => self.add(group, source, members.or(routers)),
            None if source.is_none() && self.groups.contains_key(&group) => {
                self.add(group, None, members);
            }
            None => {}
        }
    }

    fn members(&self, group: A, source: impl FnOnce() -> Option<A>) -> Option<PortMask> {
        if !self.sources.is_empty() {
            let of_source = source().and_then(|source| self.sources.get(&(group, source)));
            if let Some(ports) = of_source {
                return Some(*ports);
            }
        }
        self.groups.get(&group).copied().or(self.routers)
    }
}

/// The group that a frame to a group address is for, if it can have members.
pub(super) fn group(dst: MacAddr, info: &FrameInfo, head: &[u8]) -> Option<IpAddr> {
    if dst == MacAddr::BROADCAST {
        return None;
    }
    let l2_len = usize::from(info.l2_len);
    match info.network {
        Network::Ipv4 => {
            let group = view::<Ipv4>(head, l2_len)?.dst;
            let floods = matches!(group, [224, 0, 0, _]) || info.protocol == protocol::IGMP;
            (!floods).then(|| IpAddr::V4(Ipv4Addr::from(group)))
        }
        Network::Ipv6 => {
            let group = view::<Ipv6>(head, l2_len)?.dst;
            let floods = matches!(group, [0xff, 0x00..=0x02, ..]) || is_mld(info, head);
            (!floods).then(|| IpAddr::V6(Ipv6Addr::from(group)))
        }
        _ => None,
    }
}

fn is_mld(info: &FrameInfo, head: &[u8]) -> bool {
    info.protocol == protocol::ICMPV6
        && view::<Icmpv6>(head, usize::from(info.l4_offset)).is_some_and(|m| Mld::is_kind(m.kind))
}
