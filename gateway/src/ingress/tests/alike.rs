//! A short cut that compares with the frame before.

use super::build::*;
use super::*;

/// A received frame whose head piece has these bytes.
fn received(head: &[u8], frame_len: usize, checksum: RxChecksum) -> HeapBuf {
    let pool = HeapPool::new(2, 2048);
    let mut packet = pool.alloc_from(head).unwrap();
    if frame_len > head.len() {
        packet.chain(pool.alloc_from(&vec![0; frame_len - head.len()]).unwrap());
    }
    packet.set_rx_checksum(checksum);
    packet
}

/// What the short cut says of a frame behind `before`, held to what must be true of it.
fn alike(before: &[u8], head: &[u8], frame_len: usize) -> bool {
    let previous = whole(before);
    let frame = received(head, frame_len, RxChecksum::Unknown);
    let mut told = None;
    let count =
        count_alike(PortId(3), &previous, before, &[frame], |id| told.replace(id).is_none());
    if count == 1 {
        assert_eq!(Ok(previous), parse_any(PortId(3), head, frame_len, RxChecksum::Unknown));
        assert_eq!(previous.coalesce, Coalesce::Candidate);
        let v4 = previous.network == Network::Ipv4;
        let id = usize::from(previous.l2_len) + 4;
        assert_eq!(told, Some(if v4 { u16::from_be_bytes([head[id], head[id + 1]]) } else { 0 }));
    }
    count == 1
}

/// Plain frames and tagged ones, with the length of their tags.
fn befores() -> [(Vec<u8>, usize); 4] {
    let tag = |frame: &[u8]| tagged(frame, &[(0x8100, 5)]);
    [(plain4(), 0), (plain6(), 0), (tag(&plain4()), 4), (tag(&plain6()), 4)]
}

/// Bytes that may differ: identification, checksums, payload.
fn may_differ(at: usize, v6: bool) -> bool {
    if v6 { at >= 60 } else { matches!(at, 18 | 19 | 24 | 25 | 40..) }
}

/// The IPv4 header behind tags of `tags` bytes, with the checksum it should have.
fn repair(frame: &mut [u8], tags: usize) {
    frame[24 + tags..26 + tags].fill(0);
    let sum = crate::wire::checksum::checksum(&frame[14 + tags..34 + tags]);
    frame[24 + tags..26 + tags].copy_from_slice(&sum.to_be_bytes());
}

#[test]
fn a_datagram_is_like_itself_and_like_the_next_but_not_like_one_of_another_length() {
    let next = ipv4(17, &udp4(&[3; 100]), |ip| ip.identification = 9);
    assert!(alike(&plain4(), &next, next.len()));
    let short = [ipv4(17, &udp4(&[3]), |_| {}), ipv6(17, &udp6(&[3]), |_| {})];
    for ((before, _), short) in befores().iter().zip(short.iter().cycle()) {
        assert!(alike(before, before, before.len()));
        assert!(!alike(before, short, short.len()));
        assert!(!alike(short, before, before.len()));
    }
}

/// The sum of identification and checksum goes around for some of them.
#[test]
fn every_identification() {
    let numbered = |id: u16| {
        let mut frame = plain4();
        frame[18..20].copy_from_slice(&id.to_be_bytes());
        repair(&mut frame, 0);
        frame
    };
    let first = numbered(0);
    for id in 0..=u16::MAX {
        let frame = numbered(id);
        assert!(alike(&first, &frame, frame.len()), "{id}");
    }
}

#[test]
fn every_byte_that_must_be_equal() {
    for (before, tags) in befores() {
        let v6 = before[12 + tags] == 0x86;
        for at in 0..before.len() {
            // As it would be without the tag; what is before or in it counts.
            let plain = if at < 12 + tags { at.min(12) } else { at - tags };
            for bit in 0..8 {
                let mut frame = before.clone();
                frame[at] ^= 1 << bit;
                if alike(&before, &frame, frame.len()) {
                    assert!(may_differ(plain, v6), "byte {at}");
                }
                // Repaired, a difference that is not the train's to bear stays one.
                if !v6 && (14..34).contains(&plain) {
                    repair(&mut frame, tags);
                    let same = alike(&before, &frame, frame.len());
                    assert_eq!(same, matches!(plain, 18 | 19 | 24 | 25), "byte {at}");
                }
            }
        }
        for len in 0..before.len() {
            assert!(!alike(&before, &before[..len], len), "cut to {len}");
            alike(&before, &before[..len], before.len());
        }
        let mut unprotected = before.clone();
        let checksum = if v6 { 60 } else { 40 } + tags;
        unprotected[checksum..checksum + 2].fill(0);
        assert!(!alike(&before, &unprotected, before.len()));
    }
}

#[test]
fn only_behind_a_plain_candidate_of_its_port() {
    let plain = plain4();
    let options = ipv4(17, &udp4(&[7; 30]), |ip| ip.options = [1; 4].into());
    let tags = tagged(&plain, &[(0x88a8, 5), (0x8100, 5)]);
    let behind_extension = ipv6(60, &[extension(17, 8), udp6(&[7; 30])].concat(), |_| {});
    for frame in [options, tags, behind_extension, ipv4(6, &[7; 40], |_| {})] {
        assert!(!alike(&frame, &frame, frame.len()));
    }
    assert!(!alike(&plain6(), &plain, plain.len()));
    let previous = whole(&plain);
    let said = |port, checksum| {
        let frame = received(&plain, plain.len(), checksum);
        count_alike(PortId(port), &previous, &plain, &[frame], |_| true) == 1
    };
    assert!(said(3, RxChecksum::Good));
    assert!(!said(3, RxChecksum::Bad));
    assert!(!said(4, RxChecksum::Good));
}

#[test]
fn a_run_ends_at_the_first_that_is_not_alike_or_not_wanted() {
    let (plain, other) = (plain4(), ipv4(17, &udp4(&[7; 30]), |_| {}));
    let frames: Vec<_> = [&plain, &plain, &plain, &other, &plain]
        .map(|frame| received(frame, frame.len(), RxChecksum::Unknown))
        .into();
    let previous = whole(&plain);
    for (wanted, counted) in [(9, 3), (3, 3), (2, 2), (0, 0)] {
        let mut asked = 0;
        let count = count_alike(PortId(3), &previous, &plain, &frames, |_| {
            asked += 1;
            asked <= wanted
        });
        assert_eq!(count, counted);
    }
}
