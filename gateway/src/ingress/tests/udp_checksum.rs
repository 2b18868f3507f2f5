use proptest::prelude::*;

use super::build::*;
use super::*;
use crate::ingress::udp_checksum_is_valid;

fn is_valid(frame: &[u8]) -> bool {
    udp_checksum_is_valid(&whole(frame), [frame].into_iter())
}

#[test]
fn right_and_wrong() {
    for frame in [plain4(), plain6(), tagged(&plain6(), &[(0x8100, 1)])] {
        assert!(is_valid(&frame));
        for at in whole(&frame).l4_offset.into()..frame.len() {
            let mut wrong = frame.clone();
            wrong[at] ^= 0x10;
            assert!(!is_valid(&wrong), "{at}");
        }
        assert!(is_valid(&[&frame[..], &[1, 2, 3]].concat()), "trailing bytes are not covered");
    }
}

/// Data whose sum is 0xFFFF: as a sum 0 would do, but here it says that there is no checksum.
#[test]
fn zero_is_no_checksum() {
    let mut datagram = udp4(&[0; 32]);
    let checksum = u16::from_be_bytes([datagram[6], datagram[7]]);
    datagram[8..10].copy_from_slice(&checksum.to_be_bytes());
    datagram[6..8].fill(0xff);
    assert!(is_valid(&ipv4(17, &datagram, |_| {})));
    datagram[6..8].fill(0);
    assert!(!is_valid(&ipv4(17, &datagram, |_| {})));
}

#[test]
fn missing_bytes_are_not_valid() {
    // Zeros, which are missed by no sum.
    let frame = ipv4(17, &udp4(&[0; 40]), |_| {});
    let info = whole(&frame);
    assert!(!udp_checksum_is_valid(&info, core::iter::empty()));
    assert!(!udp_checksum_is_valid(&info, [&frame[..frame.len() - 2]].into_iter()));
}

proptest! {
    #[test]
    fn pieces_of_any_length(
        payload in prop::collection::vec(any::<u8>(), 1..300),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        v6: bool,
        padding in 0usize..20,
    ) {
        let frame =
            if v6 { ipv6(17, &udp6(&payload), |_| {}) } else { ipv4(17, &udp4(&payload), |_| {}) };
        let mut frame = [frame, vec![0xee; padding]].concat();
        for wrong in [false, true] {
            let info = whole(&frame);
            let headers = usize::from(info.l4_offset) + 8;
            let mut ends: Vec<_> =
                cuts.iter().map(|cut| headers + cut.index(frame.len() - headers + 1)).collect();
            ends.extend([0, frame.len()]);
            ends.sort_unstable();
            let pieces = ends.windows(2).map(|ends| &frame[ends[0]..ends[1]]);
            prop_assert_eq!(udp_checksum_is_valid(&info, pieces), !wrong);
            frame[headers] ^= 1;
        }
    }
}
