//! The short cut for datagrams that follow another of their train: their headers are compared with
//! that one's, a few words at once. What may differ is identification, checksums and payload.
//!
//! *Invariant:* it knows less than `parse_any` and nothing else: of frames that it counts, that says
//! the same.

use crate::packet::{Coalesce, FrameInfo, Network, PacketBuf, PortId, RxChecksum};

/// Headers up to the UDP checksum, without and with one tag.
const V4: usize = 42;
const V4_TAGGED: usize = 46;
const V6: usize = 62;
const V6_TAGGED: usize = 66;

/// How many of these frames, one after the other, are candidates that differ from the candidate
/// `previous`, whose frame begins with `before`, in no more than identification, checksums and
/// payload. [`parse`](super::parse) says `previous` of each of them. `goes_on` is asked about the
/// identification of each, 0 for IPv6; the first that it refuses ends the count.
#[inline]
pub fn count_alike<B: PacketBuf>(
    port: PortId,
    previous: &FrameInfo,
    before: &[u8],
    frames: &[B],
    goes_on: impl FnMut(u16) -> bool,
) -> usize {
    if (previous.coalesce != Coalesce::Candidate) | (previous.port != port) {
        return 0;
    }
    let len = previous.frame_len as usize;
    match (previous.network, previous.l2_len, previous.l4_offset) {
        (Network::Ipv4, 14, 34) => count::<V4, B>(before, len, frames, equal_v4, goes_on),
        (Network::Ipv4, 18, 38) => count::<V4_TAGGED, B>(before, len, frames, equal_v4, goes_on),
        (Network::Ipv6, 14, 54) => count::<V6, B>(before, len, frames, equal_v6, goes_on),
        (Network::Ipv6, 18, 58) => count::<V6_TAGGED, B>(before, len, frames, equal_v6, goes_on),
        _ => 0,
    }
}

/// For headers of `N` bytes; `equal` gives the identification of headers that are alike. Kept out of
/// line, so that what it compares with has registers.
#[inline(never)]
fn count<const N: usize, B: PacketBuf>(
    before: &[u8],
    len: usize,
    frames: &[B],
    equal: impl Fn(&[u8; N], &[u8; N]) -> Option<u16>,
    mut goes_on: impl FnMut(u16) -> bool,
) -> usize {
    let Some(before) = before.first_chunk() else { return 0 };
    let joins = |frame: &&B| {
        let is_whole = (frame.frame_len() == len) & (frame.head().len() <= len);
        let is_good = frame.rx_checksum() != RxChecksum::Bad;
        let identification = frame.head().first_chunk().and_then(|head| equal(before, head));
        is_whole & is_good && identification.is_some_and(&mut goes_on)
    };
    frames.iter().take_while(joins).count()
}

/// For headers that end with IPv4 and UDP.
#[inline]
fn equal_v4<const N: usize>(before: &[u8; N], head: &[u8; N]) -> Option<u16> {
    // Identification and checksum of the IPv4 header.
    let own = const { mask::<N, 4>([N - 24, N - 23, N - 18, N - 17]) };
    // What is equal adds up to the same, so if the checksum was right, it is right as long as these
    // two words add up to the same as well.
    let sum = |bytes: &[u8; N]| {
        let sum = u32::from(pair(bytes, N - 24)) + u32::from(pair(bytes, N - 18));
        (sum & 0xffff) + (sum >> 16)
    };
    let equal = equal_but(before, head, &own) & (sum(before) == sum(head));
    equal.then(|| u16::from_be(pair(head, N - 24)))
}

/// For headers that end with IPv6 and UDP.
#[inline]
fn equal_v6<const N: usize>(before: &[u8; N], head: &[u8; N]) -> Option<u16> {
    equal_but(before, head, &const { mask::<N, 0>([]) }).then_some(0)
}

/// Whether those bytes that count are equal up to the UDP checksum, the last two, which says that there
/// is one.
#[inline]
fn equal_but<const N: usize>(one: &[u8; N], other: &[u8; N], mask: &[u8; N]) -> bool {
    let differ = |at| (word(one, at) ^ word(other, at)) & word(mask, at);
    let mut differing = differ(N - 10);
    let mut at = 0;
    while at + 10 < N {
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
fn pair<const N: usize>(bytes: &[u8; N], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
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
