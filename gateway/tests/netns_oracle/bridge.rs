//! What comes to a bridge of four ports, the last with an IP MTU of 1000.

use gateway::packet::MacAddr;

use crate::compare::{Arrival, Case, case};
use crate::edit::{fragments, fragments6, pad, set, tag, udp_checksum, v4};
use crate::frames::{Udp, experimental, group_mac};
use crate::trains::trains;

/// The configuration of the gateway.
pub(crate) fn configuration() -> String {
    let device = "device = \"net_null3\"\n";
    let plain = crate::harness::bridge(4, "");
    plain.replace(device, &format!("{device}mtu = 1000\n"))
}

/// A station.
fn mac(number: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 3, number])
}

/// A datagram from station 1 to `dst_mac`.
fn datagram(dst_mac: MacAddr, src: &str, dst: &str, len: usize) -> Vec<u8> {
    numbered(dst_mac, src, dst, 0x5a, len)
}

/// The same, told apart by its number.
fn numbered(dst_mac: MacAddr, src: &str, dst: &str, number: usize, len: usize) -> Vec<u8> {
    let udp = Udp { src_mac: mac(1), dst_mac, src, dst, ports: (4000, 5000), ttl: 64 };
    udp.frame(&vec![number as u8; len])
}

fn to_station(len: usize) -> Vec<u8> {
    datagram(mac(2), "10.0.0.1", "10.0.0.2", len)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = stations();
    cases.extend(addresses());
    cases.extend(kinds());
    cases.extend(tags());
    cases.extend(lengths());
    let v4_train = |number: usize, len: usize| {
        let frame = numbered(mac(2), "10.0.0.1", "10.0.0.2", number, len);
        v4(&frame, |ip| ip.identification = number as u16)
    };
    let v6_train = |number, len| numbered(mac(2), "fd00::1", "fd00::2", number, len);
    cases.extend(trains("IPv4", &v4_train));
    cases.extend(trains("IPv6", &v6_train));
    let tagged = (0..20).map(|n| tag(&v4_train(n, 700), 0x8100, 0x6005)).collect();
    cases.push(case("IPv4 train, tagged", tagged));
    let twice = |n| tag(&tag(&v4_train(n, 700), 0x8100, 9), 0x88a8, 5);
    cases.push(case("IPv4 train, tagged twice", (0..20).map(twice).collect()));
    let group = |n: usize| datagram(group_mac("ff02::fb"), "fe80::1", "ff02::fb", [91, 62][n % 2]);
    cases.push(case("mDNS pair", vec![group(0), group(1)]));
    cases
}

/// Who is where.
fn stations() -> Vec<Case> {
    let from = |number: u8, to: u8| experimental(mac(number), mac(to));
    let named = |name: &str, arrivals: Vec<Arrival>| Case { name: name.into(), arrivals };
    vec![
        named("a known station", vec![(1, from(12, 11)), (0, from(11, 12)), (1, from(12, 11))]),
        named("an unknown station", vec![(0, from(13, 14)), (2, from(14, 13))]),
        named(
            "a station that moves",
            vec![(1, from(22, 21)), (0, from(21, 22)), (2, from(22, 21)), (0, from(21, 22))],
        ),
        named(
            "a station on the port it is asked from",
            vec![(0, from(31, 99)), (0, from(32, 31)), (0, from(31, 32))],
        ),
        named("a frame to its own sender", vec![(0, from(41, 41))]),
        named("to everybody", vec![(2, experimental(mac(51), MacAddr::BROADCAST))]),
    ]
}

/// Link addresses that mean something.
fn addresses() -> Vec<Case> {
    let mut cases = Vec::new();
    for last in 0..=0x11_u8 {
        let dst = MacAddr([0x01, 0x80, 0xc2, 0, 0, last]);
        cases.push(case(format!("to 01:80:c2:00:00:{last:02x}"), vec![experimental(mac(1), dst)]));
    }
    let from = |src| vec![experimental(MacAddr(src), mac(2))];
    cases.extend([
        case("from a group address", from([0x01, 0, 0x5e, 1, 1, 1])),
        case("from the broadcast address", from([0xff; 6])),
        case("from the address zero", from([0; 6])),
        case("to the address zero", vec![experimental(mac(1), MacAddr([0; 6]))]),
    ]);
    for group in ["224.0.0.1", "224.0.0.251", "239.1.1.1", "239.255.255.250"] {
        let frame = datagram(group_mac(group), "10.0.0.1", group, 200);
        cases.push(case(format!("group {group}"), vec![frame]));
    }
    for group in ["ff02::1", "ff02::fb", "ff05::2", "ff3e::99"] {
        let frame = datagram(group_mac(group), "fd00::1", group, 200);
        cases.push(case(format!("group {group}"), vec![frame]));
    }
    cases
}

