//! gso(gro(x)) = x.

use gateway::packet::{BufPool, MAX_SEGMENTS, Merged, PacketBuf, SharedBuf};
use gateway::sim::{HeapBuf, HeapPool};
use proptest::prelude::*;

use crate::datagram::{Datagram, Ip, Tag, UdpChecksum};
use crate::setup::{Left, frames, merged, one_merged, packet, pool, split};

/// Flows of every shape of headers.
fn flow() -> impl Strategy<Value = Datagram> {
    let v4 = (any::<u8>(), any::<u8>(), any::<bool>(), any::<u16>())
        .prop_map(|(ttl, tos, df, id)| Ip::V4 { ttl, tos, df, id, options: false });
    let v6 = (any::<u8>(), any::<u8>(), 0..1u32 << 20, any::<Option<u8>>()).prop_map(
        |(hop_limit, class, label, extension)| Ip::V6 { hop_limit, class, label, extension },
    );
    let tag = (1..4095u16, 0..8u8).prop_map(|(id, priority)| Tag { id, priority });
    let checksum = prop_oneof![Just(UdpChecksum::Good), Just(UdpChecksum::Unknown)];
    (prop_oneof![v4, v6], prop::collection::vec(tag, 0..3), checksum, any::<u8>()).prop_map(
        |(ip, tags, checksum, macs)| Datagram { ip, tags, checksum, macs, ..Datagram::v4(7, 0) },
    )
}

/// A train of a flow: equal payloads, perhaps a shorter tail, identifications by one step, some
/// datagrams in two pieces.
fn train() -> impl Strategy<Value = Vec<Datagram>> {
    let splits = prop::collection::vec(prop::option::weighted(0.1, 0..1500usize), MAX_SEGMENTS);
    (flow(), 2..=MAX_SEGMENTS, 1..400usize, any::<prop::sample::Index>(), 0..2u16, splits).prop_map(
        |(flow, count, payload, tail, step, splits)| {
            (0..count)
                .map(|n| {
                    let last = n + 1 == count;
                    let mut datagram = flow.clone();
                    datagram.payload = if last { 1 + tail.index(payload) } else { payload };
                    datagram.split = splits[n];
                    if let Ip::V4 { id, .. } = &mut datagram.ip {
                        *id = id.wrapping_add(step * n as u16);
                    }
                    datagram
                })
                .collect()
        },
    )
}

