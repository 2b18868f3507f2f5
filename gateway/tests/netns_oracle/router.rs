//! What comes to a router: `10.N.0.1/24` and `2001:db8:N::1/64` on port N, a host `.2` behind each.
//! The IP MTU of p2 is 1280, of p3 600 (IPv4 only).

use gateway::demo::topology::Lab;
use gateway::packet::MacAddr;

use crate::compare::{Case, case};
use crate::edit::{extend, fragments, fragments6, pad, set, tag, udp_checksum, v4, v6};
use crate::frames::{Udp, group_mac};
use crate::harness::host;
use crate::linux;
use crate::trains::trains;

mod errors;
mod martians;
mod multicast;
mod neighbors;

pub(crate) use multicast::{multicast_cases, multicast_configuration, multicast_routes};

/// The gateway's link address on p0.
const ROUTER: MacAddr = MacAddr([2, 0, 0, 0, 0, 0]);
/// From the host on p0 to the one on p1.
const V4: (&str, &str) = ("10.0.0.2", "10.1.0.2");
const V6: (&str, &str) = ("2001:db8:0::2", "2001:db8:1::2");

pub(crate) fn configuration() -> String {
    let mut toml = crate::harness::router(4, "");
    for (port, mtu) in [(2, 1280), (3, 600)] {
        let device = format!("device = \"net_null{port}\"\n");
        toml = toml.replace(&device, &format!("{device}mtu = {mtu}\n"));
    }
    for (prefix, via) in ROUTES {
        toml += &format!("[[route]]\nprefix = \"{prefix}\"\nvia = \"{via}\"\n");
    }
    toml
}

const ROUTES: [(&str, &str); 2] =
    [("172.16.0.0/12", "10.1.0.2"), ("2001:db8:aaaa::/48", "2001:db8:1::2")];

pub(crate) fn set_up(lab: &Lab) {
    linux::router(lab);
    lab.middle.ip("link set p2 mtu 1280").unwrap();
    lab.middle.ip("link set p3 mtu 600").unwrap();
    for (prefix, via) in ROUTES {
        lab.middle.ip(&format!("route add {prefix} via {via}")).unwrap();
    }
}

/// A datagram to the router on p0.
fn datagram((src, dst): (&str, &str), len: usize) -> Vec<u8> {
    numbered((src, dst), 0x5a, len)
}

/// The same, told apart by its number.
fn numbered((src, dst): (&str, &str), number: usize, len: usize) -> Vec<u8> {
    let udp = Udp { src_mac: host(0), dst_mac: ROUTER, src, dst, ports: (4000, 5000), ttl: 64 };
    udp.frame(&vec![number as u8; len])
}

fn without_df(frame: &[u8]) -> Vec<u8> {
    v4(frame, |ip| ip.dont_fragment = false)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = plain();
    cases.extend(broken());
    cases.extend(links());
    cases.extend(extensions());
    cases.extend(errors::cases());
    cases.extend(martians::cases());
    cases.extend(neighbors::cases());
    let v4_train =
        |number, len| v4(&numbered(V4, number, len), |ip| ip.identification = number as u16);
    cases.extend(trains("IPv4", &v4_train));
    cases.extend(trains("IPv6", &|number, len| numbered(V6, number, len)));
    let dying = |number: usize| {
        v4(&v4_train(number, 600), |ip| {
            ip.time_to_live = if number % 4 == 3 { 1 } else { 64 };
        })
    };
    cases.push(case("IPv4 train, TTL 1 inside", (0..9).map(dying).collect()));
    cases
}

