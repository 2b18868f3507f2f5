//! A router (RFC 1812, RFC 8200, semantics section 5): who may pass, where to, by which neighbour.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gateway::packet::DropReason;

use super::answer;
use super::fate::{Fate, Path};
use super::fragment::fragments;
use super::read::{Frame, Net};
use super::rewrite::forwarded;
use crate::world::{KNOWN_HOSTS, Mac, World, group_mac, host_mac, host_v4, host_v6, port_mac};

pub(super) fn decide(world: &World, port: usize, frame: &Frame<'_>) -> Vec<Fate> {
    let refused = |reason| vec![Fate::dropped(reason)];
    if frame.dst != port_mac(port) && !frame.is_to_group() {
        return refused(DropReason::OtherMac);
    }
    if !frame.tags.is_empty() {
        return refused(DropReason::Tagged);
    }
    match &frame.net {
        Net::BadIp => refused(DropReason::BadIpHeader),
        Net::V4(ip) if !ip.checksum_is_right => refused(DropReason::BadIpChecksum),
        Net::V4(_) => route(world, port, frame),
        Net::V6(ip) => {
            let kinds_agree = frame.is_to_group() == ip.dst.is_multicast();
            match kinds_agree.then(|| answer::discovery(port, frame, ip)).flatten() {
                Some(fate) => vec![fate],
                None => route(world, port, frame),
            }
        }
        Net::Arp(message) => vec![answer::arp(port, frame, message)],
        Net::BadArp => refused(DropReason::BadNeighborMessage),
        Net::Other => refused(match (frame.ethertype, frame.dst) {
            (0x8100 | 0x88a8 | 0x9100, _) => DropReason::BadEthernet,
            (_, [1, 0x80, 0xc2, 0, 0, 0..=15]) => DropReason::LinkReserved,
            _ => DropReason::UnknownEthertype,
        }),
    }
}

fn route(world: &World, port: usize, frame: &Frame<'_>) -> Vec<Fate> {
    let (source, destination) = addresses(frame).expect("IP");
    let refused = |reason| vec![Fate::dropped(reason)];
    if is_martian_source(world, source) {
        return refused(DropReason::MartianSource);
    }
    if is_martian_destination(destination) {
        return refused(DropReason::MartianDestination);
    }
    if is_link_local(source) || is_link_local(destination) {
        return refused(DropReason::LinkLocal);
    }
    if destination.is_multicast() {
        return vec![multicast(world, port, frame, source, destination)];
    }
    if is_broadcast(world, destination) {
        return refused(DropReason::NoHost);
    }
    if frame.is_to_group() {
        return refused(DropReason::AddressKindMismatch);
    }
    if is_own(world, destination) {
        return refused(DropReason::NoHost);
    }
    let Some(hops) = next_hops(world, destination) else { return refused(DropReason::NoRoute) };
    if hops_left(frame) <= 1 {
        let errors = answer::error(world, port, frame, None).into_iter().collect();
        return vec![Fate { errors, ..Fate::dropped(DropReason::TtlExpired) }];
    }
    if hops.is_empty() {
        return refused(DropReason::NoNeighbor);
    }
    let fate = |(index, &(egress, mac)): (usize, &(usize, Mac))| {
        let mut fate = Fate::default();
        send(world, &mut fate, port, frame, egress, mac);
        if hops.len() > 1 {
            fate.path = Some(Path { choice: (hops.clone(), source, destination), index });
        }
        fate
    };
    hops.iter().enumerate().map(fate).collect()
}

fn multicast(world: &World, port: usize, frame: &Frame<'_>, source: IpAddr, group: IpAddr) -> Fate {
    if !frame.is_to_group() {
        return Fate::dropped(DropReason::AddressKindMismatch);
    }
    let is_link_scope = match group {
        IpAddr::V4(group) => group.octets()[..3] == [224, 0, 0],
        IpAddr::V6(group) => group.octets()[1] & 15 <= 2,
    };
    if is_link_scope {
        return Fate::dropped(DropReason::LinkLocal);
    }
    let of = |wanted: Option<IpAddr>| {
        world.multicast.iter().find(move |route| route.group == group && route.source == wanted)
    };
    let Some(route) = of(Some(source)).or_else(|| of(None)) else {
        return Fate::dropped(DropReason::NoMulticastRoute);
    };
    if route.from != port {
        return Fate::dropped(DropReason::WrongIngress);
    }
    if hops_left(frame) <= 1 {
        return Fate::dropped(DropReason::TtlExpired);
    }
    let mut fate = Fate::default();
    for egress in 0..world.ports.len() {
        if route.to.contains(&egress) {
            send(world, &mut fate, port, frame, egress, group_mac(group));
        }
    }
    fate
}

