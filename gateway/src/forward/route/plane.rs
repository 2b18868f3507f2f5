//! The router's tables of one address family, and the order of its checks: what the datagram
//! claims (addresses), where it goes (route), whether it may still go (hops), how (neighbour).
//! That is the order of Linux and of RFC 1812 5.2.1: an operator reads the first thing wrong.

use std::collections::HashMap;
use std::sync::Arc;

use super::address::Address;
use super::fib::{Fib, Route};
use super::mfib::{Mfib, Path};
use super::neighbor::Neighbors;
use super::own::Own;
use super::watch::Watch;
use crate::config::{self, Config, KernelRoutes};
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
        let mut tables = Self { own: Own::new(), fib: Fib::new(seed), neighbors: Neighbors::new() };
        for neighbor in &config.neighbors {
            let (port, dst_mac) = (neighbor.port, neighbor.mac);
            let found = (A::of(neighbor.address), macs.get(port.index()));
            if let (Some(address), Some(&src_mac)) = found {
                tables.neighbors.insert(address, NextHop { port, dst_mac, src_mac });
            }
        }
        // What is added later wins: see the head of fib.rs.
        tables.add_of_the_kernel(&config.kernel_routes);
        tables.add_over_next_hops(&config.routes);
        tables.add_connected(config);
        if A::HOST_ROUTES {
            tables.add_neighbors(config);
        }
        A::unrouted().into_iter().for_each(|net| tables.fib.clear(net));
        tables
    }

    fn add_of_the_kernel(&mut self, routes: &KernelRoutes) {
        self.add_over_next_hops(&routes.routed);
        for net in routes.own.iter().filter_map(|net| A::net_of(*net)) {
            self.fib.insert(net.0, Route::Unresolved);
        }
        for (net, port) in &routes.on_link {
            if let Some((net, _)) = A::net_of(*net) {
                self.fib.insert(net, Route::Connected(*port));
            }
        }
    }

    /// Routes with one prefix are one route over several next hops.
    fn add_over_next_hops(&mut self, routes: &[config::Route]) {
        let mut hops: HashMap<A::Net, Vec<NextHop>> = HashMap::new();
        for route in routes {
            if let (Some((net, _)), Some(via)) = (A::net_of(route.prefix), A::of(route.via)) {
                hops.entry(net).or_default().extend(self.neighbors.lookup(route.port, via));
            }
        }
        for (net, hops) in hops {
            self.fib.insert(net, Route::via(&hops));
        }
    }

    /// The next hop of a neighbour that its connected network leads to is found with the route, and
    /// not behind it.
    fn add_neighbors(&mut self, config: &Config) {
        for neighbor in &config.neighbors {
            let Some(address) = A::of(neighbor.address) else { continue };
            if self.fib.lookup(address) == Some(&Route::Connected(neighbor.port)) {
                let hop = self.neighbors.lookup(neighbor.port, address);
                hop.into_iter()
                    .for_each(|hop| self.fib.insert(address.host_net(), Route::Via(*hop)));
            }
        }
    }

    fn add_connected(&mut self, config: &Config) {
        let ports = || config.ports.iter().zip(0..).map(|(port, index)| (port, PortId(index)));
        let nets = || ports().flat_map(|(port, id)| port.addresses.iter().map(move |a| (*a, id)));
        for (net, port) in nets().filter_map(|(net, port)| Some((A::net_of(net)?.0, port))) {
            self.fib.insert(net, Route::Connected(port));
        }
        for net in nets().filter_map(|(net, _)| A::net_of(net)) {
            if let Some(broadcast) = A::broadcast_of(net.0) {
                self.fib.insert(broadcast.host_net(), Route::Broadcast);
                self.own.insert(broadcast);
            }
        }
        for (_, address) in nets().filter_map(|(net, _)| A::net_of(net)) {
            self.fib.insert(address.host_net(), Route::Local);
            self.own.insert(address);
        }
    }
}
