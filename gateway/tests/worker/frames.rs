//! Frames by etherparse, an independent builder.

use etherparse::{IpNumber, PacketBuilder};
use gateway::packet::MacAddr;

pub struct Udp<'a> {
    pub src_mac: MacAddr,
    pub dst_mac: MacAddr,
    pub src: &'a str,
    pub dst: &'a str,
    pub ports: (u16, u16),
    pub ttl: u8,
}

impl Udp<'_> {
    pub fn frame(&self, payload: &[u8]) -> Vec<u8> {
        let ethernet = PacketBuilder::ethernet2(self.src_mac.0, self.dst_mac.0);
        let ip = match (self.src.parse().unwrap(), self.dst.parse().unwrap()) {
            (core::net::IpAddr::V4(s), core::net::IpAddr::V4(d)) => {
                ethernet.ipv4(s.octets(), d.octets(), self.ttl)
            }
            (core::net::IpAddr::V6(s), core::net::IpAddr::V6(d)) => {
                ethernet.ipv6(s.octets(), d.octets(), self.ttl)
            }
            _ => panic!("mixed families"),
        };
        let mut frame = Vec::new();
        ip.udp(self.ports.0, self.ports.1).write(&mut frame, payload).unwrap();
        frame
    }
}

/// So many datagrams to 239.1.1.1, told apart by their payload.
pub fn stream(count: u8, payload: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| to_a_group().frame(&vec![n; payload])).collect()
}

/// To everybody in a bridge where nobody has joined.
pub fn to_a_group() -> Udp<'static> {
    Udp {
        src_mac: MacAddr([2, 0, 0, 0, 9, 1]),
        dst_mac: group_mac("239.1.1.1"),
        src: "10.0.0.1",
        dst: "239.1.1.1",
        ports: (5000, 5000),
        ttl: 4,
    }
}

/// The group's Ethernet address (RFC 1112 6.4, RFC 2464 7).
pub fn group_mac(group: &str) -> MacAddr {
    match group.parse().unwrap() {
        core::net::IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            MacAddr([0x01, 0x00, 0x5e, b & 0x7f, c, d])
        }
        core::net::IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            MacAddr([0x33, 0x33, a, b, c, d])
        }
    }
}

/// A frame of no UDP at all.
pub fn experimental(src_mac: MacAddr, dst_mac: MacAddr) -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(src_mac.0, dst_mac.0)
        .ipv4([10, 0, 0, 2], [10, 1, 0, 2], 9)
        .write(&mut frame, IpNumber(253), &[1; 30])
        .unwrap();
    frame
}

/// The datagram a router must send for `frame`: new addresses, one hop less, checksum anew by
/// etherparse.
pub fn routed(frame: &[u8], src_mac: MacAddr, dst_mac: MacAddr) -> Vec<u8> {
    let mut out = frame.to_vec();
    out[..6].copy_from_slice(&dst_mac.0);
    out[6..12].copy_from_slice(&src_mac.0);
    match out[12..14] {
        [0x08, 0x00] => {
            let (mut header, _) = etherparse::Ipv4Header::from_slice(&out[14..]).unwrap();
            header.time_to_live -= 1;
            header.header_checksum = header.calc_header_checksum();
            let bytes = header.to_bytes();
            out[14..14 + bytes.len()].copy_from_slice(&bytes);
        }
        [0x86, 0xdd] => out[21] -= 1,
        _ => panic!("not IP"),
    }
    out
}
