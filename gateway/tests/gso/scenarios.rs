//! Failures the field has had (semantics 7), in merge form.

use gateway::gso::{GeometryError, resegment};
use gateway::packet::{Geometry, MAX_SEGMENTS, Merged, PacketBuf, RxChecksum, SharedBuf};
use gateway::sim::HeapPool;

use crate::datagram::{Datagram, Ip, UdpChecksum};
use crate::setup::{Cycle, Left, frames, merged, merged_packets, one_merged, packet, pool, split};

/// `count` datagrams of 100 bytes and perhaps a tail of 33.
fn train(count: u16, tail: bool, flow: impl Fn(u16) -> Datagram) -> Vec<Datagram> {
    let tail = tail.then(|| flow(count).len(33));
    (0..count).map(&flow).chain(tail).collect()
}

fn v4(id: u16) -> Datagram {
    Datagram::v4(0, id)
}

#[test]
fn s07_06_shared_memory_is_merged_and_edited_unseen() {
    let pool = pool();
    let (packet, info, geometry) = one_merged(&pool, &train(3, true, v4)).into_parts();
    let shared = packet.share();
    let before: Vec<u8> = shared.pieces().flatten().copied().collect();
    let mine = shared.with_private_header(usize::from(info.l4_offset) + 8, &pool).unwrap();
    let mut merged = Merged::new(mine, info, geometry);
    merged.headers_mut().fill(0xee);
    drop(merged);
    assert_eq!(shared.pieces().flatten().copied().collect::<Vec<_>>(), before);
}

#[test]
fn s07_09_a_segment_size_of_zero_is_refused_at_once() {
    let pool = pool();
    let (packet, info, geometry) = one_merged(&pool, &train(4, false, v4)).into_parts();
    let merged = Merged::new(packet, info, Geometry { gso_size: 0, ..geometry });
    let mut out = Vec::with_capacity(MAX_SEGMENTS);
    assert_eq!(resegment(merged, &pool, &mut out), Err(GeometryError::ZeroSize));
    assert!(out.is_empty() && pool.is_full());
}

#[test]
fn s07_10_a_single_datagram_is_not_merged() {
    let pool = pool();
    assert!(matches!(merged(&pool, &[v4(1)])[..], [Left::List(ref list)] if list.len() == 1));
}

#[test]
fn s07_11_payloads_of_11_11_10_come_back_after_a_look_beyond_the_head() {
    let pool = pool();
    let sent: Vec<_> = [11, 11, 10].iter().zip(0..).map(|(&len, id)| v4(id).len(len)).collect();
    let merged = one_merged(&pool, &sent);
    let mut seen = [0; 32];
    assert_eq!(merged.packet().read(merged.headers_len(), &mut seen), 32);
    let payloads: Vec<u8> = frames(&sent).iter().flat_map(|f| f[42..].to_vec()).collect();
    assert_eq!(seen.to_vec(), payloads);
    assert_eq!(split(merged, &pool), frames(&sent));
}

#[test]
fn s07_14_what_was_split_merges_into_the_same_again() {
    let pool = pool();
    let sent = train(9, true, v4);
    let first = one_merged(&pool, &sent);
    let (geometry, bytes) = (*first.geometry(), first.packet().to_vec());
    assert_eq!(split(first, &pool), frames(&sent));
    let again = one_merged(&pool, &sent);
    assert_eq!((*again.geometry(), again.packet().to_vec()), (geometry, bytes));
}

#[test]
fn s07_21_n_equal_segments_with_and_without_a_tail() {
    let pool = pool();
    for flow in [v4, |_| v4(5), |_| Datagram::v6(0)] {
        for (count, tail) in
            [1, 2, 3, 63, 64, 127].into_iter().flat_map(|n| [(n, false), (n, true)])
        {
            let sent = train(count, tail, flow);
            if sent.len() > 1 {
                assert_eq!(split(one_merged(&pool, &sent), &pool), frames(&sent), "{count} {tail}");
            }
        }
    }
    assert!(pool.is_full());
}

/// Two A and two AAAA queries of one 5-tuple through a rewrite of source address and port, as NAT
/// does it: once, on the merged header. There is no NAT in the gateway.
#[test]
fn s07_23_a_rewrite_of_the_merged_header_translates_all_four_queries() {
    let pool = pool();
    for flow in [v4, |_| Datagram::v6(0)] {
        let sent = train(4, false, flow);
        let mut merged = one_merged(&pool, &sent);
        let (l2_len, l4) = (usize::from(merged.info().l2_len), merged.headers_len() - 8);
        let last_of_source = l2_len + if sent[0].is_v4() { 15 } else { 23 };
        merged.headers_mut()[last_of_source] = if sent[0].is_v4() { 2 } else { 1 };
        merged.headers_mut()[l4..l4 + 2].copy_from_slice(&5077_u16.to_be_bytes());
        let translated =
            sent.iter().cloned().map(|query| Datagram { hosts: 1, ports: 77, ..query });
        assert_eq!(split(merged, &pool), frames(&translated.collect::<Vec<_>>()));
    }
}

