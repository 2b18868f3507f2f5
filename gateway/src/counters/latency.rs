use core::fmt;

use crate::packet::PortId;
use crate::time::Nanos;

/// Sub-buckets of each power of two: a value is known to within 1/16 of it.
const SUB: usize = 16;
const SUB_BITS: u32 = SUB.trailing_zeros();
/// Values of 2^36 ns, a minute, and more are one bucket.
const GREATEST_BITS: u32 = 36;
/// Values below [`SUB`] have a bucket each, then every power of two has [`SUB`].
const BUCKETS: usize = SUB + (GREATEST_BITS - SUB_BITS) as usize * SUB + 1;

/// Times of one pair of ports: log-linear, of fixed size, exact to 6 per cent.
#[derive(Clone, PartialEq, Eq)]
pub struct Latency {
    /// Where datagrams came from.
    pub from: PortId,
    /// Where they left.
    pub to: PortId,
    counts: [u64; BUCKETS],
    sum: u64,
    max: u64,
}

impl Latency {
    /// Nothing measured yet.
    pub fn new(from: PortId, to: PortId) -> Self {
        Self { from, to, counts: [0; BUCKETS], sum: 0, max: 0 }
    }

    /// Adds a sample.
    pub fn record(&mut self, time: Nanos) {
        self.counts[bucket_of(time.0)] += 1;
        self.sum = self.sum.saturating_add(time.0);
        self.max = self.max.max(time.0);
    }

    /// Adds what another worker measured for the same pair.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// Samples.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All samples added up, nanoseconds.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The longest, nanoseconds.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The least time, to within 1/16, that this share of the samples does not exceed; nanoseconds.
    pub fn quantile(&self, share: f64) -> u64 {
        let wanted = (self.count() as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map_or(self.max, |bucket| last_of(bucket).min(self.max))
    }

    /// Samples below each power of two of nanoseconds, from 2^8 to 2^34, not cumulated, and the
    /// rest.
    pub fn powers(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let mut at = 0;
        (8..=34u32).map(Some).chain([None]).map(move |power| {
            let end = power.map_or(BUCKETS, |power| bucket_of(1 << power));
            let count = self.counts[at..end].iter().sum();
            at = end;
            (power.map(|power| 1 << power), count)
        })
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}: {} samples, max {} ns", self.from, self.to, self.count(), self.max)
    }
}

fn bucket_of(value: u64) -> usize {
    let bits = u64::BITS - value.leading_zeros();
    if bits <= SUB_BITS {
        return value as usize;
    }
    if bits > GREATEST_BITS {
        return BUCKETS - 1;
    }
    let shift = bits - 1 - SUB_BITS;
    SUB + shift as usize * SUB + ((value >> shift) as usize & (SUB - 1))
}

/// The greatest value of a bucket.
fn last_of(bucket: usize) -> u64 {
    if bucket < SUB {
        return bucket as u64;
    }
    if bucket == BUCKETS - 1 {
        return u64::MAX;
    }
    let (shift, sub) = ((bucket - SUB) / SUB, (bucket - SUB) % SUB);
    (((SUB + sub + 1) as u64) << shift) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_value_is_known_to_within_a_sixteenth(value in 0..1u64 << 36) {
            let last = last_of(bucket_of(value));
            prop_assert!(value <= last && last - value <= value / 16, "{value} {last}");
            prop_assert!(bucket_of(last) == bucket_of(value) && bucket_of(last + 1) > bucket_of(value));
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_samples(
            mut samples in prop::collection::vec(0..1u64 << 34, 1..200),
        ) {
            let mut latency = Latency::new(PortId(0), PortId(1));
            samples.iter().for_each(|&sample| latency.record(Nanos(sample)));
            samples.sort_unstable();
            for share in [0.5, 0.99, 0.999, 1.0] {
                let rank = (samples.len() as f64 * share).ceil() as usize;
                let exact = samples[rank - 1];
                let found = latency.quantile(share);
                prop_assert!(exact <= found && found - exact <= exact / 16, "{share} {exact} {found}");
            }
            prop_assert_eq!(latency.powers().map(|(_, count)| count).sum::<u64>(), latency.count());
            prop_assert_eq!((latency.max(), latency.sum()), (samples[samples.len() - 1], samples.iter().sum()));
        }
    }

    #[test]
    fn a_minute_and_more_is_the_longest() {
        let mut latency = Latency::new(PortId(0), PortId(1));
        latency.record(Nanos(u64::MAX));
        assert_eq!((latency.quantile(0.5), latency.count()), (u64::MAX, 1));
    }
}
