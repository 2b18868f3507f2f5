//! Lengths, room and chains of an owned packet.

use gateway::packet::{BufPool, Last, PacketBuf, PortId, SharedBuf, Trail, TxBuf};

use crate::{Make, is_full, taken};

pub(crate) fn a_pool_runs_dry_and_full_again<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    assert!(is_full(&pool));
    let mut all: Vec<_> = std::iter::from_fn(|| pool.alloc()).collect();
    assert_eq!(all.len(), pool.capacity());
    assert_eq!(pool.available(), 0);
    assert!(pool.alloc_from(b"x").is_none());
    all.pop();
    assert_eq!(pool.available(), 1);
    let fresh = pool.alloc().expect("one is back");
    assert_eq!((fresh.frame_len(), fresh.piece_count()), (0, 1), "nothing of its last life");
    drop((fresh, all));
    assert!(is_full(&pool));
}

pub(crate) fn many_at_once<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let mut some = Vec::with_capacity(40);
    pool.alloc_many(16, &mut some);
    assert_eq!((some.len(), taken(&pool)), (16, 16));
    pool.alloc_many(100, &mut some);
    assert_eq!(some.len(), some.capacity(), "never beyond what the vector has room for");
    assert!(some.iter().all(|packet| (packet.frame_len(), packet.piece_count()) == (0, 1)));
    let mut rest: Vec<B> = Vec::with_capacity(64);
    pool.alloc_many(64, &mut rest);
    assert_eq!((some.len() + rest.len(), pool.available()), (64, 0), "all there are");
    pool.alloc_many(0, &mut rest);
    // Each is another's.
    for (number, packet) in (0u8..).zip(some.iter_mut().chain(&mut rest)) {
        packet.append(4).expect("room").fill(number);
    }
    for (number, packet) in (0u8..).zip(some.iter().chain(&rest)) {
        assert_eq!(packet.head(), [number; 4]);
    }
    drop((some, rest));
    assert!(is_full(&pool));
}

pub(crate) fn copying_into_room_that_there_is<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let mut long = pool.alloc_from(&[1; 2000]).expect("a buffer");
    let mut copy = pool.alloc().expect("a buffer");
    assert!(long.copy_into(&mut copy));
    assert_eq!(copy.to_vec(), [1; 2000]);
    assert!(!long.copy_into(&mut copy), "no room for it twice");
    assert_eq!(copy.to_vec(), [1; 2000], "unchanged");
    long.truncate(20);
    long.chain(pool.alloc_from(&[2; 28]).expect("a buffer"));
    assert!(long.copy_into(&mut copy));
    assert_eq!(copy.to_vec(), [&[1; 2020][..], &[2; 28]].concat());
}

pub(crate) fn room_ends_where_it_ends<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    assert_eq!(pool.data_room(), 2048);
    assert!(pool.alloc_from(&[0; 2049]).is_none());
    assert!(is_full(&pool), "what did not fit is back");
    let mut packet = pool.alloc_from(&[7; 2048]).expect("it fits");
    assert!(packet.append(1).is_none());
    assert_eq!(packet.append(0).map(|added| added.len()), Some(0));

    let mut headroom = 0;
    while let Some(byte) = packet.prepend(1) {
        byte[0] = 9;
        headroom += 1;
    }
    assert_eq!(headroom, 128, "DPDK's default");
    assert!(packet.prepend(usize::MAX).is_none() && packet.append(usize::MAX).is_none());
    assert_eq!(packet.to_vec(), [vec![9; 128], vec![7; 2048]].concat());
    assert!(packet.trim_front(128));
    assert_eq!(packet.prepend(128).map(|added| added.len()), Some(128), "trimmed is room again");
    packet.truncate(128);
    assert_eq!(packet.append(2048).map(|added| added.len()), Some(2048));
}

pub(crate) fn trimming<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let mut packet = pool.alloc_from(b"0123456789").expect("a buffer");
    assert!(packet.trim_front(4));
    assert!(!packet.trim_front(7), "longer than the head");
    assert_eq!(packet.head(), b"456789");
    packet.truncate(7);
    assert_eq!(packet.head(), b"456789", "beyond the frame");
    packet.truncate(2);
    assert_eq!(packet.head(), b"45");
    assert!(packet.trim_front(2));
    packet.truncate(0);
    assert_eq!((packet.frame_len(), packet.piece_count()), (0, 1));
}

