//! `[[group]]`: static membership; `[[bridge]]`: what is asked of the kernel's snooping.

use std::collections::HashMap;
use std::net::IpAddr;

use toml::Spanned;

use super::super::Group;
use super::super::address::is_always_flooded;
use super::super::problem::{Problem, Problems};
use super::super::raw::{RawBridge, RawGroup, Text};
use super::topology::Topology;
use crate::packet::PortId;

pub(super) fn groups(
    raw: &[RawGroup],
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Vec<Group> {
    let mut seen = HashMap::new();
    let mut groups = Vec::new();
    for entry in raw {
        if let Some(group) = &entry.group {
            address(group, problems);
        }
        let bridge = entry.bridge.as_ref().and_then(|name| topology.bridge(name, problems));
        let ports = entry.ports.iter().filter_map(|name| member(name, bridge, topology, problems));
        let ports: Vec<PortId> = ports.collect();
        let (Some(bridge), Some(group)) = (bridge, &entry.group) else { continue };
        match seen.insert((bridge, *group.get_ref()), group) {
            Some(first) => problems.push(
                Problem::new(group.span(), "this bridge has this group already")
                    .label("again here")
                    .related(first.span(), "first here")
                    .hint("list all its ports in one [[group]]"),
            ),
            None => groups.push(Group { bridge, group: *group.get_ref(), ports }),
        }
    }
    groups
}

/// What only the kernel's snooping does.
pub(super) fn snooping(bridges: &[RawBridge], topology: &Topology<'_>, problems: &mut Problems) {
    for (index, bridge) in bridges.iter().enumerate() {
        for name in &bridge.fast_leave {
            member(name, Some(index), topology, problems);
        }
        if bridge.host.is_some() && bridge.snooping {
            continue;
        }
        let querier = bridge.querier.as_ref().map(|place| ("querier", place.span()));
        let fast_leave = bridge.fast_leave.first().map(|place| ("fast_leave", place.span()));
        let limits = [
            ("max_groups", &bridge.max_groups),
            ("max_groups_per_port", &bridge.max_groups_per_port),
        ];
        let limits = limits.map(|(key, limit)| limit.as_ref().map(|place| (key, place.span())));
        for (key, place) in [querier, fast_leave].into_iter().chain(limits).flatten() {
            problems.push(
                Problem::new(place, format!("`{key}` needs the kernel's snooping"))
                    .label("there is none in this bridge")
                    .hint("write host = true, and not snooping = false, in the [[bridge]]"),
            );
        }
    }
}

pub(super) fn address(group: &Spanned<IpAddr>, problems: &mut Problems) {
    let ip = *group.get_ref();
    if !ip.is_multicast() {
        problems.push(not_multicast(group));
    } else if is_always_flooded(ip) {
        problems.push(
            Problem::new(group.span(), format!("{ip} cannot have members"))
                .label("link-local groups always flood")
                .hint("remove the section: 224.0.0.0/24 and ff02::/16 reach every port"),
        );
    }
}

/// Not a group at all.
pub(super) fn not_multicast(group: &Spanned<IpAddr>) -> Problem {
    Problem::new(group.span(), format!("{} is not a multicast address", group.get_ref()))
        .label("not in 224.0.0.0/4 or ff00::/8")
        .hint("write group = \"239.1.1.1\" or \"ff3e::1\"")
}

pub(super) fn member(
    name: &Text,
    bridge: Option<usize>,
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Option<PortId> {
    let port = topology.port(name, problems)?;
    let found = topology.bridge_of(port);
    if bridge.is_some() && found.map(|(bridge, _)| bridge) != bridge {
        let problem =
            Problem::new(name.span(), format!("port `{}` is not in this bridge", name.get_ref()))
                .label("cannot be a member here")
                .hint("add it to the ports of the [[bridge]], or remove it here");
        problems.push(match found {
            Some((_, membership)) => problem.related(membership.span(), "it is in this one"),
            None => problem,
        });
    }
    Some(port)
}
