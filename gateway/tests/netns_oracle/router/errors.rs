//! What the router cannot forward and says so: hops that ran out, datagrams that do not fit.

use super::{V4, V6, datagram, set, without_df};
use crate::compare::{Case, case};
use crate::edit::{extend, fragments, fragments6, pad, udp_checksum, v4, v6};
use crate::frames::group_mac;

/// To the port with an IP MTU of 1280, and of 600.
const TO_1280: (&str, &str) = (V4.0, "10.2.0.2");
const TO_600: (&str, &str) = (V4.0, "10.3.0.2");
const V6_TO_1280: (&str, &str) = (V6.0, "2001:db8:2::2");

pub(super) fn cases() -> Vec<Case> {
    let mut cases = hops();
    cases.extend(fitting());
    cases.extend(too_big());
    cases
}

fn dying(frame: &[u8]) -> Vec<u8> {
    if frame[12] == 8 {
        v4(frame, |ip| ip.time_to_live = 1)
    } else {
        v6(frame, |ip| ip.hop_limit = 1)
    }
}

fn hops() -> Vec<Case> {
    let (four, six) = (datagram(V4, 100), datagram(V6, 100));
    let lengths = [0, 1, 7, 8, 100, 499, 500, 519, 520, 521, 547, 548, 549, 1000, 1400];
    let long = [0, 1, 100, 1183, 1184, 1185, 1191, 1192, 1193, 1400, 1452];
    let options = v4(&four, |ip| ip.options = [1; 8].into());
    let as_protocol = |frame: &[u8], protocol: u8, kind: u8| {
        set(&v4(frame, |ip| ip.protocol = etherparse::IpNumber(protocol)), 34, &[kind, 0])
    };
    let as_icmpv6 = |kind: u8| set(&set(&six, 20, &[58]), 54, &[kind, 0]);
    let one = |name: &str, frame: &[u8]| case(name, vec![dying(frame)]);
    vec![
        case("TTL 1", lengths.map(|len| dying(&datagram(V4, len))).into()),
        case("TTL 0", vec![v4(&four, |ip| ip.time_to_live = 0)]),
        case("hop limit 1", long.map(|len| dying(&datagram(V6, len))).into()),
        case("hop limit 0", vec![v6(&six, |ip| ip.hop_limit = 0)]),
        one("TTL 1 with options", &options),
        one("TTL 1 with padding", &pad(&datagram(V4, 5), 60, 0xee)),
        one("TTL 1 with a bad UDP checksum", &udp_checksum(&four, |sum| sum ^ 1)),
        one(
            "TTL 1 with DSCP and ECN",
            &v4(&four, |ip| {
                (ip.dscp, ip.ecn) = (46.try_into().unwrap(), 1.try_into().unwrap());
            }),
        ),
        one("TTL 1 in an echo request", &as_protocol(&four, 1, 8)),
        one("TTL 1 in an ICMP error", &as_protocol(&four, 1, 3)),
        one("TTL 1 in TCP", &as_protocol(&four, 6, 1)),
        one("TTL 1 without a route", &datagram((V4.0, "192.0.2.1"), 50)),
        one("TTL 1 back where it came from", &datagram(("10.0.0.9", "10.0.0.2"), 50)),
        one("TTL 1 to everybody's link address", &set(&four, 0, &[0xff; 6])),
        one("TTL 1 from a source elsewhere", &datagram(("172.16.5.5", V4.1), 50)),
        one("TTL 1 from a source nobody knows", &datagram(("192.0.2.9", V4.1), 50)),
        case(
            "TTL 1 in fragments",
            fragments(&datagram(V4, 300), 104).iter().map(|f| dying(f)).collect(),
        ),
        one("hop limit 1 with an extension", &extend(&six, 60, &[0, 0, 1, 4, 0, 0, 0, 0])),
        one(
            "hop limit 1 with traffic class and label",
            &v6(&six, |ip| {
                (ip.traffic_class, ip.flow_label) = (0xb9, 0x12345.try_into().unwrap());
            }),
        ),
        one("hop limit 1 in an echo request", &as_icmpv6(128)),
        one("hop limit 1 in an ICMPv6 error", &as_icmpv6(3)),
        one("hop limit 1 without a route", &datagram((V6.0, "2001:db9::1"), 50)),
        one("hop limit 1 from a source elsewhere", &datagram(("2001:db8:aaaa::5", V6.1), 50)),
        case(
            "hop limit 1 in fragments",
            fragments6(&datagram(V6, 300), 104).iter().map(|f| dying(f)).collect(),
        ),
    ]
}

