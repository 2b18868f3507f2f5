use gateway::forward::{PortFacts, Tables};
use gateway::packet::{DropReason, MacAddr};
use gateway::time::Nanos;

use super::{alike, burst, coalesced, in_every_form, with_form};
use crate::frames::{Udp, group_mac, routed};
use crate::harness::{Gateway, bridge, host, parse, router};

const FAMILIES: [(&str, &str); 2] = [("10.0.0.2", "10.1.0.2"), ("2001:db8:0::2", "2001:db8:1::2")];

fn udp<'a>((src, dst): (&'a str, &'a str), ttl: u8) -> Udp<'a> {
    let dst_mac = MacAddr([2, 0, 0, 0, 0, 0]);
    Udp { src_mac: host(0), dst_mac, src, dst, ports: (4000, 5000), ttl }
}

fn after_port_1(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    frames.iter().map(|frame| routed(frame, MacAddr([2, 0, 0, 0, 0, 1]), host(1))).collect()
}

#[test]
fn s07_21_n_equal_segments_with_and_without_a_tail_are_right_in_length_and_checksum() {
    for family in FAMILIES {
        for (count, tail) in [1, 2, 3, 63, 64].into_iter().flat_map(|n| [(n, false), (n, true)]) {
            let lengths = std::iter::repeat_n(500, count).chain(tail.then_some(77));
            let train: Vec<_> =
                lengths.map(|len| udp(family, 64).frame(&vec![len as u8; len])).collect();
            let sent = in_every_form(&router(2, ""), &train);
            assert_eq!(sent[1], after_port_1(&train), "{count} {tail}");
            for frame in &sent[1] {
                let sliced = etherparse::SlicedPacket::from_ethernet(frame).unwrap();
                let Some(etherparse::TransportSlice::Udp(udp)) = sliced.transport else {
                    panic!("not UDP")
                };
                let headers = etherparse::PacketHeaders::from_ethernet_slice(frame).unwrap();
                let right = match headers.net.unwrap() {
                    etherparse::NetHeaders::Ipv4(ip, _) => {
                        udp.to_header().calc_checksum_ipv4(&ip, udp.payload())
                    }
                    etherparse::NetHeaders::Ipv6(ip, _) => {
                        udp.to_header().calc_checksum_ipv6(&ip, udp.payload())
                    }
                    _ => panic!("not IP"),
                };
                assert_eq!(udp.checksum(), right.unwrap());
            }
        }
    }
}

#[test]
fn s07_22_ten_datagrams_of_ttl_64_leave_as_ten_of_63_and_of_ttl_1_none() {
    for family in FAMILIES {
        let lengths = [300, 300, 300, 300, 300, 300, 300, 300, 300, 40];
        let train = |ttl| lengths.map(|len| udp(family, ttl).frame(&vec![5; len])).to_vec();
        let sent = in_every_form(&router(2, ""), &train(64));
        assert_eq!(sent[1], after_port_1(&train(64)));
        let ttl_at = if family.0.contains(':') { 21 } else { 22 };
        assert!(sent[1].iter().all(|frame| frame[ttl_at] == 63));

        let sent = in_every_form(&router(2, ""), &train(1));
        assert!(sent[1].is_empty());
        assert_eq!(sent[0].len(), 10, "an error for each, the short tail's too");
        for (error, about) in sent[0].iter().zip(train(1)) {
            // behind IPv4 and ICMP, or IPv6 and ICMPv6
            let (kind, at, quote) = if family.0.contains(':') { (3, 54, 62) } else { (11, 34, 42) };
            assert_eq!(error[at], kind, "time exceeded");
            assert_eq!(error[quote..], about[14..][..error.len() - quote], "of its own datagram");
        }
    }
}

/// RFC 7348: the outer checksum should be 0. What is inside is payload.
#[test]
fn s07_26_vxlan_passes_and_an_outer_checksum_of_zero_stays() {
    let inner = udp(FAMILIES[1], 9).frame(&[1; 200]);
    let vxlan = [&[8, 0, 0, 0, 0, 0, 42, 0][..], &inner].concat();
    let outer = Udp { ports: (40_000, 4789), ..udp(FAMILIES[0], 64) };
    let (full, mut bare) = (outer.frame(&vxlan), outer.frame(&vxlan));
    bare[40..42].fill(0);
    for train in [vec![bare.clone(); 5], vec![full.clone(), bare.clone(), bare, full.clone(), full]]
    {
        let sent = in_every_form(&router(2, ""), &train);
        assert_eq!(sent[1], after_port_1(&train));
        assert_eq!(in_every_form(&bridge(2, ""), &train)[1], train);
    }
}

