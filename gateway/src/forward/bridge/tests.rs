use super::*;
use crate::config::Config;
use crate::forward::testing::{
    Frame, between, bridge, config, decide, forwarder, ip, port_mac, station_mac,
};
use crate::forward::{Forwarder, PlainWay};
use crate::packet::{MacAddr, Malformed, Network, PortId};

const GROUP_MAC: MacAddr = MacAddr([1, 0, 0x5e, 1, 1, 1]);
const GROUP6_MAC: MacAddr = MacAddr([0x33, 0x33, 0, 0, 0, 1]);
const NOW: Nanos = Nanos(0);

/// Ports 0 to 3 in a bridge, port 4 routed; 239.1.1.1 and ff3e::1 have members on 1 and 2.
fn bridged(snooping: bool) -> Config {
    let mut config = config(&[&[], &[], &[], &[], &["10.9.0.1/24"]]);
    config.bridges.push(bridge(&[0, 1, 2, 3], snooping));
    for group in ["239.1.1.1", "ff3e::1", "224.0.0.251", "ff02::fb"] {
        let ports = vec![PortId(1), PortId(2)];
        config.groups.push(Group { bridge: 0, group: ip(group), ports });
    }
    config
}

fn to(ports: &[u16]) -> Decision {
    Decision::Bridge { ports: ports.iter().map(|port| PortId(*port)).collect() }
}

fn unicast(port: u16, src: u8, dst: u8) -> Frame {
    Frame::udp(port, station_mac(src), station_mac(dst), "10.0.0.1", "10.0.0.2")
}

fn multicast(port: u16, dst: &str) -> Frame {
    let (mac, src) =
        if ip(dst).is_ipv4() { (GROUP_MAC, "10.0.0.1") } else { (GROUP6_MAC, "fe80::1") };
    Frame::udp(port, station_mac(1), mac, src, dst)
}

fn learn(forwarder: &Forwarder, frame: &Frame) -> Learning {
    forwarder.learn(&frame.info, &frame.bytes, NOW)
}

#[test]
fn unknown_and_broadcast_flood_to_all_but_the_ingress() {
    let forwarder = forwarder(&bridged(true));
    assert_eq!(decide(&forwarder, &unicast(0, 1, 2)), to(&[1, 2, 3]));
    assert_eq!(decide(&forwarder, &unicast(2, 1, 2)), to(&[0, 1, 3]));
    let broadcast = Frame::udp(1, station_mac(1), MacAddr::BROADCAST, "10.0.0.1", "10.0.0.255");
    assert_eq!(decide(&forwarder, &broadcast), to(&[0, 2, 3]));
    // A bridge port's own address is nobody's: nothing is terminated here.
    let own = Frame::udp(1, station_mac(1), port_mac(1), "10.0.0.1", "10.0.0.2");
    assert_eq!(decide(&forwarder, &own), to(&[0, 2, 3]));
}

#[test]
fn a_known_station_is_reached_on_its_port_alone() {
    let forwarder = forwarder(&bridged(true));
    assert_eq!(learn(&forwarder, &unicast(2, 2, 9)), Learning::New);
    assert_eq!(decide(&forwarder, &unicast(0, 1, 2)), to(&[2]));
    // Hairpin is off.
    assert_eq!(decide(&forwarder, &unicast(2, 1, 2)), Decision::Drop(DropReason::SamePort));
    assert_eq!(learn(&forwarder, &unicast(3, 2, 9)), Learning::Moved);
    assert_eq!(decide(&forwarder, &unicast(0, 1, 2)), to(&[3]));
    let frame = unicast(0, 1, 2);
    let aged = forwarder.decide(&frame.info, &frame.bytes, Nanos::from_secs(302));
    assert_eq!(aged, to(&[1, 2, 3]));
}

/// Of a plain datagram only the way between two stations that are known is short.
#[test]
fn the_short_way_is_between_known_stations() {
    let forwarder = forwarder(&bridged(true));
    let short = |frame: &Frame, now| match forwarder.plain(frame.info.port, now) {
        Some(PlainWay::Bridged(mut bridge)) => bridge.answer(between(frame).unwrap()),
        _ => panic!("a bridged port"),
    };
    let (there, back) = (unicast(0, 1, 2), unicast(2, 2, 1));
    assert_eq!(short(&there, NOW), None, "both are unknown");
    learn(&forwarder, &there);
    assert_eq!(short(&there, NOW), None, "the receiver is unknown");
    assert_eq!(short(&back, NOW), None, "the sender is to be learned");
    learn(&forwarder, &back);
    assert_eq!(short(&there, NOW), Some(PortId(2)));
    assert_eq!(short(&back, NOW), Some(PortId(0)));
    assert_eq!(short(&there.clone().tagged(7), NOW), None, "another VLAN");
    assert_eq!(short(&unicast(3, 1, 2), NOW), None, "the sender has moved");
    assert_eq!(short(&unicast(0, 1, 1), NOW), None, "the receiver is where it came from");
    // Being heard keeps a sender; the receiver has not been heard since.
    assert_eq!(short(&there, Nanos::from_secs(200)), Some(PortId(2)));
    assert_eq!(short(&there, Nanos::from_secs(400)), None);
    assert_eq!(short(&back, Nanos::from_secs(400)), None, "it has aged, and is learned anew");
}

