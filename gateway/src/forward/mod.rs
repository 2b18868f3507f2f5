//! Forwarding: a super-packet's first header in, one [`Decision`] for all its segments out.
//!
//! A port is in one bridge, or it is routed. All tables are an immutable snapshot ([`Tables`]) that
//! the control side builds and publishes, except for what bridges learn ([`Fdb`]).
//! *Invariant:* deciding takes no lock, allocates nothing and changes nothing; only learning does,
//! and a caller that holds datagrams back asks [`would_learn`](Forwarder::would_learn) first, so
//! that a held datagram never sees a table from after its time. Absent: rewriting, sending.

pub mod answer;
mod bridge;
mod filter;
pub mod rate;
mod route;
mod tables;
#[cfg(all(test, not(loom)))]
mod testing;

use std::collections::HashMap;
use std::sync::Arc;

pub use bridge::{Between, Bridge, Fdb, FdbEntry, Learning, PlainBridge, Station};
pub use filter::{FilterKey, Filters, Limiter, Rule, RuleId};
use foldhash::fast::FixedState;
pub use route::{Interface, PlainRouter, Question, Watch};
use tables::Role;
pub use tables::{PortFacts, Tables};

use crate::packet::{
    Decision, DropReason, FrameInfo, Listener, ListenerSet, MacAddr, Network, NextHop, PortId,
    PortMask, WatchId,
};
use crate::time::Nanos;

/// Tables that the control side fills and workers read. No stranger chooses the keys.
type Map<K, V> = HashMap<K, V, FixedState>;

/// One worker's view of the tables.
pub struct Forwarder {
    tables: Arc<Tables>,
}

/// The short way to a decision, by what a port belongs to.
pub enum PlainWay<'a> {
    /// The router.
    Routed(PlainRouter<'a>),
    /// A bridge.
    Bridged(PlainBridge<'a>),
}

impl Forwarder {
    /// Decides by `tables`.
    pub fn new(tables: Arc<Tables>) -> Self {
        Self { tables }
    }

    /// What it decides by.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// `[[filter]]`; `None` if there are none.
    #[inline]
    pub fn filters(&self) -> Option<&Filters> {
        self.tables.filters()
    }

    /// What becomes of a super-packet. `head` is the head piece of its first segment, `info` what
    /// ingress found in it.
    #[inline]
    pub fn decide(&self, info: &FrameInfo, head: &[u8], now: Nanos) -> Decision {
        let decision = match self.role(info.port) {
            Some(Role::Bridged(index)) => match self.tables.bridges.get(*index) {
                Some(bridge) => Ok(bridge.decide(info, head, now)),
                None => Err(DropReason::NoEgress),
            },
            Some(Role::Routed(interface)) => self.tables.router.decide(interface, info, head),
            Some(Role::Shadow(of) | Role::BridgedShadow { of, .. }) => {
                Ok(Decision::Bridge { ports: PortMask::of(*of) })
            }
            None => Err(DropReason::NoEgress),
        };
        decision.unwrap_or_else(Decision::Drop)
    }

    /// What decides on plain datagrams of a port.
    #[inline]
    pub fn plain(&self, port: PortId, now: Nanos) -> Option<PlainWay<'_>> {
        match self.role(port)? {
            Role::Routed(interface) => Some(PlainWay::Routed(self.tables.router.plain(interface))),
            Role::Bridged(index) => {
                let bridge = self.tables.bridges.get(*index)?;
                Some(PlainWay::Bridged(PlainBridge::new(bridge, port, now)))
            }
            Role::Shadow(_) | Role::BridgedShadow { .. } => None,
        }
    }

    /// Whether anything is learned from what a port receives.
    #[inline]
    pub fn learns_from(&self, port: PortId) -> bool {
        self.learner(port).is_some()
    }

    /// What [`learn`](Self::learn) would change now. If [a change](Learning::is_change), decide
    /// what is held back before learning. Otherwise learning can be left out: a station that is
    /// known is noted as alive here.
    #[inline]
    pub fn would_learn(&self, info: &FrameInfo, head: &[u8], now: Nanos) -> Learning {
        self.learner(info.port)
            .map_or(Learning::Unchanged, |(bridge, at)| bridge.would_learn(info, head, at, now))
    }

    /// Notes which port of its bridge a frame's sender is on.
    pub fn learn(&self, info: &FrameInfo, head: &[u8], now: Nanos) -> Learning {
        self.learner(info.port)
            .map_or(Learning::Unchanged, |(bridge, at)| bridge.learn(info, head, at, now))
    }

    /// The addresses of a routed port, which its answers come from.
    pub fn interface(&self, port: PortId) -> Option<&Interface> {
        match self.role(port)? {
            Role::Routed(interface) => Some(interface),
            Role::Bridged(_) | Role::Shadow(_) | Role::BridgedShadow { .. } => None,
        }
    }

    /// How a frame's sender is reached by the routing tables. `None` without a route or a neighbor.
    pub fn way_back(&self, info: &FrameInfo, head: &[u8]) -> Option<NextHop> {
        self.tables.router.way_back(info, head)
    }

    /// Who is in a set of a decision of [`decide`](Self::decide).
    pub fn listeners(&self, set: ListenerSet) -> &[Listener] {
        self.tables.listeners.get(usize::from(set.0)).map_or(&[], |listeners| listeners)
    }

    /// The route of a [`Decision::MulticastWatched`] about a datagram of this network.
    pub fn watch(&self, network: Network, id: WatchId) -> Option<&Watch> {
        self.tables.router.watch(network, id)
    }

    /// IP MTU of a port, in bytes.
    pub fn mtu(&self, port: PortId) -> u16 {
        self.tables.mtus.get(port.index()).copied().unwrap_or(u16::MAX)
    }

    /// The least IP MTU of all ports, in bytes.
    #[inline]
    pub fn smallest_mtu(&self) -> u16 {
        self.tables.smallest_mtu
    }

    /// Ports that are the host's ends of others.
    #[inline]
    pub fn shadows(&self) -> PortMask {
        self.tables.shadows
    }

    /// Link address of a port.
    #[inline]
    pub fn mac(&self, port: PortId) -> MacAddr {
        self.tables.macs.get(port.index()).copied().unwrap_or_default()
    }

    #[inline]
    fn role(&self, port: PortId) -> Option<&Role> {
        self.tables.roles.get(port.index())
    }

    /// The bridge that learns from what a port receives, and the port it is learned for.
    #[inline]
    fn learner(&self, port: PortId) -> Option<(&Bridge, PortId)> {
        match self.role(port)? {
            Role::Bridged(index) => Some((self.tables.bridges.get(*index)?, port)),
            Role::BridgedShadow { bridge, .. } => {
                let bridge = self.tables.bridges.get(*bridge)?;
                Some((bridge, bridge.host()?))
            }
            Role::Routed(_) | Role::Shadow(_) => None,
        }
    }
}