/// What is simply forwarded.
fn plain() -> Vec<Case> {
    let frame = datagram(V4, 300);
    let protocol = |number| v4(&frame, |ip| ip.protocol = etherparse::IpNumber(number));
    vec![
        case("every length of IPv4", (0..=1472).step_by(7).map(|n| datagram(V4, n)).collect()),
        case("every length of IPv6", (0..=1452).step_by(7).map(|n| datagram(V6, n)).collect()),
        case(
            "padding of IPv4",
            (0..40).map(|n| pad(&datagram(V4, n % 10), 60 + n, 0xee)).collect(),
        ),
        case(
            "padding of IPv6",
            (0..40).map(|n| pad(&datagram(V6, n % 10), 62 + n + 10, 0xee)).collect(),
        ),
        case("TTLs", [255, 64, 3, 2].map(|ttl| v4(&frame, |ip| ip.time_to_live = ttl)).into()),
        case(
            "hop limits",
            [255, 64, 3, 2].map(|n| v6(&datagram(V6, 99), |ip| ip.hop_limit = n)).into(),
        ),
        case(
            "DSCP and ECN",
            (0..=255)
                .step_by(5)
                .map(|tos: u8| {
                    v4(&frame, |ip| {
                        ip.dscp = (tos >> 2).try_into().unwrap();
                        ip.ecn = (tos & 3).try_into().unwrap();
                    })
                })
                .collect(),
        ),
        case(
            "traffic classes and flow labels",
            (0..=255)
                .step_by(5)
                .map(|class: u8| {
                    v6(&datagram(V6, 99), |ip| {
                        ip.traffic_class = class;
                        ip.flow_label = (u32::from(class) << 12 | 5).try_into().unwrap();
                    })
                })
                .collect(),
        ),
        case(
            "identification 0 and 65535",
            [0, 65_535].map(|id| v4(&frame, |ip| ip.identification = id)).into(),
        ),
        case(
            "the reserved flag",
            vec![v4(&set(&frame, 20, &[0x80]), |_| {}), reserved_flag(&frame)],
        ),
        case("protocols", [6, 1, 47, 50, 51, 89, 132, 253, 255].map(protocol).into()),
        case("bad UDP checksum", vec![udp_checksum(&frame, |sum| sum ^ 1)]),
        case(
            "UDP checksum 0",
            vec![udp_checksum(&frame, |_| 0), udp_checksum(&datagram(V6, 9), |_| 0)],
        ),
        case(
            "UDP length wrong",
            [0, 3, 7, 9, 2000_u16].map(|n| set(&frame, 38, &n.to_be_bytes())).into(),
        ),
        case("IPv4 fragments", fragments(&datagram(V4, 1000), 104)),
        case(
            "IPv4 fragments, backwards",
            fragments(&datagram(V4, 1000), 104).into_iter().rev().collect(),
        ),
        case("IPv6 fragments", fragments6(&datagram(V6, 1000), 104)),
        case(
            "IPv6 fragments, backwards",
            fragments6(&datagram(V6, 1000), 104).into_iter().rev().collect(),
        ),
        case(
            "routes",
            vec![datagram((V4.0, "172.20.1.2"), 80), datagram((V6.0, "2001:db8:aaaa::7"), 80)],
        ),
        case("back where it came from", vec![datagram(("10.0.0.9", "10.0.0.2"), 80)]),
        case(
            "back where it came from, IPv6",
            vec![datagram(("2001:db8:0::9", "2001:db8:0::2"), 80)],
        ),
        case("no route", vec![datagram((V4.0, "192.0.2.1"), 80)]),
        case("no route, IPv6", vec![datagram((V6.0, "2001:db9::1"), 80)]),
    ]
}

/// Bit 0 of the flags (RFC 791: must be zero), with a right checksum.
fn reserved_flag(frame: &[u8]) -> Vec<u8> {
    let mut out = set(frame, 20, &[frame[20] | 0x80]);
    let sum = u16::from_be_bytes([out[24], out[25]]);
    let (folded, carry) = sum.overflowing_sub(0x8000); // RFC 1624
    out[24..26].copy_from_slice(&folded.wrapping_sub(u16::from(carry)).to_be_bytes());
    out
}

/// Headers that are not what they should be.
fn broken() -> Vec<Case> {
    let (four, six) = (datagram(V4, 100), datagram(V6, 100));
    let with = |at: usize, bytes: &[u8]| {
        let mut out = set(&four, at, bytes);
        out[24..26].fill(0);
        let sum = etherparse::checksum::Sum16BitWords::new().add_slice(&out[14..34]);
        out[24..26].copy_from_slice(&sum.ones_complement().to_be_bytes());
        out
    };
    vec![
        case("bad IPv4 checksum", vec![set(&four, 24, &[0x12, 0x34])]),
        case("IPv4 with version 5", vec![with(14, &[0x55])]),
        case("IPv4 with a header of 16 bytes", vec![with(14, &[0x44])]),
        case("IPv4 with a header beyond its length", vec![with(16, &[0, 19])]),
        case("IPv4 longer than the frame", vec![with(16, &[1, 0])]),
        case("IPv4 with nothing inside", vec![with(16, &[0, 20])]),
        case("IPv4 cut short", (15..34).map(|len| four[..len].to_vec()).collect()),
        case("IPv6 with version 5", vec![set(&six, 14, &[0x55])]),
        case("IPv6 longer than the frame", vec![set(&six, 18, &[1, 0])]),
        case("IPv6 with length 0", vec![set(&six, 18, &[0, 0])]),
        case("IPv6 with next header none", vec![set(&six, 18, &[0, 0, 59])]),
        case("IPv6 cut short", (15..54).map(|len| six[..len].to_vec()).collect()),
        case("IPv4 in an IPv6 frame", vec![set(&four, 12, &[0x86, 0xdd])]),
    ]
}

