use core::net::IpAddr;

use super::*;
use crate::config::{Config, MulticastRoute};
use crate::forward::Forwarder;
use crate::forward::testing::{
    Frame, config, decide, forwarder, ip, neighbor, port_mac, route, station_mac,
};
use crate::packet::{Answer, MacAddr, Malformed, NextHop, PortId, PortMask};

mod neighbors;
mod paths;
mod rebuilt;

const GROUP_MAC: MacAddr = MacAddr([1, 0, 0x5e, 1, 1, 1]);
const GROUP6_MAC: MacAddr = MacAddr([0x33, 0x33, 0, 0, 0, 1]);

/// Port 0: 10.1.0.1/24 and 2001:db8:1::1/64; port 1: 10.2.0.1/24 and 2001:db8:2::1/64; port 2 has
/// none. Stations 1 and 2 are .2 and ::2 on them.
fn routed() -> Config {
    let mut config =
        config(&[&["10.1.0.1/24", "2001:db8:1::1/64"], &["10.2.0.1/24", "2001:db8:2::1/64"], &[]]);
    config.neighbors = vec![
        neighbor("10.1.0.2", station_mac(1), 0),
        neighbor("2001:db8:1::2", station_mac(1), 0),
        neighbor("10.2.0.2", station_mac(2), 1),
        neighbor("2001:db8:2::2", station_mac(2), 1),
    ];
    config.routes = vec![route("10.20.0.0/16", "10.2.0.2", 1), route("::/0", "2001:db8:2::2", 1)];
    config
}

fn drops(reason: DropReason) -> Decision {
    Decision::Drop(reason)
}

fn hop(port: u16, station: u8) -> Decision {
    let (port, dst_mac, src_mac) = (PortId(port), station_mac(station), port_mac(port));
    Decision::Route(NextHop { port, dst_mac, src_mac })
}

/// A datagram as a neighbour on port 0 sends it to the gateway.
fn sent(src: &str, dst: &str) -> Frame {
    Frame::udp(0, station_mac(1), port_mac(0), src, dst)
}

/// The same to a group address.
fn cast(src: &str, dst: &str) -> Frame {
    let mac = if ip(dst).is_ipv4() { GROUP_MAC } else { GROUP6_MAC };
    Frame::udp(0, station_mac(1), mac, src, dst)
}

fn with_hops(src: &str, dst: &str, hops: u8) -> Frame {
    let dst_mac = if ip(dst).is_multicast() { GROUP_MAC } else { port_mac(0) };
    Frame::udp_with(0, [station_mac(1), dst_mac], [ip(src), ip(dst)], hops)
}

fn assert_all(forwarder: &Forwarder, frames: &[(&str, &str)], expected: Decision) {
    for (src, dst) in frames {
        assert_eq!(decide(forwarder, &sent(src, dst)), expected, "{src} > {dst}");
    }
}

#[test]
fn a_connected_network_and_a_route() {
    let forwarder = forwarder(&routed());
    let both = [("10.1.0.2", "10.2.0.2"), ("10.1.0.2", "10.20.3.4")];
    assert_all(&forwarder, &both, hop(1, 2));
    let both = [("2001:db8:1::2", "2001:db8:2::2"), ("2001:db8:1::2", "2400::1")];
    assert_all(&forwarder, &both, hop(1, 2));
    // Back out of the port it came from, towards another router there.
    assert_all(&forwarder, &[("10.3.0.9", "10.1.0.2")], hop(0, 1));
}

#[test]
fn what_is_not_for_us() {
    let forwarder = forwarder(&routed());
    let mut frame = Frame::udp(0, station_mac(1), port_mac(1), "10.1.0.2", "10.2.0.2");
    assert_eq!(decide(&forwarder, &frame), drops(DropReason::OtherMac));
    frame = sent("10.1.0.2", "10.2.0.2").tagged(5);
    assert_eq!(decide(&forwarder, &frame), drops(DropReason::Tagged));
    frame = sent("10.1.0.2", "10.2.0.2").tagged(0);
    assert_eq!(decide(&forwarder, &frame), drops(DropReason::Tagged));
}

