//! The gateway as a bridge between kernel hosts.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // hosts, not the path

#[path = "support/netns.rs"]
mod netns;
#[path = "support/running.rs"]
mod running;

use std::time::{Duration, Instant};

use gateway::demo::tap::Tap;
use netns::{demand_intact, lab, plug_lan, stream, tap};
use running::{bridge, start};

#[test]
fn unicast_arrives_and_groups_reach_their_members_only() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 4); // the last is a member of nothing
    let mut configuration = bridge(&lab);
    for group in ["239.78.1.1", "ff3e::78:1"] {
        configuration += &format!(
            "[[group]]\nbridge = \"br0\"\ngroup = \"{group}\"\nports = [\"p1\", \"p2\"]\n"
        );
    }
    let gateway = start(&lab, "0", &configuration);
    let streams = [
        stream(0, "10.78.0.2", &[1]),
        stream(0, "fd78::3", &[2]),
        stream(2, "10.78.0.1", &[0]),
        stream(0, "239.78.1.1", &[1, 2]),
        stream(1, "ff3e::78:1", &[2]),
    ];
    demand_intact(&lab, &streams, 2.0);
    gateway.stop_clean();
}

/// Another driver for kernel interfaces: frames are in memory that the kernel sees, and what the
/// driver's rings hold in the end it never frees.
#[test]
fn streams_pass_over_af_xdp() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let configuration = bridge(&lab).replace("net_af_packet", "net_af_xdp");
    let gateway = start(&lab, "0", &configuration);
    let streams = [
        stream(0, "10.78.0.2", &[1]),
        stream(1, "fd78::3", &[2]),
        stream(2, "10.78.0.1", &[0]),
        stream(0, "239.78.9.9", &[1, 2]),
    ];
    // Fewer datagrams than the pool has buffers: from its end nothing is received (docs/limits.md).
    demand_intact(&lab, &streams, 0.5);
    gateway.stop_clean();
}

#[test]
fn an_unknown_group_floods() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let gateway = start(&lab, "0", &bridge(&lab));
    let streams = [stream(0, "239.78.9.9", &[1, 2]), stream(1, "ff3e::78:99", &[0, 2])];
    demand_intact(&lab, &streams, 1.0);
    gateway.stop_clean();
}

#[test]
fn frames_of_any_kind_and_length_pass_verbatim() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let gateway = start(&lab, "0", &bridge(&lab));
    let sender = tap(&lab.hosts[0]);
    let listeners = [tap(&lab.hosts[1]), tap(&lab.hosts[2])];
    // IEEE 802 local experimental EtherType 1; to nobody known, so flooded.
    let header = [[2, 0, 0, 0, 0x99, 1], [2, 0, 0, 0, 0x99, 2]].concat();
    for len in [15, 20, 59, 60, 61, 64, 383, 384, 385, 1000, 1513, 1514] {
        let mut frame = [header.as_slice(), &[0x88, 0xb5]].concat();
        frame.extend((frame.len()..len).map(|i| i as u8 ^ 0x5a));
        sender.send(&frame).unwrap();
        for listener in &listeners {
            assert_eq!(next(listener, |f| f[12..14] == [0x88, 0xb5]), frame, "{len} bytes");
        }
    }
    gateway.stop_clean();
}

#[test]
fn tagged_frames_keep_their_tags() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let gateway = start(&lab, "0", &bridge(&lab));
    let sender = tap(&lab.hosts[0]);
    let (priority_3_vlan_5, vlan_9) = (0x6005_u16, 9_u16);
    let inner_tag = [&[0x81, 0][..], &vlan_9.to_be_bytes()].concat();
    for inner in [Vec::new(), inner_tag] {
        let listeners = [tap(&lab.hosts[1]), tap(&lab.hosts[2])];
        for listener in &listeners {
            listener.only_vlan(0x8100, priority_3_vlan_5).unwrap();
        }
        // A train: twenty datagrams of one tagged flow, the last shorter.
        for number in 0..20_u8 {
            let payload = vec![number; if number == 19 { 33 } else { 700 }];
            let untagged = [&datagram(&payload)[..12], &inner, &datagram(&payload)[12..]].concat();
            let tag = [&[0x81, 0][..], &priority_3_vlan_5.to_be_bytes()].concat();
            sender.send(&[&untagged[..12], &tag, &untagged[12..]].concat()).unwrap();
            for listener in &listeners {
                assert_eq!(next(listener, |_| true), untagged, "datagram {number}");
            }
        }
    }
    gateway.stop_clean();
}

/// The next frame that is `wanted`; hosts also talk of their own accord.
fn next(tap: &Tap, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (mut buffer, deadline) = ([0; 2048], Instant::now() + Duration::from_secs(5));
    loop {
        assert!(Instant::now() < deadline, "the frame did not arrive");
        match tap.receive(&mut buffer).unwrap() {
            Some(frame) if wanted(frame) => return frame.to_vec(),
            _ => {}
        }
    }
}

/// An untagged UDP datagram between stations that are not there.
fn datagram(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0x99, 1], [2, 0, 0, 0, 0x99, 2])
        .ipv4([10, 9, 0, 1], [10, 9, 0, 2], 64)
        .udp(1000, 2000)
        .write(&mut frame, payload)
        .unwrap();
    frame
}
