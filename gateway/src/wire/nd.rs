//! Neighbor discovery (RFC 4861): solicitation, advertisement and the link address options.

use core::fmt;
use core::net::Ipv6Addr;

use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Icmpv6, view};
use crate::packet::MacAddr;

/// A neighbor solicitation or advertisement (RFC 4861 4.3, 4.4), without its options.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct NeighborMessage {
    /// [`Icmpv6::NEIGHBOR_SOLICITATION`] or [`Icmpv6::NEIGHBOR_ADVERTISEMENT`].
    pub kind: u8,
    /// 0.
    pub code: u8,
    /// Checksum of pseudo header and message.
    pub checksum: U16,
    /// In an advertisement [`NeighborMessage::ROUTER`] and the others, else 0.
    pub flags: U32,
    /// The address asked for, or whose link address is told.
    pub target: [u8; 16],
}

impl NeighborMessage {
    /// Bytes of the message without options.
    pub const LEN: usize = size_of::<Self>();
    /// Flag: the sender is a router.
    pub const ROUTER: u32 = 1 << 31;
    /// Flag: in reply to a solicitation of one neighbor.
    pub const SOLICITED: u32 = 1 << 30;
    /// Flag: replaces what is cached.
    pub const OVERRIDE: u32 = 1 << 29;
}

impl fmt::Display for NeighborMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = Ipv6Addr::from(self.target);
        match self.kind {
            Icmpv6::NEIGHBOR_SOLICITATION => write!(f, "nd who has {target}"),
            Icmpv6::NEIGHBOR_ADVERTISEMENT => {
                write!(f, "nd {target} is here, flags {:#x}", self.flags.get() >> 29)
            }
            other => write!(f, "nd type {other} about {target}"),
        }
    }
}

/// The source or target link-layer address option (RFC 4861 4.6.1) for Ethernet.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct LinkAddressOption {
    /// [`LinkAddressOption::SOURCE`] or [`LinkAddressOption::TARGET`].
    pub kind: u8,
    /// In units of 8 bytes: 1.
    pub units: u8,
    /// The address.
    pub mac: MacAddr,
}

impl LinkAddressOption {
    /// Bytes of the option.
    pub const LEN: usize = size_of::<Self>();
    /// Option type: the sender's address.
    pub const SOURCE: u8 = 1;
    /// Option type: the target's address.
    pub const TARGET: u8 = 2;
}

impl fmt::Display for LinkAddressOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Self::SOURCE => write!(f, "source is at {}", self.mac),
            Self::TARGET => write!(f, "target is at {}", self.mac),
            other => write!(f, "option {other}"),
        }
    }
}

/// Whether all options have a length and end with the message (RFC 4861 7.1.1: discard otherwise).
pub fn options_are_valid(mut options: &[u8]) -> bool {
    while let Some((_, rest)) = next_option(options) {
        options = rest;
    }
    options.is_empty()
}

/// The address in the first source link-layer address option of a solicitation's `options`.
pub fn source_link_address(mut options: &[u8]) -> Option<MacAddr> {
    while let Some((option, rest)) = next_option(options) {
        match view::<LinkAddressOption>(option, 0) {
            Some(found) if found.kind == LinkAddressOption::SOURCE => return Some(found.mac),
            _ => options = rest,
        }
    }
    None
}

/// The first option and what follows it; `None` at the end or if its length is 0 or too long. Each
/// step consumes at least 8 bytes.
fn next_option(options: &[u8]) -> Option<(&[u8], &[u8])> {
    let units = *options.get(1)?;
    if units == 0 {
        return None;
    }
    options.split_at_checked(usize::from(units) * 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 9]);

    fn option(kind: u8, mac: MacAddr) -> Vec<u8> {
        LinkAddressOption { kind, units: 1, mac }.as_bytes().to_vec()
    }

    #[test]
    fn finds_the_source_behind_other_options() {
        let nonce = vec![14, 1, 1, 2, 3, 4, 5, 6];
        let long = [vec![99, 2], vec![1; 14]].concat();
        let options = [nonce, long, option(1, MAC), option(1, MacAddr([4; 6]))].concat();
        assert_eq!(source_link_address(&options), Some(MAC));
        assert!(options_are_valid(&options));
        assert_eq!(source_link_address(&option(2, MAC)), None);
        assert_eq!(source_link_address(&[]), None);
    }

    #[test]
    fn a_length_of_zero_or_beyond_the_end_is_invalid() {
        assert!(options_are_valid(&[]));
        assert!(!options_are_valid(&[1, 0, 0, 0, 0, 0, 0, 0]));
        assert!(!options_are_valid(&[1, 2, 0, 0, 0, 0, 0, 0]));
        assert!(!options_are_valid(&[1]));
    }

    #[test]
    fn one_line_each() {
        let mut message = NeighborMessage {
            kind: Icmpv6::NEIGHBOR_SOLICITATION,
            code: 0,
            checksum: U16::ZERO,
            flags: U32::ZERO,
            target: [0xfe; 16],
        };
        assert!(message.to_string().starts_with("nd who has fefe:"));
        message.kind = Icmpv6::NEIGHBOR_ADVERTISEMENT;
        message.flags.set(NeighborMessage::ROUTER | NeighborMessage::OVERRIDE);
        assert!(message.to_string().ends_with("is here, flags 0x5"));
        let option = LinkAddressOption { kind: 1, units: 1, mac: MAC };
        assert_eq!(option.to_string(), "source is at 02:00:00:00:00:09");
    }

    proptest! {
        #[test]
        fn any_bytes_end(options: Vec<u8>) {
            if options_are_valid(&options) {
                prop_assert_eq!(options.len() % 8, 0);
            }
            source_link_address(&options);
        }
    }
}
