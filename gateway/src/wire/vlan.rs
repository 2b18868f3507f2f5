use core::fmt;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::ethertype;

/// What follows a tag protocol identifier: the tag control information, and the type of what comes
/// next (IEEE 802.1Q 9.6). The first one of a frame is at offset 14.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct VlanTag {
    /// Priority (3 bits), drop eligible (1 bit), VLAN id (12 bits).
    pub tci: U16,
    /// Type behind the tag; another tag if [`VlanTag::announced_by`] says so.
    pub ethertype: U16,
}

impl VlanTag {
    /// Bytes a tag adds to a frame.
    pub const LEN: usize = size_of::<Self>();

    /// Whether a tag follows this Ethernet type: 802.1Q, 802.1ad, or 0x9100.
    #[inline]
    pub const fn announced_by(ethertype: u16) -> bool {
        matches!(ethertype, ethertype::VLAN | ethertype::SERVICE_VLAN | ethertype::OLD_QINQ)
    }

    /// VLAN id, 0 for a tag that carries a priority only.
    #[inline]
    pub fn id(&self) -> u16 {
        self.tci.get() & 0x0fff
    }

    /// Priority code point, 0..=7.
    #[inline]
    pub fn priority(&self) -> u8 {
        (self.tci.get() >> 13) as u8
    }
}

impl fmt::Display for VlanTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vlan {} priority {} type {:#06x}", self.id(), self.priority(), self.ethertype)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::view;

    #[test]
    fn reads_what_etherparse_writes() {
        let built = etherparse::SingleVlanHeader {
            pcp: etherparse::VlanPcp::try_new(5).unwrap(),
            drop_eligible_indicator: true,
            vlan_id: etherparse::VlanId::try_new(0xabc).unwrap(),
            ether_type: etherparse::EtherType::IPV4,
        };
        let bytes = built.to_bytes();
        let tag: &VlanTag = view(&bytes, 0).unwrap();
        assert_eq!(tag.to_string(), "vlan 2748 priority 5 type 0x0800");
        assert!(!VlanTag::announced_by(tag.ethertype.get()));
        assert!([0x8100, 0x88a8, 0x9100].into_iter().all(VlanTag::announced_by));
    }
}
