//! Extension headers of IPv6 (RFC 8200 4, RFC 6564), walked up to the transport header.
//!
//! *Invariant:* a walk ends after [`MAX_EXT_HEADERS`] headers or [`MAX_EXT_LEN`] bytes, whatever
//! the packet says.

use core::fmt;

use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{protocol, view};

/// Extension headers a walk passes before it gives up.
const MAX_EXT_HEADERS: usize = 8;
/// Bytes of extension headers a walk passes before it gives up.
pub const MAX_EXT_LEN: usize = 512;

/// The first two bytes of every extension header.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Ipv6Ext {
    /// Type of what follows.
    pub next_header: u8,
    /// Length in units that depend on the type.
    pub len: u8,
}

impl Ipv6Ext {
    /// Whether `protocol` is an extension header, behind which a transport header may follow.
    #[inline]
    pub const fn announced_by(protocol: u8) -> bool {
        use protocol::{
            AH, DESTINATION_OPTIONS, FRAGMENT, HIP, HOP_BY_HOP, MOBILITY, ROUTING, SHIM6,
        };
        matches!(
            protocol,
            HOP_BY_HOP | ROUTING | FRAGMENT | AH | DESTINATION_OPTIONS | MOBILITY | HIP | SHIM6
        )
    }

    /// Bytes of this header, which is of type `kind`.
    const fn bytes(self, kind: u8) -> usize {
        match kind {
            protocol::FRAGMENT => Ipv6Fragment::LEN,
            // RFC 4302 2.2: in 4-byte units, minus 2.
            protocol::AH => (self.len as usize + 2) * 4,
            _ => (self.len as usize + 1) * 8,
        }
    }
}

impl fmt::Display for Ipv6Ext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "extension length {} next {}", self.len, self.next_header)
    }
}

/// The fragment header (RFC 8200 4.5).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Ipv6Fragment {
    /// Type of what follows in the first fragment.
    pub next_header: u8,
    /// Zero.
    pub reserved: u8,
    /// Offset in 8-byte units (13 bits), reserved (2 bits), more fragments (1 bit).
    pub offset_more: U16,
    /// Identification.
    pub id: U32,
}

impl Ipv6Fragment {
    /// Bytes of the header.
    pub const LEN: usize = size_of::<Self>();

    /// Bytes before this fragment in the datagram; 0 for the first.
    pub fn offset(&self) -> usize {
        usize::from(self.offset_more.get() & 0xfff8)
    }

    /// Whether more fragments follow.
    pub fn more(&self) -> bool {
        self.offset_more.get() & 1 != 0
    }
}

impl fmt::Display for Ipv6Fragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.more() { "+" } else { "" };
        write!(f, "fragment {}{more} id {:#x} next {}", self.offset(), self.id, self.next_header)
    }
}

/// Where a walk ended, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walk {
    /// Type of what is at `len`: not an extension header if `end` is [`WalkEnd::Transport`].
    pub protocol: u8,
    /// Bytes of the extension headers passed, at most [`MAX_EXT_LEN`].
    pub len: usize,
    /// Why it ended.
    pub end: WalkEnd,
}

/// Why a walk ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalkEnd {
    /// At the transport header. `plain`: only hop-by-hop options, routing headers and destination
    /// options were passed.
    Transport {
        /// Nothing unusual was passed.
        plain: bool,
    },
    /// Behind a fragment header; `first` if what follows is the start of the datagram's payload.
    Fragment {
        /// The fragment with offset 0.
        first: bool,
    },
    /// `bytes` ended inside an extension header.
    Truncated,
    /// Too many headers, or too long.
    TooLong,
}

/// Walks the extension headers in `bytes`, which begin with one of type `protocol`.
pub fn walk(mut protocol: u8, bytes: &[u8]) -> Walk {
    let mut len = 0;
    let mut plain = true;
    for _ in 0..MAX_EXT_HEADERS {
        if !Ipv6Ext::announced_by(protocol) {
            return Walk { protocol, len, end: WalkEnd::Transport { plain } };
        }
        let Some(header) = view::<Ipv6Ext>(bytes, len) else {
            return Walk { protocol, len, end: WalkEnd::Truncated };
        };
        let end = len + header.bytes(protocol);
        if end > MAX_EXT_LEN {
            return Walk { protocol, len, end: WalkEnd::TooLong };
        }
        if end > bytes.len() {
            return Walk { protocol, len, end: WalkEnd::Truncated };
        }
        if let (protocol::FRAGMENT, Some(fragment)) = (protocol, view::<Ipv6Fragment>(bytes, len)) {
            let first = fragment.offset() == 0;
            return Walk {
                protocol: fragment.next_header,
                len: end,
                end: WalkEnd::Fragment { first },
            };
        }
        plain &= !matches!(
            protocol,
            protocol::AH | protocol::MOBILITY | protocol::HIP | protocol::SHIM6
        );
        (protocol, len) = (header.next_header, end);
    }
    let end = if Ipv6Ext::announced_by(protocol) {
        WalkEnd::TooLong
    } else {
        WalkEnd::Transport { plain }
    };
    Walk { protocol, len, end }
}

