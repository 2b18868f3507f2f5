//! Header edits of a router, on bytes that one packet alone owns. The offsets come from ingress; a
//! header that does not reach as far as they say is left as it is.

use core::net::IpAddr;

use crate::packet::{Coalesce, FrameInfo, MacAddr, Network, NextHop, PacketBuf};
use crate::wire::{Ethernet, Ipv4, Ipv6, Plain, PlainIp, ethertype, view, view_mut};

/// The least length of an Ethernet frame without FCS (IEEE 802.3 3.2.7).
const MIN_FRAME: usize = 60;

/// What a router does to each datagram of a super-packet on its way to one next hop.
pub(super) struct Rewrite {
    info: FrameInfo,
    hop: NextHop,
    /// All of them have plain headers, and nothing behind the IP packet.
    plain: bool,
}

impl Rewrite {
    /// For datagrams with these offsets.
    #[inline]
    pub(super) fn new(info: &FrameInfo, hop: &NextHop) -> Self {
        let plain = (info.coalesce == Coalesce::Candidate) & (info.tags == 0);
        Self { info: *info, hop: *hop, plain }
    }

    /// Cuts what is behind the IP packet, one hop less, the new addresses.
    #[inline]
    pub(super) fn apply<B: PacketBuf>(&self, packet: &mut B) {
        if !(self.plain && rewrite_plain(packet.head_mut(), &self.hop)) {
            self.apply_with_care(packet);
        }
    }

    #[inline(never)]
    fn apply_with_care<B: PacketBuf>(&self, packet: &mut B) {
        trim_to_ip(packet, &self.info);
        decrement_ttl(packet.head_mut(), &self.info);
        set_addresses(packet.head_mut(), &self.hop);
    }
}

/// What a router does to an untagged datagram that begins with `head` and has nothing behind the IP
/// packet, on its way to a next hop; `false` (unchanged) if the headers are not all there.
#[inline]
pub fn rewrite_plain(head: &mut [u8], hop: &NextHop) -> bool {
    match view::<Ethernet>(head, 0).map(|link| link.ethertype.get()) {
        Some(ethertype::IPV4) => rewrite_as::<Ipv4>(head, hop),
        Some(ethertype::IPV6) => rewrite_as::<Ipv6>(head, hop),
        _ => false,
    }
}

#[inline]
fn rewrite_as<Ip: PlainIp>(head: &mut [u8], hop: &NextHop) -> bool {
    let Some(headers) = view_mut::<Plain<Ip>>(head, 0) else { return false };
    headers.ethernet.dst = hop.dst_mac;
    headers.ethernet.src = hop.src_mac;
    headers.ip.hop();
    true
}

/// Sets destination and source address.
#[inline]
pub fn set_addresses(head: &mut [u8], hop: &NextHop) {
    if let Some(addresses) = head.first_chunk_mut::<12>() {
        addresses[..6].copy_from_slice(&hop.dst_mac.0);
        addresses[6..].copy_from_slice(&hop.src_mac.0);
    }
}

/// Sets the destination address.
pub(super) fn set_destination(head: &mut [u8], mac: MacAddr) {
    if let Some(address) = head.first_chunk_mut::<6>() {
        *address = mac.0;
    }
}

/// The link address of the group that a routed datagram is for, which need not be the one that it
/// came to (RFC 1112 6.4: the address is a mapping of the group).
pub fn group_address(head: &[u8], info: &FrameInfo) -> Option<MacAddr> {
    let l2_len = usize::from(info.l2_len);
    let group = match info.network {
        Network::Ipv4 => IpAddr::V4(view::<Ipv4>(head, l2_len)?.dst.into()),
        Network::Ipv6 => IpAddr::V6(view::<Ipv6>(head, l2_len)?.dst.into()),
        Network::Arp | Network::Other | Network::Broken(_) => return None,
    };
    Some(MacAddr::of_group(group))
}

/// Sets the source address.
#[inline]
pub fn set_source(head: &mut [u8], mac: MacAddr) {
    if let Some(addresses) = head.first_chunk_mut::<12>() {
        addresses[6..].copy_from_slice(&mac.0);
    }
}

/// Decrements TTL (with the header checksum) or hop limit. The caller has made sure that
/// it is above 1.
#[inline]
pub fn decrement_ttl(head: &mut [u8], info: &FrameInfo) {
    let l2_len = usize::from(info.l2_len);
    match info.network {
        Network::Ipv4 => {
            if let Some(header) = view_mut::<Ipv4>(head, l2_len) {
                header.hop();
            }
        }
        Network::Ipv6 => {
            if let Some(header) = view_mut::<Ipv6>(head, l2_len) {
                header.hop();
            }
        }
        Network::Arp | Network::Other | Network::Broken(_) => {}
    }
}

/// Lets a datagram go no further than who gets it: TTL (with the header checksum) or hop limit 1.
pub fn set_last_hop(head: &mut [u8], info: &FrameInfo) {
    let l2_len = usize::from(info.l2_len);
    match info.network {
        Network::Ipv4 => {
            if let Some(ip) = view_mut::<Ipv4>(head, l2_len) {
                ip.set_ttl(1);
            }
        }
        Network::Ipv6 => {
            if let Some(ip) = view_mut::<Ipv6>(head, l2_len) {
                ip.hop_limit = 1;
            }
        }
        Network::Arp | Network::Other | Network::Broken(_) => {}
    }
}

/// Cuts what lies behind the IP packet; a frame that came padded to the Ethernet minimum keeps that
/// length, its padding zero.
#[inline]
pub fn trim_to_ip<B: PacketBuf>(packet: &mut B, info: &FrameInfo) {
    if info.trailing() != 0 {
        trim(packet, info);
    }
}

#[inline(never)]
fn trim<B: PacketBuf>(packet: &mut B, info: &FrameInfo) {
    let ip_end = usize::from(info.l2_len) + info.ip_len as usize;
    if info.frame_len as usize >= MIN_FRAME && ip_end < MIN_FRAME {
        packet.truncate(MIN_FRAME);
        if let Some(padding) = packet.head_mut().get_mut(ip_end..) {
            padding.fill(0);
        }
    } else {
        packet.truncate(ip_end);
    }
}
