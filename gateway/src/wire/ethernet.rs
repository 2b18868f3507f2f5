use core::fmt;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::packet::MacAddr;

/// The Ethernet header (IEEE 802.3 3.1.1), without preamble, tags or frame check sequence.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Ethernet {
    /// Destination.
    pub dst: MacAddr,
    /// Source.
    pub src: MacAddr,
    /// Type of the payload; below 0x600 the length of an 802.3 frame.
    pub ethertype: U16,
}

impl Ethernet {
    /// Bytes of the header.
    pub const LEN: usize = size_of::<Self>();
    /// Bytes of the shortest frame, without the frame check sequence (IEEE 802.3 4.2.3.3).
    pub const MIN_FRAME: usize = 60;
}

impl fmt::Display for Ethernet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "eth {} > {} type {:#06x}", self.src, self.dst, self.ethertype)
    }
}

/// Ethernet types (IEEE registration authority), the ones the gateway names.
pub mod ethertype {
    /// IPv4 (RFC 894).
    pub const IPV4: u16 = 0x0800;
    /// ARP (RFC 826).
    pub const ARP: u16 = 0x0806;
    /// IPv6 (RFC 2464).
    pub const IPV6: u16 = 0x86dd;
    /// Customer VLAN tag (IEEE 802.1Q).
    pub const VLAN: u16 = 0x8100;
    /// Service VLAN tag (IEEE 802.1ad).
    pub const SERVICE_VLAN: u16 = 0x88a8;
    /// Outer tag of equipment older than 802.1ad.
    pub const OLD_QINQ: u16 = 0x9100;
    /// The smallest type: what is below is the length of an 802.3 frame.
    pub const MIN: u16 = 0x0600;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::view;

    #[test]
    fn reads_what_etherparse_writes() {
        let built = etherparse::Ethernet2Header {
            destination: [2, 0, 0, 0, 0, 1],
            source: [2, 0, 0, 0, 0, 2],
            ether_type: etherparse::EtherType::IPV6,
        };
        let bytes = built.to_bytes();
        let header: &Ethernet = view(&bytes, 0).unwrap();
        assert_eq!(header.ethertype.get(), ethertype::IPV6);
        assert_eq!(header.to_string(), "eth 02:00:00:00:00:02 > 02:00:00:00:00:01 type 0x86dd");
        assert_eq!(view::<Ethernet>(&bytes, 1), None);
        assert_eq!(view::<Ethernet>(&bytes, usize::MAX), None);
    }
}
