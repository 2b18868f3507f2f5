//! What order is kept by: ingress port, MAC pair, Ethernet type, tag stack, addresses and UDP
//! ports, packed into 64 bytes that compare and hash in a few instructions.
//!
//! VLAN priority bits are no part of it: they are the template's, so datagrams that differ in them
//! only are never coalesced and still keep their order.

use core::hash::Hasher;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

use crate::packet::FrameInfo;
use crate::wire::{Ipv4, Ipv6, ethertype, view};

/// What of two tags and the types behind them is identity: all but priority and drop eligibility,
/// the first four bits of each (IEEE 802.1Q 9.6).
const TAG_IDENTITY: u64 = u64::from_le_bytes([0x0f, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff]);

/// Source and destination address; IPv4's in the low four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct AddressPair {
    source: u128,
    destination: u128,
}

/// What is equal in all packets between which order must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct OrderKey {
    pub(super) addresses: AddressPair,
    /// The 14 Ethernet bytes and the ingress port.
    link: u128,
    /// Tags without their priority bits, and UDP ports.
    ports: u128,
}

/// A key's hashes, computed once per packet that needs them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hashes {
    /// Of the addresses alone.
    pub(super) pair: u64,
    /// Of the whole key.
    pub(super) key: u64,
}

impl AddressPair {
    /// The addresses of an IP packet; `None` if there is none or its header is cut short.
    #[inline]
    pub(super) fn read(head: &[u8], info: &FrameInfo) -> Option<Self> {
        match info.ethertype {
            ethertype::IPV4 => view::<Ipv4>(head, info.l2_len.into()).map(|ip| Self {
                source: u32::from_ne_bytes(ip.src).into(),
                destination: u32::from_ne_bytes(ip.dst).into(),
            }),
            ethertype::IPV6 => view::<Ipv6>(head, info.l2_len.into()).map(|ip| Self {
                source: u128::from_ne_bytes(ip.src),
                destination: u128::from_ne_bytes(ip.dst),
            }),
            _ => None,
        }
    }
}

impl OrderKey {
    /// The key of a packet with readable UDP ports; `None` if it has none.
    #[inline]
    pub(super) fn read(head: &[u8], info: &FrameInfo) -> Option<Self> {
        let addresses = AddressPair::read(head, info)?;
        let ports = u32::from_ne_bytes(array(head, usize::from(info.l4_offset))?);
        let front = u64::from_le_bytes(array(head, 0)?);
        let back = u64::from_le_bytes(array(head, 6)?); // repeats two bytes of `front`
        Some(Self {
            addresses,
            link: u128::from(front) | u128::from(back) << 48 | u128::from(info.port.0) << 112,
            ports: u128::from(tags(head, info)? & TAG_IDENTITY) << 64 | u128::from(ports),
        })
    }
}

/// The priority bits of the tags, in unspecified positions; 0 without tags.
#[inline]
pub(super) fn priorities(head: &[u8], info: &FrameInfo) -> Option<u64> {
    Some(tags(head, info)? & !TAG_IDENTITY)
}

/// Hashes keys with a seed that nobody outside knows.
pub(super) struct KeyHasher {
    seed: u64,
    shared: SharedSeed,
}

impl KeyHasher {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, shared: SharedSeed::from_u64(seed) }
    }

    /// The hash by which a fragment finds trains of its addresses.
    #[inline]
    pub(super) fn pair_hash(&self, addresses: &AddressPair) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared);
        hasher.write_u128(addresses.source);
        hasher.write_u128(addresses.destination);
        hasher.finish()
    }

    /// Both hashes of a key.
    #[inline]
    pub(super) fn hashes(&self, key: &OrderKey) -> Hashes {
        let pair = self.pair_hash(&key.addresses);
        Hashes { pair, key: self.key_hash(key, pair) }
    }

    #[inline]
    fn key_hash(&self, key: &OrderKey, pair_hash: u64) -> u64 {
        let mut hasher = FoldHasher::with_seed(pair_hash, &self.shared);
        hasher.write_u128(key.link);
        hasher.write_u128(key.ports);
        hasher.finish()
    }
}

/// Tags and the types behind them: 0, 4 or 8 bytes.
#[inline]
fn tags(head: &[u8], info: &FrameInfo) -> Option<u64> {
    Some(match info.tags {
        0 => 0,
        1 => u32::from_le_bytes(array(head, 14)?).into(),
        _ => u64::from_le_bytes(array(head, 14)?),
    })
}

/// The `N` bytes at `offset`.
#[inline]
fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Coalesce, Network, PortId};

    fn info(tags: u8, ethertype: u16) -> FrameInfo {
        let l2_len = 14 + 4 * tags;
        let ip_header = if ethertype == ethertype::IPV4 { 20 } else { 40 };
        FrameInfo {
            port: PortId(1),
            frame_len: 200,
            l2_len,
            tags,
            vlan: 0,
            ethertype,
            network: if ethertype == ethertype::IPV4 { Network::Ipv4 } else { Network::Ipv6 },
            l4_offset: u16::from(l2_len) + ip_header,
            ip_len: 100,
            protocol: 17,
            coalesce: Coalesce::Candidate,
        }
    }

    /// Bits of a header that are part of the key, by position.
    fn is_key(bit: usize, info: &FrameInfo) -> bool {
        let l2_len = usize::from(info.l2_len);
        let (byte, ip) = (bit / 8, (bit / 8).wrapping_sub(l2_len));
        let addresses = if info.ethertype == ethertype::IPV4 { 12..20 } else { 8..40 };
        let ports = usize::from(info.l4_offset)..usize::from(info.l4_offset) + 4;
        match byte {
            14 | 18 if byte < l2_len => bit % 8 < 4,
            _ => byte < l2_len || addresses.contains(&ip) || ports.contains(&byte),
        }
    }

    #[test]
    fn a_key_depends_on_its_own_bits_and_no_other() {
        let hasher = KeyHasher::new(7);
        for (tags, ethertype) in
            [0, 1, 2].into_iter().flat_map(|t| [(t, ethertype::IPV4), (t, ethertype::IPV6)])
        {
            let info = info(tags, ethertype);
            let head: Vec<u8> = (0..200u8).map(|i| i.wrapping_mul(37)).collect();
            let key = OrderKey::read(&head, &info).unwrap();
            let hashes = hasher.hashes(&key);
            for bit in 0..8 * (usize::from(info.l4_offset) + 8) {
                let mut other = head.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                let other = OrderKey::read(&other, &info).unwrap();
                assert_eq!(other != key, is_key(bit, &info), "bit {bit}, {tags} tags");
                assert_eq!(
                    hasher.hashes(&other).key != hashes.key,
                    is_key(bit, &info),
                    "bit {bit}"
                );
                let same_pair = other.addresses == key.addresses;
                assert_eq!(hasher.hashes(&other).pair == hashes.pair, same_pair, "bit {bit}");
            }
            let elsewhere = FrameInfo { port: PortId(2), ..info };
            assert_ne!(OrderKey::read(&head, &elsewhere), Some(key));
        }
    }

    #[test]
    fn a_head_cut_short_has_no_key() {
        let info = info(2, ethertype::IPV6);
        let head = [0; 200];
        let needed = usize::from(info.l4_offset) + 4;
        assert!(OrderKey::read(&head[..needed], &info).is_some());
        for len in 0..needed {
            assert!(OrderKey::read(&head[..len], &info).is_none(), "{len} bytes");
        }
    }
}
