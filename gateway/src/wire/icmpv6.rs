use core::fmt;

use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The ICMPv6 header (RFC 4443 2.1) with the four bytes whose meaning depends on the type.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Icmpv6 {
    /// Type; errors are below 128.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Checksum of pseudo header and message.
    pub checksum: U16,
    /// In "packet too big" the IP MTU of the next hop, in other errors zero.
    pub mtu: U32,
}

impl Icmpv6 {
    /// Bytes of the header.
    pub const LEN: usize = size_of::<Self>();
    /// Type: destination unreachable.
    pub const UNREACHABLE: u8 = 1;
    /// Type: packet too big.
    pub const PACKET_TOO_BIG: u8 = 2;
    /// Type: time exceeded; code 0 in transit.
    pub const TIME_EXCEEDED: u8 = 3;
    /// Type: echo request.
    pub const ECHO_REQUEST: u8 = 128;
    /// Type: echo reply.
    pub const ECHO_REPLY: u8 = 129;
    /// Type: neighbor solicitation (RFC 4861 4.3).
    pub const NEIGHBOR_SOLICITATION: u8 = 135;
    /// Type: neighbor advertisement (RFC 4861 4.4).
    pub const NEIGHBOR_ADVERTISEMENT: u8 = 136;
    /// Type: redirect (RFC 4861 4.5).
    pub const REDIRECT: u8 = 137;

    /// Whether no error may be sent about this message: errors and redirects (RFC 4443 2.4 (e)).
    pub const fn forbids_errors(&self) -> bool {
        self.kind < 128 || self.kind == Self::REDIRECT
    }
}

impl fmt::Display for Icmpv6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.code) {
            (Self::UNREACHABLE, code) => write!(f, "icmpv6 destination unreachable, code {code}"),
            (Self::PACKET_TOO_BIG, _) => write!(f, "icmpv6 packet too big, mtu {}", self.mtu),
            (Self::TIME_EXCEEDED, 0) => f.write_str("icmpv6 time exceeded in transit"),
            (Self::ECHO_REQUEST, _) => f.write_str("icmpv6 echo request"),
            (Self::ECHO_REPLY, _) => f.write_str("icmpv6 echo reply"),
            (Self::NEIGHBOR_SOLICITATION, _) => f.write_str("icmpv6 neighbor solicitation"),
            (Self::NEIGHBOR_ADVERTISEMENT, _) => f.write_str("icmpv6 neighbor advertisement"),
            (kind, code) => write!(f, "icmpv6 type {kind} code {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use etherparse::{Icmpv6Header, Icmpv6Type};

    use super::*;
    use crate::wire::view;

    #[test]
    fn reads_what_etherparse_writes() {
        let bytes = Icmpv6Header::new(Icmpv6Type::PacketTooBig { mtu: 1280 }).to_bytes();
        let header: &Icmpv6 = view(&bytes, 0).unwrap();
        assert_eq!(header.to_string(), "icmpv6 packet too big, mtu 1280");
        assert!(header.forbids_errors());

        let echo = etherparse::IcmpEchoHeader { id: 1, seq: 2 };
        let bytes = Icmpv6Header::new(Icmpv6Type::EchoReply(echo)).to_bytes();
        let header: &Icmpv6 = view(&bytes, 0).unwrap();
        assert_eq!(header.to_string(), "icmpv6 echo reply");
        assert!(!header.forbids_errors());

        let redirect = Icmpv6::read_from_bytes(&[137, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        assert!(redirect.forbids_errors());
    }
}