#[test]
fn learning_is_per_vlan() {
    let forwarder = forwarder(&bridged(true));
    learn(&forwarder, &unicast(2, 2, 9).tagged(10));
    assert_eq!(decide(&forwarder, &unicast(0, 1, 2).tagged(10)), to(&[2]));
    assert_eq!(decide(&forwarder, &unicast(0, 1, 2).tagged(11)), to(&[1, 2, 3]));
    assert_eq!(decide(&forwarder, &unicast(0, 1, 2)), to(&[1, 2, 3]));
}

#[test]
fn only_bridge_ports_learn() {
    let forwarder = forwarder(&bridged(true));
    let routed = unicast(4, 2, 9);
    assert_eq!(forwarder.would_learn(&routed.info, &routed.bytes, NOW), Learning::Unchanged);
    assert_eq!(learn(&forwarder, &routed), Learning::Unchanged);
    let nobody = Frame::udp(0, MacAddr([0; 6]), station_mac(1), "10.0.0.1", "10.0.0.2");
    assert_eq!(forwarder.would_learn(&nobody.info, &nobody.bytes, NOW), Learning::Unchanged);
    assert_eq!(learn(&forwarder, &nobody), Learning::Unchanged);
    assert_eq!(forwarder.tables.bridges()[0].fdb().used(), 0);
    let bridged = unicast(1, 2, 9);
    assert_eq!(forwarder.would_learn(&bridged.info, &bridged.bytes, NOW), Learning::New);
}

#[test]
fn link_reserved_addresses_are_never_forwarded() {
    let forwarder = forwarder(&bridged(true));
    for last in 0..=0x10 {
        let dst = MacAddr([1, 0x80, 0xc2, 0, 0, last]);
        let frame = Frame::udp(0, station_mac(1), dst, "10.0.0.1", "10.0.0.2");
        let expected =
            if last < 0x10 { Decision::Drop(DropReason::LinkReserved) } else { to(&[1, 2, 3]) };
        assert_eq!(decide(&forwarder, &frame), expected);
    }
}

#[test]
fn a_source_that_no_station_has_is_dropped() {
    let forwarder = forwarder(&bridged(true));
    for src in [MacAddr([0; 6]), MacAddr::BROADCAST, GROUP_MAC] {
        let frame = Frame::udp(0, src, station_mac(2), "10.0.0.1", "10.0.0.2");
        assert_eq!(decide(&forwarder, &frame), Decision::Drop(DropReason::BadSourceMac));
    }
}

#[test]
fn a_group_reaches_its_members_and_an_unknown_one_all() {
    let forwarder = forwarder(&bridged(true));
    for group in ["239.1.1.1", "ff3e::1"] {
        assert_eq!(decide(&forwarder, &multicast(0, group)), to(&[1, 2]));
        assert_eq!(decide(&forwarder, &multicast(1, group)), to(&[2]));
        assert_eq!(decide(&forwarder, &multicast(0, group).tagged(7)), to(&[1, 2]));
    }
    for group in ["239.1.1.2", "225.1.1.1", "ff3e::2", "ff0e::1:3"] {
        assert_eq!(decide(&forwarder, &multicast(0, group)), to(&[1, 2, 3]));
    }
}

#[test]
fn link_scope_groups_always_flood() {
    let forwarder = forwarder(&bridged(true));
    // Two of them have [[group]] entries.
    for group in ["224.0.0.251", "224.0.0.1", "ff02::fb", "ff02::1:ff00:1"] {
        assert_eq!(decide(&forwarder, &multicast(0, group)), to(&[1, 2, 3]), "{group}");
    }
}

#[test]
fn without_snooping_groups_flood() {
    let forwarder = forwarder(&bridged(false));
    assert_eq!(decide(&forwarder, &multicast(0, "239.1.1.1")), to(&[1, 2, 3]));
}

#[test]
fn a_group_is_told_by_its_address_not_by_the_frames() {
    let forwarder = forwarder(&bridged(true));
    // 239.1.1.1 and 225.1.1.1 have the same link address (RFC 1112 6.4).
    assert_eq!(decide(&forwarder, &multicast(0, "225.1.1.1")), to(&[1, 2, 3]));
    // A broadcast is for all, whatever is in it; a frame to a station is for the station.
    let broadcast = Frame::udp(0, station_mac(1), MacAddr::BROADCAST, "10.0.0.1", "239.1.1.1");
    assert_eq!(decide(&forwarder, &broadcast), to(&[1, 2, 3]));
    learn(&forwarder, &unicast(3, 2, 9));
    let unicast = Frame::udp(0, station_mac(1), station_mac(2), "10.0.0.1", "239.1.1.1");
    assert_eq!(decide(&forwarder, &unicast), to(&[3]));
}

