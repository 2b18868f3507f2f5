use super::build::*;
use super::*;
use crate::ingress::MAX_HEADERS;

fn frames() -> Vec<Vec<u8>> {
    let datagram = udp6(&[1; 700]);
    let extensions = [&extension(60, 8)[..], &extension(17, 256), &datagram].concat();
    let fragment = [&fragment_header(17, 1)[..], &datagram].concat();
    let plain = vec![plain4(), plain6()];
    let special = [
        ipv6(0, &extensions, |_| {}),
        ipv6(44, &fragment, |_| {}),
        ipv6(60, &extension(60, 8).repeat(20), |_| {}),
        ipv6(58, &[135; 400], |_| {}),
        ipv4(6, &[0; 400], |_| {}),
        ipv4(1, &[8; 400], |_| {}),
        ethernet(0x0806, &[0; 46]),
        ethernet(0x88cc, &[0; 400]),
        ethernet(0x8100, &[]),
    ];
    let mut frames: Vec<_> = plain.into_iter().chain(special).collect();
    let tags = frames.iter().map(|frame| tagged(frame, &[(0x88a8, 5), (0x8100, 6)])).collect();
    frames = [frames, tags].concat();
    let padded = frames.iter().map(|frame| [&frame[..], &[0; 9]].concat()).collect();
    [frames, padded].concat()
}

/// Wherever the first piece ends, the result is that of the whole frame, or a request for it.
#[test]
fn a_short_head_changes_nothing() {
    let (mut split, mut same) = (0, 0);
    for frame in frames() {
        let expected = whole(&frame);
        for cut in 0..=frame.len() {
            match parse(PortId(3), &frame[..cut], frame.len(), RxChecksum::Unknown) {
                Ok(info) => {
                    check_invariants(&info, &frame[..cut], frame.len());
                    assert_eq!(info, expected, "{cut}");
                    same += 1;
                }
                Err(ParseError::Split) => {
                    assert!(cut < MAX_HEADERS && cut < frame.len());
                    split += 1;
                }
                Err(error) => panic!("{error:?} at {cut} of {frame:02x?}"),
            }
        }
    }
    assert!(split > 1000 && same > 1000, "{split} {same}");
}

#[test]
fn the_transport_header_must_be_in_the_head() {
    let later_fragment = ipv4(17, &[0; 400], |ip| ip.fragment_offset = 9u16.try_into().unwrap());
    for (frame, needed) in [
        (plain4(), 42),
        (plain6(), 62),
        (ipv4(6, &[0; 400], |_| {}), 54),
        (ipv6(58, &[135; 32], |_| {}), 86),
        (ethernet(0x0806, &[0; 46]), 42),
        (ethernet(0x88cc, &[0; 46]), 14),
        (later_fragment, 34),
    ] {
        let at = |cut| parse(PortId(0), &frame[..cut], frame.len(), RxChecksum::Good);
        assert_eq!(at(needed - 1), Err(ParseError::Split), "{needed}");
        assert!(at(needed).is_ok(), "{needed}");
    }
}

#[test]
fn a_runt_is_no_frame() {
    for len in 0..14 {
        let frame = vec![0xff; len];
        let result = parse(PortId(0), &frame, len, RxChecksum::Good);
        assert_eq!(result, Err(ParseError::Runt));
    }
    assert_eq!(parse(PortId(0), &[], 60, RxChecksum::Good), Err(ParseError::Split));
}

/// A caller that claims less than it shows: the bytes are there.
#[test]
fn a_frame_is_as_long_as_its_head() {
    let frame = [plain4(), vec![0]].concat();
    let info = parse(PortId(3), &frame, frame.len() - 1, RxChecksum::Unknown).unwrap();
    assert_eq!(info, whole(&frame));
}
