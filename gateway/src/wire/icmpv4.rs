use core::fmt;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The ICMP header (RFC 792) with the four bytes whose meaning depends on the type.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Icmpv4 {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Checksum of the whole message.
    pub checksum: U16,
    /// Zero in errors, but for the next line.
    pub unused: U16,
    /// In "fragmentation needed": the IP MTU of the next hop (RFC 1191 4).
    pub next_hop_mtu: U16,
}

impl Icmpv4 {
    /// Bytes of the header.
    pub const LEN: usize = size_of::<Self>();
    /// Type: echo reply.
    pub const ECHO_REPLY: u8 = 0;
    /// Type: destination unreachable.
    pub const UNREACHABLE: u8 = 3;
    /// Type: echo request.
    pub const ECHO_REQUEST: u8 = 8;
    /// Type: time exceeded; code 0 in transit.
    pub const TIME_EXCEEDED: u8 = 11;
    /// Code of [`Icmpv4::UNREACHABLE`]: fragmentation needed and DF set.
    pub const FRAGMENTATION_NEEDED: u8 = 4;

    /// Whether this asks or answers. All else is an error message (or may be one, the type being
    /// unknown), about which no error may be sent (RFC 1122 3.2.2).
    pub const fn is_informational(&self) -> bool {
        // Echo, router discovery, timestamp, information, mask, extended echo (RFC 8335).
        matches!(self.kind, 0 | 8 | 9 | 10 | 13..=18 | 42 | 43)
    }
}

impl fmt::Display for Icmpv4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.code) {
            (Self::ECHO_REPLY, _) => f.write_str("icmp echo reply"),
            (Self::ECHO_REQUEST, _) => f.write_str("icmp echo request"),
            (Self::TIME_EXCEEDED, 0) => f.write_str("icmp time exceeded in transit"),
            (Self::UNREACHABLE, Self::FRAGMENTATION_NEEDED) => {
                write!(f, "icmp fragmentation needed, mtu {}", self.next_hop_mtu)
            }
            (Self::UNREACHABLE, code) => write!(f, "icmp destination unreachable, code {code}"),
            (kind, code) => write!(f, "icmp type {kind} code {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use etherparse::{Icmpv4Header, Icmpv4Type, icmpv4::DestUnreachableHeader};

    use super::*;
    use crate::wire::view;

    #[test]
    fn reads_what_etherparse_writes() {
        let needed = DestUnreachableHeader::FragmentationNeeded { next_hop_mtu: 1400 };
        let bytes = Icmpv4Header::new(Icmpv4Type::DestinationUnreachable(needed)).to_bytes();
        let header: &Icmpv4 = view(&bytes, 0).unwrap();
        assert_eq!(header.to_string(), "icmp fragmentation needed, mtu 1400");
        assert!(!header.is_informational());

        let echo = etherparse::IcmpEchoHeader { id: 1, seq: 2 };
        let bytes = Icmpv4Header::new(Icmpv4Type::EchoRequest(echo)).to_bytes();
        let header: &Icmpv4 = view(&bytes, 0).unwrap();
        assert_eq!(header.to_string(), "icmp echo request");
        assert!(header.is_informational());
    }

    /// Destination unreachable, source quench, redirect, time exceeded, parameter problem, and
    /// what is not assigned.
    #[test]
    fn errors_are_not_informational() {
        for kind in [3, 4, 5, 11, 12, 1, 44, 255] {
            let header = Icmpv4::read_from_bytes(&[kind, 0, 0, 0, 0, 0, 0, 0]).unwrap();
            assert!(!header.is_informational(), "{kind}");
        }
    }
}
