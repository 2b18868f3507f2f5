//! What the file says as a whole: names resolved, networks and memberships consistent.
//!
//! *Invariant:* whatever cannot be resolved is noted as a problem, so a [`Config`] that lacks it
//! is never handed out.

mod bridges;
mod filters;
mod hosts;
mod listeners;
mod multicast;
mod networks;
mod ports;
mod routes;
mod topology;

use std::sync::Arc;

use super::Config;
use super::problem::{Problem, Problems};
use super::raw::{RawConfig, RawPort};
use crate::packet::MAX_PORTS;
use topology::Topology;

pub(super) fn check(raw: RawConfig, problems: &mut Problems) -> Config {
    let mut config = Config {
        runtime: raw.runtime,
        gro: raw.gro,
        control: raw.control,
        ports: Vec::new(),
        bridges: Vec::new(),
        groups: Vec::new(),
        listeners: Vec::new(),
        routes: Vec::new(),
        neighbors: Vec::new(),
        multicast: Vec::new(),
        filters: Vec::new(),
        kernel_routes: Arc::default(),
        snooped: Vec::new(),
    };
    if !port_count(&raw.ports, problems) {
        return config;
    }
    ports::check(&raw.ports, problems);
    let topology = Topology::new(&raw.ports, &raw.bridges, problems);
    networks::check(&raw.ports, &topology, problems);
    config.bridges = topology.bridges(&raw.bridges);
    config.groups = bridges::groups(&raw.groups, &topology, problems);
    config.listeners = listeners::listeners(&raw.listeners, &raw.groups, &topology, problems);
    config.routes = routes::routes(&raw.routes, &topology, problems);
    config.neighbors = routes::neighbors(&raw.neighbors, &topology, problems);
    config.multicast = multicast::routes(&raw.multicast, &topology, problems);
    config.filters = filters::filters(&raw.filters, &topology, problems);
    bridges::snooping(&raw.bridges, &topology, problems);
    hosts::check(&raw.ports, &raw.bridges, &topology, problems);
    config.ports = raw.ports.into_iter().filter_map(ports::port).collect();
    config.add_shadows();
    config
}

fn port_count(ports: &[RawPort], problems: &mut Problems) -> bool {
    if let Some(beyond) = ports.get(MAX_PORTS) {
        let place = beyond.name.as_ref().map_or(0..0, toml::Spanned::span);
        problems.push(
            Problem::new(place, format!("{} ports are too many", ports.len()))
                .label(format!("the limit is {MAX_PORTS}"))
                .hint("remove ports, or run a second gateway"),
        );
    }
    (1..=MAX_PORTS).contains(&ports.len())
}
