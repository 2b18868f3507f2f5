//! A whole frame, read with etherparse as far as it can be read.

use core::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{
    Ethernet2Slice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, SingleVlanSlice,
};

use crate::packet::ones_complement;
use crate::world::Mac;

pub(crate) struct Frame<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) dst: Mac,
    pub(crate) src: Mac,
    /// Kind and contents; two at most, a third is payload.
    pub(crate) tags: Vec<(u16, u16)>,
    pub(crate) ethertype: u16,
    /// Where what is behind the tags begins.
    pub(crate) l3: usize,
    pub(crate) net: Net,
}

pub(crate) enum Net {
    V4(V4),
    V6(V6),
    Arp(Arp),
    BadArp,
    /// Announced as IP, with impossible version or lengths.
    BadIp,
    Other,
}

pub(crate) struct V4 {
    pub(crate) src: Ipv4Addr,
    pub(crate) dst: Ipv4Addr,
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    pub(crate) header_len: usize,
    pub(crate) ip_len: usize,
    pub(crate) df: bool,
    /// In bytes.
    pub(crate) offset: usize,
    pub(crate) more: bool,
    pub(crate) checksum_is_right: bool,
}

pub(crate) struct V6 {
    pub(crate) src: Ipv6Addr,
    pub(crate) dst: Ipv6Addr,
    pub(crate) hops: u8,
    pub(crate) ip_len: usize,
    /// What is directly behind the IPv6 header.
    pub(crate) next: u8,
    /// What is behind the extension headers, where, and whether that is the start of it.
    pub(crate) upper: u8,
    pub(crate) l4: usize,
    pub(crate) reach: Reach,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    Whole,
    FirstFragment,
    LaterFragment,
    /// An extension header could not be passed.
    Lost,
}

pub(crate) struct Arp {
    pub(crate) operation: u16,
    pub(crate) sender_mac: Mac,
    pub(crate) sender: Ipv4Addr,
    pub(crate) target: Ipv4Addr,
}

impl<'a> Frame<'a> {
    /// `None`: too short for Ethernet.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let ethernet = Ethernet2Slice::from_slice_without_fcs(bytes).ok()?;
        let mut frame = Self {
            bytes,
            dst: ethernet.destination(),
            src: ethernet.source(),
            tags: vec![],
            ethertype: ethernet.ether_type().0,
            l3: 14,
            net: Net::Other,
        };
        while matches!(frame.ethertype, 0x8100 | 0x88a8 | 0x9100) && frame.tags.len() < 2 {
            let Ok(tag) = SingleVlanSlice::from_slice(&bytes[frame.l3..]) else { break };
            let tci = u16::from_be_bytes([bytes[frame.l3], bytes[frame.l3 + 1]]);
            frame.tags.push((frame.ethertype, tci));
            frame.ethertype = tag.ether_type().0;
            frame.l3 += 4;
        }
        let rest = &bytes[frame.l3..];
        frame.net = match frame.ethertype {
            0x0800 => read_v4(rest).map_or(Net::BadIp, Net::V4),
            0x86dd => read_v6(rest, frame.l3).map_or(Net::BadIp, Net::V6),
            0x0806 => read_arp(rest).map_or(Net::BadArp, Net::Arp),
            _ => Net::Other,
        };
        Some(frame)
    }

    /// The VLAN that a bridge learns in.
    pub(crate) fn vlan(&self) -> u16 {
        self.tags.first().map_or(0, |tag| tag.1 & 0x0fff)
    }

    pub(crate) fn is_to_group(&self) -> bool {
        self.dst[0] & 1 == 1
    }

    /// The IP packet, without what is behind it.
    pub(crate) fn ip(&self, ip_len: usize) -> &'a [u8] {
        &self.bytes[self.l3..self.l3 + ip_len]
    }
}

fn read_v4(rest: &[u8]) -> Option<V4> {
    let header = Ipv4HeaderSlice::from_slice(rest).ok()?;
    let (header_len, ip_len) = (header.slice().len(), usize::from(header.total_len()));
    if ip_len < header_len || ip_len > rest.len() {
        return None;
    }
    Some(V4 {
        src: header.source_addr(),
        dst: header.destination_addr(),
        ttl: header.ttl(),
        protocol: header.protocol().0,
        header_len,
        ip_len,
        df: header.dont_fragment(),
        offset: usize::from(header.fragments_offset().value()) * 8,
        more: header.more_fragments(),
        checksum_is_right: ones_complement(&[header.slice()]) == 0xffff,
    })
}

fn read_v6(rest: &[u8], l3: usize) -> Option<V6> {
    let header = Ipv6HeaderSlice::from_slice(rest).ok()?;
    let payload_len = usize::from(header.payload_length());
    let next = header.next_header();
    let payload = rest[40..].get(..payload_len)?;
    // a jumbogram (RFC 2675), longer than any frame
    if payload_len == 0 && next == IpNumber::IPV6_HEADER_HOP_BY_HOP {
        return None;
    }
    let (upper, passed, reach) = walk(next, payload);
    Some(V6 {
        src: header.source_addr(),
        dst: header.destination_addr(),
        hops: header.hop_limit(),
        ip_len: 40 + payload_len,
        next: next.0,
        upper: upper.0,
        l4: l3 + 40 + passed,
        reach,
    })
}

/// Passes extension headers; gives up behind eight of them or 512 bytes, as a router may.
fn walk(mut next: IpNumber, payload: &[u8]) -> (IpNumber, usize, Reach) {
    let mut at = 0;
    for _ in 0..8 {
        let rest = payload.get(at..).unwrap_or(&[]);
        let (behind, len) = match next.0 {
            44 => {
                let Ok(fragment) = Ipv6FragmentHeaderSlice::from_slice(rest) else {
                    return (next, at, Reach::Lost);
                };
                if at + 8 > 512 {
                    return (next, at, Reach::Lost);
                }
                let is_first = fragment.fragment_offset().value() == 0;
                let reach = if is_first { Reach::FirstFragment } else { Reach::LaterFragment };
                return (fragment.next_header(), at + 8, reach);
            }
            51 => match rest {
                [behind, units, ..] => (IpNumber(*behind), (usize::from(*units) + 2) * 4),
                _ => return (next, at, Reach::Lost),
            },
            0 | 43 | 60 | 135 | 139 | 140 => match Ipv6RawExtHeaderSlice::from_slice(rest) {
                Ok(header) => (header.next_header(), header.slice().len()),
                Err(_) => return (next, at, Reach::Lost),
            },
            _ => return (next, at, Reach::Whole),
        };
        if at + len > 512 || len > rest.len() {
            return (next, at, Reach::Lost);
        }
        (next, at) = (behind, at + len);
    }
    (next, at, Reach::Lost)
}

fn read_arp(rest: &[u8]) -> Option<Arp> {
    let message = etherparse::ArpPacketSlice::from_slice(rest).ok()?.to_packet();
    let message = message.try_eth_ipv4().ok()?;
    Some(Arp {
        operation: message.operation.0,
        sender_mac: message.sender_mac,
        sender: message.sender_ipv4.into(),
        target: message.target_ipv4.into(),
    })
}
