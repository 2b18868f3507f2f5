//! Errors that must not be sent: RFC 1122 3.2.2, RFC 1812 4.3.2.7, RFC 4443 2.4 (e).

use etherparse::Icmpv6Header;

use super::*;

const TOO_BIG: IcmpError = IcmpError::TooBig { mtu: 1280 };

fn sends(kind: IcmpError, frame: &[u8], v6: bool) -> bool {
    error(kind, frame, v6).is_some()
}

fn to_link_group(mut frame: Vec<u8>) -> Vec<u8> {
    frame[0] |= 1;
    frame
}

#[test]
fn about_errors_but_not_about_questions() {
    for (kind, expected) in [
        (8, true),
        (0, true),
        (13, true),
        (3, false),
        (4, false),
        (5, false),
        (11, false),
        (12, false),
    ] {
        let message = [&[kind, 0, 0, 0], &[0; 36][..]].concat();
        let frame = ipv4(1, &message, |_| {});
        assert_eq!(sends(IcmpError::TimeExceeded, &frame, false), expected, "{kind}");
    }
    for (kind, expected) in [
        (128, true),
        (129, true),
        (135, true),
        (1, false),
        (2, false),
        (3, false),
        (4, false),
        (137, false),
    ] {
        let message = [&[kind, 0, 0, 0], &[0; 36][..]].concat();
        let frame = ipv6(58, &message, |_| {});
        assert_eq!(sends(TOO_BIG, &frame, true), expected, "{kind}");
        let behind = [&[58, 0, 1, 4, 0, 0, 0, 0], &message[..]].concat();
        let frame = ipv6(60, &behind, |_| {});
        assert_eq!(sends(TOO_BIG, &frame, true), expected, "{kind} behind options");
    }
    let nothing = ipv4(1, &[], |_| {});
    assert!(!sends(IcmpError::TimeExceeded, &nothing, false), "no type to tell");
}

#[test]
fn about_fragments_other_than_the_first() {
    for (offset, expected) in [(0, true), (1, false), (185, false)] {
        let frame = ipv4(17, &[7; 40], |ip| {
            ip.dont_fragment = false;
            ip.more_fragments = true;
            ip.fragment_offset = u16::try_into(offset).unwrap();
        });
        assert_eq!(sends(TOO_BIG, &frame, false), expected, "{offset}");
    }
    // IPv6 has no such rule, but what may be an ICMPv6 error stays unanswered.
    let fragment = |next: u8, offset: u16| {
        let header = [&[next, 0], &(offset << 3 | 1).to_be_bytes()[..], &[0, 0, 0, 1]].concat();
        ipv6(44, &[&header[..], &[128; 40]].concat(), |_| {})
    };
    for (next, offset, expected) in [(17, 0, true), (17, 9, true), (58, 0, true), (58, 9, false)] {
        assert_eq!(sends(TOO_BIG, &fragment(next, offset), true), expected, "{next} {offset}");
    }
}

#[test]
fn about_what_was_sent_to_many() {
    let v4 = |dst| ipv4(17, &[7; 40], |ip| ip.destination = dst);
    for dst in [[239, 1, 1, 1], [224, 0, 0, 1], [255, 255, 255, 255]] {
        assert!(!sends(IcmpError::TimeExceeded, &v4(dst), false), "{dst:?}");
        assert!(!sends(TOO_BIG, &v4(dst), false), "{dst:?}");
    }
    assert!(!sends(IcmpError::TimeExceeded, &to_link_group(v4(FAR4)), false));

    let mut group = FAR6;
    group[0] = 0xff;
    let many = ipv6(17, &[7; 40], |ip| ip.destination = group);
    let link = to_link_group(ipv6(17, &[7; 40], |_| {}));
    for frame in [many, link] {
        assert!(!sends(IcmpError::TimeExceeded, &frame, true));
        assert!(sends(TOO_BIG, &frame, true), "path MTU discovery works for groups");
    }
}

#[test]
fn to_what_is_no_single_host() {
    for src in
        [[0, 0, 0, 0], [0, 1, 2, 3], [127, 0, 0, 1], [224, 0, 0, 1], [240, 0, 0, 1], [255; 4]]
    {
        let frame = ipv4(17, &[7; 40], |ip| ip.source = src);
        assert!(!sends(IcmpError::TimeExceeded, &frame, false), "{src:?}");
    }
    let loopback = {
        let mut a = [0; 16];
        a[15] = 1;
        a
    };
    let group = {
        let mut a = THEIRS6;
        a[0] = 0xff;
        a
    };
    for src in [[0; 16], loopback, group] {
        let frame = ipv6(17, &[7; 40], |ip| ip.source = src);
        assert!(!sends(TOO_BIG, &frame, true), "{src:?}");
    }
}

#[test]
fn about_what_is_not_understood() {
    let whole = ipv4(17, &[7; 40], |_| {});
    assert!(sends(IcmpError::TimeExceeded, &whole, false));
    let mut wrong = whole.clone();
    wrong[24] ^= 1;
    assert!(!sends(IcmpError::TimeExceeded, &wrong, false), "header checksum");
    assert!(!sends(IcmpError::TimeExceeded, &whole, true), "the other family");
    assert!(!sends(IcmpError::TimeExceeded, &ethernet(OURS, 0x88cc, &[0; 46]), false));
    let message = Icmpv6Header::new(etherparse::Icmpv6Type::RouterSolicitation).to_bytes();
    let longer = ipv6(58, &message, |ip| ip.payload_length += 1);
    assert!(!sends(TOO_BIG, &longer, true), "length");
}