/// What must be cut to fit: every offset at which the last fragment can begin and end.
fn fitting() -> Vec<Case> {
    let cut = |len| without_df(&datagram(TO_600, len));
    let options = |bytes: [u8; 12], len| v4(&cut(len), |ip| ip.options = bytes.into());
    let not_copied = [1, 0x1e, 7, 4, 5, 6, 7, 8, 1, 1, 1, 0];
    let copied = [0x9e, 4, 5, 6, 0x1e, 7, 4, 1, 2, 3, 4, 0];
    let parts = fragments(&datagram(TO_600, 1400), 1000);
    let fragmented = parts.iter().map(|f| without_df(f)).collect();
    vec![
        case("fragmentation, every length", (560..=1472).map(cut).collect()),
        case(
            "fragmentation to 1280",
            (1240..=1472).map(|n| without_df(&datagram(TO_1280, n))).collect(),
        ),
        case("fragmentation of padded ones", (570..580).map(|n| pad(&cut(n), 700, 0xee)).collect()),
        case(
            "fragmentation with options: no operation",
            (520..=1400).step_by(41).map(|n| options([1; 12], n)).collect(),
        ),
        case(
            "fragmentation with options: not copied",
            (520..=1400).step_by(41).map(|n| options(not_copied, n)).collect(),
        ),
        case(
            "fragmentation with options: copied",
            (520..=1400).step_by(41).map(|n| options(copied, n)).collect(),
        ),
        case("fragmentation of fragments", fragmented),
        case(
            "fragmentation with a bad UDP checksum",
            vec![udp_checksum(&cut(1000), |sum| sum ^ 1)],
        ),
        case("fragmentation with checksum 0", vec![udp_checksum(&cut(1000), |_| 0)]),
        case("fragmentation with TTL 2", vec![v4(&cut(1000), |ip| ip.time_to_live = 2)]),
        case(
            "lengths around the MTU in one burst",
            [1400, 1400, 500, 1400, 572, 573].map(cut).into(),
        ),
    ]
}

fn too_big() -> Vec<Case> {
    let with_df = |target, len| v4(&datagram(target, len), |ip| ip.dont_fragment = true);
    let six = |len| datagram(V6_TO_1280, len);
    let set_df = |f: &Vec<u8>| v4(f, |ip| ip.dont_fragment = true);
    let parts = fragments(&datagram(TO_600, 1400), 1000);
    let options = |len| v4(&with_df(TO_600, len), |ip| ip.options = [1; 8].into());
    vec![
        case("DF, fitting", (560..=572).map(|len| with_df(TO_600, len)).collect()),
        case("DF, too big", (573..=600).map(|len| with_df(TO_600, len)).collect()),
        case("DF, much too big", [700, 1000, 1253, 1472].map(|len| with_df(TO_600, len)).into()),
        case("DF, too big for 1280", [1252, 1253, 1472].map(|len| with_df(TO_1280, len)).into()),
        case("DF, too big, with options", [560, 565, 900].map(options).into()),
        case("DF, fragments too big", parts.iter().map(set_df).collect()),
        case("DF, too big and TTL 1", vec![dying(&with_df(TO_600, 900))]),
        case("DF, too big, back where it came from", vec![with_df(("10.3.0.9", TO_600.1), 900)]),
        case("IPv6, fitting", (1220..=1232).map(six).collect()),
        case("IPv6, too big", (1233..=1260).map(six).collect()),
        case("IPv6, much too big", [1300, 1400, 1452].map(six).into()),
        case(
            "IPv6, too big with an extension",
            vec![extend(&six(1300), 60, &[0, 0, 1, 4, 0, 0, 0, 0])],
        ),
        case("IPv6, too big and hop limit 1", vec![dying(&six(1400))]),
        case("IPv6, fragments too big", fragments6(&six(1452), 1400)),
        case(
            "IPv6, some too big in one burst",
            [1400, 1400, 600, 1400, 1232, 1233].map(six).into(),
        ),
        case(
            "IPv6, too big to a group's link address",
            vec![set(&six(1400), 0, &group_mac("ff05::1").0)],
        ),
    ]
}
