//! A short cut that compares with the frame before.

use super::build::*;
use super::*;

/// What the short cut says of `frame` behind `before`, held to what must be true of it.
fn alike(before: &[u8], frame: &[u8], frame_len: usize) -> Option<FrameInfo> {
    let previous = whole(before);
    let info = parse_alike(PortId(3), &previous, before, frame, frame_len, RxChecksum::Unknown)?;
    assert_eq!(Ok(info), parse_any(PortId(3), frame, frame_len, RxChecksum::Unknown));
    assert_eq!(previous.coalesce, Coalesce::Candidate);
    let lengths = |info: FrameInfo| FrameInfo { frame_len: 0, ip_len: 0, ..info };
    assert_eq!(lengths(info), lengths(previous));
    Some(info)
}

/// Bytes of a plain frame that may differ: lengths, identification, checksums, payload.
fn may_differ(at: usize, v6: bool) -> bool {
    if v6 { matches!(at, 18 | 19 | 58..) } else { matches!(at, 16..=19 | 24 | 25 | 38..) }
}

#[test]
fn a_datagram_is_like_itself_and_like_one_of_another_length() {
    let (short4, short6) =
        (ipv4(17, &udp4(&[3]), |ip| ip.identification = 9), { ipv6(17, &udp6(&[3]), |_| {}) });
    for (before, short) in [(plain4(), short4), (plain6(), short6)] {
        assert!(alike(&before, &before, before.len()).is_some());
        assert!(alike(&before, &short, short.len()).is_some());
        assert!(alike(&short, &before, before.len()).is_some());
    }
}

#[test]
fn every_byte_that_must_be_equal() {
    for before in [plain4(), plain6()] {
        let v6 = before[12] == 0x86;
        for at in 0..before.len() {
            for bit in 0..8 {
                let mut frame = before.clone();
                frame[at] ^= 1 << bit;
                if alike(&before, &frame, frame.len()).is_some() {
                    assert!(may_differ(at, v6), "byte {at}");
                }
                // Repaired, a difference that is not the train's to bear stays one.
                if !v6 && (14..34).contains(&at) {
                    frame[24..26].fill(0);
                    let sum = crate::wire::checksum::checksum(&frame[14..34]);
                    frame[24..26].copy_from_slice(&sum.to_be_bytes());
                    let same = alike(&before, &frame, frame.len()).is_some();
                    assert_eq!(same, matches!(at, 18 | 19 | 24 | 25), "byte {at}");
                }
            }
        }
        for len in 0..before.len() {
            assert!(alike(&before, &before[..len], len).is_none(), "cut to {len}");
            alike(&before, &before[..len], before.len());
        }
    }
}

#[test]
fn only_behind_a_plain_candidate_of_its_port() {
    let plain = plain4();
    let options = ipv4(17, &udp4(&[7; 30]), |ip| ip.options = [1; 4].into());
    let tag = tagged(&plain, &[(0x8100, 5)]);
    let behind_extension = ipv6(60, &[extension(17, 8), udp6(&[7; 30])].concat(), |_| {});
    for frame in [options, tag, behind_extension, ipv4(6, &[7; 40], |_| {})] {
        assert!(alike(&frame, &frame, frame.len()).is_none());
    }
    assert!(alike(&plain6(), &plain, plain.len()).is_none());
    let previous = whole(&plain);
    let said = |port, checksum| {
        parse_alike(PortId(port), &previous, &plain, &plain, plain.len(), checksum)
    };
    assert!(said(3, RxChecksum::Good).is_some());
    assert!(said(3, RxChecksum::Bad).is_none());
    assert!(said(4, RxChecksum::Good).is_none());
}
