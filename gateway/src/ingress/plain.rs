//! The short cut for what nearly all frames of a UDP gateway are: one datagram, untagged, whole, in
//! one piece, with nothing about it that needs a second look.
//!
//! *Invariant:* it knows less than `parse_any` and nothing else: what it returns, that returns too.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::packet::{Coalesce, FrameInfo, Network, PortId, RxChecksum};
use crate::wire::{Ethernet, Ipv4, Ipv6, Udp, ethertype, protocol, view};

/// Headers without tags, options or extension headers: one length check for all of them.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Plain<Ip> {
    pub(super) ethernet: Ethernet,
    pub(super) ip: Ip,
    pub(super) udp: Udp,
}

/// What [`parse`](super::parse) says of a plain [`Coalesce::Candidate`]; `None` for a frame that is
/// something else, or may be.
#[inline]
pub fn parse_plain(
    port: PortId,
    head: &[u8],
    frame_len: usize,
    checksum: RxChecksum,
) -> Option<FrameInfo> {
    let Plain { ethernet, ip, udp } = view::<Plain<Ipv4>>(head, 0)?;
    let info = if ethernet.ethertype == ethertype::IPV4 {
        let ip_len = usize::from(ip.total_len.get());
        let info = describe(ethertype::IPV4, Network::Ipv4, Ipv4::LEN, ip_len);
        (is_plain_ipv4(ip) & fills(udp, &info)).then_some(info)?
    } else {
        let Plain { ethernet, ip, udp } = view::<Plain<Ipv6>>(head, 0)?;
        let ip_len = Ipv6::LEN + usize::from(ip.payload_len.get());
        let info = describe(ethertype::IPV6, Network::Ipv6, Ipv6::LEN, ip_len);
        let is_ipv6 = ethernet.ethertype == ethertype::IPV6;
        (is_ipv6 & is_plain_ipv6(ip) & fills(udp, &info)).then_some(info)?
    };
    let is_whole = (info.frame_len as usize == frame_len) & (head.len() <= frame_len);
    (is_whole & (checksum != RxChecksum::Bad)).then_some(FrameInfo { port, ..info })
}

/// A candidate with this IP header and an IP packet of `ip_len` bytes.
#[inline]
pub(super) fn describe(
    ethertype: u16,
    network: Network,
    ip_header_len: usize,
    ip_len: usize,
) -> FrameInfo {
    FrameInfo {
        port: PortId(0),
        frame_len: (Ethernet::LEN + ip_len) as u32,
        l2_len: Ethernet::LEN as u8,
        tags: 0,
        vlan: 0,
        ethertype,
        network,
        l4_offset: (Ethernet::LEN + ip_header_len) as u16,
        ip_len: ip_len as u32,
        protocol: protocol::UDP,
        coalesce: Coalesce::Candidate,
    }
}

/// Whether the datagram has payload, a checksum, and exactly the length of the IP payload.
#[inline]
pub(super) fn fills(udp: &Udp, info: &FrameInfo) -> bool {
    let udp_len = u32::from(udp.len.get());
    let ip_header_len = u32::from(info.l4_offset) - Ethernet::LEN as u32;
    (ip_header_len + udp_len == info.ip_len) & (udp_len > Udp::LEN as u32) & (udp.checksum != 0)
}

/// UDP, no options, no fragment, no reserved bit, a right checksum.
#[inline]
fn is_plain_ipv4(ip: &Ipv4) -> bool {
    (ip.version_ihl == 0x45)
        & (ip.protocol == protocol::UDP)
        & (ip.flags_offset.get() & !Ipv4::DONT_FRAGMENT == 0)
        && ip.checksum_is_valid()
}

/// UDP, no extension headers.
#[inline]
fn is_plain_ipv6(ip: &Ipv6) -> bool {
    (ip.version() == 6) & (ip.next_header == protocol::UDP)
}
