//! From an order key's hash to the trains that may have it: buckets of eight ways, one cache line
//! each. A full bucket is told to the caller, who evicts; nothing is ever moved or chained.

use super::chain::NONE;

/// Trains a bucket can have.
pub(super) const WAYS: usize = 8;
/// Tags in a word, which are compared at once.
const LANES: usize = 4;

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
    /// 16 bits for each way, four in a word. 0: the way is free.
    tags: [u64; WAYS / LANES],
    trains: [u32; WAYS],
}

impl Index {
    /// At most half full with `trains` entered, so that a bucket is rarely full.
    pub(super) fn new(trains: usize) -> Self {
        let buckets = (2 * trains).div_ceil(WAYS).next_power_of_two();
        let empty = Bucket { tags: [0; WAYS / LANES], trains: [NONE; WAYS] };
        Self { buckets: vec![empty; buckets].into_boxed_slice() }
    }

    /// Trains whose tag equals this hash's.
    #[inline]
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u32> {
        let bucket = &self.buckets[self.bucket_of(hash)];
        let mut matching = ways(bucket.tags, tag_of(hash));
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
        (ways(bucket.tags, 0) == 0).then_some(bucket.trains)
    }

    /// Enters a train; `None` if its bucket is full.
    pub(super) fn insert(&mut self, hash: u64, train: u32) -> Option<Place> {
        let number = self.bucket_of(hash);
        let bucket = &mut self.buckets[number];
        let way = ways(bucket.tags, 0).trailing_zeros() as usize;
        *bucket.trains.get_mut(way)? = train;
        bucket.tags[way / LANES] |= u64::from(tag_of(hash)) << (16 * (way % LANES));
        Some(Place { bucket: number as u32, way: way as u8 })
    }

    /// Frees a place.
    pub(super) fn remove(&mut self, place: Place) {
        let way = usize::from(place.way) % WAYS;
        let tags = &mut self.buckets[place.bucket as usize].tags;
        tags[way / LANES] &= !(0xffff << (16 * (way % LANES)));
    }

    fn bucket_of(&self, hash: u64) -> usize {
        hash as usize & (self.buckets.len() - 1)
    }
}

/// A bit for each way with this tag.
#[inline]
fn ways(tags: [u64; WAYS / LANES], tag: u16) -> u32 {
    let [low, high] = tags.map(|word| equal_lanes(word, tag));
    // The marks are at bits 0, 16, 32, 48: brought together by a multiplication each.
    let together = |marks: u64| (marks.wrapping_mul(0x1000_2000_4000_8000) >> 60) as u32;
    together(low) | together(high) << LANES
}

/// Bit 0 of each lane that has this tag; exact, as no lane carries into the next.
#[inline]
fn equal_lanes(word: u64, tag: u16) -> u64 {
    const BELOW_TOP: u64 = 0x7fff_7fff_7fff_7fff;
    let differences = word ^ (u64::from(tag) * 0x0001_0001_0001_0001);
    !(((differences & BELOW_TOP) + BELOW_TOP) | differences | BELOW_TOP) >> 15
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

    #[test]
    fn every_way_is_found_by_its_tag_alone() {
        let near = [0, 1, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];
        for (wanted, other) in near.iter().flat_map(|&w| near.iter().map(move |&o| (w, o))) {
            for there in 0..1u32 << WAYS {
                let mut tags = [0; WAYS / LANES];
                for way in 0..WAYS {
                    let tag: u16 = if there >> way & 1 == 1 { wanted } else { other };
                    tags[way / LANES] |= u64::from(tag) << (16 * (way % LANES));
                }
                let expected = if wanted == other { 0xff } else { there };
                assert_eq!(ways(tags, wanted), expected, "{wanted:x} {other:x}");
            }
        }
    }
}
