//! Decisions on whole frames as ingress reads them, by tables made of a configuration file. Frames
//! are etherparse's.

use std::sync::Arc;

use etherparse::PacketBuilder;
use gateway::config;
use gateway::forward::{Forwarder, PortFacts, Tables};
use gateway::ingress::parse;
use gateway::packet::{Decision, DropReason, MacAddr, NextHop, PortId, PortMask, RxChecksum};
use gateway::time::Nanos;
use proptest::prelude::*;

const FILE: &str = r#"
[[port]]
name = "left"
device = "net_null0"
addresses = ["10.1.0.1/24", "2001:db8:1::1/64"]
[[port]]
name = "right"
device = "net_null1"
addresses = ["10.2.0.1/24", "2001:db8:2::1/64"]
[[port]]
name = "a"
device = "net_null2"
[[port]]
name = "b"
device = "net_null3"
[[port]]
name = "c"
device = "net_null4"
[[bridge]]
name = "br0"
ports = ["a", "b", "c"]
[[group]]
bridge = "br0"
group = "239.1.1.1"
ports = ["b"]
[[route]]
prefix = "10.50.0.0/16"
via = "10.2.0.2"
[[route]]
prefix = "10.50.0.0/16"
via = "10.2.0.3"
[[neighbor]]
address = "10.2.0.2"
mac = "02:00:00:00:00:22"
port = "right"
[[neighbor]]
address = "10.2.0.3"
mac = "02:00:00:00:00:23"
port = "right"
[[neighbor]]
address = "2001:db8:2::2"
mac = "02:00:00:00:00:22"
port = "right"
[[multicast]]
group = "239.1.1.1"
source = "any"
from = "left"
to = ["right"]
"#;

const LEFT: PortId = PortId(0);
const RIGHT: PortId = PortId(1);
const THEIRS: [u8; 6] = [2, 0, 0, 0, 0, 0x22];

fn port_mac(port: PortId) -> MacAddr {
    MacAddr([2, 0, 0, 0, 1, port.0 as u8])
}

fn forwarder() -> Forwarder {
    let config = config::parse("test", FILE).map_err(|errors| errors.render(false)).unwrap();
    let facts: Vec<_> = (0..5).map(|port| PortFacts { mac: port_mac(PortId(port)) }).collect();
    Forwarder::new(Arc::new(Tables::build(&config, &facts, 1)))
}

/// As the worker does: learns, then decides.
fn decide(forwarder: &Forwarder, port: PortId, frame: &[u8]) -> Option<Decision> {
    let info = parse(port, frame, frame.len(), RxChecksum::Unknown).ok()?;
    let would = forwarder.would_learn(&info, frame, Nanos(0));
    assert_eq!(forwarder.learn(&info, frame, Nanos(0)), would);
    Some(forwarder.decide(&info, frame, Nanos(0)))
}

fn right() -> Decision {
    let dst_mac = MacAddr(THEIRS);
    Decision::Route(NextHop { port: RIGHT, dst_mac, src_mac: port_mac(RIGHT) })
}

fn udp_v4() -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], port_mac(LEFT).0)
        .ipv4([10, 1, 0, 2], [10, 2, 0, 2], 64)
        .udp(5000, 5001)
        .write(&mut frame, &[7; 64])
        .unwrap();
    frame
}

const V6_SRC: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
const V6_DST: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

/// An IPv6 packet with these bytes behind its header.
fn v6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = [&port_mac(LEFT).0[..], &[2, 0, 0, 0, 0, 9], &[0x86, 0xdd]].concat();
    frame.extend_from_slice(&[0x60, 0, 0, 0, 0, payload.len() as u8, next_header, 64]);
    frame.extend_from_slice(&[&V6_SRC[..], &V6_DST, payload].concat());
    frame
}

