//! The configuration that workers decide by: the file's, and what the kernel knows beside it. What
//! the file says of a prefix, a neighbour or a group counts.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::mirror::{Known, KnownMulticast};
use crate::config::{Config, KernelEntry, MulticastRoute, Neighbor, Shadow};
use crate::packet::PortId;

impl Known {
    /// The file's configuration with what the kernel adds to it.
    pub fn overlay(&self, file: &Config) -> Config {
        let mut config = file.clone();
        add_addresses(&mut config, self);
        add_neighbors(&mut config, self);
        add_multicast(&mut config, self);
        add_memberships(&mut config, self);
        config.kernel_routes = Arc::clone(&self.routes);
        config.snooped.clone_from(&self.snooped);
        config
    }
}

fn add_addresses(config: &mut Config, known: &Known) {
    for &(port, address) in &known.addresses {
        let Some(port) = config.ports.get_mut(port.index()) else { continue };
        if !port.addresses.contains(&address) {
            port.addresses.push(address);
        }
    }
}

fn add_neighbors(config: &mut Config, known: &Known) {
    let file: HashSet<_> = config.neighbors.iter().map(|n| (n.port, n.address)).collect();
    let new =
        known.neighbors.iter().filter(|(port, address, _)| !file.contains(&(*port, *address)));
    config.neighbors.extend(new.map(|&(port, address, mac)| Neighbor { address, mac, port }));
}

fn add_multicast(config: &mut Config, known: &Known) {
    let file: HashSet<_> =
        config.multicast.iter().map(|route| (route.source, route.group)).collect();
    for route in &known.multicast {
        let shadow = config.shadow_of(Shadow::Port(route.from));
        if let Some(shadow) = shadow.filter(|_| !file.contains(&(route.source, route.group))) {
            config.multicast.push(multicast_route(route, shadow));
        }
    }
}

/// `shadow` is the host's end of the port it comes from: what the kernel forwards goes up there.
fn multicast_route(known: &KnownMulticast, shadow: PortId) -> MulticastRoute {
    let KnownMulticast { source, group, from, .. } = *known;
    let (to, kernel) = match &known.to {
        Some(to) => {
            let thresholds = to.iter().copied().filter(|&(_, least)| least > 1).collect();
            let to = to.iter().map(|&(port, _)| port).collect();
            (to, Some(KernelEntry { thresholds, shadow }))
        }
        None => (vec![shadow], None),
    };
    MulticastRoute { group, source, from, to, kernel }
}

/// A program on the host that joined a group is a member behind the shadow.
fn add_memberships(config: &mut Config, known: &Known) {
    for &(shadow, group) in &known.joined {
        match config.ports.get(shadow.index()).and_then(|port| port.shadow) {
            Some(Shadow::Port(port)) if config.bridge_of(port).is_some() => {} // Linux knows by its bridge
            Some(Shadow::Port(port)) => join_routed(config, port, shadow, group),
            Some(Shadow::Bridge(bridge)) => {
                let of_bridge =
                    config.groups.iter_mut().filter(|g| g.bridge == bridge && g.group == group);
                of_bridge.for_each(|group| group.ports.push(shadow));
            }
            None => {}
        }
    }
}

fn join_routed(config: &mut Config, from: PortId, shadow: PortId, group: IpAddr) {
    let routes = config.multicast.iter_mut().filter(|route| route.group == group);
    for route in routes.filter(|route| route.from == from) {
        route.to.push(shadow);
    }
    let to = vec![shadow];
    config.multicast.push(MulticastRoute { group, source: None, from, to, kernel: None });
}