/// The same bytes in other pieces: `cuts` are their lengths, over and over.
fn rechained(pool: &HeapPool, merged: Merged<HeapBuf>, cuts: &[usize]) -> Merged<HeapBuf> {
    let headers_len = merged.headers_len();
    let (packet_before, info, geometry) = merged.into_parts();
    let bytes = packet_before.to_vec();
    let (front, mut payload) = bytes.split_at(headers_len);
    let mut chain = packet(pool, front);
    for &cut in cuts.iter().cycle() {
        let (piece, rest) = payload.split_at(cut.min(payload.len()));
        chain.chain(packet(pool, piece));
        payload = rest;
        if rest.is_empty() {
            break;
        }
    }
    Merged::new(chain, info, geometry)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn splitting_restores_what_was_merged(train in train()) {
        let pool = pool();
        let buffers = train.len() + train.iter().filter(|d| d.split.is_some_and(|at| at < d.payload)).count();
        let merged = one_merged(&pool, &train);
        prop_assert_eq!(usize::from(merged.geometry().segments), train.len());
        let frames = frames(&train);
        prop_assert_eq!(merged.wire_bytes(), frames.iter().map(|f| f.len() as u64).sum::<u64>());
        prop_assert_eq!(pool.available(), pool.capacity() - buffers);
        // in place: not one buffer is taken
        pool.fail_after(0);
        prop_assert_eq!(split(merged, &pool), frames);
        prop_assert!(pool.is_full());
    }

    #[test]
    fn whatever_the_pieces_are(train in train(), cuts in prop::collection::vec(1..700usize, 1..6)) {
        let pool = pool();
        let merged = rechained(&pool, one_merged(&pool, &train), &cuts);
        prop_assert_eq!(split(merged, &pool), frames(&train));
        prop_assert!(pool.is_full());
    }

    #[test]
    fn replicas_are_split_one_by_one_while_others_look_on(train in train(), replicas in 1..4usize) {
        let pool = pool();
        let (packet, info, geometry) = one_merged(&pool, &train).into_parts();
        let before = packet.to_vec();
        let headers_len = usize::from(info.l4_offset) + 8;
        let shared = packet.share();
        for _ in 0..replicas {
            let mine = shared.with_private_header(headers_len, &pool).unwrap();
            prop_assert_eq!(split(Merged::new(mine, info, geometry), &pool), frames(&train));
            prop_assert_eq!(&shared.pieces().flatten().copied().collect::<Vec<_>>(), &before);
        }
        drop(shared);
        prop_assert!(pool.is_full());
    }

    #[test]
    fn edits_of_the_merged_header_hold_for_every_segment(train in train(), new_macs: [u8; 12], ttl: u8) {
        let pool = pool();
        let mut merged = one_merged(&pool, &train);
        let l2_len = usize::from(merged.info().l2_len);
        let ttl_at = l2_len + if train[0].is_v4() { 8 } else { 7 };
        merged.headers_mut()[..12].copy_from_slice(&new_macs);
        merged.headers_mut()[ttl_at] = ttl;
        let edited = train.iter().cloned().map(|mut datagram| {
            match &mut datagram.ip {
                Ip::V4 { ttl: old, .. } => *old = ttl,
                Ip::V6 { hop_limit, .. } => *hop_limit = ttl,
            }
            datagram
        });
        let mut expected = frames(&edited.collect::<Vec<_>>());
        expected.iter_mut().for_each(|frame| frame[..12].copy_from_slice(&new_macs));
        prop_assert_eq!(split(merged, &pool), expected);
    }

    #[test]
    fn a_dry_pool_loses_whole_datagrams(train in train(), after in 0..130u64) {
        let pool = pool();
        // a replica: nothing of it can stay in place
        let (packet, info, geometry) = one_merged(&pool, &train).into_parts();
        let headers_len = usize::from(info.l4_offset) + 8;
        let mine = packet.share().with_private_header(headers_len, &pool).unwrap();
        let merged = Merged::new(mine, info, geometry);
        let mut out = Vec::with_capacity(MAX_SEGMENTS);
        pool.fail_after(after);
        let lost = gateway::gso::resegment(merged, &pool, &mut out);
        prop_assert_eq!(lost, Ok(usize::from(after < train.len() as u64)));
        let mut expected = frames(&train);
        if after < train.len() as u64 {
            expected.remove(after as usize);
        }
        prop_assert_eq!(out.iter().map(PacketBuf::to_vec).collect::<Vec<_>>(), expected);
        drop(out);
        prop_assert!(pool.is_full());
    }

    #[test]
    fn mixed_bursts_come_back_in_order(
        burst in prop::collection::vec((0..3usize, 0..12u8, 1..60usize), 1..100),
    ) {
        let pool = pool();
        let flows = [Datagram::v4(0, 0), Datagram::v6(0), Datagram { hosts: 1, ..Datagram::v4(0, 0) }];
        let mut ids = [0u16; 3];
        let datagrams: Vec<Datagram> = burst.iter().map(|&(flow, oddity, payload)| {
            let mut datagram = flows[flow].clone();
            if let Ip::V4 { id, .. } = &mut datagram.ip {
                *id = ids[flow];
            }
            ids[flow] += 1;
            match oddity {
                0 => datagram.payload = payload,
                1 => datagram.checksum = UdpChecksum::Zero,
                2 => datagram.checksum = UdpChecksum::Bad,
                3 => datagram.split = Some(payload),
                4 => datagram.checksum = UdpChecksum::Unknown,
                _ => {}
            }
            datagram
        }).collect();
        let mut sent = [vec![], vec![], vec![]];
        for left in merged(&pool, &datagrams) {
            let frames = match left {
                Left::Merged(merged) => split(merged, &pool),
                Left::List(list) => list.iter().map(PacketBuf::to_vec).collect(),
            };
            for frame in frames {
                sent[if frame[12..14] == [0x86, 0xdd] { 1 } else if frame[29] == 2 { 2 } else { 0 }].push(frame);
            }
        }
        let mut arrived = [vec![], vec![], vec![]];
        for (frame, &(flow, ..)) in frames(&datagrams).into_iter().zip(&burst) {
            arrived[flow].push(frame);
        }
        prop_assert_eq!(sent, arrived);
    }
}
