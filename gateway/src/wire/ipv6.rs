use core::fmt;
use core::net::Ipv6Addr;

use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The IPv6 header (RFC 8200 3).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Ipv6 {
    /// Version (4 bits), traffic class (8 bits), flow label (20 bits).
    pub version_class_label: U32,
    /// Bytes behind this header, extension headers included.
    pub payload_len: U16,
    /// Type of what follows: an extension header or the transport protocol.
    pub next_header: u8,
    /// Hops left.
    pub hop_limit: u8,
    /// Source.
    pub src: [u8; 16],
    /// Destination.
    pub dst: [u8; 16],
}

impl Ipv6 {
    /// Bytes of the header.
    pub const LEN: usize = size_of::<Self>();

    /// A header with traffic class and flow label 0.
    pub fn new(
        src: Ipv6Addr,
        dst: Ipv6Addr,
        next_header: u8,
        hop_limit: u8,
        payload_len: u16,
    ) -> Self {
        Self {
            version_class_label: U32::new(6 << 28),
            payload_len: U16::new(payload_len),
            next_header,
            hop_limit,
            src: src.octets(),
            dst: dst.octets(),
        }
    }

    /// Should be 6.
    #[inline]
    pub fn version(&self) -> u8 {
        (self.version_class_label.get() >> 28) as u8
    }

    /// DSCP (6 bits), ECN (2 bits).
    #[inline]
    pub fn traffic_class(&self) -> u8 {
        (self.version_class_label.get() >> 20) as u8
    }

    /// Flow label, 20 bits.
    #[inline]
    pub fn flow_label(&self) -> u32 {
        self.version_class_label.get() & 0x000f_ffff
    }
}

impl fmt::Display for Ipv6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (src, dst) = (Ipv6Addr::from(self.src), Ipv6Addr::from(self.dst));
        write!(f, "ipv6 {src} > {dst} next {} hops {}", self.next_header, self.hop_limit)?;
        write!(f, " class {:#04x} label {:#07x}", self.traffic_class(), self.flow_label())?;
        write!(f, " payload {}", self.payload_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::view;

    #[test]
    fn reads_and_writes_what_etherparse_does() {
        let src: Ipv6Addr = "2001:db8::1".parse().unwrap();
        let dst: Ipv6Addr = "ff3e::1".parse().unwrap();
        let mut built = etherparse::Ipv6Header {
            traffic_class: 0xb9,
            flow_label: 0xf_1234u32.try_into().unwrap(),
            payload_length: 24,
            next_header: etherparse::IpNumber::UDP,
            hop_limit: 9,
            source: src.octets(),
            destination: dst.octets(),
        };
        let bytes = built.to_bytes();
        let header: &Ipv6 = view(&bytes, 0).unwrap();
        assert_eq!(header.version(), 6);
        assert_eq!(
            header.to_string(),
            "ipv6 2001:db8::1 > ff3e::1 next 17 hops 9 class 0xb9 label 0xf1234 payload 24"
        );

        (built.traffic_class, built.flow_label) = (0, 0u32.try_into().unwrap());
        assert_eq!(Ipv6::new(src, dst, 17, 9, 24).as_bytes(), built.to_bytes());
    }
}
