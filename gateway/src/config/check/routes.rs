//! `[[route]]` and `[[neighbor]]`: every next hop is in a network of a routed port.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use toml::Spanned;

use super::super::address::{is_link_local, not_a_station, not_in_network};
use super::super::problem::{Problem, Problems};
use super::super::raw::{RawNeighbor, RawRoute};
use super::super::{Neighbor, Route};
use super::topology::Topology;
use crate::packet::PortId;

pub(super) fn routes(
    raw: &[RawRoute],
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Vec<Route> {
    let mut seen = HashMap::new();
    let mut routes = Vec::new();
    for entry in raw {
        if let Some(prefix) = &entry.prefix {
            destination(prefix, topology, problems);
        }
        let (Some(prefix), Some(via)) = (&entry.prefix, &entry.via) else { continue };
        if prefix.get_ref().addr().is_ipv4() != via.get_ref().is_ipv4() {
            problems.push(mixed(via, prefix));
            continue;
        }
        let Some(port) = next_hop(via, topology, problems) else { continue };
        let key = (prefix.get_ref().trunc(), *via.get_ref());
        match seen.insert(key, prefix) {
            Some(first) => problems.push(
                Problem::new(prefix.span(), "this route is there already")
                    .label("again here")
                    .related(first.span(), "first here")
                    .hint("equal-cost paths have one prefix and different next hops"),
            ),
            None => routes.push(Route { prefix: key.0, via: key.1, port }),
        }
    }
    routes
}

pub(super) fn neighbors(
    raw: &[RawNeighbor],
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Vec<Neighbor> {
    let mut seen = HashMap::new();
    let mut neighbors = Vec::new();
    for entry in raw {
        let port =
            entry.port.as_ref().and_then(|name| topology.routed_port(name, "a neighbor", problems));
        let (Some(address), Some(port)) = (&entry.address, port) else { continue };
        on_link(address, port, topology, problems);
        if let Some(first) = seen.insert((*address.get_ref(), port), address) {
            problems.push(
                Problem::new(address.span(), "this neighbor is there already")
                    .label("again here")
                    .related(first.span(), "first here")
                    .hint("remove one of them"),
            );
        }
        let Some(mac) = entry.mac else { continue };
        neighbors.push(Neighbor { address: *address.get_ref(), mac, port });
    }
    neighbors
}

fn destination(prefix: &Spanned<IpNet>, topology: &Topology<'_>, problems: &mut Problems) {
    let (net, place) = (*prefix.get_ref(), prefix.span());
    let network = net.trunc();
    let connected = || {
        let towards = topology.ports_towards(network.addr());
        towards.into_iter().find(|(_, own)| own.get_ref().trunc() == network)
    };
    if net != network {
        problems.push(
            Problem::new(place, format!("{net} has bits behind the prefix"))
                .label(format!("{} is an address in {network}", net.addr()))
                .hint(format!("write prefix = \"{network}\"")),
        );
    } else if net.addr().is_multicast() && net.prefix_len() > 0 {
        problems.push(
            Problem::new(place, format!("{net} is multicast"))
                .label("[[route]] is for unicast")
                .hint("write a [[multicast]] section for the group"),
        );
    } else if let Some((_, own)) = connected() {
        problems.push(
            Problem::new(place, format!("{net} is directly connected"))
                .label("reached without a next hop")
                .related(own.span(), "the port's network")
                .hint("remove the route"),
        );
    }
}

/// The port towards a next hop.
fn next_hop(
    via: &Spanned<IpAddr>,
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Option<PortId> {
    let address = *via.get_ref();
    let towards = topology.ports_towards(address);
    let problem = Problem::new(via.span(), format!("{address} cannot be a next hop"));
    if let Some(why) = not_a_station(address) {
        problems.push(problem.label(format!("this is {why}")).hint("name the address of a router"));
    } else if let Some(own) = topology.own(address) {
        problems.push(
            problem
                .label("this is the gateway itself")
                .related(own.span(), "the port's address")
                .hint("name the address of another router in this network"),
        );
    } else if towards.len() > 1 {
        problems.push(
            problem
                .label("link-local, and several ports have link-local networks")
                .hint("name the router's global address"),
        );
    } else if let Some((port, net)) = towards.first() {
        return reachable(via, *port, net, topology, problems);
    } else {
        problems.push(
            problem
                .label("not in a network of any port")
                .hint("add an address of its network to a port"),
        );
    }
    None
}

/// The port of a next hop, if it is routed and the address can be that of a station there.
fn reachable(
    via: &Spanned<IpAddr>,
    port: PortId,
    net: &Spanned<IpNet>,
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Option<PortId> {
    let problem = Problem::new(via.span(), format!("{} cannot be a next hop", via.get_ref()))
        .related(net.span(), "the port's network");
    if let Some((_, membership)) = topology.bridge_of(port) {
        problems.push(
            problem
                .label("behind a port in a bridge")
                .related(membership.span(), "its bridge")
                .hint("routes leave by routed ports: take the port out of the bridge"),
        );
        return None;
    }
    if let Some(why) = not_in_network(*net.get_ref(), *via.get_ref()) {
        let hint = "name the address of a router in this network";
        problems.push(problem.label(format!("this is {why}")).hint(hint));
        return None;
    }
    Some(port)
}

fn mixed(via: &Spanned<IpAddr>, prefix: &Spanned<IpNet>) -> Problem {
    let (four, six) = ("an IPv4", "an IPv6");
    let (hop, net) = if via.get_ref().is_ipv4() { (four, six) } else { (six, four) };
    Problem::new(via.span(), "prefix and next hop are of different families")
        .label(format!("{hop} address"))
        .related(prefix.span(), format!("{net} network"))
        .hint(format!("name {net} next hop"))
}

/// A neighbor's address must be one that a station on the port's link can have.
fn on_link(
    address: &Spanned<IpAddr>,
    port: PortId,
    topology: &Topology<'_>,
    problems: &mut Problems,
) {
    let ip = *address.get_ref();
    let problem = Problem::new(address.span(), format!("{ip} cannot be a neighbor"));
    let net = topology.networks(port).iter().find(|net| net.get_ref().contains(&ip));
    let why = net.map_or_else(|| not_a_station(ip), |net| not_in_network(*net.get_ref(), ip));
    let own = topology.networks(port).iter().find(|net| net.get_ref().addr() == ip);
    if let Some(why) = why {
        problems.push(problem.label(format!("this is {why}")).hint("name a station's address"));
    } else if let Some(own) = own {
        problems.push(
            problem
                .label("this is the gateway itself")
                .related(own.span(), "the port's address")
                .hint("name the address of another station"),
        );
    } else if net.is_none() && !is_link_local(ip) {
        let known: Vec<_> =
            topology.networks(port).iter().map(|net| net.get_ref().trunc().to_string()).collect();
        problems.push(problem.label("not in a network of its port").hint(match known.len() {
            0 => "the port has no addresses: add one of this network".to_owned(),
            _ => format!("the port's networks are {}", known.join(", ")),
        }));
    }
}