/// Whatever is inside passes.
fn kinds() -> Vec<Case> {
    let plain = to_station(300);
    let other = |kind: [u8; 2]| set(&plain, 12, &kind);
    let options = v4(&plain, |ip| ip.options = [7, 7, 4, 0, 0, 0, 0, 0].into()); // record route
    vec![
        case("bad IPv4 checksum", vec![set(&plain, 24, &[0x12, 0x34])]),
        case("bad UDP checksum", vec![udp_checksum(&plain, |sum| sum ^ 1)]),
        case("UDP checksum 0", vec![udp_checksum(&plain, |_| 0)]),
        case("TTL 0 and 1", vec![set(&plain, 22, &[0]), set(&plain, 22, &[1])]),
        case("IPv4 options", vec![options]),
        case("IPv4 fragments", fragments(&plain, 64)),
        case("IPv6 fragments", fragments6(&datagram(mac(2), "fd00::1", "fd00::2", 300), 64)),
        case("IP version 7", vec![set(&plain, 14, &[0x75])]),
        case("IP length beyond the frame", vec![set(&plain, 16, &[0x7f, 0xff])]),
        case("UDP length beyond the IP length", vec![set(&plain, 38, &[0x7f, 0xff])]),
        case("UDP length too short", vec![set(&plain, 38, &[0, 3])]),
        case("IEEE 802.3 length", vec![other([0, 0x64])]),
        case("ARP", vec![other([0x08, 0x06])]),
        case("an unknown EtherType", vec![other([0x88, 0xb5])]),
    ]
}

fn tags() -> Vec<Case> {
    let plain = to_station(300);
    vec![
        case("tagged", vec![tag(&plain, 0x8100, 0x0005)]),
        case("tagged with a priority only", vec![tag(&plain, 0x8100, 0xe000)]),
        case("VLAN 4095", vec![tag(&plain, 0x8100, 0x0fff)]),
        case("tagged for a service", vec![tag(&plain, 0x88a8, 0x0007)]),
        case("tagged twice", vec![tag(&tag(&plain, 0x8100, 9), 0x88a8, 5)]),
        case("tagged three times", vec![tag(&tag(&tag(&plain, 0x8100, 1), 0x8100, 2), 0x8100, 3)]),
        Case {
            name: "one address in two VLANs".into(),
            arrivals: vec![
                (1, tag(&experimental(mac(61), mac(62)), 0x8100, 5)),
                (2, tag(&experimental(mac(61), mac(62)), 0x8100, 6)),
                (0, tag(&experimental(mac(62), mac(61)), 0x8100, 5)),
            ],
        },
    ]
}

/// Every length there is, and those around the MTU of the last port.
fn lengths() -> Vec<Case> {
    let raw = |len: usize| {
        let head = set(&experimental(mac(1), mac(2))[..14], 12, &[0x88, 0xb5]);
        pad(&head, len, 0xc3)
    };
    let v6 = |len: usize| datagram(mac(2), "fd00::1", "fd00::2", len);
    let tagged = |len: usize| tag(&to_station(len), 0x8100, 5);
    vec![
        case("every length of UDP", (0..=1472).step_by(7).map(to_station).collect()),
        case("every short length of anything", (15..=70).map(raw).collect()),
        case("long frames of anything", (1000..=1514).step_by(31).map(raw).collect()),
        case("padding", (0..40).map(|n| pad(&to_station(n % 10), 60 + n, 0xee)).collect()),
        case("IPv4 up to the MTU", (960..=972).map(to_station).collect()),
        case("IPv4 1 to 4 bytes over the MTU", (973..=976).map(to_station).collect()),
        case("IPv4 more over the MTU", (977..=990).map(to_station).collect()),
        case("IPv6 up to the MTU", (940..=952).map(v6).collect()),
        case("IPv6 1 to 4 bytes over the MTU", (953..=956).map(v6).collect()),
        case("IPv6 more over the MTU", (957..=970).map(v6).collect()),
        case("tagged, up to the MTU", (960..=972).map(tagged).collect()),
        case("tagged, over the MTU", (973..=980).map(tagged).collect()),
        case("other kinds around the MTU", (1010..=1022).map(raw).collect()),
    ]
}
