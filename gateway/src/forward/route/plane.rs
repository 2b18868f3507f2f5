//! The router's tables of one address family, and the order of its checks: what the datagram
//! claims (addresses), where it goes (route), whether it may still go (hops), how (neighbour).
//! That is the order of Linux and of RFC 1812 5.2.1: an operator reads the first thing wrong.

use std::sync::Arc;

use super::address::Address;
use super::fib::{Fib, Route};
use super::mfib::{Mfib, Path};
use super::neighbor::Neighbors;
use super::own::Own;
use super::rib::Rib;
use super::watch::Watch;
use crate::config::Config;
use crate::packet::{Answer, Decision, DropReason, MacAddr, NextHop, PortId, PortMask, WatchId};

/// One address family.
pub(super) struct Plane<A: Address> {
    /// Shared by all snapshots in which it is the same.
    unicast: Arc<Unicast<A>>,
    mfib: Mfib<A>,
    /// Ports that are the host's ends of others.
    shadows: PortMask,
}

/// What a plane knows of single hosts.
struct Unicast<A: Address> {
    own: Own<A>,
    fib: Fib<A>,
    neighbors: Neighbors<A>,
}

/// What a decision depends on. Equal for all segments of a super-packet.
pub(super) struct Query<A> {
    pub(super) ingress: PortId,
    /// Whether the frame was sent to a group address.
    pub(super) link_group: bool,
    pub(super) source: A,
    pub(super) destination: A,
    /// TTL or hop limit on arrival.
    pub(super) hops: u8,
}

impl<A: Address> Plane<A> {
    /// The decision, or why there is none but to drop.
    #[inline]
    pub(super) fn decide(&self, query: &Query<A>) -> Result<Decision, DropReason> {
        let Query { source, destination, .. } = *query;
        if source.is_martian_source() || self.unicast.own.contains(source) {
            return Err(DropReason::MartianSource);
        }
        if destination.is_martian_destination() {
            return Err(DropReason::MartianDestination);
        }
        if source.is_link_local() || destination.is_link_local() {
            return Err(DropReason::LinkLocal);
        }
        if destination.is_group() { self.multicast(query) } else { self.unicast(query) }
    }

    /// The next hop of a datagram with hops left that [`decide`](Self::decide) answers with a route;
    /// `None` if it does not. Not to be asked about a group's frame.
    #[inline]
    pub(super) fn plain_route(&self, source: A, destination: A) -> Option<&NextHop> {
        let odd_source = source.is_martian_source() | source.is_link_local();
        if odd_source || self.unicast.own.contains(source) {
            return None;
        }
        // What is odd about a destination is that it has no route.
        self.unicast.next_hop(self.unicast.fib.lookup(destination)?, source, destination)
    }

    #[inline]
    fn unicast(&self, query: &Query<A>) -> Result<Decision, DropReason> {
        let route = self.unicast.fib.lookup(query.destination);
        // All hosts of a network includes us, and is not passed on (RFC 2644), however it came.
        if route == Some(&Route::Broadcast) {
            return Err(DropReason::NoHost);
        }
        if query.link_group {
            return Err(DropReason::AddressKindMismatch);
        }
        let route = route.ok_or(DropReason::NoRoute)?;
        if *route == Route::Local {
            return Err(DropReason::NoHost);
        }
        if query.hops <= 1 {
            return Ok(Decision::Answer(Answer::TimeExceeded));
        }
        let hop = self.unicast.next_hop(route, query.source, query.destination);
        hop.copied().map(Decision::Route).ok_or(DropReason::NoNeighbor)
    }

    /// How the source of the query is reached.
    pub(super) fn way_back(&self, query: &Query<A>) -> Option<NextHop> {
        let Query { source, destination, .. } = *query;
        self.unicast.next_hop(self.unicast.fib.lookup(source)?, destination, source).copied()
    }

    #[inline(never)]
    fn multicast(&self, query: &Query<A>) -> Result<Decision, DropReason> {
        if !query.link_group {
            return Err(DropReason::AddressKindMismatch);
        }
        if query.destination.is_link_group() {
            return Err(DropReason::LinkLocal);
        }
        let path = self.mfib.lookup(query.source, query.destination, query.ingress)?;
        let watch = path.watch.and_then(|id| self.mfib.watch(id));
        if query.hops <= path.scope || watch.is_some_and(Watch::is_due) {
            return self.multicast_with_care(query.hops, path);
        }
        if path.to.is_empty() {
            return Err(DropReason::NoEgress);
        }
        Ok(Decision::Multicast { ports: path.to })
    }

    #[cold]
    fn multicast_with_care(&self, hops: u8, path: &Path) -> Result<Decision, DropReason> {
        // What goes up to the host goes no further: it keeps its last hop.
        if hops <= 1 {
            let ports = path.to.and(self.shadows);
            return if ports.is_empty() {
                Err(DropReason::TtlExpired)
            } else {
                Ok(Decision::Multicast { ports })
            };
        }
        let known = path.watch.and_then(|id| Some((id, self.mfib.watch(id)?)));
        let (watch, watched) = known.ok_or(DropReason::NoEgress)?;
        Ok(Decision::MulticastWatched { ports: path.to.and_not(watched.beyond(hops)), watch })
    }

    #[cfg(test)]
    pub(super) fn shares_unicast(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.unicast, &other.unicast)
    }

    /// A multicast route that the kernel has too.
    pub(super) fn watch(&self, id: WatchId) -> Option<&Watch> {
        self.mfib.watch(id)
    }

    /// All of them.
    pub(super) fn watches(&self) -> &[Watch] {
        self.mfib.watches()
    }
}

impl<A: Address> Unicast<A> {
    #[inline]
    fn next_hop<'a>(&'a self, route: &'a Route, source: A, destination: A) -> Option<&'a NextHop> {
        if let Route::Via(hop) = route {
            return Some(hop);
        }
        self.one_of(route, source, destination)
    }

    #[inline(never)]
    fn one_of<'a>(&'a self, route: &'a Route, source: A, destination: A) -> Option<&'a NextHop> {
        match route {
            Route::Via(hop) => Some(hop),
            Route::Balanced(hops) => self.fib.balance(hops, source, destination),
            Route::Connected(port) => self.neighbors.lookup(*port, destination),
            Route::Local | Route::Broadcast | Route::Unresolved => None,
        }
    }
}

impl<A: Address> Plane<A> {
    /// The tables of a configuration; `macs` are the ports' link addresses. `same` has the unicast
    /// tables of this very configuration.
    pub(super) fn build(config: &Config, macs: &[MacAddr], seed: u64, same: Option<&Self>) -> Self {
        let unicast = same.map_or_else(
            || Arc::new(Unicast::build(config, macs, seed)),
            |same| Arc::clone(&same.unicast),
        );
        let (mut mfib, shadows) = (Mfib::new(), config.shadows());
        for route in &config.multicast {
            mfib.insert(route, shadows);
        }
        Self { unicast, mfib, shadows }
    }
}

impl<A: Address> Unicast<A> {
    fn build(config: &Config, macs: &[MacAddr], seed: u64) -> Self {
        let neighbors = Neighbors::build(config, macs);
        let fib = Fib::new(Rib::build(config, &neighbors), seed);
        Self { own: Own::build(config), fib, neighbors }
    }
}
