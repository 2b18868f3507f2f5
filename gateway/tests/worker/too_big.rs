//! Datagrams longer than a port's IP MTU: tested one by one, so no datagram is refused because of
//! its neighbour.

use etherparse::{Ipv4Slice, PacketHeaders};
use gateway::packet::{DropReason, MacAddr};

use crate::frames::{Udp, group_mac, routed};
use crate::harness::{Gateway, bridge, host, router};

fn with_mtu(toml: &str, port: usize, mtu: u16) -> String {
    let device = format!("device = \"net_null{port}\"\n");
    toml.replace(&device, &format!("{device}mtu = {mtu}\n"))
}

fn to_gateway<'a>(src: &'a str, dst: &'a str) -> Udp<'a> {
    let dst_mac = MacAddr([2, 0, 0, 0, 0, 0]);
    Udp { src_mac: host(0), dst_mac, src, dst, ports: (4000, 5000), ttl: 64 }
}

fn without_df(mut frame: Vec<u8>) -> Vec<u8> {
    let (mut ip, _) = etherparse::Ipv4Header::from_slice(&frame[14..]).unwrap();
    ip.dont_fragment = false;
    ip.header_checksum = ip.calc_header_checksum();
    frame[14..34].copy_from_slice(&ip.to_bytes());
    frame
}

/// Semantics 7.27, for every form: of a train whose tail is short, only the long ones are refused.
#[test]
fn only_what_is_too_big_is_refused() {
    for form in ["off", "list", "merge"] {
        let toml = with_mtu(&router(2, &format!("[gro]\nmode = \"{form}\"\n")), 1, 1280);
        for (src, dst) in [("10.0.0.2", "10.1.0.2"), ("2001:db8:0::2", "2001:db8:1::2")] {
            let mut gateway = Gateway::new(&toml);
            let train: Vec<_> =
                [1400, 1400, 1400, 600].map(|n| to_gateway(src, dst).frame(&vec![9; n])).into();
            for frame in &train {
                gateway.ports[0].inject(frame.clone());
            }
            gateway.run();
            let sent = gateway.sent();
            let port_mac = MacAddr([2, 0, 0, 0, 0, 1]);
            assert_eq!(sent[1], [routed(&train[3], port_mac, host(1))], "{form}");
            assert_eq!(sent[0].len(), 3, "an error for each");
            for error in &sent[0] {
                let headers = PacketHeaders::from_ethernet_slice(error).unwrap();
                let mtu = match headers.transport.unwrap() {
                    etherparse::TransportHeader::Icmpv4(icmp) => match icmp.icmp_type {
                        etherparse::Icmpv4Type::DestinationUnreachable(
                            etherparse::icmpv4::DestUnreachableHeader::FragmentationNeeded {
                                next_hop_mtu,
                            },
                        ) => u32::from(next_hop_mtu),
                        other => panic!("{other:?}"),
                    },
                    etherparse::TransportHeader::Icmpv6(icmp) => match icmp.icmp_type {
                        etherparse::Icmpv6Type::PacketTooBig { mtu } => mtu,
                        other => panic!("{other:?}"),
                    },
                    other => panic!("{other:?}"),
                };
                assert_eq!(mtu, 1280);
            }
            assert_eq!(gateway.drops(DropReason::TooBig), 3);
            gateway.finish();
        }
    }
}