#[test]
fn what_is_no_ip() {
    let forwarder = forwarder(&routed());
    let other = |dst: MacAddr, ethertype: [u8; 2]| {
        let bytes = [&dst.0[..], &station_mac(1).0, &ethertype, &[0; 46]].concat();
        decide(&forwarder, &Frame::other(0, bytes))
    };
    assert_eq!(other(port_mac(0), [0x88, 0x47]), drops(DropReason::UnknownEthertype));
    assert_eq!(other(MacAddr::BROADCAST, [0, 46]), drops(DropReason::UnknownEthertype));
    assert_eq!(other(port_mac(0), [0x81, 0]), drops(DropReason::BadEthernet));
    let lldp = MacAddr([1, 0x80, 0xc2, 0, 0, 0x0e]);
    assert_eq!(other(lldp, [0x88, 0xcc]), drops(DropReason::LinkReserved));
    for (malformed, reason) in [
        (Malformed::IpHeader, DropReason::BadIpHeader),
        (Malformed::IpChecksum, DropReason::BadIpChecksum),
        (Malformed::Arp, DropReason::BadNeighborMessage),
    ] {
        let mut frame = sent("10.1.0.2", "10.2.0.2");
        frame.info.network = Network::Broken(malformed);
        assert_eq!(decide(&forwarder, &frame), drops(reason));
    }
}

/// Ingress never says a header is there that is not; should it, nothing panics.
#[test]
fn headers_that_are_not_there() {
    let forwarder = forwarder(&routed());
    for frame in [sent("10.1.0.2", "10.2.0.2"), sent("2001:db8:1::2", "2001:db8:2::2")] {
        for len in 0..frame.bytes.len() {
            let cut = Frame { bytes: frame.bytes[..len].to_vec(), ..frame };
            let decision = decide(&forwarder, &cut);
            assert!(len >= 34 || matches!(decision, Decision::Drop(_)), "{len}: {decision:?}");
        }
    }
}

#[test]
fn martian_sources() {
    let forwarder = forwarder(&routed());
    for src in [
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        // Our own, of any port, and the broadcast addresses of our networks.
        "10.1.0.1",
        "10.2.0.1",
        "10.1.0.255",
    ] {
        assert_all(&forwarder, &[(src, "10.2.0.2")], drops(DropReason::MartianSource));
        assert_eq!(decide(&forwarder, &cast(src, "239.1.1.1")), drops(DropReason::MartianSource));
    }
    for src in ["::", "::1", "ff02::1", "ff3e::1", "::ffff:10.1.0.2", "2001:db8:2::1"] {
        assert_all(&forwarder, &[(src, "2001:db8:2::2")], drops(DropReason::MartianSource));
    }
    // Neither martian: private and link-local IPv4, which Linux routes.
    let fine = [("192.168.0.1", "10.2.0.2"), ("169.254.1.1", "10.2.0.2")];
    assert_all(&forwarder, &fine, hop(1, 2));
}

#[test]
fn martian_destinations() {
    let forwarder = forwarder(&routed());
    for dst in ["0.0.0.0", "0.9.9.9", "127.0.0.1", "127.255.0.1", "255.255.255.255"] {
        assert_all(&forwarder, &[("10.1.0.2", dst)], drops(DropReason::MartianDestination));
    }
    for dst in ["::", "::1"] {
        assert_all(&forwarder, &[("2001:db8:1::2", dst)], drops(DropReason::MartianDestination));
    }
    // As DHCP clients send: both are wrong, the source is named.
    let discover = Frame::udp(0, station_mac(1), MacAddr::BROADCAST, "0.0.0.0", "255.255.255.255");
    assert_eq!(decide(&forwarder, &discover), drops(DropReason::MartianSource));
}