/// The egress MTU falls between two bursts of a flow that is held.
#[test]
fn s07_27_a_path_mtu_that_falls_refuses_only_what_is_too_big() {
    for family in FAMILIES {
        let frame = |len: usize| udp(family, 64).frame(&vec![6; len]);
        let before = [frame(1400), frame(1400)];
        let after = [frame(1400), frame(1400), frame(1100)];
        let sent = alike(|form| {
            let text = with_form(&router(2, ""), form) + "max_hold_us = 1000\n";
            let mut gateway = Gateway::new(&text);
            burst(&mut gateway, &before);
            let device = "device = \"net_null1\"\n";
            let smaller = parse(&text.replace(device, &format!("{device}mtu = 1280\n")));
            let facts = [0, 1].map(|n| PortFacts { mac: MacAddr([2, 0, 0, 0, 0, n]) });
            let tables = std::sync::Arc::clone(&gateway.assembly.tables);
            tables.publish(Tables::rebuild(&smaller, &facts, 7, &tables.current()));
            burst(&mut gateway, &after);
            gateway.now = gateway.now + Nanos::from_micros(2000);
            gateway.run();
            let sent = gateway.sent();
            assert_eq!(gateway.drops(DropReason::TooBig), 2);
            gateway.finish();
            sent
        });
        assert_eq!(sent[0].len(), 2, "told of both");
        assert_eq!(sent[1], after_port_1(&[&before[..], &after[2..]].concat()));
    }
}

/// There is no shaper; what counts and what limits sees datagrams and their bytes on the wire.
#[test]
fn s07_28_counters_and_limits_are_per_datagram_and_wire_bytes() {
    let lengths = [700; 30].into_iter().chain([50]);
    let frame = |len: usize, ttl| udp(FAMILIES[0], ttl).frame(&vec![1; len]);
    let train: Vec<_> = lengths.map(|len| frame(len, 64)).collect();
    let bytes: usize = train.iter().map(Vec::len).sum();
    alike(|form| {
        let mut gateway = Gateway::new(&with_form(&router(2, ""), form));
        burst(&mut gateway, &train);
        assert_eq!(coalesced(&gateway), if form == "off" { 0 } else { 31 });
        let ports = gateway.assembly.workers[0].snapshot().counters.ports;
        assert_eq!((ports[0].rx_frames, ports[0].rx_bytes), (31, bytes as u64), "{form}");
        assert_eq!((ports[1].tx_frames, ports[1].tx_bytes), (31, bytes as u64), "{form}");
        gateway.finish();
    });
    // 50 errors at once, then 1000 in a second: of 64 datagrams in one burst 50 are told of.
    let train: Vec<_> = (0..64).map(|_| frame(100, 1)).collect();
    let sent = in_every_form(&router(2, ""), &train);
    assert_eq!((sent[0].len(), sent[1].len()), (50, 0));
}

/// RFC 1112 6.4: a routed group's frames go to that group's address, whatever they came to.
#[test]
fn a_routed_group_does_not_keep_another_groups_link_address() {
    let routes = "[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n\
                  [[multicast]]\ngroup = \"ff3e::1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n";
    for (src, dst, wrong) in
        [("10.0.0.2", "239.1.1.1", "239.9.9.9"), ("2001:db8:0::2", "ff3e::1", "ff3e::9")]
    {
        for payload in [100, 1900] {
            let small = "mtu = 2100\ndevice";
            let toml = router(3, routes).replace("device", small) + "[runtime]\ncopy_up_to = 384\n";
            let udp = Udp { dst_mac: group_mac(wrong), ..udp((src, dst), 64) };
            let train: Vec<_> = (0..3).map(|n| udp.frame(&vec![n; payload])).collect();
            let sent = in_every_form(&toml, &train);
            for port in 1..3 {
                let mac = MacAddr([2, 0, 0, 0, 0, port]);
                let expected = train.iter().map(|f| routed(f, mac, group_mac(dst)));
                assert!(sent[usize::from(port)] == expected.collect::<Vec<_>>(), "{dst} {payload}");
            }
        }
    }
}

/// RFC 1812 4.3.2.4: a port without an address of the family borrows another port's.
#[test]
fn errors_come_from_another_port_where_the_own_has_no_address() {
    for (src, dst) in FAMILIES {
        let own = if src.contains(':') { "\"2001:db8:0::1/64\"" } else { "\"10.0.0.1/24\"" };
        let toml = router(2, "").replace(&format!("{own}, "), "").replace(&format!(", {own}"), "");
        let neighbor =
            format!("[[neighbor]]\naddress = \"{src}\"\nmac = \"{}\"\nport = \"p0\"\n", host(0));
        let toml = toml.replace(&neighbor, "");
        let toml = if src.contains(':') {
            toml.replace("10.0.0.1/24\", \"2001:db8:0::1/64", "10.0.0.1/24")
        } else {
            toml
        };
        let expired = udp((src, dst), 1).frame(&[1; 100]);
        let sent = in_every_form(&toml, &[expired]);
        assert_eq!(sent[0].len(), 1);
        let source = if src.contains(':') { &sent[0][0][22..38] } else { &sent[0][0][26..30] };
        let v4: std::net::Ipv4Addr = "10.1.0.1".parse().unwrap();
        let v6: std::net::Ipv6Addr = "2001:db8:1::1".parse().unwrap();
        assert!(source == v4.octets() || source == v6.octets(), "{source:02x?}");
    }
}
