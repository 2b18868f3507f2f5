//! `[[listener]]`: multicast to unicast.

use std::collections::HashMap;

use super::super::Listener;
use super::super::problem::{Problem, Problems};
use super::super::raw::{RawGroup, RawListener};
use super::bridges::{address, member};
use super::topology::Topology;

pub(super) fn listeners(
    raw: &[RawListener],
    groups: &[RawGroup],
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Vec<Listener> {
    let mut seen = HashMap::new();
    let mut listeners = Vec::new();
    for entry in raw {
        if let Some(group) = &entry.group {
            address(group, problems);
        }
        let bridge = entry.bridge.as_ref().and_then(|name| topology.bridge(name, problems));
        let port = entry.port.as_ref().and_then(|name| member(name, bridge, topology, problems));
        is_no_member(entry, groups, problems);
        let (Some(bridge), Some(group)) = (bridge, &entry.group) else { continue };
        let (Some(port), Some(mac)) = (port, entry.mac) else { continue };
        match seen.insert((bridge, *group.get_ref(), mac), group) {
            Some(first) => problems.push(
                Problem::new(group.span(), "this station listens to this group already")
                    .label("again here")
                    .related(first.span(), "first here")
                    .hint("a station is behind one port: remove one of them"),
            ),
            None => listeners.push(Listener { bridge, group: *group.get_ref(), port, mac }),
        }
    }
    listeners
}

/// A port gets a group's frames or its listeners' copies, not both.
fn is_no_member(listener: &RawListener, groups: &[RawGroup], problems: &mut Problems) {
    let Some(port) = &listener.port else { return };
    let same = groups.iter().filter(|group| {
        let same_bridge = group.bridge.as_ref().zip(listener.bridge.as_ref());
        let same_group = group.group.as_ref().zip(listener.group.as_ref());
        same_bridge.is_some_and(|(a, b)| a.get_ref() == b.get_ref())
            && same_group.is_some_and(|(a, b)| a.get_ref() == b.get_ref())
    });
    for also in same.flat_map(|group| &group.ports).filter(|name| name.get_ref() == port.get_ref())
    {
        problems.push(
            Problem::new(port.span(), format!("port `{}` is a member too", port.get_ref()))
                .label("has a listener here")
                .related(also.span(), "a member of the same group")
                .hint("remove it from the [[group]]: its listeners get copies of their own"),
        );
    }
}
