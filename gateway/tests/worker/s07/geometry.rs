use gateway::config::{Gro, GroMode};
use gateway::gro::{GroTable, Saving, merge};
use gateway::ingress::{parse, udp_checksum_is_valid};
use gateway::packet::{BufPool, FrameInfo, PacketBuf, PortId, SuperPacket};
use gateway::sim::{HeapBuf, HeapPool};
use gateway::time::Nanos;

use super::{burst_of_packets, coalesced, in_every_form, with_form};
use crate::datagram::{Datagram, Tag};
use crate::frames::{Udp, routed};
use crate::harness::{Gateway, bridge, host, router};

fn frames(datagrams: &[Datagram]) -> Vec<Vec<u8>> {
    datagrams.iter().enumerate().map(|(serial, datagram)| datagram.frame(serial)).collect()
}

fn to_port_1(payload: &[u8]) -> Vec<u8> {
    let dst_mac = gateway::packet::MacAddr([2, 0, 0, 0, 0, 0]);
    let (src, dst) = ("10.0.0.2", "10.1.0.2");
    Udp { src_mac: host(0), dst_mac, src, dst, ports: (1, 2), ttl: 64 }.frame(payload)
}

fn after_port_1(frame: &[u8]) -> Vec<u8> {
    routed(frame, gateway::packet::MacAddr([2, 0, 0, 0, 0, 1]), host(1))
}

/// A frame whose pieces end at these places.
fn in_pieces(pool: &HeapPool, frame: &[u8], ends: &[usize]) -> HeapBuf {
    let mut start = 0;
    let mut pieces = ends.iter().copied().chain([frame.len()]).map(|end| {
        let piece = pool.alloc_from(&frame[start..end]).unwrap();
        start = end;
        piece
    });
    let mut packet = pieces.next().unwrap();
    pieces.for_each(|piece| packet.chain(piece));
    packet
}

#[test]
fn s07_10_an_aggregate_of_one_is_one_plain_packet() {
    for extra in ["", "[runtime]\nburst = 1\n"] {
        for datagram in [Datagram::v4(0, 7), Datagram::v6(0)] {
            let one = frames(&[datagram]);
            assert_eq!(in_every_form(&bridge(2, extra), &one)[1], one);
        }
    }
    let three = frames(&[Datagram::v4(0, 7), Datagram::v4(0, 8), Datagram::v4(0, 9)]);
    for form in ["list", "merge"] {
        let toml = with_form(&bridge(2, ""), form) + "max_segments = 1\n";
        let mut gateway = Gateway::new(&toml);
        super::burst(&mut gateway, &three);
        assert_eq!((gateway.ports[1].take_sent(), coalesced(&gateway)), (three.clone(), 0));
        gateway.finish();
    }
    let mut none: Vec<HeapBuf> = Vec::new();
    let info = parse(PortId(0), &three[0], three[0].len(), Default::default()).unwrap();
    assert!(SuperPacket::from_segments(info, &mut none).is_none(), "an empty list is nothing");
}

#[test]
fn s07_11_payloads_of_11_11_10_leave_as_they_came_also_where_bytes_lie_behind_the_first_piece() {
    let train: Vec<_> = [11, 11, 10].map(|len| to_port_1(&vec![0xab; len])).into();
    let out: Vec<_> = train.iter().map(|frame| after_port_1(frame)).collect();
    assert_eq!(in_every_form(&router(2, ""), &train)[1], out);
    for form in super::FORMS {
        for border in [42, 45, 52] {
            let mut gateway = Gateway::new(&with_form(&router(2, ""), form));
            let pool = gateway.pool.clone();
            let cut = |frame: &Vec<u8>| in_pieces(&pool, frame, &[border.min(frame.len() - 1)]);
            burst_of_packets(&mut gateway, train.iter().map(cut).collect());
            assert_eq!(gateway.ports[1].take_sent(), out, "{form} {border}");
            gateway.finish();
        }
    }
}

#[test]
fn s07_12_headers_split_at_every_offset_are_as_contiguous() {
    let tags = vec![Tag { id: 5, priority: 3 }, Tag { id: 6, priority: 0 }];
    let tagged = Datagram { tags, ..Datagram::v6(0) };
    for (kind, toml) in [(Datagram::v4(0, 1), bridge(2, "")), (tagged, bridge(2, ""))] {
        let train = frames(&[kind.clone(), kind.clone(), kind.clone(), kind]);
        splits(&toml, &train, &train);
    }
    let train: Vec<_> = (0..4).map(|n| to_port_1(&[n; 100])).collect();
    let out: Vec<_> = train.iter().map(|frame| after_port_1(frame)).collect();
    splits(&router(2, ""), &train, &out);
}

