//! Geometry from outside (semantics 7.13): possible requests are split, all others refused, in a
//! bounded number of steps, with nothing lost from the pool.

use etherparse::{PacketBuilder, SlicedPacket, TransportSlice};
use gateway::gso::{GeometryError, resegment};
use gateway::packet::{Geometry, IdStep, MAX_SEGMENTS, Merged, PacketBuf};
use gateway::sim::{HeapBuf, HeapPool};
use proptest::prelude::*;

use crate::setup::{info, packet, pool};

fn geometry(gso_size: u16, segments: u16) -> Geometry {
    Geometry { gso_size, segments, id_step: IdStep::Increment, udp_checksum: true }
}

/// What a peer sends: one IP packet with all payloads, lengths of the whole.
fn request(pool: &HeapPool, payload: usize, geometry: Geometry) -> Merged<HeapBuf> {
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
    let mut frame = Vec::new();
    let payload: Vec<u8> = (0..payload).map(|i| i as u8).collect();
    builder.udp(7, 8).write(&mut frame, &payload).unwrap();
    let packet = packet(pool, &frame);
    let info = info(&packet);
    Merged::new(packet, info, geometry)
}

fn refusal(payload: usize, geometry: Geometry) -> Option<GeometryError> {
    let pool = pool();
    let mut out = Vec::with_capacity(MAX_SEGMENTS);
    let result = resegment(request(&pool, payload, geometry), &pool, &mut out);
    assert_eq!(result.is_err(), out.is_empty());
    drop(out);
    assert!(pool.is_full());
    result.err()
}

#[test]
fn s07_13_impossible_requests_are_refused() {
    use GeometryError as E;
    assert_eq!(refusal(1000, geometry(100, 10)), None);
    assert_eq!(refusal(1000, geometry(0, 10)), Some(E::ZeroSize));
    assert_eq!(refusal(1000, geometry(0xffff, 1)), Some(E::SizeTooLarge));
    assert_eq!(refusal(1000, geometry(100, 0)), Some(E::SegmentCount));
    assert_eq!(refusal(128, geometry(1, 128)), None);
    assert_eq!(refusal(129, geometry(1, 129)), Some(E::SegmentCount));
    assert_eq!(refusal(1000, geometry(100, 9)), Some(E::PayloadMismatch));
    assert_eq!(refusal(1000, geometry(100, 11)), Some(E::PayloadMismatch));
    assert_eq!(refusal(0, geometry(100, 1)), Some(E::PayloadMismatch));
}

#[test]
fn s07_13_headers_must_be_udp_and_in_the_first_piece() {
    let pool = pool();
    let mut out = Vec::with_capacity(MAX_SEGMENTS);
    let (whole, info, geometry) = request(&pool, 1000, geometry(500, 2)).into_parts();
    let bytes = whole.to_vec();
    for at in 1..42 {
        let mut split = packet(&pool, &bytes[..at]);
        split.chain(packet(&pool, &bytes[at..]));
        let result = resegment(Merged::new(split, info, geometry), &pool, &mut out);
        assert_eq!(result, Err(GeometryError::SplitHeaders), "{at}");
    }
    let tcp = gateway::packet::FrameInfo { protocol: 6, ..info };
    let result = resegment(Merged::new(whole, tcp, geometry), &pool, &mut out);
    assert_eq!(result, Err(GeometryError::NotUdp));
}

/// Found by fuzzing: a transport header said to begin inside the IP header, or before it.
#[test]
fn s07_13_the_transport_header_is_behind_the_ip_header() {
    let pool = pool();
    let mut out = Vec::with_capacity(MAX_SEGMENTS);
    for l4_offset in 0..34 {
        let (packet, info, _) = request(&pool, 1000, geometry(500, 2)).into_parts();
        let info = gateway::packet::FrameInfo { l4_offset, ..info };
        let segments = (packet.frame_len() - usize::from(l4_offset) - 8).div_ceil(500) as u16;
        let merged = Merged::new(packet, info, geometry(500, segments));
        assert_eq!(resegment(merged, &pool, &mut out), Err(GeometryError::SplitHeaders));
    }
}

#[test]
fn without_room_for_all_nothing_is_split() {
    let pool = pool();
    let mut out = Vec::with_capacity(3);
    let request = request(&pool, 1000, geometry(250, 4));
    assert_eq!(resegment(request, &pool, &mut out), Err(GeometryError::SegmentCount));
    assert!(out.is_empty() && pool.is_full());
}

#[test]
fn no_checksum_stays_none() {
    let pool = pool();
    let mut out = Vec::with_capacity(MAX_SEGMENTS);
    let bare = Geometry { udp_checksum: false, ..geometry(400, 3) };
    assert_eq!(resegment(request(&pool, 1000, bare), &pool, &mut out), Ok(0));
    assert!(out.iter().all(|segment| segment.head()[40..42] == [0, 0]));
}

proptest! {
    #[test]
    fn any_request_is_split_as_etherparse_reads_it_or_refused(
        payload in 0..9000usize, gso_size in prop_oneof![0..1500u16, any::<u16>()],
        segments in prop_oneof![0..130u16, any::<u16>()], fitting: bool,
    ) {
        let segments = match payload.div_ceil(usize::from(gso_size).max(1)) {
            count if fitting => count as u16,
            _ => segments,
        };
        let pool = pool();
        let mut out = Vec::with_capacity(MAX_SEGMENTS);
        let request = request(&pool, payload, geometry(gso_size, segments));
        let first_id = u16::from_be_bytes([request.packet().head()[18], request.packet().head()[19]]);
        if resegment(request, &pool, &mut out).is_ok() {
            prop_assert_eq!(out.len(), usize::from(segments));
            let mut payloads = Vec::new();
            for (number, segment) in out.iter().enumerate() {
                let bytes = segment.to_vec();
                let sliced = SlicedPacket::from_ethernet(&bytes).unwrap();
                let ip = sliced.net.as_ref().unwrap().ipv4_ref().unwrap().header();
                prop_assert_eq!(usize::from(ip.total_len()) + 14, bytes.len());
                prop_assert_eq!(ip.identification(), first_id.wrapping_add(number as u16));
                prop_assert_eq!(ip.header_checksum(), ip.to_header().calc_header_checksum());
                let Some(TransportSlice::Udp(udp)) = sliced.transport else { panic!("not UDP") };
                prop_assert_eq!(usize::from(udp.length()) + 34, bytes.len());
                let right = udp.to_header().calc_checksum_ipv4(&ip.to_header(), udp.payload());
                prop_assert_eq!(udp.checksum(), right.unwrap());
                let last = number + 1 == out.len();
                prop_assert!(last || udp.payload().len() == usize::from(gso_size));
                payloads.extend_from_slice(udp.payload());
            }
            prop_assert!(payloads.iter().enumerate().all(|(i, &byte)| byte == i as u8));
            prop_assert_eq!(payloads.len(), payload);
        }
        drop(out);
        prop_assert!(pool.is_full());
    }
}
