//! An 802.1D learning bridge, per VLAN: a frame leaves verbatim by the ports this room names.
//!
//! *Invariant:* the port a frame came from is never among them, nor is a port of another bridge.
//! Malformed packets in a valid Ethernet frame are bridged as they are. Absent: spanning tree,
//! IGMP and MLD state (the host's kernel has them), VLAN membership of ports.

mod fdb;
mod listeners;
mod mdb;
#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::Arc;

pub use fdb::{Fdb, FdbEntry, Learning, Station};
pub(super) use listeners::Listeners;
use mdb::Mdb;

use crate::config::{Bridge as BridgeConfig, Group};
use crate::packet::{Decision, DropReason, FrameInfo, PortMask};
use crate::time::Nanos;
use crate::wire::{Ethernet, view};

/// One bridge of a snapshot. The stations it has learned outlive the snapshot.
pub struct Bridge {
    ports: PortMask,
    fdb: Arc<Fdb>,
    mdb: Mdb,
    listeners: Listeners,
}

impl Bridge {
    pub(super) fn new<'a>(
        config: &BridgeConfig,
        groups: impl Iterator<Item = &'a Group>,
        listeners: Listeners,
        fdb: Arc<Fdb>,
    ) -> Self {
        let members = |group: &Group| (group.group, group.ports.iter().copied().collect());
        // A port with a listener has a member. Without snooping everybody is one of everything.
        let members = groups.map(members).chain(listeners.ports()).filter(|_| config.snooping);
        let mdb = Mdb::new(members);
        Self { ports: config.ports.iter().copied().collect(), mdb, listeners, fdb }
    }

    /// Its stations.
    pub fn fdb(&self) -> &Arc<Fdb> {
        &self.fdb
    }

    /// Its ports.
    pub fn ports(&self) -> PortMask {
        self.ports
    }

    pub(super) fn decide(&self, info: &FrameInfo, head: &[u8], now: Nanos) -> Decision {
        let Some(&Ethernet { dst, src, .. }) = view(head, 0) else {
            return Decision::Drop(DropReason::RuntFrame);
        };
        if dst.is_link_reserved() {
            return Decision::Drop(DropReason::LinkReserved);
        }
        if !src.is_station() {
            return Decision::Drop(DropReason::BadSourceMac);
        }
        let ports = if dst.is_group() {
            self.mdb.members(dst, info, head).unwrap_or(self.ports)
        } else {
            let station = Station::new(dst, info.vlan);
            match station.and_then(|station| self.fdb.lookup(station, now)) {
                Some(port) if port == info.port => return Decision::Drop(DropReason::SamePort),
                Some(port) => PortMask::of(port),
                None => self.ports,
            }
        };
        let ports = ports.without(info.port);
        if ports.is_empty() {
            return Decision::Drop(DropReason::NoEgress);
        }
        if dst.is_group() && !self.listeners.is_empty() {
            if let Some(listeners) = self.listeners.of(dst, info, head) {
                return Decision::BridgeToListeners { ports, listeners };
            }
        }
        Decision::Bridge { ports }
    }

    /// What [`learn`](Self::learn) would do.
    pub(super) fn would_learn(&self, info: &FrameInfo, head: &[u8], now: Nanos) -> Learning {
        sender(info, head)
            .map_or(Learning::Unchanged, |station| self.fdb.would_learn(station, info.port, now))
    }

    /// Notes where the sender is.
    pub(super) fn learn(&self, info: &FrameInfo, head: &[u8], now: Nanos) -> Learning {
        sender(info, head)
            .map_or(Learning::Unchanged, |station| self.fdb.learn(station, info.port, now))
    }
}

fn sender(info: &FrameInfo, head: &[u8]) -> Option<Station> {
    Station::new(view::<Ethernet>(head, 0)?.src, info.vlan)
}
