//! Longest prefix, equal-cost paths and multicast routes.

use std::collections::BTreeMap;

use ipnet::{Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::super::fib::{Fib, Route};
use super::super::mfib::Mfib;
use super::super::rib::Rib;
use super::*;
use crate::packet::Coalesce;

/// Prefixes that nest and touch: few bits differ, at both ends of the address.
fn near_v4() -> impl Strategy<Value = u32> {
    (0..4u32, 0..16u32)
        .prop_map(|(high, low)| high << 30 | 0x0a01_0000 | low << 14 | low << 6 | low)
}

/// Half of them part from the others at any octet: also where tables are gone over.
fn near_v6() -> impl Strategy<Value = u128> {
    (0..4u128, 0..16u128, prop_oneof![Just(0), (0..128).prop_map(|bit| 1_u128 << bit)]).prop_map(
        |(high, low, odd)| odd ^ (0x2001 << 112 | high << 64 | low << 60 | low << 22 | low),
    )
}

proptest! {
    #[test]
    fn the_longest_prefix_wins_v4(
        routes in proptest::collection::vec((near_v4(), 0..=32u8), 0..40),
        cleared in proptest::option::of((near_v4(), 0..=32u8)),
        lookups in proptest::collection::vec(near_v4(), 1..40),
    ) {
        let nets = routes.iter().map(|(bits, len)| Ipv4Net::new_assert((*bits).into(), *len).trunc());
        let nets: Vec<_> = nets.collect();
        let mut rib = Rib::<Ipv4Addr>::new();
        for (index, net) in nets.iter().enumerate() {
            rib.insert(*net, Route::Connected(PortId(index as u16)));
        }
        let cleared = cleared.map(|(bits, len)| Ipv4Net::new_assert(bits.into(), len).trunc());
        cleared.into_iter().for_each(|net| rib.clear(net));
        let fib = Fib::new(rib, 0);
        for address in lookups.into_iter().map(Ipv4Addr::from) {
            let is_cleared = cleared.is_some_and(|net| net.contains(&address));
            let left = if is_cleared { &[] } else { &nets[..] };
            let matching = left.iter().enumerate().filter(|(_, net)| net.contains(&address));
            // Of equal ones the last, which is what max_by_key takes.
            let best = matching.max_by_key(|(_, net)| net.prefix_len());
            let expected = best.map(|(index, _)| Route::Connected(PortId(index as u16)));
            prop_assert_eq!(fib.lookup(address), expected.as_ref());
        }
    }

    #[test]
    fn the_longest_prefix_wins_v6(
        routes in proptest::collection::vec((near_v6(), 0..=128u8), 0..40),
        cleared in proptest::option::of((near_v6(), 0..=128u8)),
        lookups in proptest::collection::vec(near_v6(), 1..40),
    ) {
        let nets = routes.iter().map(|(bits, len)| Ipv6Net::new_assert((*bits).into(), *len).trunc());
        let nets: Vec<_> = nets.collect();
        let mut rib = Rib::<Ipv6Addr>::new();
        for (index, net) in nets.iter().enumerate() {
            rib.insert(*net, Route::Connected(PortId(index as u16)));
        }
        let cleared = cleared.map(|(bits, len)| Ipv6Net::new_assert(bits.into(), len).trunc());
        cleared.into_iter().for_each(|net| rib.clear(net));
        let fib = Fib::new(rib, 0);
        for address in lookups.into_iter().map(Ipv6Addr::from) {
            let is_cleared = cleared.is_some_and(|net| net.contains(&address));
            let left = if is_cleared { &[] } else { &nets[..] };
            let matching = left.iter().enumerate().filter(|(_, net)| net.contains(&address));
            let best = matching.max_by_key(|(_, net)| net.prefix_len());
            let expected = best.map(|(index, _)| Route::Connected(PortId(index as u16)));
            prop_assert_eq!(fib.lookup(address), expected.as_ref());
        }
    }

    #[test]
    fn multicast_routes_are_a_list_searched_twice(
        routes in proptest::collection::vec((0..4u8, 0..3u8, 0..3u16, 1..16u8), 0..12),
        lookups in proptest::collection::vec((1..4u8, 0..3u8, 0..3u16), 1..20),
    ) {
        // Source 0 is any.
        let source = |index: u8| Ipv4Addr::new(10, 0, 0, index);
        let group = |index: u8| Ipv4Addr::new(239, 0, 0, index);
        let ports = |bits: u8| -> PortMask {
            (0..4).filter(|bit| bits >> bit & 1 == 1).map(PortId).collect()
        };
        let mut mfib = Mfib::<Ipv4Addr>::new();
        for &(src, dst, from, to) in &routes {
            let source = (src != 0).then(|| source(src).into());
            let (group, from, to) = (group(dst).into(), PortId(from), ports(to).collect());
            let route = MulticastRoute { group, source, from, to, kernel: None };
            mfib.insert(&route, PortMask::EMPTY);
        }
        for (src, dst, ingress) in lookups {
            let of = |wanted: u8| routes.iter().filter(move |r| r.0 == wanted && r.1 == dst);
            let wanted = if of(src).next().is_some() { src } else { 0 };
            let accepted = || of(wanted).filter(|route| route.2 == ingress);
            let to = accepted().fold(PortMask::EMPTY, |all, route| all.or(ports(route.3)));
            let expected = match (of(wanted).next(), accepted().next()) {
                (None, _) => Err(DropReason::NoMulticastRoute),
                (_, None) => Err(DropReason::WrongIngress),
                _ => Ok(to.without(PortId(ingress))),
            };
            let found = mfib.lookup(source(src), group(dst), PortId(ingress));
            prop_assert_eq!(found.map(|path| path.to), expected);
        }
    }
}

#[test]
fn our_addresses_beat_networks_and_networks_beat_routes() {
    let mut config = routed();
    // The connected network, our address and our broadcast address, as configured routes.
    for prefix in ["10.2.0.0/24", "10.2.0.1/32", "10.2.0.255/32"] {
        config.routes.push(route(prefix, "10.1.0.2", 0));
    }
    config.routes.push(route("10.2.0.4/32", "10.1.0.2", 0));
    let forwarder = forwarder(&config);
    assert_all(&forwarder, &[("10.1.0.2", "10.2.0.2")], hop(1, 2));
    let own = [("10.1.0.2", "10.2.0.1"), ("10.1.0.2", "10.2.0.255")];
    assert_all(&forwarder, &own, drops(DropReason::NoHost));
    // A longer one beats the network.
    assert_all(&forwarder, &[("10.1.0.2", "10.2.0.4")], hop(0, 1));
}

#[test]
fn point_to_point_links_have_no_broadcast_address() {
    let mut config = config(&[&["10.1.0.1/24"], &["10.2.0.0/31"], &["10.3.0.1/32"]]);
    config.neighbors.push(neighbor("10.2.0.1", station_mac(2), 1));
    let forwarder = forwarder(&config);
    assert_all(&forwarder, &[("10.1.0.2", "10.2.0.1")], hop(1, 2));
    assert_all(&forwarder, &[("10.1.0.2", "10.3.0.1")], drops(DropReason::NoHost));
}

/// 10.50/16 and 2400::/16 by stations 10, 11, 12 and 13 behind port 1.
fn balanced(paths: u8) -> Config {
    let mut config = routed();
    for index in 10..10 + paths {
        for (prefix, network) in [("10.50.0.0/16", "10.2.0."), ("2400::/16", "2001:db8:2::")] {
            let via = format!("{network}{index}");
            config.neighbors.push(neighbor(&via, station_mac(index), 1));
            config.routes.push(route(prefix, &via, 1));
        }
    }
    config
}

fn path(forwarder: &Forwarder, frame: &Frame) -> u8 {
    match decide(forwarder, frame) {
        Decision::Route(hop) => hop.dst_mac.0[5],
        other => panic!("{other:?}"),
    }
}

#[test]
fn equal_cost_paths_share_the_flows() {
    for paths in 2..=4u8 {
        let forwarder = forwarder(&balanced(paths));
        for (src, dst) in [("10.1.0.", "10.50.0."), ("2001:db8:1::", "2400::")] {
            let mut shares = BTreeMap::new();
            for (a, b) in (2..34).flat_map(|a| (2..34).map(move |b| (a, b))) {
                let frame = sent(&format!("{src}{a}"), &format!("{dst}{b}"));
                *shares.entry(path(&forwarder, &frame)).or_insert(0u32) += 1;
            }
            let even = 32 * 32 / u32::from(paths);
            assert_eq!(shares.len(), usize::from(paths));
            // Six standard deviations of 1024 throws of a coin are 96.
            assert!(shares.values().all(|share| share.abs_diff(even) < 96), "{shares:?}");
        }
    }
}

#[test]
fn a_flow_and_its_fragments_keep_one_path() {
    let forwarder = forwarder(&balanced(4));
    for (src, dst) in [("10.1.0.1", "10.50.0.9"), ("2001:db8:1::1", "2400::9")] {
        for host in 0..16 {
            let frame = sent(&format!("{src}{host}"), dst);
            let expected = path(&forwarder, &frame);
            let l4 = usize::from(frame.info.l4_offset);
            let mut other = frame.clone();
            // Other ports, another payload: a later fragment has payload where ports were.
            other.bytes[l4..l4 + 8].fill(host as u8);
            assert_eq!(path(&forwarder, &other), expected);
            other.info.coalesce = Coalesce::Fragment;
            other.info.protocol = 60;
            assert_eq!(path(&forwarder, &other), expected);
            other.bytes[15] ^= 0x13;
            assert_eq!(path(&forwarder, &other), expected, "TOS, traffic class, flow label");
        }
    }
}

#[test]
fn gateways_balance_differently() {
    let hops: Vec<_> = (0..2)
        .map(|port| NextHop { port: PortId(port), dst_mac: station_mac(1), src_mac: port_mac(0) })
        .collect();
    let [one, two] = [1, 2].map(|seed| Fib::<Ipv4Addr>::new(Rib::new(), seed));
    let addresses = (0..256).map(|host| Ipv4Addr::from(0x0a00_0000 + host));
    let agree = |source: &Ipv4Addr| {
        let destination = Ipv4Addr::new(192, 0, 2, 1);
        one.balance(&hops, *source, destination) == two.balance(&hops, *source, destination)
    };
    let agreeing = addresses.filter(agree).count();
    assert!((64..192).contains(&agreeing), "{agreeing} of 256");
}

#[test]
fn a_path_without_neighbour_gets_no_flows() {
    let mut config = balanced(2);
    config.routes.push(route("10.50.0.0/16", "10.2.0.99", 1));
    config.neighbors.retain(|neighbor| neighbor.address != ip("10.2.0.10"));
    let forwarder = forwarder(&config);
    for host in 2..40 {
        assert_eq!(path(&forwarder, &sent(&format!("10.1.0.{host}"), "10.50.0.1")), 11);
    }
}

/// (10.1.0.2, 239.1.1.1) from 0 to 1; (any, 239.1.1.1) from 0 to 1 and 2; (any, 239.2.2.2) from 1;
/// ff3e::1 from 0 to 2; 239.3.3.3 from 0 to nowhere.
fn multicasting() -> Config {
    let mut config = routed();
    let route = |source: Option<&str>, group: &str, from: u16, to: &[u16]| MulticastRoute {
        group: ip(group),
        source: source.map(ip),
        from: PortId(from),
        to: to.iter().map(|port| PortId(*port)).collect(),
        kernel: None,
    };
    config.multicast = vec![
        route(Some("10.1.0.2"), "239.1.1.1", 0, &[1]),
        route(Some("10.1.0.4"), "239.1.1.1", 2, &[1]),
        route(None, "239.1.1.1", 0, &[1, 2]),
        route(None, "239.2.2.2", 1, &[0]),
        route(None, "ff3e::1", 0, &[2]),
        route(None, "239.3.3.3", 0, &[0]),
    ];
    config
}

fn to(ports: &[u16]) -> Decision {
    Decision::Multicast { ports: ports.iter().map(|port| PortId(*port)).collect() }
}

#[test]
fn multicast_by_source_then_by_any() {
    let forwarder = forwarder(&multicasting());
    assert_eq!(decide(&forwarder, &cast("10.1.0.2", "239.1.1.1")), to(&[1]));
    assert_eq!(decide(&forwarder, &cast("10.1.0.3", "239.1.1.1")), to(&[1, 2]));
    assert_eq!(decide(&forwarder, &cast("2001:db8:1::2", "ff3e::1")), to(&[2]));
    // In a broadcast frame too (RFC 1812 5.3.4 allows no other use of one).
    let frame = Frame::udp(0, station_mac(1), MacAddr::BROADCAST, "10.1.0.3", "239.1.1.1");
    assert_eq!(decide(&forwarder, &frame), to(&[1, 2]));
}

#[test]
fn multicast_that_goes_nowhere() {
    let forwarder = forwarder(&multicasting());
    for (src, dst, reason) in [
        ("10.1.0.2", "239.9.9.9", DropReason::NoMulticastRoute),
        ("2001:db8:1::2", "ff3e::2", DropReason::NoMulticastRoute),
        ("10.1.0.2", "239.2.2.2", DropReason::WrongIngress),
        // The route of the source counts, although that of any source would accept it.
        ("10.1.0.4", "239.1.1.1", DropReason::WrongIngress),
        ("10.1.0.2", "239.3.3.3", DropReason::NoEgress),
    ] {
        assert_eq!(decide(&forwarder, &cast(src, dst)), drops(reason), "{src} > {dst}");
    }
}

#[test]
fn multicast_out_of_hops_is_dropped_without_an_answer() {
    let forwarder = forwarder(&multicasting());
    for hops in [0, 1] {
        for (src, dst) in [("10.1.0.2", "239.1.1.1"), ("2001:db8:1::2", "ff3e::1")] {
            assert_eq!(
                decide(&forwarder, &with_hops(src, dst, hops)),
                drops(DropReason::TtlExpired)
            );
        }
    }
    assert_eq!(decide(&forwarder, &with_hops("10.1.0.2", "239.1.1.1", 2)), to(&[1]));
    let unrouted = with_hops("10.1.0.2", "239.9.9.9", 1);
    assert_eq!(decide(&forwarder, &unrouted), drops(DropReason::NoMulticastRoute));
}

/// A neighbour gets a route of its own only where its network's route leads to it.
#[test]
fn a_longer_prefix_beats_a_known_neighbour() {
    let mut config = routed();
    config.neighbors.push(neighbor("10.2.0.130", station_mac(3), 1));
    assert_all(&forwarder(&config), &[("10.1.0.2", "10.2.0.130")], hop(1, 3));
    config.neighbors.push(neighbor("10.2.0.130", station_mac(4), 1));
    assert_all(&forwarder(&config), &[("10.1.0.2", "10.2.0.130")], hop(1, 4));
    // Of another port than the network's: nobody can be reached there.
    config.neighbors.push(neighbor("10.2.0.131", station_mac(3), 0));
    let elsewhere = [("10.1.0.2", "10.2.0.131")];
    assert_all(&forwarder(&config), &elsewhere, drops(DropReason::NoNeighbor));
    config.routes.push(route("10.2.0.128/25", "10.2.0.2", 1));
    assert_all(&forwarder(&config), &[("10.1.0.2", "10.2.0.130")], hop(1, 2));
    // The broadcast address stays one, whatever neighbour claims it.
    config.neighbors.push(neighbor("10.2.0.255", station_mac(3), 1));
    let all = [("10.1.0.2", "10.2.0.255")];
    assert_all(&forwarder(&config), &all, drops(DropReason::NoHost));
}
