//! The short cut for a datagram that follows another of its train: its headers are compared with
//! that one's, a few words at once, and only what differs from datagram to datagram is looked at.
//!
//! *Invariant:* it knows less than `parse_any` and nothing else: what it returns, that returns too,
//! and gave for the datagram before as well, but for the lengths.

use super::plain::{Plain, describe, fills};
use crate::packet::{Coalesce, FrameInfo, Network, PortId, RxChecksum};
use crate::wire::{Ipv4, Ipv6, ethertype, view};

/// The headers up to the UDP checksum, and what of them datagrams of a train need not share:
/// IPv4 total length, identification and checksum, UDP length.
const V4_LEN: usize = 40;
const V4_OWN: [usize; 8] = [16, 17, 18, 19, 24, 25, 38, 39];
/// The same for IPv6, up to the UDP length: payload length.
const V6_LEN: usize = 58;
const V6_OWN: [usize; 2] = [18, 19];

/// What [`parse`](super::parse) says of a frame, if it is a candidate whose headers are, but for
/// lengths, identification and checksums, those of the candidate that begins with `before` and came
/// in by the same port.
#[inline]
pub fn parse_alike(
    port: PortId,
    previous: &FrameInfo,
    before: &[u8],
    head: &[u8],
    frame_len: usize,
    checksum: RxChecksum,
) -> Option<FrameInfo> {
    if previous.coalesce != Coalesce::Candidate || previous.tags != 0 || previous.port != port {
        return None;
    }
    let info = match (previous.network, previous.l4_offset) {
        (Network::Ipv4, 34) => {
            let Plain { ip, udp, .. } = view::<Plain<Ipv4>>(head, 0)?;
            let ip_len = usize::from(ip.total_len.get());
            let info = describe(ethertype::IPV4, Network::Ipv4, Ipv4::LEN, ip_len);
            let same = differ::<V4_LEN>(before, head, &const { mask(V4_OWN) })? == 0;
            (same & fills(udp, &info) && ip.checksum_is_valid()).then_some(info)?
        }
        (Network::Ipv6, 54) => {
            let Plain { ip, udp, .. } = view::<Plain<Ipv6>>(head, 0)?;
            let ip_len = Ipv6::LEN + usize::from(ip.payload_len.get());
            let info = describe(ethertype::IPV6, Network::Ipv6, Ipv6::LEN, ip_len);
            let same = differ::<V6_LEN>(before, head, &const { mask(V6_OWN) })? == 0;
            (same & fills(udp, &info)).then_some(info)?
        }
        _ => return None,
    };
    let is_whole = (info.frame_len as usize == frame_len) & (head.len() <= frame_len);
    (is_whole & (checksum != RxChecksum::Bad)).then_some(FrameInfo { port, ..info })
}

/// Bits in which the first `N` bytes differ, those that count.
#[inline]
fn differ<const N: usize>(one: &[u8], other: &[u8], mask: &[u8; N]) -> Option<u64> {
    let (one, other) = (one.first_chunk::<N>()?, other.first_chunk::<N>()?);
    let mut bits = 0;
    for at in (0..N).step_by(8) {
        bits |= (word(one, at) ^ word(other, at)) & word(mask, at);
    }
    Some(bits)
}

/// Up to eight bytes from `at` on.
#[inline]
fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let rest = &bytes[at..];
    match rest.first_chunk::<8>() {
        Some(chunk) => u64::from_ne_bytes(*chunk),
        None => rest.first_chunk::<2>().map_or(0, |chunk| u16::from_ne_bytes(*chunk).into()),
    }
}

/// All bytes but these count.
const fn mask<const N: usize, const OWN: usize>(own: [usize; OWN]) -> [u8; N] {
    let mut mask = [0xff; N];
    let mut index = 0;
    while index < OWN {
        mask[own[index]] = 0;
        index += 1;
    }
    mask
}
