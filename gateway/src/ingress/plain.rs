//! The short cut for what nearly all frames of a UDP gateway are: one datagram, untagged, whole, in
//! one piece, with nothing about it that needs a second look.
//!
//! *Invariant:* it knows less than `parse_any` and nothing else: what it says, that says too.

use crate::packet::{Coalesce, FrameInfo, Network, PortId, RxChecksum};
use crate::wire::{Ethernet, Ipv4, Ipv6, Plain, PlainIp, Udp, VlanTag, ethertype, protocol, view};

/// An IP header that ingress can tell to be plain.
pub trait PlainHeader: PlainIp {
    /// Which it is.
    const NETWORK: Network;

    /// UDP, no options or extension headers, no fragment, no reserved bit, a right checksum.
    fn is_plain(&self) -> bool;
}

impl PlainHeader for Ipv4 {
    const NETWORK: Network = Network::Ipv4;

    #[inline]
    fn is_plain(&self) -> bool {
        (self.version_ihl == 0x45)
            & (self.protocol == protocol::UDP)
            & (self.flags_offset.get() & !Self::DONT_FRAGMENT == 0)
            && self.checksum_is_valid()
    }
}

impl PlainHeader for Ipv6 {
    const NETWORK: Network = Network::Ipv6;

    #[inline]
    fn is_plain(&self) -> bool {
        (self.version() == 6) & (self.next_header == protocol::UDP)
    }
}

/// Whether a frame of `frame_len` bytes that begins with these headers is a plain datagram: one that
/// has payload, a checksum, and exactly the length of the frame. Of such a one [`parse`](super::parse)
/// says that it is a [`Coalesce::Candidate`], unless its port says that the checksum is wrong.
#[inline]
pub fn is_plain<Ip: PlainHeader>(headers: &Plain<Ip>, frame_len: usize) -> bool {
    let Plain { ethernet, ip, udp } = headers;
    let udp_len = usize::from(udp.len.get());
    (ethernet.ethertype.get() == Ip::ETHERTYPE)
        & (Ethernet::LEN + ip.packet_len() == frame_len)
        & (size_of::<Ip>() + udp_len == ip.packet_len())
        & (udp_len > Udp::LEN)
        & (udp.checksum.get() != 0)
        && ip.is_plain()
}

/// The VLAN of a frame in one piece with one tag or none (0) that is a plain datagram, and where its IP
/// header begins; `None` for everything else. Of such a one, too, [`parse`](super::parse) says that it
/// is a [`Coalesce::Candidate`], unless its port says that the checksum is wrong.
#[inline]
pub fn plain_in_vlan(frame: &[u8]) -> Option<(u16, usize)> {
    if view::<Ethernet>(frame, 0)?.ethertype != ethertype::VLAN {
        return is_plain_frame(frame).then_some((0, Ethernet::LEN));
    }
    let tag: &VlanTag = view(frame, Ethernet::LEN)?;
    // Behind a tag everything is as without one, the type behind it included.
    let untagged = frame.get(VlanTag::LEN..)?;
    is_plain_frame(untagged).then_some((tag.id(), Ethernet::LEN + VlanTag::LEN))
}

#[inline]
fn is_plain_frame(frame: &[u8]) -> bool {
    let v4 = |headers: &Plain<Ipv4>| is_plain(headers, frame.len());
    let v6 = |headers: &Plain<Ipv6>| is_plain(headers, frame.len());
    view(frame, 0).is_some_and(v4) || view(frame, 0).is_some_and(v6)
}

/// What [`parse`](super::parse) says of a plain datagram; `None` for a frame that is something else,
/// or may be.
#[inline]
pub(super) fn parse_plain(
    port: PortId,
    head: &[u8],
    frame_len: usize,
    checksum: RxChecksum,
) -> Option<FrameInfo> {
    if (head.len() > frame_len) | (checksum == RxChecksum::Bad) {
        return None;
    }
    parse_as::<Ipv4>(port, head, frame_len).or_else(|| parse_as::<Ipv6>(port, head, frame_len))
}

#[inline]
fn parse_as<Ip: PlainHeader>(port: PortId, head: &[u8], frame_len: usize) -> Option<FrameInfo> {
    let headers: &Plain<Ip> = view(head, 0)?;
    is_plain(headers, frame_len).then(|| FrameInfo {
        port,
        frame_len: frame_len as u32,
        l2_len: Ethernet::LEN as u8,
        tags: 0,
        vlan: 0,
        ethertype: Ip::ETHERTYPE,
        network: Ip::NETWORK,
        l4_offset: (Ethernet::LEN + size_of::<Ip>()) as u16,
        ip_len: headers.ip.packet_len() as u32,
        protocol: protocol::UDP,
        coalesce: Coalesce::Candidate,
    })
}