/// Of four datagrams the first and last are of one piece, the second of two, the third of three.
fn splits(toml: &str, train: &[Vec<u8>], expected: &[Vec<u8>]) {
    for form in super::FORMS {
        let mut gateway = Gateway::new(&with_form(toml, form));
        let pool = gateway.pool.clone();
        for first in 1..80 {
            let second = (first + 1 + first % 7).min(train[2].len() - 1);
            let ends: [&[usize]; 4] = [&[], &[first], &[first, second], &[]];
            let packets = train.iter().zip(ends).map(|(f, ends)| in_pieces(&pool, f, ends));
            burst_of_packets(&mut gateway, packets.collect());
            assert_eq!(gateway.ports[1].take_sent(), expected, "{form} {first}");
        }
        gateway.finish();
    }
}

/// The bytes of a merged packet are no datagram: the first one's header, and more payload than it
/// says. As a frame from outside they are passed on as they came.
#[test]
fn s07_14_a_super_packet_that_comes_in_again_is_not_merged_twice() {
    let source = HeapPool::new(64, 2048);
    let whole = merged_bytes(&source, &frames(&[Datagram::v4(0, 1), Datagram::v4(0, 2)]));
    let again = frames(&[Datagram::v4(0, 3)]).remove(0);
    for form in ["list", "merge"] {
        let mut gateway = Gateway::new(&with_form(&bridge(2, ""), form));
        let burst = [whole.clone(), again.clone(), whole.clone(), whole.clone()];
        super::burst(&mut gateway, &burst);
        assert_eq!(gateway.ports[1].take_sent(), burst, "{form}");
        assert_eq!(coalesced(&gateway), 0, "{form}");
        gateway.finish();
    }
    // Two gateways in a row: what the first sends is what came to it, and merges just so again.
    let train = frames(&[1, 2, 3, 4].map(|id| Datagram::v4(0, id)));
    for form in ["list", "merge"] {
        let mut sent = train.clone();
        for _ in 0..2 {
            let mut gateway = Gateway::new(&with_form(&bridge(2, ""), form));
            super::burst(&mut gateway, &sent);
            assert_eq!(coalesced(&gateway), 4);
            sent = gateway.ports[1].take_sent();
            gateway.finish();
        }
        assert_eq!(sent, train);
    }
}

fn merged_bytes(pool: &HeapPool, frames: &[Vec<u8>]) -> Vec<u8> {
    let hold = core::time::Duration::ZERO;
    let mode = GroMode::Merge;
    let settings = Gro { mode, max_segments: 64, max_hold: hold, flows: 64, adaptive: false };
    let mut table = GroTable::new(&settings, 1);
    let mut bytes = Vec::new();
    let mut sink = |list: SuperPacket<'_, HeapBuf>| {
        let valid = |info: &FrameInfo, b: &HeapBuf| udp_checksum_is_valid(info, b.pieces());
        bytes = merge(list, valid).expect("a train").packet().to_vec();
        Saving::ROUTED
    };
    for frame in frames {
        let packet = pool.alloc_from(frame).unwrap();
        let info = parse(PortId(0), frame, frame.len(), packet.rx_checksum()).unwrap();
        if let Err(unjoined) = table.join(packet, &info, Nanos(1), &mut sink) {
            table.settle(unjoined, Nanos(1), &mut sink);
        }
    }
    table.end_burst(Nanos(1), &mut sink);
    bytes
}

/// A chain with more pieces than a port takes leaves whole: copied into fewer.
#[test]
fn chains_longer_than_a_port_takes_leave_whole() {
    for (max_pieces, data_room) in [(1, 4096), (2, 2048), (31, 2048), (40, 2048)] {
        for (toml, group) in [(bridge(3, ""), false), (router(3, MULTICAST), true)] {
            let big = toml.replace("device", "mtu = 3500\ndevice");
            for form in super::FORMS {
                let pool = HeapPool::new(512, data_room);
                let big = with_form(&big, form);
                let mut gateway = Gateway::with_pool(&big, pool.clone(), max_pieces);
                let frame = to_group(3000);
                let ends: Vec<_> = (1..=45).map(|n| 64 * n).collect();
                let packets = (0..2).map(|_| in_pieces(&pool, &frame, &ends));
                burst_of_packets(&mut gateway, packets.collect());
                let sent = gateway.sent();
                for (port, sent) in sent.iter().enumerate().skip(1) {
                    let mac = gateway::packet::MacAddr([2, 0, 0, 0, 0, port as u8]);
                    let group_mac = crate::frames::group_mac("239.1.1.1");
                    let due = if group { routed(&frame, mac, group_mac) } else { frame.clone() };
                    assert_eq!(*sent, [due.clone(), due], "{form}, at most {max_pieces}");
                }
                gateway.finish();
            }
        }
    }
}

const MULTICAST: &str =
    "[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n";

fn to_group(payload: usize) -> Vec<u8> {
    let (src, dst) = ("10.0.0.2", "239.1.1.1");
    let dst_mac = crate::frames::group_mac(dst);
    Udp { src_mac: host(0), dst_mac, src, dst, ports: (1, 2), ttl: 64 }.frame(&vec![3; payload])
}