#[test]
fn membership_messages_flood() {
    let forwarder = forwarder(&bridged(true));
    let mut report = multicast(0, "239.1.1.1");
    report.info.protocol = 2;
    assert_eq!(decide(&forwarder, &report), to(&[1, 2, 3]));
    let icmpv6 = |kind: u8| {
        let message = [&[kind, 0, 0, 0, 0, 0, 0, 0][..], &[0; 16]].concat();
        Frame::icmpv6(0, [station_mac(1), GROUP6_MAC], ["fe80::1", "ff3e::1"], &message)
    };
    for kind in [130, 131, 132, 143] {
        assert_eq!(decide(&forwarder, &icmpv6(kind)), to(&[1, 2, 3]), "MLD {kind}");
    }
    assert_eq!(decide(&forwarder, &icmpv6(128)), to(&[1, 2]), "an echo request is data");
}

#[test]
fn broken_packets_in_good_frames_are_bridged() {
    let forwarder = forwarder(&bridged(true));
    let mut frame = multicast(0, "239.1.1.1");
    for malformed in [Malformed::IpHeader, Malformed::IpChecksum, Malformed::Arp] {
        frame.info.network = Network::Broken(malformed);
        assert_eq!(decide(&forwarder, &frame), to(&[1, 2, 3]));
    }
    let lldp_like = [&[0xff; 6][..], &station_mac(1).0, &[0x12, 0x34, 1, 2, 3]].concat();
    assert_eq!(decide(&forwarder, &Frame::other(0, lldp_like)), to(&[1, 2, 3]));
    let runt = Frame { bytes: vec![2; 13], ..frame };
    assert_eq!(decide(&forwarder, &runt), Decision::Drop(DropReason::RuntFrame));
}

#[test]
fn nowhere_to_go() {
    let mut config = bridged(true);
    config.bridges[0].ports = vec![PortId(0)];
    assert_eq!(
        decide(&forwarder(&config), &unicast(0, 1, 2)),
        Decision::Drop(DropReason::NoEgress)
    );
    // The only member is where it came from.
    let mut config = bridged(true);
    config.groups[0].ports = vec![PortId(0)];
    let forwarder = forwarder(&config);
    let dropped = Decision::Drop(DropReason::NoEgress);
    assert_eq!(decide(&forwarder, &multicast(0, "239.1.1.1")), dropped);
    assert_eq!(decide(&forwarder, &multicast(3, "239.1.1.1")), to(&[0]));
    // A port that no table knows.
    assert_eq!(decide(&forwarder, &unicast(77, 1, 2)), dropped);
}

#[test]
fn two_bridges_share_nothing() {
    let mut config = config(&[&[], &[], &[], &[]]);
    config.bridges = vec![bridge(&[0, 1], true), bridge(&[2, 3], true)];
    config.groups.push(Group { bridge: 0, group: ip("239.1.1.1"), ports: vec![PortId(1)] });
    let forwarder = forwarder(&config);
    learn(&forwarder, &unicast(1, 2, 9));
    assert_eq!(decide(&forwarder, &unicast(0, 1, 2)), to(&[1]));
    assert_eq!(decide(&forwarder, &unicast(2, 1, 2)), to(&[3]));
    assert_eq!(decide(&forwarder, &multicast(3, "239.1.1.1")), to(&[2]));
}

#[test]
fn a_new_snapshot_keeps_what_an_equal_bridge_has_learned() {
    use crate::forward::{PortFacts, Tables};
    let mut config = bridged(true);
    let facts = [PortFacts { mac: port_mac(9) }; 5];
    let first = Tables::build(&config, &facts, 1);
    let frame = unicast(2, 2, 9);
    first.bridges()[0].learn(&frame.info, &frame.bytes, PortId(2), NOW);
    config.bridges[0].name = "renamed".into();
    let second = Tables::rebuild(&config, &facts, 1, &first);
    assert_eq!(second.bridges()[0].fdb().used(), 1);
    config.bridges[0].ports.pop();
    let third = Tables::rebuild(&config, &facts, 1, &second);
    assert_eq!(third.bridges()[0].fdb().used(), 0);
    config.bridges[0].ageing *= 2;
    let fourth = Tables::rebuild(&config, &facts, 1, &third);
    assert!(!Arc::ptr_eq(fourth.bridges()[0].fdb(), third.bridges()[0].fdb()));
}
