//! An 802.1D learning bridge, per VLAN: a frame leaves verbatim by the ports this room names.
//!
//! *Invariant:* the port a frame came from is never among them, nor is a port of another bridge.
//! Malformed packets in a valid Ethernet frame are bridged as they are, but for IGMP and MLD that the
//! kernel judges. Absent: spanning tree, IGMP and MLD state (the host's kernel has them), VLAN
//! membership of ports.

mod fdb;
mod listeners;
mod mdb;
mod membership;
mod plain;
mod shadows;
#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::Arc;

pub use fdb::{Fdb, FdbEntry, Learning, Station};
pub(super) use listeners::Listeners;
use mdb::Mdb;
use membership::Message;
pub use plain::{Between, PlainBridge};
use shadows::Shadows;

use crate::config::{Config, Group};
use crate::packet::{Decision, DropReason, FrameInfo, PortId, PortMask, PuntClass};
use crate::time::Nanos;
use crate::wire::{Ethernet, view};

/// One bridge of a snapshot. The stations it has learned outlive the snapshot.
pub struct Bridge {
    ports: PortMask,
    fdb: Arc<Fdb>,
    mdb: Mdb,
    listeners: Listeners,
    /// Of its ports, when the kernel snoops.
    shadows: Option<Shadows>,
    /// Its ports, and the host.
    everybody: PortMask,
}

impl Bridge {
    /// The bridge of `config` with this index.
    pub(super) fn new(config: &Config, index: usize, listeners: Listeners, fdb: Arc<Fdb>) -> Self {
        let bridge = &config.bridges[index];
        let groups = config.groups.iter().filter(|group| group.bridge == index);
        let members = |group: &Group| (group.group, group.ports.iter().copied().collect());
        // A port with a listener has a member. Without snooping everybody is one of everything.
        let members = groups.map(members).chain(listeners.ports()).filter(|_| bridge.snooping);
        let snooped = config.snooped.iter().find(|snooped| snooped.bridge == index);
        let mdb = Mdb::new(members, snooped);
        let shadows = Shadows::new(config, index);
        let ports: PortMask = bridge.ports.iter().copied().collect();
        let everybody = shadows.as_ref().map_or(ports, |shadows| ports.with(shadows.host()));
        Self { ports, mdb, listeners, fdb, shadows, everybody }
    }

    /// Its stations.
    pub fn fdb(&self) -> &Arc<Fdb> {
        &self.fdb
    }

    /// Its ports.
    pub fn ports(&self) -> PortMask {
        self.ports
    }

    /// Where stations of the host are noted, if its ports have shadows.
    pub(super) fn host(&self) -> Option<PortId> {
        self.shadows.as_ref().map(Shadows::host)
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
            if let Some(shadows) = &self.shadows {
                if let Some(message) = membership::read(info, head) {
                    return self.relay(message, info, shadows);
                }
            }
            self.mdb.members(dst, info, head).unwrap_or(self.everybody)
        } else {
            let station = Station::new(dst, info.vlan);
            match station.and_then(|station| self.fdb.lookup(station, now)) {
                Some(port) if port == info.port => return Decision::Drop(DropReason::SamePort),
                Some(port) => PortMask::of(port),
                None => self.everybody,
            }
        };
        let mut ports = ports.without(info.port);
        if let Some(shadows) = &self.shadows {
            ports = shadows.towards(ports, info.port);
        }
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

    /// A membership message, of which the kernel hears as well. It forwards none of them.
    #[cold]
    fn relay(&self, message: Message, info: &FrameInfo, shadows: &Shadows) -> Decision {
        let ports = match message {
            Message::Report => self.mdb.routers(info.network).unwrap_or(self.ports),
            Message::Other => self.ports,
            Message::Malformed => return Decision::Drop(DropReason::BadMembership),
        };
        let ports = ports.and(self.ports).without(info.port);
        let shadow = shadows.of(info.port);
        Decision::BridgeAndPunt { ports, shadow, class: PuntClass::Membership }
    }

    /// What [`learn`](Self::learn) would do.
    pub(super) fn would_learn(
        &self,
        info: &FrameInfo,
        head: &[u8],
        port: PortId,
        now: Nanos,
    ) -> Learning {
        sender(info, head)
            .map_or(Learning::Unchanged, |station| self.fdb.would_learn(station, port, now))
    }

    /// Notes that the sender is on `port`.
    pub(super) fn learn(
        &self,
        info: &FrameInfo,
        head: &[u8],
        port: PortId,
        now: Nanos,
    ) -> Learning {
        sender(info, head).map_or(Learning::Unchanged, |station| self.fdb.learn(station, port, now))
    }
}

fn sender(info: &FrameInfo, head: &[u8]) -> Option<Station> {
    Station::new(view::<Ethernet>(head, 0)?.src, info.vlan)
}
