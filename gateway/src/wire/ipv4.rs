use core::fmt;
use core::net::Ipv4Addr;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::checksum;
use crate::ideas;

/// The IPv4 header without options (RFC 791 3.1).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Ipv4 {
    /// Version (4 bits), header length in 4-byte words (4 bits).
    pub version_ihl: u8,
    /// DSCP (6 bits), ECN (2 bits).
    pub tos: u8,
    /// Bytes of header and payload.
    pub total_len: U16,
    /// Identification.
    pub id: U16,
    /// Reserved, DF, MF (3 bits), fragment offset in 8-byte units (13 bits).
    pub flags_offset: U16,
    /// Time to live, in hops.
    pub ttl: u8,
    /// Transport protocol.
    pub protocol: u8,
    /// Checksum of the header, options included.
    pub checksum: U16,
    /// Source.
    pub src: [u8; 4],
    /// Destination.
    pub dst: [u8; 4],
}

impl Ipv4 {
    /// Bytes of the header without options.
    pub const LEN: usize = size_of::<Self>();
    /// Bytes of the longest header.
    pub const MAX_LEN: usize = 60;
    /// In `flags_offset`: must be zero (RFC 791).
    pub const RESERVED: u16 = 0x8000;
    /// In `flags_offset`: do not fragment.
    pub const DONT_FRAGMENT: u16 = 0x4000;
    /// In `flags_offset`: more fragments follow.
    pub const MORE_FRAGMENTS: u16 = 0x2000;
    /// In `flags_offset`: the offset, in 8-byte units.
    pub const OFFSET: u16 = 0x1fff;

    /// Should be 4.
    #[inline]
    pub const fn version(&self) -> u8 {
        self.version_ihl >> 4
    }

    /// Bytes of the header with options as it claims, 0..=60; below 20 is an error.
    #[inline]
    pub const fn header_len(&self) -> usize {
        (self.version_ihl & 0x0f) as usize * 4
    }

    /// Whether routers must not fragment it.
    #[inline]
    pub fn dont_fragment(&self) -> bool {
        self.flags_offset.get() & Self::DONT_FRAGMENT != 0
    }

    /// Whether it is part of a larger datagram: the first, a middle or the last fragment.
    #[inline]
    pub fn is_fragment(&self) -> bool {
        self.flags_offset.get() & (Self::MORE_FRAGMENTS | Self::OFFSET) != 0
    }

    /// Bytes before this fragment in the datagram; 0 for the first, and if it is none.
    #[inline]
    pub fn fragment_offset(&self) -> usize {
        usize::from(self.flags_offset.get() & Self::OFFSET) * 8
    }

    /// One hop less (RFC 1141); the caller has made sure that there is one.
    #[inline]
    pub fn decrement_ttl(&mut self) {
        self.ttl = self.ttl.wrapping_sub(1);
        // Options are not in view.
        if !ideas::INCREMENTAL && self.header_len() == Self::LEN {
            return self.fill_checksum();
        }
        // One less in the high byte of a word is one more in the complement of the sum, which is the
        // same in either byte order (RFC 1071 2 (B)): here in that in which the high byte is the low.
        let sum = u32::from(u16::from_le_bytes(self.checksum.to_bytes())) + 1;
        let folded = (sum + u32::from(sum >= 0xffff)) as u16;
        self.checksum = U16::from_bytes(folded.to_le_bytes());
    }

    /// So many hops left; the checksum follows (RFC 1624).
    #[inline]
    pub fn set_ttl(&mut self, ttl: u8) {
        let old = u16::from_be_bytes([self.ttl, self.protocol]);
        self.ttl = ttl;
        let new = u16::from_be_bytes([self.ttl, self.protocol]);
        self.checksum.set(checksum::update(self.checksum.get(), old, new));
    }

    /// Whether the checksum of a header without options is right.
    #[inline]
    pub fn checksum_is_valid(&self) -> bool {
        checksum::header_is_valid(&zerocopy::transmute!(*self))
    }

    /// Writes the checksum of a header without options.
    pub fn fill_checksum(&mut self) {
        self.checksum.set(0);
        self.checksum.set(checksum::checksum(self.as_bytes()));
    }
}

impl fmt::Display for Ipv4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (src, dst) = (Ipv4Addr::from(self.src), Ipv4Addr::from(self.dst));
        write!(f, "ipv4 {src} > {dst} protocol {} ttl {}", self.protocol, self.ttl)?;
        write!(f, " tos {:#04x} id {} length {}", self.tos, self.id, self.total_len)?;
        if self.dont_fragment() {
            f.write_str(" df")?;
        }
        if self.is_fragment() {
            let more = if self.flags_offset.get() & Self::MORE_FRAGMENTS != 0 { "+" } else { "" };
            write!(f, " fragment {}{more}", self.fragment_offset())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{view, view_mut};

    fn built() -> etherparse::Ipv4Header {
        let mut header = etherparse::Ipv4Header::new(
            32,
            64,
            etherparse::IpNumber::UDP,
            [10, 1, 0, 2],
            [10, 2, 0, 2],
        )
        .unwrap();
        header.identification = 7;
        header.header_checksum = header.calc_header_checksum();
        header
    }

    #[test]
    fn reads_what_etherparse_writes() {
        let bytes = built().to_bytes();
        let header: &Ipv4 = view(&bytes, 0).unwrap();
        assert_eq!((header.version(), header.header_len()), (4, 20));
        assert_eq!(
            header.to_string(),
            "ipv4 10.1.0.2 > 10.2.0.2 protocol 17 ttl 64 tos 0x00 id 7 length 52 df"
        );
    }

    #[test]
    fn fragments_are_seen() {
        let mut fragment = built();
        fragment.dont_fragment = false;
        fragment.fragment_offset = 185u16.try_into().unwrap();
        let bytes = fragment.to_bytes();
        let header: &Ipv4 = view(&bytes, 0).unwrap();
        assert!(header.is_fragment() && header.to_string().ends_with("fragment 1480"));

        fragment.fragment_offset = 0u16.try_into().unwrap();
        fragment.more_fragments = true;
        let bytes = fragment.to_bytes();
        let header: &Ipv4 = view(&bytes, 0).unwrap();
        assert!(header.is_fragment() && header.to_string().ends_with("fragment 0+"));
    }

    proptest! {
        #[test]
        fn a_hop_keeps_the_checksum_right(
            ttl in 1u8.., protocol: u8, id: u16, src: [u8; 4], dst: [u8; 4],
        ) {
            let mut before = built();
            before.time_to_live = ttl;
            before.protocol = etherparse::IpNumber(protocol);
            (before.identification, before.source, before.destination) = (id, src, dst);
            before.header_checksum = before.calc_header_checksum();
            let mut bytes = before.to_bytes();
            view_mut::<Ipv4>(&mut bytes, 0).unwrap().decrement_ttl();

            let mut after = before;
            after.time_to_live = ttl - 1;
            after.header_checksum = after.calc_header_checksum();
            prop_assert_eq!(&bytes, &after.to_bytes());

            let header = view_mut::<Ipv4>(&mut bytes, 0).unwrap();
            prop_assert!(header.checksum_is_valid());
            header.fill_checksum();
            prop_assert_eq!(&bytes, &after.to_bytes());
            bytes[9] ^= 1;
            prop_assert!(!view::<Ipv4>(&bytes, 0).unwrap().checksum_is_valid());
        }
    }
}