/// RFC 791: fragments of at most the IP MTU that make up the datagram again.
#[test]
fn ipv4_without_df_is_fragmented() {
    for form in ["off", "list", "merge"] {
        let toml = with_mtu(&router(2, &format!("[gro]\nmode = \"{form}\"\n")), 1, 576);
        let mut gateway = Gateway::new(&toml);
        let original = without_df(to_gateway("10.0.0.2", "10.1.0.2").frame(&[5; 1400]));
        gateway.ports[0].inject(original.clone());
        gateway.ports[0].inject(original.clone());
        gateway.run();
        let sent = gateway.sent();
        assert_eq!((sent[0].len(), sent[1].len()), (0, 6));
        let mut payload: Vec<u8> = Vec::new();
        for (index, fragment) in sent[1][..3].iter().enumerate() {
            assert!(fragment.len() <= 576 + 14);
            let ip = Ipv4Slice::from_slice(&fragment[14..]).unwrap();
            assert_eq!(usize::from(ip.header().fragments_offset().value()) * 8, payload.len());
            assert_eq!(ip.header().more_fragments(), index < 2);
            assert_eq!(ip.header().ttl(), 63);
            payload.extend(ip.payload().payload);
        }
        assert_eq!(payload, original[34..]);
        let totals = gateway.finish();
        assert_eq!((totals.ledger.rx, totals.ledger.tx), (2, 6));
    }
}

/// A tag is no part of what the MTU limits, between stations that are known either.
#[test]
fn a_tag_does_not_count() {
    let toml = with_mtu(&bridge(2, "[gro]\nmode = \"off\"\n"), 1, 1000);
    let between = |from: u8, to: u8, payload: usize| {
        let (src_mac, dst_mac) = (host(from.into()), host(to.into()));
        let (src, dst) = ("10.0.0.2", "10.0.0.3");
        let frame =
            Udp { src_mac, dst_mac, src, dst, ports: (1, 2), ttl: 64 }.frame(&vec![7; payload]);
        [&frame[..12], &[0x81, 0, 0, 7], &frame[12..]].concat()
    };
    let mut gateway = Gateway::new(&toml);
    gateway.ports[1].inject(between(1, 0, 10));
    gateway.ports[0].inject(between(0, 1, 10));
    gateway.run();
    gateway.sent();
    // 20 bytes of IPv4 and 8 of UDP header.
    let (fits, too_big) = (between(0, 1, 1000 - 28), between(0, 1, 1001 - 28));
    for frame in [&fits, &too_big, &fits] {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
    assert_eq!(gateway.sent(), [vec![], vec![fits.clone(), fits]]);
    assert_eq!(gateway.drops(DropReason::TooBig), 1);
    gateway.finish();
}

/// A bridge cannot tell anybody: dropped and counted for that port alone.
#[test]
fn a_bridge_port_refuses_what_is_longer_than_its_mtu() {
    let toml = with_mtu(&bridge(3, ""), 2, 1000);
    let mut gateway = Gateway::new(&toml);
    let udp = Udp {
        src_mac: host(0),
        dst_mac: group_mac("239.9.9.9"),
        src: "10.0.0.2",
        dst: "239.9.9.9",
        ports: (1, 2),
        ttl: 3,
    };
    let train: Vec<_> = [1200, 1200, 900].map(|n| udp.frame(&vec![1; n])).into();
    for frame in &train {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
    let sent = gateway.sent();
    assert_eq!(sent[1], train);
    assert_eq!(sent[2], train[2..]);
    assert_eq!(gateway.drops(DropReason::TooBig), 2);
    gateway.finish();
}

/// Routed multicast: each port by its own IP MTU, fragments where that is allowed.
#[test]
fn multicast_is_fragmented_for_the_small_port_only() {
    let route = "[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n";
    let toml = with_mtu(&router(3, route), 2, 1000);
    let mut gateway = Gateway::new(&toml);
    let udp = Udp { dst_mac: group_mac("239.1.1.1"), ..to_gateway("10.0.0.2", "239.1.1.1") };
    let frame = without_df(udp.frame(&[1; 1400]));
    gateway.ports[0].inject(frame.clone());
    gateway.run();
    let sent = gateway.sent();
    let mac = |port| MacAddr([2, 0, 0, 0, 0, port]);
    assert_eq!(sent[1], [routed(&frame, mac(1), group_mac("239.1.1.1"))]);
    assert_eq!(sent[2].len(), 2);
    assert!(sent[2].iter().all(|f| f[..12] == [group_mac("239.1.1.1").0, mac(2).0].concat()));
    gateway.finish();
}
