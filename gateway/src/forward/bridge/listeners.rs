//! Multicast to unicast: stations that get a group's datagrams in frames to their own address, as
//! those on a radio link want it (their copies are acknowledged there, a group's are not).
//!
//! A port with a listener of a group gets that group's datagrams by its listeners' copies only.
//! *Size:* as many entries as the snapshot was built from.

use core::net::IpAddr;

use super::mdb::group;
use crate::config::Listener as Configured;
use crate::forward::Map;
use crate::packet::{FrameInfo, Listener, ListenerSet, MacAddr, PortMask};

/// The listeners of one bridge.
pub(in crate::forward) struct Listeners {
    /// And the ports that they are on.
    sets: Map<IpAddr, (ListenerSet, PortMask)>,
}

impl Listeners {
    /// Puts the sets it names into `all`.
    pub(in crate::forward) fn new<'a>(
        configured: impl Iterator<Item = &'a Configured>,
        all: &mut Vec<Box<[Listener]>>,
    ) -> Self {
        let mut groups: Vec<(IpAddr, Vec<Listener>)> = Vec::new();
        for &Configured { group, port, mac, .. } in configured {
            let listener = Listener { port, mac };
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, listeners)) => listeners.push(listener),
                None => groups.push((group, vec![listener])),
            }
        }
        let mut sets = Map::default();
        for (group, listeners) in groups {
            let ports = listeners.iter().map(|listener| listener.port).collect();
            sets.insert(group, (ListenerSet(all.len() as u16), ports));
            all.push(listeners.into());
        }
        Self { sets }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Groups, and ports with listeners of each.
    pub(super) fn ports(&self) -> impl Iterator<Item = (IpAddr, PortMask)> {
        self.sets.iter().map(|(group, (_, ports))| (*group, *ports))
    }

    /// Who listens to the group that a frame to a group address is for.
    pub(super) fn of(&self, dst: MacAddr, info: &FrameInfo, head: &[u8]) -> Option<ListenerSet> {
        self.sets.get(&group(dst, info, head)?).map(|(listeners, _)| *listeners)
    }
}
