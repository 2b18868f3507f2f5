//! Held trains by address pair: what a fragment, whose ports nobody can read, must not overtake.

use super::chain::{Chain, Links};

/// Trains chained by the hash of their addresses, oldest first.
pub(super) struct PairIndex {
    chains: Box<[Chain]>,
    links: Links,
}

impl PairIndex {
    /// For trains `0..trains`.
    pub(super) fn new(trains: usize) -> Self {
        let chains = vec![Chain::EMPTY; trains.next_power_of_two()];
        Self { chains: chains.into_boxed_slice(), links: Links::new(trains) }
    }

    /// Enters a train that is not entered.
    pub(super) fn insert(&mut self, pair_hash: u64, train: u32) {
        let chain = self.chain_of(pair_hash);
        self.links.push(&mut self.chains[chain], train);
    }

    /// Takes a train out that was entered with this hash.
    pub(super) fn remove(&mut self, pair_hash: u64, train: u32) {
        let chain = self.chain_of(pair_hash);
        self.links.remove(&mut self.chains[chain], train);
    }

    /// Trains that may be of this pair, oldest first.
    pub(super) fn candidates(&self, pair_hash: u64) -> impl Iterator<Item = u32> {
        let first = self.chains[self.chain_of(pair_hash)].first();
        core::iter::successors(first, |&train| self.links.next(train))
    }

    fn chain_of(&self, pair_hash: u64) -> usize {
        pair_hash as usize & (self.chains.len() - 1)
    }
}
