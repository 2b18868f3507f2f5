use proptest::prelude::*;

use super::build::*;
use super::*;

fn seeds() -> Vec<Vec<u8>> {
    let datagram = udp6(&[7; 30]);
    let extensions = [&extension(43, 8)[..], &extension(17, 16), &datagram].concat();
    let fragment = [&fragment_header(17, 1)[..], &datagram].concat();
    let seeds = vec![
        plain4(),
        plain6(),
        ipv6(0, &extensions, |_| {}),
        ipv6(44, &fragment, |_| {}),
        ipv4(1, &[8; 40], |_| {}),
        ethernet(0x0806, &[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 1, 0, 2, 0, 0]),
    ];
    let one = seeds.iter().map(|seed| tagged(seed, &[(0x8100, 6)])).collect();
    let two = seeds.iter().map(|seed| tagged(seed, &[(0x88a8, 5), (0x8100, 6)])).collect();
    [seeds, one, two].concat()
}

fn survive(frame: &[u8], frame_len: usize) {
    for said in [RxChecksum::Unknown, RxChecksum::Bad] {
        let result = parse(PortId(0), frame, frame_len, said);
        assert_eq!(result, parse_any(PortId(0), frame, frame_len, said), "the short cut differs");
        if frame.len() == frame_len && said == RxChecksum::Unknown {
            check_plain(frame, &result);
        }
        match result {
            Ok(info) => {
                check_invariants(&info, frame, frame_len);
                let pieces = [frame].into_iter();
                crate::ingress::udp_checksum_is_valid(&info, pieces);
            }
            Err(ParseError::Runt) => assert!(frame_len < 14),
            Err(ParseError::Split) => assert!(frame.len() < frame_len),
        }
    }
}

/// What is plain in its VLAN is so for the long way, too.
fn check_plain(frame: &[u8], result: &Result<FrameInfo, ParseError>) {
    let Some((vlan, l2_len)) = plain_in_vlan(frame) else { return };
    let info = result.unwrap();
    assert_eq!((info.vlan, usize::from(info.l2_len)), (vlan, l2_len));
    assert_eq!((info.coalesce, info.trailing()), (Coalesce::Candidate, 0));
}

/// Every byte of every seed with every value, and every truncation of every seed.
#[test]
fn every_byte_with_every_value() {
    for mut frame in seeds() {
        for len in 0..frame.len() {
            survive(&frame[..len], len);
        }
        for at in 0..frame.len().min(120) {
            let original = frame[at];
            for value in 0..=255 {
                frame[at] = value;
                survive(&frame, frame.len());
            }
            frame[at] = original;
        }
    }
}

/// Every pair of flipped bits in the headers of plain frames, with a tag and without.
#[test]
fn every_two_bits_flipped() {
    let tag = |frame: &[u8]| tagged(frame, &[(0x8100, 6)]);
    let frames = [(plain4(), 42), (plain6(), 62), (tag(&plain4()), 46), (tag(&plain6()), 66)];
    for (mut frame, headers) in frames {
        let bits = headers * 8;
        for first in 12 * 8..bits {
            frame[first / 8] ^= 1 << (first % 8);
            for second in first + 1..bits {
                frame[second / 8] ^= 1 << (second % 8);
                survive(&frame, frame.len());
                frame[second / 8] ^= 1 << (second % 8);
            }
            frame[first / 8] ^= 1 << (first % 8);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(frame: Vec<u8>, more in 0usize..2000) {
        survive(&frame, frame.len());
        survive(&frame, frame.len() + more);
    }

    #[test]
    fn any_changes_of_real_frames(
        seed: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut: prop::sample::Index,
        more in 0usize..2000,
    ) {
        let seeds = seeds();
        let mut frame = seed.get(&seeds).clone();
        for (at, value) in changes {
            let at = at.index(frame.len());
            frame[at] = value;
        }
        frame.truncate(cut.index(frame.len() + 1));
        survive(&frame, frame.len());
        survive(&frame, frame.len() + more);
    }
}
