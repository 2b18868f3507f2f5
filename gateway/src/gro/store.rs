//! The fixed places for held trains and the ways to find them: by key, by address pair, by age.
//!
//! *Invariant:* a place is either free, or holds a train that is in all three.

use super::chain::{Chain, Links};
use super::index::{Index, Place};
use super::key::{AddressPair, Hashes, OrderKey};
use super::pairs::PairIndex;
use super::train::Train;
use crate::packet::PacketBuf;

/// All places.
pub(super) struct Store<B: PacketBuf> {
    trains: Box<[Train<B>]>,
    entries: Box<[Entry]>,
    /// Last freed first taken: a burst works in few places, which stay in the cache.
    free: Vec<u32>,
    index: Index,
    pairs: PairIndex,
    arrival: Chain,
    arrival_links: Links,
    serial: u64,
}

/// Where a held train is entered.
#[derive(Clone, Copy)]
struct Entry {
    place: Place,
    pair_hash: u64,
    /// Counts trains: the smaller the older.
    serial: u64,
}

impl<B: PacketBuf> Store<B> {
    /// Allocates everything.
    pub(super) fn new(flows: usize, max_segments: usize) -> Self {
        let unused = Entry { place: Place::default(), pair_hash: 0, serial: 0 };
        Self {
            trains: (0..flows).map(|_| Train::new(max_segments)).collect(),
            entries: vec![unused; flows].into_boxed_slice(),
            free: (0..flows as u32).rev().collect(),
            index: Index::new(flows),
            pairs: PairIndex::new(flows),
            arrival: Chain::EMPTY,
            arrival_links: Links::new(flows),
            serial: 0,
        }
    }

    /// How many trains are held.
    pub(super) fn len(&self) -> usize {
        self.trains.len() - self.free.len()
    }

    pub(super) fn train(&self, train: u32) -> &Train<B> {
        &self.trains[train as usize]
    }

    pub(super) fn train_mut(&mut self, train: u32) -> &mut Train<B> {
        &mut self.trains[train as usize]
    }

    /// The held train with this key.
    #[inline]
    pub(super) fn find(&self, key: &OrderKey, key_hash: u64) -> Option<u32> {
        self.index.candidates(key_hash).find(|&train| self.train(train).has_key(key))
    }

    /// The oldest held train between these addresses.
    pub(super) fn find_pair(&self, addresses: &AddressPair, pair_hash: u64) -> Option<u32> {
        let of_pair =
            |&train: &u32| self.train(train).key().is_some_and(|key| key.addresses == *addresses);
        self.pairs.candidates(pair_hash).find(of_pair)
    }

    /// The train whose first datagram arrived first.
    pub(super) fn oldest(&self) -> Option<u32> {
        self.arrival.first()
    }

    /// The train that must go before one with this hash can be entered: the oldest of a full
    /// bucket, or of all when every place is taken.
    #[inline]
    pub(super) fn in_the_way(&self, key_hash: u64) -> Option<u32> {
        if let Some(bucket) = self.index.full_bucket(key_hash) {
            return bucket.into_iter().min_by_key(|&t| self.entries[t as usize].serial);
        }
        if self.free.is_empty() { self.oldest() } else { None }
    }

    /// Takes a free place and enters it; `None` while something is [in the way](Self::in_the_way).
    #[inline]
    pub(super) fn enter(&mut self, hashes: Hashes) -> Option<u32> {
        let &train = self.free.last()?;
        let place = self.index.insert(hashes.key, train)?;
        self.free.pop();
        self.pairs.insert(hashes.pair, train);
        self.arrival_links.push(&mut self.arrival, train);
        self.serial += 1;
        self.entries[train as usize] = Entry { place, pair_hash: hashes.pair, serial: self.serial };
        Some(train)
    }

    /// Frees the place of a train that was entered.
    #[inline]
    pub(super) fn leave(&mut self, train: u32) {
        let Entry { place, pair_hash, .. } = self.entries[train as usize];
        self.index.remove(place);
        self.pairs.remove(pair_hash, train);
        self.arrival_links.remove(&mut self.arrival, train);
        self.free.push(train);
    }
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;
    use crate::gro::index::WAYS;
    use crate::sim::HeapBuf;

    #[test]
    fn the_oldest_of_a_full_bucket_is_in_the_way() {
        let mut store = Store::<HeapBuf>::new(64, 2);
        let hashes = |tag: u64| Hashes { pair: tag, key: tag << 48 | 5 };
        let elsewhere = Hashes { pair: 0, key: 6 };
        let first = store.enter(elsewhere);
        let mut bucket: Vec<_> =
            (0..WAYS as u64).map(|n| store.enter(hashes(n)).unwrap()).collect();
        // a young train in the way of an old one's: age counts, not position
        store.leave(bucket[0]);
        bucket[0] = store.enter(hashes(9)).unwrap();
        assert_eq!(store.in_the_way(hashes(8).key), Some(bucket[1]));
        assert_eq!(store.enter(hashes(8)), None);
        assert_eq!(store.in_the_way(elsewhere.key), None);
        assert_eq!(store.oldest(), first);
    }

    #[test]
    fn without_a_free_place_the_oldest_of_all_is_in_the_way() {
        let mut store = Store::<HeapBuf>::new(2, 2);
        let hashes = |n| Hashes { pair: n, key: n };
        let trains = [0, 1].map(|n| store.enter(hashes(n)).unwrap());
        assert_eq!(store.in_the_way(2), Some(trains[0]));
        store.leave(trains[0]);
        assert_eq!(store.in_the_way(2), None);
        assert_eq!(store.enter(hashes(2)), Some(trains[0]));
        assert_eq!((store.in_the_way(3), store.len()), (Some(trains[1]), 2));
    }
}
