//! From a received frame to [`FrameInfo`]: lengths are checked here and nowhere else.
//!
//! *Invariant:* every offset of a `FrameInfo` lies inside the head piece, and so do the headers it
//! points at; no frame whatever makes [`parse`] panic or look at more than [`MAX_HEADERS`] bytes.
//! Order in GRO depends on [`Coalesce`]: what might be UDP of a held flow is never `Foreign`.
//! Absent: judging addresses (`forward`), reading payload but for [`udp_checksum_is_valid`].

mod alike;
mod frame;
mod ipv4;
mod ipv6;
mod layers;
mod link;
mod plain;
#[cfg(test)]
mod tests;
mod udp;
mod unfinished;

pub use alike::count_alike;
pub use plain::{PlainHeader, is_plain, plain_in_vlan};
pub use udp::udp_checksum_is_valid;
pub use unfinished::finish_checksum;

use crate::packet::{FrameInfo, Malformed, Network, PortId, RxChecksum};
use crate::wire::{Arp, Ethernet, Ipv6, MAX_EXT_LEN, VlanTag, ethertype};
use frame::Frame;
use layers::Layers;
use plain::parse_plain;

/// Bytes of a frame that decide what it is: a head piece of this length is never refused as
/// [`ParseError::Split`].
pub const MAX_HEADERS: usize =
    Ethernet::LEN + 2 * VlanTag::LEN + Ipv6::LEN + MAX_EXT_LEN + layers::MAX_TRANSPORT_LEN;

/// Why there is no [`FrameInfo`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParseError {
    /// Shorter than an Ethernet header.
    Runt,
    /// The headers, the transport header included, are not all in the head piece: make them
    /// contiguous and parse again.
    Split,
}

/// Finds out what a frame of `frame_len` bytes is, which begins with `head` (its first piece).
#[inline]
pub fn parse(
    port: PortId,
    head: &[u8],
    frame_len: usize,
    checksum: RxChecksum,
) -> Result<FrameInfo, ParseError> {
    match parse_plain(port, head, frame_len, checksum) {
        Some(info) => Ok(info),
        None => parse_any(port, head, frame_len, checksum),
    }
}

/// [`parse`] without the short cut for plain datagrams: the same results, in twice the time.
#[inline(never)]
pub fn parse_any(
    port: PortId,
    head: &[u8],
    frame_len: usize,
    checksum: RxChecksum,
) -> Result<FrameInfo, ParseError> {
    let frame = Frame::new(head, frame_len);
    let link = link::read(frame)?;
    let layers = match link.ethertype {
        ethertype::IPV4 => ipv4::read(frame, link.len, checksum)?,
        ethertype::IPV6 => ipv6::read(frame, link.len, checksum)?,
        ethertype::ARP => arp(frame, link.len)?,
        _ => Layers::foreign(Network::Other, link.len),
    };
    Ok(FrameInfo {
        port,
        frame_len: frame.len() as u32,
        l2_len: link.len as u8,
        tags: link.tags,
        vlan: link.vlan,
        ethertype: link.ethertype,
        network: layers.network,
        l4_offset: layers.l4_offset as u16,
        ip_len: layers.ip_len as u32,
        protocol: layers.protocol,
        coalesce: layers.coalesce,
    })
}

fn arp(frame: Frame<'_>, l2_len: usize) -> Result<Layers, ParseError> {
    let network = match frame.header::<Arp>(l2_len)? {
        Some(message) if message.is_ipv4_over_ethernet() => Network::Arp,
        _ => Network::Broken(Malformed::Arp),
    };
    Ok(Layers::foreign(network, l2_len))
}