/// What the link header says.
fn links() -> Vec<Case> {
    let (four, six) = (datagram(V4, 100), datagram(V6, 100));
    let to = |frame: &[u8], mac: MacAddr| vec![set(frame, 0, &mac.0)];
    let from = |mac: [u8; 6]| vec![set(&four, 6, &mac)];
    vec![
        case("to another station", to(&four, MacAddr([2, 0, 0, 0, 9, 9]))),
        case("to everybody's link address", to(&four, MacAddr::BROADCAST)),
        case("to everybody's link address, IPv6", to(&six, MacAddr::BROADCAST)),
        case("to a group's link address", to(&four, group_mac("239.1.1.1"))),
        case("to a group's link address, IPv6", to(&six, group_mac("ff05::1"))),
        case("from a group's link address", from([0x01, 0, 0x5e, 1, 1, 1])),
        case("from the link address zero", from([0; 6])),
        case("from the router's own link address", from(ROUTER.0)),
        case("tagged", vec![tag(&four, 0x8100, 5)]),
        case("tagged with a priority only", vec![tag(&four, 0x8100, 0xe000)]),
        case("an unknown EtherType", vec![set(&four, 12, &[0x88, 0xb5])]),
    ]
}

/// IPv4 options and IPv6 extension headers.
fn extensions() -> Vec<Case> {
    let (four, six) = (datagram(V4, 100), datagram(V6, 100));
    let options = |bytes: [u8; 8]| vec![v4(&four, |ip| ip.options = bytes.into())];
    let extended = |kind, bytes: &[u8]| vec![extend(&six, kind, bytes)];
    let pad_n = [0, 0, 1, 4, 0, 0, 0, 0];
    vec![
        case("options: no operation", options([1; 8])),
        case("options: end of list", options([0; 8])),
        case("options: an unknown one", options([0x9e, 6, 1, 2, 3, 4, 1, 0])),
        case("options: record route", options([7, 7, 4, 0, 0, 0, 0, 0])),
        case("options: record route, full", options([7, 7, 8, 9, 9, 9, 9, 0])),
        case("options: timestamp", options([68, 8, 5, 0, 0, 0, 0, 0])),
        case("options: loose source route", options([131, 7, 8, 9, 9, 9, 9, 0])),
        case("options: router alert", options([148, 4, 0, 0, 1, 1, 1, 1])),
        case("options: malformed", options([7, 200, 4, 0, 0, 0, 0, 0])),
        case("extension: hop-by-hop, padding", extended(0, &pad_n)),
        case("extension: hop-by-hop, router alert", extended(0, &[0, 0, 5, 2, 0, 0, 1, 0])),
        case("extension: hop-by-hop, unknown, skip", extended(0, &[0, 0, 0x1e, 4, 0, 0, 0, 0])),
        case("extension: hop-by-hop, unknown, discard", extended(0, &[0, 0, 0x5e, 4, 0, 0, 0, 0])),
        case("extension: hop-by-hop, unknown, report", extended(0, &[0, 0, 0x9e, 4, 0, 0, 0, 0])),
        case(
            "extension: hop-by-hop not in front",
            vec![extend(&extend(&six, 0, &pad_n), 60, &pad_n)],
        ),
        case("extension: destination options", extended(60, &pad_n)),
        case("extension: routing, type 0", extended(43, &[0, 2, 0, 1, 0, 0, 0, 0])),
        case("extension: routing, type 4", extended(43, &[0, 0, 4, 0, 0, 0, 0, 0])),
        case("extension: authentication", extended(51, &[0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])),
        case("extension: longer than the packet", extended(60, &[0, 200, 1, 4, 0, 0, 0, 0])),
        case("extension: an atomic fragment", extended(44, &[0, 0, 0, 0, 0, 0, 0, 1])),
    ]
}
