//! The routes that a configuration comes to, in the order in which later ones win.

use core::marker::PhantomData;
use std::collections::HashMap;

use super::address::Address;
use super::fib::Route;
use super::neighbor::Neighbors;
use super::strides::{Prefixes, Strides};
use crate::config::{self, Config, KernelRoutes};
use crate::packet::{NextHop, PortId};

/// Routes of one address family, while they are added.
pub(super) struct Rib<A: Address> {
    routes: Strides<Route>,
    family: PhantomData<A>,
}

impl<A: Address> Rib<A> {
    pub(super) fn new() -> Self {
        Self { routes: Strides::new(), family: PhantomData }
    }

    /// What is added later wins: see the head of fib.rs.
    pub(super) fn build(config: &Config, neighbors: &Neighbors<A>) -> Self {
        let mut rib = Self::new();
        rib.add_of_the_kernel(&config.kernel_routes, neighbors);
        rib.add_over_next_hops(&config.routes, neighbors);
        rib.add_connected(config);
        if A::HOST_ROUTES {
            rib.add_neighbors(config, neighbors);
        }
        A::unrouted().into_iter().for_each(|net| rib.clear(net));
        rib
    }

    /// Adds a route; the last one of a prefix counts.
    pub(super) fn insert(&mut self, net: A::Net, route: Route) {
        let (address, len) = A::split(net);
        self.routes.insert(address.octets().as_ref(), len, route);
    }

    /// Addresses of this prefix have no route, whatever was added.
    pub(super) fn clear(&mut self, net: A::Net) {
        let (address, len) = A::split(net);
        self.routes.clear(address.octets().as_ref(), len);
    }

    /// To be looked up, and not changed any more.
    pub(super) fn into_routes(self) -> A::Routes {
        self.routes.into()
    }

    fn add_of_the_kernel(&mut self, routes: &KernelRoutes, neighbors: &Neighbors<A>) {
        self.add_over_next_hops(&routes.routed, neighbors);
        for net in routes.own.iter().filter_map(|net| A::net_of(*net)) {
            self.insert(net.0, Route::Unresolved);
        }
        for (net, port) in &routes.on_link {
            if let Some((net, _)) = A::net_of(*net) {
                self.insert(net, Route::Connected(*port));
            }
        }
    }

    /// Routes with one prefix are one route over several next hops.
    fn add_over_next_hops(&mut self, routes: &[config::Route], neighbors: &Neighbors<A>) {
        let mut hops: HashMap<A::Net, Vec<NextHop>> = HashMap::new();
        for route in routes {
            if let (Some((net, _)), Some(via)) = (A::net_of(route.prefix), A::of(route.via)) {
                hops.entry(net).or_default().extend(neighbors.lookup(route.port, via));
            }
        }
        for (net, hops) in hops {
            self.insert(net, Route::via(&hops));
        }
    }

    fn add_connected(&mut self, config: &Config) {
        let ports = config.ports.iter().zip((0..).map(PortId));
        let nets = ports.flat_map(|(port, id)| port.addresses.iter().map(move |net| (*net, id)));
        let nets: Vec<_> = nets.filter_map(|(net, port)| Some((A::net_of(net)?, port))).collect();
        for &((net, _), port) in &nets {
            self.insert(net, Route::Connected(port));
        }
        for broadcast in nets.iter().filter_map(|((net, _), _)| A::broadcast_of(*net)) {
            self.insert(broadcast.host_net(), Route::Broadcast);
        }
        for ((_, address), _) in nets {
            self.insert(address.host_net(), Route::Local);
        }
    }

    /// The next hop of a neighbour that its connected network leads to is found with the route, and
    /// not behind it.
    fn add_neighbors(&mut self, config: &Config, neighbors: &Neighbors<A>) {
        for neighbor in &config.neighbors {
            let Some(address) = A::of(neighbor.address) else { continue };
            if self.routes.lookup(address.octets().as_ref())
                == Some(&Route::Connected(neighbor.port))
            {
                let hop = neighbors.lookup(neighbor.port, address);
                hop.into_iter().for_each(|hop| self.insert(address.host_net(), Route::Via(*hop)));
            }
        }
    }
}