/// By one port to one link address: whole, in fragments, or not at all.
fn send(
    world: &World,
    fate: &mut Fate,
    ingress: usize,
    frame: &Frame<'_>,
    egress: usize,
    mac: Mac,
) {
    let mtu = world.ports[egress].mtu;
    let (ip_len, may_fragment) = match &frame.net {
        Net::V4(ip) => (ip.ip_len, !ip.df),
        Net::V6(ip) => (ip.ip_len, false),
        _ => return,
    };
    let out = forwarded(frame, mac, port_mac(egress));
    if ip_len <= usize::from(mtu) {
        fate.leaves.push((egress, out));
    } else if may_fragment {
        match fragments(&out, frame.l3, ip_len, mtu.into()) {
            Some(all) => fate.leaves.extend(all.into_iter().map(|fragment| (egress, fragment))),
            None => fate.drops.push(DropReason::TooBig),
        }
    } else {
        fate.drops.push(DropReason::TooBig);
        fate.errors.extend(answer::error(world, ingress, frame, Some(mtu)));
    }
}

/// Port and link address of each next hop that is known; `None` without a route.
fn next_hops(world: &World, destination: IpAddr) -> Option<Vec<(usize, Mac)>> {
    let known =
        |port: usize, host: u8| KNOWN_HOSTS.contains(&host).then(|| (port, host_mac(port, host)));
    let connected = world.routed().into_iter().find(|&port| is_connected(port, destination));
    if let Some(port) = connected {
        let host = (1..=255).find(|&host| match destination {
            IpAddr::V4(address) => address == host_v4(port, host),
            IpAddr::V6(address) => address == host_v6(port, host),
        });
        return Some(host.and_then(|host| known(port, host)).into_iter().collect());
    }
    let matching = |net: IpAddr, len: u8| {
        net.is_ipv4() == destination.is_ipv4() && prefix(net, len) == prefix(destination, len)
    };
    let routes = world.routes.iter().filter(|route| matching(route.net, route.len));
    let longest = routes.clone().map(|route| route.len).max()?;
    let best = routes.filter(|route| route.len == longest);
    Some(best.filter_map(|route| known(route.port, route.host)).collect())
}

/// How `address` is reached; several ways are equally good.
pub(super) fn way_to(world: &World, address: IpAddr) -> Vec<(usize, Mac)> {
    if is_own(world, address) || is_broadcast(world, address) {
        return vec![];
    }
    next_hops(world, address).unwrap_or_default()
}

/// The first bits.
fn prefix(address: IpAddr, len: u8) -> u128 {
    let (bits, width) = match address {
        IpAddr::V4(address) => (u32::from(address).into(), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    bits.checked_shr(width - u32::from(len)).unwrap_or(0)
}

fn is_connected(port: usize, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => prefix(address, 24) == prefix(host_v4(port, 0).into(), 24),
        IpAddr::V6(_) => prefix(address, 64) == prefix(host_v6(port, 0).into(), 64),
    }
}

fn is_own(world: &World, address: IpAddr) -> bool {
    world.routed().into_iter().any(|port| match address {
        IpAddr::V4(address) => address == host_v4(port, 1),
        IpAddr::V6(address) => address == host_v6(port, 1),
    })
}

fn is_broadcast(world: &World, address: IpAddr) -> bool {
    world.routed().into_iter().any(|port| address == IpAddr::V4(host_v4(port, 255)))
}

fn is_martian_source(world: &World, source: IpAddr) -> bool {
    let martian = match source {
        IpAddr::V4(source) => answer::is_this_network(source) || source.octets()[0] >= 224,
        IpAddr::V6(source) => is_martian_source_v6(source),
    };
    martian || is_own(world, source) || is_broadcast(world, source)
}

pub(super) fn is_martian_source_v6(source: Ipv6Addr) -> bool {
    let is_mapped = source.octets()[..12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    source.is_multicast() || source.is_unspecified() || source.is_loopback() || is_mapped
}

fn is_martian_destination(destination: IpAddr) -> bool {
    match destination {
        IpAddr::V4(address) => answer::is_this_network(address) || address == Ipv4Addr::BROADCAST,
        IpAddr::V6(address) => address.is_unspecified() || address.is_loopback(),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.segments()[0] & 0xffc0 == 0xfe80)
}

fn hops_left(frame: &Frame<'_>) -> u8 {
    match &frame.net {
        Net::V4(ip) => ip.ttl,
        Net::V6(ip) => ip.hops,
        _ => 0,
    }
}

pub(super) fn addresses(frame: &Frame<'_>) -> Option<(IpAddr, IpAddr)> {
    match &frame.net {
        Net::V4(ip) => Some((ip.src.into(), ip.dst.into())),
        Net::V6(ip) => Some((ip.src.into(), ip.dst.into())),
        _ => None,
    }
}

/// The port's addresses: the one of the file, and the one of its MAC (RFC 4291 appendix A).
pub(super) fn own_v6(port: usize) -> [Ipv6Addr; 2] {
    let [a, b, c, d, e, f] = port_mac(port);
    let link = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f];
    [host_v6(port, 1), link.into()]
}
