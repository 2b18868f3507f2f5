//! `host = true`: whether the shadow can be made, and be told from everything else.

use std::collections::HashMap;

use toml::Spanned;

use super::super::problem::{Problem, Problems};
use super::super::raw::{RawBridge, RawPort, Text};
use super::super::shadow::PREFIX;
use super::topology::Topology;
use crate::packet::{MAX_PORTS, PortId};

/// An interface name and its end (IFNAMSIZ in linux/if.h).
const INTERFACE_NAME: usize = 15;

pub(super) fn check(
    ports: &[RawPort],
    bridges: &[RawBridge],
    topology: &Topology<'_>,
    problems: &mut Problems,
) {
    let names: HashMap<&str, &Text> = ports
        .iter()
        .filter_map(|port| port.name.as_ref())
        .map(|name| (name.get_ref().as_str(), name))
        .collect();
    let mut hosts = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let Some(place) = &port.host else { continue };
        if let Some((_, membership)) = topology.bridge_of(PortId(index as u16)) {
            problems.push(in_a_bridge(place, membership));
        }
        hosts.extend(port.name.as_ref().map(|name| (place, name)));
    }
    let mut no_ports = 0;
    for bridge in bridges {
        let Some(place) = &bridge.host else { continue };
        hosts.extend(bridge.name.as_ref().map(|name| (place, name)));
        if bridge.snooping {
            // The kernel's bridge is no port of the gateway, the shadows of its ports are.
            no_ports += 1;
            let members = bridge.ports.iter().filter_map(|name| names.get(name.get_ref().as_str()));
            hosts.extend(members.map(|name| (place, *name)));
        }
    }
    for (place, name) in &hosts {
        let interface = format!("{PREFIX}{}", name.get_ref());
        if interface.len() > INTERFACE_NAME {
            problems.push(too_long(place, name));
        }
        if let Some(taken) = names.get(interface.as_str()) {
            problems.push(
                Problem::new(place.span(), format!("the shadow's name {interface} is taken"))
                    .label("needs this name")
                    .related(taken.span(), "by this port")
                    .hint("rename the port"),
            );
        }
    }
    let all = ports.len() + hosts.len() - no_ports;
    if let (Some((place, _)), true) = (hosts.last(), all > MAX_PORTS) {
        problems.push(
            Problem::new(place.span(), "too many ports and shadows")
                .label(format!("{all} in all, the limit is {MAX_PORTS}"))
                .hint("remove ports, or write host = false for some"),
        );
    }
}

fn in_a_bridge(place: &Spanned<bool>, membership: &Text) -> Problem {
    Problem::new(place.span(), "a port in a bridge is shadowed with its bridge")
        .label("not alone")
        .related(membership.span(), "its bridge")
        .hint("write host = true in the [[bridge]]; with snooping each of its ports has a shadow")
}

fn too_long(place: &Spanned<bool>, name: &Text) -> Problem {
    let longest = INTERFACE_NAME - PREFIX.len();
    Problem::new(place.span(), format!("the shadow {PREFIX}{name} would have too long a name"))
        .label(format!("an interface name has at most {INTERFACE_NAME} bytes"))
        .related(name.span(), "shadowed")
        .hint(format!("give it a name of at most {longest} bytes"))
}
