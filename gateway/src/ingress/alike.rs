//! The short cut for a datagram that follows another of its train: its headers are compared with
//! that one's, a few words at once. What may differ is identification, checksums and payload.
//!
//! *Invariant:* it knows less than `parse_any` and nothing else: where it says yes, that says the
//! same of both frames.

use crate::packet::{Coalesce, FrameInfo, Network, PortId, RxChecksum};

/// Headers up to the UDP checksum, without and with one tag.
const V4: usize = 42;
const V4_TAGGED: usize = 46;
const V6: usize = 62;
const V6_TAGGED: usize = 66;

/// Whether a frame is a candidate that differs from the candidate `previous`, whose frame begins
/// with `before`, in no more than identification, checksums and payload.
/// [`parse`](super::parse) then says `previous` of it, too.
#[inline]
pub fn is_alike(
    port: PortId,
    previous: &FrameInfo,
    before: &[u8],
    head: &[u8],
    frame_len: usize,
    checksum: RxChecksum,
) -> bool {
    let is_whole = (previous.frame_len as usize == frame_len) & (head.len() <= frame_len);
    let is_candidate = (previous.coalesce == Coalesce::Candidate) & (checksum != RxChecksum::Bad);
    if !is_whole | !is_candidate | (previous.port != port) {
        return false;
    }
    let equal = match (previous.network, previous.l2_len, previous.l4_offset) {
        (Network::Ipv4, 14, 34) => equal_v4::<V4>(before, head),
        (Network::Ipv4, 18, 38) => equal_v4::<V4_TAGGED>(before, head),
        (Network::Ipv6, 14, 54) => equal_v6::<V6>(before, head),
        (Network::Ipv6, 18, 58) => equal_v6::<V6_TAGGED>(before, head),
        _ => None,
    };
    equal == Some(true)
}

/// For headers of `N` bytes that end with IPv4 and UDP.
#[inline]
fn equal_v4<const N: usize>(before: &[u8], head: &[u8]) -> Option<bool> {
    let (before, head) = (before.first_chunk::<N>()?, head.first_chunk::<N>()?);
    // Of the IPv4 header the identification and the checksum, and the UDP checksum.
    let own = const { mask::<N, 6>([N - 24, N - 23, N - 18, N - 17, N - 2, N - 1]) };
    // What is equal adds up to the same, so if the checksum was right, it is right as long as these
    // two words add up to the same as well.
    let sum = |bytes: &[u8; N]| {
        let sum = pair(bytes, N - 24) + pair(bytes, N - 18);
        (sum & 0xffff) + (sum >> 16)
    };
    Some(equal_but(before, head, &own) & (sum(before) == sum(head)))
}

/// For headers of `N` bytes that end with IPv6 and UDP.
#[inline]
fn equal_v6<const N: usize>(before: &[u8], head: &[u8]) -> Option<bool> {
    let (before, head) = (before.first_chunk::<N>()?, head.first_chunk::<N>()?);
    Some(equal_but(before, head, &const { mask::<N, 2>([N - 2, N - 1]) }))
}

/// Whether those bytes that count are equal, and the last two, the UDP checksum, say that there is
/// one.
#[inline]
fn equal_but<const N: usize>(one: &[u8; N], other: &[u8; N], mask: &[u8; N]) -> bool {
    let differ = |at| (word(one, at) ^ word(other, at)) & word(mask, at);
    let mut differing = differ(N - 8);
    let mut at = 0;
    while at + 8 < N {
        differing |= differ(at);
        at += 8;
    }
    (differing == 0) & (pair(other, N - 2) != 0)
}

#[inline]
fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    bytes[at..].first_chunk::<8>().map_or(0, |chunk| u64::from_ne_bytes(*chunk))
}

#[inline]
fn pair<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]]).into()
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