/// Sets fields of the IPv4 header and makes its checksum right again.
fn edited(mut frame: Vec<u8>, edits: &[(usize, u8)]) -> Vec<u8> {
    for &(offset, value) in edits {
        frame[14 + offset] = value;
    }
    let header_len = usize::from(frame[14] & 0xf) * 4;
    frame[24..26].fill(0);
    let words = frame[14..14 + header_len].chunks(2);
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    frame[24..26].copy_from_slice(&checksum.to_be_bytes());
    frame
}

#[test]
fn what_is_no_plain_datagram_is_routed_as_it_is() {
    let forwarder = forwarder();
    let mut options = udp_v4();
    options.splice(34..34, [1, 1, 1, 0]);
    let udp = [0x13, 0x88, 0x13, 0x89, 0, 12, 0xde, 0xad, 1, 2, 3, 4];
    let with_zero_checksum = {
        let mut frame = udp_v4();
        frame[40..42].fill(0);
        frame
    };
    let cases = [
        ("plain", udp_v4()),
        ("first fragment", edited(udp_v4(), &[(6, 0x20)])),
        ("later fragment", edited(udp_v4(), &[(7, 0x40)])),
        ("options", edited(options, &[(0, 0x46), (3, 96)])),
        ("TCP", edited(udp_v4(), &[(9, 6)])),
        ("unknown protocol", edited(udp_v4(), &[(9, 253)])),
        ("checksum 0", with_zero_checksum),
        ("bad UDP checksum, IPv6", v6(17, &udp)),
        ("hop-by-hop options", v6(0, &[&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp].concat())),
        ("destination options", v6(60, &[&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp].concat())),
        ("first fragment, IPv6", v6(44, &[&[17, 0, 0, 1, 0, 0, 0, 9][..], &udp].concat())),
        ("later fragment, IPv6", v6(44, &[&[17, 0, 0, 8, 0, 0, 0, 9][..], &udp].concat())),
        ("no next header", v6(59, &[])),
    ];
    for (name, frame) in cases {
        assert_eq!(decide(&forwarder, LEFT, &frame), Some(right()), "{name}");
    }
    let mut bad = udp_v4();
    *bad.last_mut().unwrap() ^= 1;
    assert_eq!(decide(&forwarder, LEFT, &bad), Some(right()), "bad UDP checksum");
    let padded = [&udp_v4()[..], &[0; 20]].concat();
    assert_eq!(decide(&forwarder, LEFT, &padded), Some(right()), "trailing bytes");
}

#[test]
fn broken_headers_are_dropped_by_a_router_and_bridged() {
    let forwarder = forwarder();
    let mut checksum = udp_v4();
    checksum[24] ^= 1;
    let broken_v6 = {
        let mut frame = v6(17, &[0; 12]);
        frame[14] = 0x50;
        frame
    };
    let too_long = {
        let mut frame = v6(17, &[0; 12]);
        frame[19] = 13;
        frame
    };
    let cut_arp = [&[0xff; 6][..], &THEIRS, &[8, 6], &[0; 27]].concat();
    let cut_tag = [&port_mac(LEFT).0[..], &THEIRS, &[0x81, 0, 0]].concat();
    for (name, frame, reason) in [
        ("checksum", checksum, DropReason::BadIpChecksum),
        ("version", edited(udp_v4(), &[(0, 0x55)]), DropReason::BadIpHeader),
        ("header length", edited(udp_v4(), &[(0, 0x44)]), DropReason::BadIpHeader),
        ("total length", edited(udp_v4(), &[(3, 93)]), DropReason::BadIpHeader),
        ("version, IPv6", broken_v6, DropReason::BadIpHeader),
        ("payload length", too_long, DropReason::BadIpHeader),
        ("ARP", cut_arp, DropReason::BadNeighborMessage),
        ("tag", cut_tag, DropReason::BadEthernet),
    ] {
        assert_eq!(decide(&forwarder, LEFT, &frame), Some(Decision::Drop(reason)), "{name}");
        let others: PortMask = [PortId(3), PortId(4)].into_iter().collect();
        let bridged = decide(&forwarder, PortId(2), &frame);
        assert_eq!(bridged, Some(Decision::Bridge { ports: others }), "{name}");
    }
}