pub(crate) fn a_chain_is_its_pieces_in_order<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let mut packet = chain_of::<B>(&pool, &[b"head", b"middle", b"tail"]);
    assert_eq!(taken(&pool), 3);
    assert_eq!((packet.frame_len(), packet.piece_count()), (14, 3));
    assert!(packet.pieces().eq([&b"head"[..], b"middle", b"tail"]));
    assert_eq!(packet.head(), b"head");
    assert!(packet.append(1).is_none(), "several pieces");
    assert!(!packet.trim_front(5), "the head is shorter");
    assert!(packet.trim_front(4));
    assert_eq!((packet.head(), packet.piece_count()), (&b""[..], 3), "the head stays");
    packet.prepend(2).expect("headroom").copy_from_slice(b"HD");
    assert_eq!(packet.to_vec(), b"HDmiddletail");
    let mut out = [0; 8];
    assert_eq!(packet.read(1, &mut out), 8);
    assert_eq!(&out, b"Dmiddlet");
    assert_eq!(packet.read(11, &mut out), 1);
    assert_eq!(packet.read(12, &mut out), 0);
    assert_eq!(packet.read(1000, &mut out), 0);
    drop(packet);
    assert!(is_full(&pool));
}

pub(crate) fn truncating_a_chain_frees_what_is_behind<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let bytes = b"headmiddletail";
    for len in 0..=bytes.len() + 1 {
        let mut packet = chain_of::<B>(&pool, &[b"head", b"middle", b"tail"]);
        packet.truncate(len);
        let pieces = match len {
            0..=4 => 1,
            5..=10 => 2,
            _ => 3,
        };
        assert_eq!(packet.to_vec(), &bytes[..len.min(bytes.len())]);
        assert_eq!((packet.piece_count(), packet.pieces().count()), (pieces, pieces), "{len}");
        assert_eq!(taken(&pool), pieces, "{len}");
    }
    assert!(is_full(&pool));
}

pub(crate) fn what_is_detached_is_a_packet_of_its_own<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let mut head = chain_of::<B>(&pool, &[b"head", b"middle", b"tail"]);
    let mut middle = head.detach().expect("two pieces behind it");
    assert_eq!((head.to_vec(), head.piece_count()), (b"head".to_vec(), 1));
    assert_eq!((middle.to_vec(), middle.piece_count()), (b"middletail".to_vec(), 2));
    assert!(head.detach().is_none());
    let tail = middle.detach().expect("one piece behind it");
    assert_eq!(taken(&pool), 3);
    drop(head);
    assert_eq!(taken(&pool), 2);
    middle.head_mut().fill(b'm');
    middle.prepend(3).expect("headroom").copy_from_slice(b"new");
    middle.append(1).expect("tailroom, now that it is one piece")[0] = b'!';
    middle.chain(tail);
    assert_eq!((middle.to_vec(), middle.frame_len()), (b"newmmmmmm!tail".to_vec(), 14));
    drop(middle);
    assert!(is_full(&pool));
}

pub(crate) fn pieces_go_home_to_their_own_pool<B: PacketBuf>(make: Make<B>) {
    let (one, other) = (make(64, 2048), make(64, 2048));
    let mut packet = one.alloc_from(b"one").expect("a buffer");
    packet.chain(other.alloc_from(b"other").expect("a buffer"));
    packet.chain(one.alloc_from(b"one").expect("a buffer"));
    assert_eq!((taken(&one), taken(&other)), (2, 1));
    packet.truncate(5);
    assert_eq!((taken(&one), taken(&other)), (1, 1));
    drop(packet);
    assert!(is_full(&one) && is_full(&other));
}

pub(crate) fn chain_of<B: PacketBuf>(pool: &B::Pool, pieces: &[&[u8]]) -> B {
    let mut pieces = pieces.iter().map(|bytes| pool.alloc_from(bytes).expect("a buffer"));
    let mut packet = pieces.next().expect("a piece");
    pieces.for_each(|piece| packet.chain(piece));
    packet
}

pub(crate) fn what_is_out_is_listed_with_its_trail<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    assert_eq!(pool.missing(), []);
    let made = pool.alloc().expect("a buffer");
    let mut received = pool.alloc_from(b"x").expect("a buffer");
    received.mark(Trail::received(PortId(3)));
    let shared = pool.alloc().expect("a buffer").share();
    shared.clone().into_tx().mark(Trail::queued(PortId(5)));
    let mut trails: Vec<_> = pool.missing().iter().map(|buffer| buffer.trail).collect();
    trails.sort_unstable();
    let last: Vec<_> = trails.iter().map(|trail| trail.last()).collect();
    assert_eq!(last, [Last::Received(PortId(3)), Last::Made, Last::Queued(PortId(5))]);
    drop((made, received, shared));
    assert_eq!(pool.missing(), []);
    let all: Vec<_> = std::iter::from_fn(|| pool.alloc()).collect();
    assert_eq!(all.len(), 64, "looking took none away");
    assert_eq!(pool.missing().len(), 64);
}
