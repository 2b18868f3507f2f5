//! The multicast database of one bridge: which ports have members of a group.
//!
//! Only what the file says, so no querier is ever present: a group that is listed goes to its
//! members, all others flood. So do, whatever is listed, link-scope groups (RFC 4541 2.1.2) and
//! IGMP and MLD messages: somebody behind a port may be the router that waits for them.
//! *Size:* as many entries as the snapshot was built from.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::forward::Map;
use crate::packet::{FrameInfo, MacAddr, Network, PortMask};
use crate::wire::{Icmpv6, Ipv4, Ipv6, Mld, protocol, view};

/// Groups and their members.
pub(super) struct Mdb {
    v4: Map<Ipv4Addr, PortMask>,
    v6: Map<Ipv6Addr, PortMask>,
}

impl Mdb {
    /// From (group, members); several of one group add up.
    pub(super) fn new(groups: impl Iterator<Item = (IpAddr, PortMask)>) -> Self {
        let mut mdb = Self { v4: Map::default(), v6: Map::default() };
        for (group, members) in groups {
            let known = match group {
                IpAddr::V4(group) => mdb.v4.entry(group).or_default(),
                IpAddr::V6(group) => mdb.v6.entry(group).or_default(),
            };
            *known = known.or(members);
        }
        mdb
    }

    /// The members of the group that a frame to a group address is for; `None`: flood it.
    pub(super) fn members(&self, dst: MacAddr, info: &FrameInfo, head: &[u8]) -> Option<PortMask> {
        if self.v4.is_empty() && self.v6.is_empty() {
            return None;
        }
        match group(dst, info, head)? {
            IpAddr::V4(group) => self.v4.get(&group).copied(),
            IpAddr::V6(group) => self.v6.get(&group).copied(),
        }
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
            let floods = matches!(group, [0xff, 0x02, ..]) || is_mld(info, head);
            (!floods).then(|| IpAddr::V6(Ipv6Addr::from(group)))
        }
        _ => None,
    }
}

fn is_mld(info: &FrameInfo, head: &[u8]) -> bool {
    info.protocol == protocol::ICMPV6
        && view::<Icmpv6>(head, usize::from(info.l4_offset)).is_some_and(|m| Mld::is_kind(m.kind))
}