/// Semantics 7, item 1: what the project began with. (The listener of the original is the host's.)
#[test]
fn mdns_reaches_every_other_port_of_a_bridge() {
    let forwarder = forwarder();
    for payload in [91, 62] {
        let mut frame = Vec::new();
        let mut src = V6_SRC;
        src[..2].copy_from_slice(&[0xfe, 0x80]);
        let group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb];
        PacketBuilder::ethernet2(THEIRS, [0x33, 0x33, 0, 0, 0, 0xfb])
            .ipv6(src, group, 255)
            .udp(5353, 5353)
            .write(&mut frame, &vec![1; payload])
            .unwrap();
        let others: PortMask = [PortId(2), PortId(4)].into_iter().collect();
        assert_eq!(decide(&forwarder, PortId(3), &frame), Some(Decision::Bridge { ports: others }));
    }
}

/// What every decision owes, whatever came in.
fn check(forwarder: &Forwarder, port: PortId, frame: &[u8]) -> Result<(), TestCaseError> {
    let Some(decision) = decide(forwarder, port, frame) else { return Ok(()) };
    let routed = port <= RIGHT;
    match decision {
        Decision::Bridge { ports } => {
            let bridge: PortMask = (2..5).map(PortId).collect();
            prop_assert!(!routed && !ports.is_empty() && !ports.contains(port));
            prop_assert_eq!(ports.and(bridge), ports);
        }
        Decision::Multicast { ports } | Decision::MulticastWatched { ports, .. } => {
            prop_assert!(port == LEFT && ports == PortMask::of(RIGHT));
        }
        Decision::Route(hop) => prop_assert!(routed && hop.src_mac == port_mac(hop.port)),
        Decision::BridgeToListeners { .. } => prop_assert!(false, "nobody listens"),
        Decision::Answer(_) | Decision::Consume => prop_assert!(routed),
        Decision::Punt { .. } | Decision::BridgeAndPunt { .. } => {
            prop_assert!(false, "to a shadow that is not there");
        }
        Decision::Drop(reason) => prop_assert!(DropReason::ALL.contains(&reason)),
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_get_a_decision(port in 0..5u16, frame: Vec<u8>) {
        check(&forwarder(), PortId(port), &frame)?;
    }

    #[test]
    fn frames_with_any_bytes_changed_get_a_decision(
        port in 0..5u16,
        six: bool,
        edits in proptest::collection::vec((0..90usize, any::<u8>()), 0..6),
        cut in 0..120usize,
    ) {
        let mut frame = if six { v6(58, &[135; 40]) } else { udp_v4() };
        for (offset, value) in edits {
            if let Some(byte) = frame.get_mut(offset) {
                *byte = value;
            }
        }
        frame.truncate(frame.len().saturating_sub(cut.saturating_sub(60)));
        check(&forwarder(), PortId(port), &frame)?;
    }

    /// Offsets that ingress would never hand on: still no panic.
    #[test]
    fn any_info_gets_a_decision(
        l2_len: u8, l4_offset: u16, ip_len: u32, len in 0..200usize, six: bool, port in 0..7u16,
    ) {
        let frame = if six { v6(58, &[135; 40]) } else { udp_v4() };
        let mut info = parse(LEFT, &frame, frame.len(), RxChecksum::Unknown).unwrap();
        (info.l2_len, info.l4_offset, info.ip_len) = (l2_len, l4_offset, ip_len);
        info.port = PortId(port);
        let head = &frame[..frame.len().min(len)];
        let forwarder = forwarder();
        forwarder.learn(&info, head, Nanos(u64::MAX));
        forwarder.decide(&info, head, Nanos(u64::MAX));
    }
}
