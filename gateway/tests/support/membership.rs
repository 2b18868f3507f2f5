//! Messages of routers and hosts that no kernel here sends at our word.
#![allow(dead_code)] // every test uses a part of it

use std::net::{IpAddr, Ipv6Addr};

use etherparse::{IpNumber, Ipv6Header, PacketBuilder};
use gateway::wire::{checksum, protocol};

const SENDER: [u8; 6] = [2, 0, 0, 0, 0x78, 4];

/// RFC 1112 6.4, RFC 2464 7.
pub(crate) fn group_mac(group: IpAddr) -> [u8; 6] {
    match group {
        IpAddr::V4(v4) => {
            let [_, b, c, d] = v4.octets();
            [1, 0, 0x5e, b & 0x7f, c, d]
        }
        IpAddr::V6(v6) => {
            let [.., a, b, c, d] = v6.octets();
            [0x33, 0x33, a, b, c, d]
        }
    }
}

/// Of no protocol anybody here speaks.
pub(crate) fn broadcast() -> Vec<u8> {
    [&[0xff; 6][..], &SENDER, &[0x88, 0xb5], &[7; 46]].concat()
}

/// A router asks who listens to what: IGMPv2 or MLDv1, by the family of `like`. Answers within a
/// second.
pub(crate) fn general_query(like: &str) -> Vec<u8> {
    if like.contains(':') {
        mld(130, "fe80::1", "ff02::1")
    } else {
        igmp(&[0x11, 10, 0, 0, 0, 0, 0, 0], [224, 0, 0, 1])
    }
}

/// A host listens.
pub(crate) fn report_v2(group: [u8; 4]) -> Vec<u8> {
    let [a, b, c, d] = group;
    igmp(&[0x16, 0, 0, 0, a, b, c, d], group)
}

/// It listens no more.
pub(crate) fn leave_v2(group: [u8; 4]) -> Vec<u8> {
    let [a, b, c, d] = group;
    igmp(&[0x17, 0, 0, 0, a, b, c, d], [224, 0, 0, 2])
}

/// A host listens to 239.1.1.1, in version 3; or to nothing any more, in version 2.
pub(crate) fn to_routers() -> [Vec<u8>; 2] {
    let group = [239, 1, 1, 1];
    let report = [&[0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0][..], &group].concat();
    [igmp(&report, [224, 0, 0, 22]), leave_v2(group)]
}

/// A host listens to ff3e::1: MLDv1.
pub(crate) fn mld_report() -> Vec<u8> {
    mld(131, "fe80::1", "ff3e::1")
}

/// What no router may ask: every group of a single one's members, from afar.
pub(crate) fn bad_queries() -> [Vec<u8>; 3] {
    let general = [0x11, 10, 0, 0, 0, 0, 0, 0];
    [
        igmp(&general, [239, 1, 1, 1]),
        mld(130, "fe80::1", "ff3e::1"),
        mld(130, "2001:db8::1", "ff02::1"),
    ]
}

fn igmp(message: &[u8], to: [u8; 4]) -> Vec<u8> {
    let mut message = message.to_vec();
    let sum = checksum::checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(SENDER, group_mac(IpAddr::from(to)))
        .ipv4([10, 78, 0, 4], to, 1)
        .write(&mut frame, IpNumber(protocol::IGMP), &message)
        .unwrap();
    frame
}

fn mld(kind: u8, from: &str, to: &str) -> Vec<u8> {
    const ROUTER_ALERT: [u8; 8] = [protocol::ICMPV6, 0, 5, 2, 0, 0, 1, 0];
    let [from, to] = [from, to].map(|text| text.parse::<Ipv6Addr>().unwrap());
    let mut message = [0; 24];
    message[0] = kind;
    message[4..6].copy_from_slice(&1000_u16.to_be_bytes());
    if kind != 130 {
        message[8..].copy_from_slice(&to.octets());
    }
    let sum = checksum::pseudo_v6(from.octets(), to.octets(), protocol::ICMPV6, 24);
    let sum = sum.bytes(&message).checksum();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let payload = [&ROUTER_ALERT[..], &message].concat();
    // etherparse writes no extension headers of a builder.
    let header = Ipv6Header {
        payload_length: payload.len() as u16,
        next_header: IpNumber(protocol::HOP_BY_HOP),
        hop_limit: 1,
        source: from.octets(),
        destination: to.octets(),
        ..Ipv6Header::default()
    };
    let ethernet = [&group_mac(to.into())[..], &SENDER, &[0x86, 0xdd]].concat();
    [&ethernet[..], &header.to_bytes(), &payload].concat()
}