#[cfg(test)]
mod tests {
    use etherparse::{
        IpAuthHeader, IpFragOffset, IpNumber, Ipv6ExtensionsSlice, Ipv6FragmentHeader,
        Ipv6RawExtHeader,
    };
    use proptest::prelude::*;

    use super::*;

    const UDP: u8 = protocol::UDP;

    fn raw(next: u8, payload: usize) -> Vec<u8> {
        Ipv6RawExtHeader::new_raw(IpNumber(next), &vec![1; payload]).unwrap().to_bytes().to_vec()
    }

    #[test]
    fn passes_what_etherparse_writes() {
        let bytes = [raw(60, 6), raw(43, 14), raw(UDP, 22), vec![0; 8]].concat();
        let end = WalkEnd::Transport { plain: true };
        assert_eq!(walk(0, &bytes), Walk { protocol: UDP, len: 48, end });
        assert_eq!(walk(UDP, &[]), Walk { protocol: UDP, len: 0, end });
        for cut in 0..48 {
            assert_eq!(walk(0, &bytes[..cut]).end, WalkEnd::Truncated, "{cut}");
        }
    }

    #[test]
    fn authentication_is_passed_but_not_plain() {
        let auth = IpAuthHeader::new(IpNumber::UDP, 1, 2, &[0; 12]).unwrap().to_bytes();
        let end = WalkEnd::Transport { plain: false };
        assert_eq!(walk(51, &auth), Walk { protocol: UDP, len: 24, end });
    }

    #[test]
    fn a_fragment_header_ends_the_walk() {
        for (offset, more, first) in [(0, true, true), (185, false, false), (0, false, true)] {
            let offset = IpFragOffset::try_new(offset).unwrap();
            let header = Ipv6FragmentHeader::new(IpNumber::UDP, offset, more, 9).to_bytes();
            let bytes = [raw(44, 6), header.to_vec()].concat();
            let end = WalkEnd::Fragment { first };
            assert_eq!(walk(0, &bytes), Walk { protocol: UDP, len: 16, end });
            let text = view::<Ipv6Fragment>(&bytes, 8).unwrap().to_string();
            let more = if more { "+" } else { "" };
            assert_eq!(text, format!("fragment {}{more} id 0x9 next 17", offset.value() * 8));
        }
    }

    #[test]
    fn long_chains_end() {
        let many = |n: usize| [raw(60, 6).repeat(n - 1), raw(UDP, 6)].concat();
        assert_eq!(walk(60, &many(8)).end, WalkEnd::Transport { plain: true });
        assert_eq!(walk(60, &many(9)), Walk { protocol: 60, len: 64, end: WalkEnd::TooLong });
        let large = raw(UDP, 518);
        assert_eq!(walk(60, &large), Walk { protocol: 60, len: 0, end: WalkEnd::TooLong });
        assert!(view::<Ipv6Ext>(&large, 0).unwrap().to_string().contains("next 17"));
    }

    proptest! {
        /// Whatever etherparse passes, we pass.
        #[test]
        fn agrees_with_etherparse(
            first in prop::sample::select(vec![0u8, 43, 60, 17]),
            nexts in prop::collection::vec(
                (prop::sample::select(vec![43u8, 60, 17, 58]), 0u8..3), 1..6),
        ) {
            let bytes: Vec<u8> = nexts.iter()
                .flat_map(|&(next, len)| [vec![next, len], vec![0; len as usize * 8 + 6]].concat())
                .collect();
            let ours = walk(first, &bytes);
            match Ipv6ExtensionsSlice::from_slice(IpNumber(first), &bytes) {
                Ok((_, protocol, rest)) => {
                    let end = WalkEnd::Transport { plain: true };
                    let len = bytes.len() - rest.len();
                    prop_assert_eq!(ours, Walk { protocol: protocol.0, len, end });
                }
                Err(_) => prop_assert_eq!(ours.end, WalkEnd::Truncated),
            }
        }

        #[test]
        fn any_bytes_end(protocol: u8, bytes: Vec<u8>) {
            let walk = walk(protocol, &bytes);
            prop_assert!(walk.len <= bytes.len().min(MAX_EXT_LEN));
        }
    }
}