/// A million trains, merged and split, with every way to fail in between.
#[test]
fn s07_05_a_million_cycles_with_error_paths_end_where_they_began() {
    let pool = HeapPool::new(16, 200);
    let frames = frames(&[v4(1).len(40), v4(2).len(40), v4(3).len(33)]);
    let expected: u64 = frames.iter().map(|frame| frame.len() as u64).sum();
    let (mut out, mut lost, mut bytes) = (Vec::with_capacity(MAX_SEGMENTS), 0, 0);
    let mut table = Cycle::new();
    for cycle in 0..1_000_000_u64 {
        let merged = table.merged(&pool, &frames);
        let (packet, info, geometry) = merged.into_parts();
        let headers_len = usize::from(info.l4_offset) + 8;
        let merged = match cycle % 8 {
            0 => continue, // dropped whole
            1 => Merged::new(packet, info, Geometry { gso_size: 0, ..geometry }),
            2 => Merged::new(packet, info, Geometry { segments: 129, ..geometry }),
            3 => {
                let shared = packet.share();
                pool.fail_after(cycle / 8 % 5);
                let replica = shared.with_private_header(headers_len, &pool);
                let Some(replica) = replica else { continue };
                Merged::new(replica, info, geometry)
            }
            4 => {
                let replica = packet.share().with_private_header(headers_len, &pool).unwrap();
                pool.fail_after(cycle / 8 % 4);
                Merged::new(replica, info, geometry)
            }
            _ => Merged::new(packet, info, geometry),
        };
        let whole = resegment(merged, &pool, &mut out);
        pool.fail_after(u64::MAX);
        lost += whole.unwrap_or(3);
        bytes += out.drain(..).map(|segment| segment.frame_len() as u64).sum::<u64>();
        assert!(pool.is_full(), "cycle {cycle}");
    }
    assert!(lost > 750_000 && bytes > 350_000 * expected, "{lost} lost, {bytes} bytes out");
    assert!(pool.is_full());
}

#[test]
fn identification_wraps() {
    let pool = pool();
    let sent = train(5, false, |n| v4(0xfffe_u16.wrapping_add(n)));
    assert_eq!(split(one_merged(&pool, &sent), &pool), frames(&sent));
}

#[test]
fn a_checksum_nobody_can_restore_keeps_the_list() {
    let pool = pool();
    let mut spoilt = train(3, false, v4);
    spoilt[1].checksum = UdpChecksum::Spoilt;
    let left = merged(&pool, &spoilt);
    let [Left::List(list)] = &left[..] else { panic!("merged") };
    assert_eq!(list.iter().map(PacketBuf::to_vec).collect::<Vec<_>>(), frames(&spoilt));
}

#[test]
fn a_computed_checksum_of_zero_is_sent_as_ffff() {
    let pool = pool();
    let with_ffff = |ports| {
        let sent = train(2, false, |_| Datagram::v4(ports, 0));
        frames(&sent).iter().any(|frame| frame[40..42] == [0xff, 0xff]).then_some(sent)
    };
    // the source port goes through nearly all values the sum can have
    let sent = (0..60_000).find_map(with_ffff).expect("a checksum of 0xFFFF");
    assert_eq!(split(one_merged(&pool, &sent), &pool), frames(&sent));
}

/// A routing header hides the address the checksum covers; a port that says "good" cannot mean the
/// sum over the visible ones.
#[test]
fn with_extension_headers_the_ports_word_is_not_enough() {
    let pool = pool();
    let ip = Ip::V6 { hop_limit: 3, class: 1, label: 2, extension: Some(7) };
    let sent =
        train(3, false, |_| Datagram { ip, checksum: UdpChecksum::Spoilt, ..Datagram::v6(0) });
    let sent_frames = frames(&sent);
    let said_good = sent_frames.iter().map(|frame| {
        let mut packet = packet(&pool, frame);
        packet.set_rx_checksum(RxChecksum::Good);
        packet
    });
    let left = merged_packets(said_good.collect());
    assert!(matches!(&left[..], [Left::List(list)] if list.len() == 3));
}

/// RFC 1624 3: a header whose other words sum up to zero is valid with 0x0000 and with 0xFFFF.
#[test]
fn the_other_zero_of_an_ip_checksum_is_not_repaired() {
    let pool = pool();
    let id =
        (0..=u16::MAX).find(|&id| v4(id).frame(0)[24..26] == [0, 0]).expect("one identification");
    let sent: Vec<Vec<u8>> = (0..3)
        .map(|number| {
            let mut frame = v4(id).frame(number);
            frame[24..26].fill(0xff);
            frame
        })
        .collect();
    let left = merged_packets(sent.iter().map(|frame| packet(&pool, frame)).collect());
    let [Left::List(list)] = &left[..] else { panic!("merged, or not one train") };
    assert_eq!(list.iter().map(PacketBuf::to_vec).collect::<Vec<_>>(), sent);
}

#[test]
fn extension_headers_are_repeated() {
    let pool = pool();
    let ip = Ip::V6 { hop_limit: 3, class: 1, label: 2, extension: Some(7) };
    let sent = train(4, true, |_| Datagram { ip, ..Datagram::v6(0) });
    assert_eq!(split(one_merged(&pool, &sent), &pool), frames(&sent));
}
