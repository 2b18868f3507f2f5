//! The addresses of the ports: only routed ports have them, and no network is on two ports.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use toml::Spanned;

use super::super::address::{is_link_local, not_in_network};
use super::super::problem::{Problem, Problems};
use super::super::raw::RawPort;
use super::topology::Topology;
use crate::packet::PortId;

pub(super) fn check(ports: &[RawPort], topology: &Topology<'_>, problems: &mut Problems) {
    for (index, port) in ports.iter().enumerate() {
        if let Some((_, membership)) = topology.bridge_of(PortId(index as u16)) {
            if let Some(first) = port.addresses.first() {
                problems.push(
                    Problem::new(first.span(), "a port in a bridge has no addresses")
                        .label("addresses are for routed ports")
                        .related(membership.span(), "its bridge")
                        .hint("remove the addresses, or take the port out of the bridge"),
                );
            }
        }
        for address in &port.addresses {
            usable(address, problems);
        }
        same_address(&port.addresses, problems);
    }
    overlaps(ports, problems);
}

fn usable(address: &Spanned<IpNet>, problems: &mut Problems) {
    let net = *address.get_ref();
    let why = match net.prefix_len() {
        0 => Some("a network of all addresses"),
        _ => not_in_network(net, net.addr()),
    };
    if let Some(why) = why {
        problems.push(
            Problem::new(address.span(), format!("{} cannot be a port's address", net.addr()))
                .label(format!("this is {why}"))
                .hint("write the address of the port in its network, as in 10.1.0.1/24"),
        );
    }
}

fn same_address(addresses: &[Spanned<IpNet>], problems: &mut Problems) {
    let mut seen: HashMap<IpAddr, &Spanned<IpNet>> = HashMap::new();
    for address in addresses {
        if let Some(first) = seen.insert(address.get_ref().addr(), address) {
            problems.push(
                Problem::new(address.span(), "the port has this address already")
                    .label("again here")
                    .related(first.span(), "first here")
                    .hint("remove one of them"),
            );
        }
    }
}

/// Two networks are either disjoint or one is in the other. In the order of their first address,
/// the larger first, whatever contains a network stands before it and after whatever contains
/// both: a stack of the networks that are still open finds each overlap with the nearest one.
fn overlaps(ports: &[RawPort], problems: &mut Problems) {
    let mut nets: Vec<(IpNet, usize, &Spanned<IpNet>)> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let routable = port.addresses.iter().filter(|net| !is_link_local(net.get_ref().addr()));
        nets.extend(routable.map(|net| (net.get_ref().trunc(), index, net)));
    }
    nets.sort_by_key(|(net, index, _)| (net.network(), net.prefix_len(), *index));
    let mut open: Vec<(IpNet, usize, &Spanned<IpNet>)> = Vec::new();
    for (net, port, place) in nets {
        while open.last().is_some_and(|(outer, _, _)| !outer.contains(&net)) {
            open.pop();
        }
        if let Some((outer, other, outer_place)) = open.last() {
            if *other != port {
                problems.push(overlap(ports, (net, port, place), (*outer, *other, outer_place)));
            }
        }
        open.push((net, port, place));
    }
}

type Placed<'a> = (IpNet, usize, &'a Spanned<IpNet>);

/// Points at whichever stands later in the file.
fn overlap(ports: &[RawPort], a: Placed<'_>, b: Placed<'_>) -> Problem {
    let (early, late) = if a.2.span().start < b.2.span().start { (a, b) } else { (b, a) };
    let of = |port: usize| match &ports[port].name {
        Some(name) => format!("of `{}`", name.get_ref()),
        None => "of a port without a name".to_owned(),
    };
    Problem::new(late.2.span(), "two ports have overlapping networks")
        .label(format!("{} {}", late.0, of(late.1)))
        .related(early.2.span(), format!("{} {}", early.0, of(early.1)))
        .hint("a network is behind one port: use disjoint networks, or put both ports in a [[bridge]]")
}
