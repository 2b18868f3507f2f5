//! From an order key's hash to the trains that may have it: buckets of eight ways, one cache line
//! each. A full bucket is told to the caller, who evicts; nothing is ever moved or chained.

use super::chain::NONE;

/// Trains a bucket can have.
pub(super) const WAYS: usize = 8;

/// The buckets. A train is found by the low bits of its hash, then by a tag of the high ones.
pub(super) struct Index {
    buckets: Box<[Bucket]>,
}

/// Where a train is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Place {
    bucket: u32,
    way: u8,
}

#[derive(Clone)]
#[repr(align(64))]
struct Bucket {
    /// 0: the way is free.
    tags: [u16; WAYS],
    trains: [u32; WAYS],
}

impl Index {
    /// At most half full with `trains` entered, so that a bucket is rarely full.
    pub(super) fn new(trains: usize) -> Self {
        let buckets = (2 * trains).div_ceil(WAYS).next_power_of_two();
        let empty = Bucket { tags: [0; WAYS], trains: [NONE; WAYS] };
        Self { buckets: vec![empty; buckets].into_boxed_slice() }
    }

    /// Trains whose tag equals this hash's.
    #[inline]
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u32> {
        let bucket = &self.buckets[self.bucket_of(hash)];
        let tag = tag_of(hash);
        let mut matching = bucket
            .tags
            .iter()
            .enumerate()
            .fold(0u32, |mask, (way, &t)| mask | (u32::from(t == tag) << way));
        core::iter::from_fn(move || {
            let way = matching.trailing_zeros() as usize;
            matching &= matching.wrapping_sub(1);
            bucket.trains.get(way).copied()
        })
    }

    /// The trains of this hash's bucket if it has no free way.
    #[inline]
    pub(super) fn full_bucket(&self, hash: u64) -> Option<[u32; WAYS]> {
        let bucket = &self.buckets[self.bucket_of(hash)];
        (!bucket.tags.contains(&0)).then_some(bucket.trains)
    }

    /// Enters a train; `None` if its bucket is full.
    pub(super) fn insert(&mut self, hash: u64, train: u32) -> Option<Place> {
        let number = self.bucket_of(hash);
        let bucket = &mut self.buckets[number];
        let way = bucket.tags.iter().position(|&tag| tag == 0)?;
        bucket.tags[way] = tag_of(hash);
        bucket.trains[way] = train;
        Some(Place { bucket: number as u32, way: way as u8 })
    }

    /// Frees a place.
    pub(super) fn remove(&mut self, place: Place) {
        self.buckets[place.bucket as usize].tags[usize::from(place.way)] = 0;
    }

    fn bucket_of(&self, hash: u64) -> usize {
        hash as usize & (self.buckets.len() - 1)
    }
}

/// Never 0.
fn tag_of(hash: u64) -> u16 {
    (hash >> 48) as u16 | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_eight_and_says_so() {
        let mut index = Index::new(64);
        let places: Vec<_> =
            (0..WAYS as u32).map(|train| index.insert(5, train).unwrap()).collect();
        assert_eq!(index.insert(5, 9), None);
        assert_eq!(index.full_bucket(5), Some([0, 1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(index.full_bucket(6), None);
        assert_eq!(index.candidates(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(index.candidates(5 | 1 << 60).count(), 0);
        index.remove(places[3]);
        assert_eq!(index.candidates(5).collect::<Vec<_>>(), [0, 1, 2, 4, 5, 6, 7]);
        assert_eq!(index.insert(5 | 1 << 60, 9), Some(places[3]));
        assert_eq!(index.candidates(5 | 1 << 60).collect::<Vec<_>>(), [9]);
    }
}
