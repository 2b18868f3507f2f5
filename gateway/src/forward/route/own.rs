//! The addresses that are nobody else's source: those of the gateway, and the broadcast addresses of
//! its networks. Asked for every datagram, and nearly always the answer is no, which a filter of a
//! few cache lines gives without hashing.
//! *Size:* as many as the ports have; the filter has 4096 bits.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::address::Address;
use crate::config::Config;

const FILTER_BITS: u32 = 12;

/// The addresses of one family.
pub(super) struct Own<A: Address> {
    filter: Box<[u64; 1 << (FILTER_BITS - 6)]>,
    addresses: HashSet<A, FixedState>,
}

impl<A: Address> Own<A> {
    pub(super) fn build(config: &Config) -> Self {
        let mut own = Self::new();
        let nets = config.ports.iter().flat_map(|port| &port.addresses);
        for (net, address) in nets.filter_map(|net| A::net_of(*net)) {
            own.insert(address);
            A::broadcast_of(net).into_iter().for_each(|address| own.insert(address));
        }
        own
    }

    fn new() -> Self {
        Self { filter: Box::new([0; 1 << (FILTER_BITS - 6)]), addresses: HashSet::default() }
    }

    fn insert(&mut self, address: A) {
        let bit = bit_of(address);
        self.filter[bit / 64] |= 1 << (bit % 64);
        self.addresses.insert(address);
    }

    #[inline]
    pub(super) fn contains(&self, address: A) -> bool {
        let bit = bit_of(address);
        self.filter[bit / 64] >> (bit % 64) & 1 != 0 && self.is_member(address)
    }

    /// A sender that seeks out addresses which pass the filter gets this far.
    #[inline(never)]
    fn is_member(&self, address: A) -> bool {
        self.addresses.contains(&address)
    }
}

/// The best bits of a product with the golden ratio (Knuth, *The Art of Computer Programming*, 6.4).
#[inline]
fn bit_of<A: Address>(address: A) -> usize {
    (address.folded().wrapping_mul(0x9e37_79b1) >> (32 - FILTER_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use core::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn has_what_was_put_in_and_nothing_else() {
        let mut own = Own::new();
        let addresses: Vec<_> =
            (0..400).map(|n| Ipv4Addr::from_bits(0x0a01_0001 + (n << 8))).collect();
        addresses.iter().for_each(|&address| own.insert(address));
        assert!(addresses.iter().all(|&address| own.contains(address)));
        // More addresses than filter bits: some must pass the filter and be refused behind it.
        let others = (0..100_000).map(|n| Ipv4Addr::from_bits(0x0b00_0000 + n));
        assert_eq!(others.filter(|&address| own.contains(address)).count(), 0);
        let mut own = Own::new();
        let address: Ipv6Addr = "2001:db8::1".parse().unwrap();
        own.insert(address);
        // Folds to the same word, as its words are in another order.
        let alike: Ipv6Addr = "0:1:2001:db8::".parse().unwrap();
        assert_eq!(alike.folded(), address.folded());
        assert!(own.contains(address) && !own.contains(alike));
    }
}