#[test]
fn link_local_stays() {
    let forwarder = forwarder(&routed());
    let either = [
        ("fe80::9", "2001:db8:2::2"),
        ("2001:db8:1::2", "fe80::9"),
        ("fe80::9", "fe80::ff:fe00:0"),
        ("febf::1", "2001:db8:2::2"),
    ];
    assert_all(&forwarder, &either, drops(DropReason::LinkLocal));
    for (src, dst) in [
        ("10.1.0.2", "224.0.0.1"),
        ("10.1.0.2", "224.0.0.251"),
        ("2001:db8:1::2", "ff01::1"),
        ("2001:db8:1::2", "ff02::fb"),
        ("2001:db8:1::2", "ff12::1234"),
        ("2001:db8:1::2", "ff00::1"),
    ] {
        assert_eq!(decide(&forwarder, &cast(src, dst)), drops(DropReason::LinkLocal), "{dst}");
    }
}

#[test]
fn link_and_network_address_must_be_of_one_kind() {
    let forwarder = forwarder(&routed());
    for (src, dst) in [("10.1.0.2", "10.2.0.2"), ("2001:db8:1::2", "2001:db8:2::2")] {
        for mac in [GROUP_MAC, GROUP6_MAC, MacAddr::BROADCAST] {
            let frame = Frame::udp(0, station_mac(1), mac, src, dst);
            assert_eq!(decide(&forwarder, &frame), drops(DropReason::AddressKindMismatch));
        }
    }
    let groups = [("10.1.0.2", "239.1.1.1"), ("2001:db8:1::2", "ff3e::1")];
    assert_all(&forwarder, &groups, drops(DropReason::AddressKindMismatch));
}

#[test]
fn our_own_addresses_are_for_a_host_that_is_not_there() {
    let forwarder = forwarder(&routed());
    // Of the other port too; a TTL of 1 is enough to arrive.
    let own = [
        ("10.1.0.2", "10.1.0.1"),
        ("10.1.0.2", "10.2.0.1"),
        ("2001:db8:1::2", "2001:db8:1::1"),
        ("2001:db8:1::2", "2001:db8:2::1"),
        // To all hosts of a network, not passed on (RFC 2644).
        ("10.1.0.2", "10.2.0.255"),
    ];
    assert_all(&forwarder, &own, drops(DropReason::NoHost));
    assert_eq!(
        decide(&forwarder, &with_hops("10.1.0.2", "10.1.0.1", 1)),
        drops(DropReason::NoHost)
    );
    let broadcast = Frame::udp(0, station_mac(1), MacAddr::BROADCAST, "10.1.0.2", "10.1.0.255");
    assert_eq!(decide(&forwarder, &broadcast), drops(DropReason::NoHost));
}

#[test]
fn no_way_to_go() {
    let mut config = routed();
    config.routes.push(route("10.30.0.0/16", "10.2.0.77", 1));
    config.routes.retain(|route| route.prefix.prefix_len() > 0);
    let forwarder = forwarder(&config);
    let lost = [("10.1.0.2", "10.40.0.1"), ("2001:db8:1::2", "2400::1"), ("10.1.0.2", "250.0.0.1")];
    assert_all(&forwarder, &lost, drops(DropReason::NoRoute));
    let unheard = [
        ("10.1.0.2", "10.2.0.3"),
        ("10.1.0.2", "10.30.0.1"),
        ("2001:db8:1::2", "2001:db8:2::3"),
        ("10.1.0.2", "10.2.0.0"),
    ];
    assert_all(&forwarder, &unheard, drops(DropReason::NoNeighbor));
}

#[test]
fn hops_run_out_behind_the_route_and_before_the_neighbour() {
    let forwarder = forwarder(&routed());
    let exceeded = Decision::Answer(Answer::TimeExceeded);
    for (src, dst) in
        [("10.1.0.2", "10.2.0.2"), ("10.1.0.2", "10.2.0.3"), ("2001:db8:1::2", "2001:db8:2::2")]
    {
        for hops in [0, 1] {
            assert_eq!(decide(&forwarder, &with_hops(src, dst, hops)), exceeded, "{dst} {hops}");
        }
    }
    assert_eq!(decide(&forwarder, &with_hops("10.1.0.2", "10.2.0.2", 2)), hop(1, 2));
    let nowhere = with_hops("10.1.0.2", "10.40.0.1", 1);
    assert_eq!(decide(&forwarder, &nowhere), drops(DropReason::NoRoute));
}
