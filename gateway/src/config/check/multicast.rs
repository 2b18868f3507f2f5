//! `[[multicast]]`: static multicast routes between routed ports.

use std::collections::HashMap;
use std::net::IpAddr;

use toml::Spanned;

use super::super::MulticastRoute;
use super::super::address::{is_link_group, not_a_station};
use super::super::problem::{Problem, Problems};
use super::super::raw::{RawMulticast, Text};
use super::bridges::not_multicast;
use super::topology::Topology;
use crate::packet::PortId;

const USE: &str = "a multicast route";

pub(super) fn routes(
    raw: &[RawMulticast],
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Vec<MulticastRoute> {
    let mut seen = HashMap::new();
    let mut routes = Vec::new();
    for entry in raw {
        if let Some(group) = &entry.group {
            address(group, problems);
        }
        if let (Some(source), Some(group)) = (&entry.source, &entry.group) {
            sender(source, group, problems);
        }
        let from = entry.from.as_ref().and_then(|from| topology.routed_port(from, USE, problems));
        let to = egress(entry, topology, problems);
        let (Some(group), Some(from)) = (&entry.group, from) else { continue };
        let source = entry.source.as_ref().map(|source| *source.get_ref());
        match seen.insert((*group.get_ref(), source), group) {
            Some(first) => problems.push(
                Problem::new(group.span(), "this group and source have a route already")
                    .label("again here")
                    .related(first.span(), "first here")
                    .hint("a stream has one ingress: list all egress ports in one [[multicast]]"),
            ),
            None => {
                let group = *group.get_ref();
                routes.push(MulticastRoute { group, source, from, to, kernel: None });
            }
        }
    }
    routes
}

fn address(group: &Spanned<IpAddr>, problems: &mut Problems) {
    let ip = *group.get_ref();
    if !ip.is_multicast() {
        problems.push(not_multicast(group));
    } else if is_link_group(ip) {
        problems.push(
            Problem::new(group.span(), format!("{ip} stays on its link"))
                .label("a link-local group is never routed")
                .hint("use a group of a wider scope, as in 239.1.1.1 or ff3e::1"),
        );
    }
}

fn sender(source: &Spanned<IpAddr>, group: &Spanned<IpAddr>, problems: &mut Problems) {
    let ip = *source.get_ref();
    let problem = Problem::new(source.span(), format!("{ip} cannot be the source of this group"));
    if let Some(why) = not_a_station(ip) {
        problems.push(
            problem
                .label(format!("this is {why}"))
                .hint("write the sender's unicast address, or source = \"any\""),
        );
    } else if ip.is_ipv4() != group.get_ref().is_ipv4() {
        problems.push(
            problem
                .label("of another family")
                .related(group.span(), "the group")
                .hint("source and group are both IPv4 or both IPv6"),
        );
    }
}

fn egress(entry: &RawMulticast, topology: &Topology<'_>, problems: &mut Problems) -> Vec<PortId> {
    let mut ports = Vec::new();
    for name in &entry.to {
        match entry.from.as_ref().filter(|from| *from == name) {
            Some(from) => problems.push(same_port(name, from)),
            None => ports.extend(topology.routed_port(name, USE, problems)),
        }
    }
    ports
}

fn same_port(to: &Text, from: &Text) -> Problem {
    Problem::new(to.span(), format!("the stream comes from `{}`", to.get_ref()))
        .label("cannot leave by its ingress port")
        .related(from.span(), "the ingress port")
        .hint("remove it here")
}
