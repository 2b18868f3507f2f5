use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::time::Nanos;

/// A rate in datagrams, in bits, or both, shared by all workers: a datagram passes if every bucket
/// has the tokens it costs, and otherwise takes none.
///
/// A bucket holds what comes in a tenth of a second, and at least one datagram, or one frame of the
/// greatest length a buffer may have.
#[derive(Debug)]
pub struct Limiter {
    datagrams: Option<Bucket>,
    bits: Option<Bucket>,
}

/// A token bucket as the one moment at which it will be full again (GCRA, ITU-T I.371 Annex A).
#[derive(Debug)]
struct Bucket {
    /// In units. // worker: rw
    full_at: AtomicU64,
    /// Units in which an empty bucket fills.
    fill: u64,
    per_second: u64,
}

/// Units of time in a nanosecond: small enough for a frame at 100 Gbit/s, and 36 years fit.
const UNITS: u64 = 16;
const SECOND: u64 = 1_000_000_000 * UNITS;
/// `runtime.buffer_bytes` ends there.
const GREATEST_FRAME_BITS: u64 = 16384 * 8;

impl Limiter {
    /// `None` without a rate.
    pub fn new(datagrams_per_s: Option<u64>, bits_per_s: Option<u64>) -> Option<Self> {
        let datagrams = datagrams_per_s.map(|rate| Bucket::new(rate, 1));
        let bits = bits_per_s.map(|rate| Bucket::new(rate, GREATEST_FRAME_BITS));
        (datagrams.is_some() || bits.is_some()).then_some(Self { datagrams, bits })
    }

    /// Whether [`take`](Self::take) would let it pass.
    pub fn has(&self, bytes: usize, now: Nanos) -> bool {
        let has = |bucket: &Option<Bucket>, tokens| match bucket {
            Some(bucket) => bucket.has(tokens, now),
            None => true,
        };
        has(&self.datagrams, 1) && has(&self.bits, bytes as u64 * 8)
    }

    /// Whether a datagram in a frame of `bytes` may pass now. Another worker may take the last
    /// token of one bucket between the two looks: what the other gave is then put back.
    pub fn take(&self, bytes: usize, now: Nanos) -> bool {
        let take = |bucket: &Option<Bucket>, tokens| match bucket {
            Some(bucket) => bucket.take(tokens, now),
            None => true,
        };
        if !take(&self.datagrams, 1) {
            return false;
        }
        let passes = take(&self.bits, bytes as u64 * 8);
        if let (false, Some(datagrams)) = (passes, &self.datagrams) {
            datagrams.put_back(1);
        }
        passes
    }
}

impl Bucket {
    fn new(per_second: u64, least: u64) -> Self {
        let fill = (SECOND / 10).max(time_of(least, per_second));
        Self { full_at: AtomicU64::new(0), fill, per_second }
    }

    fn has(&self, tokens: u64, now: Nanos) -> bool {
        self.without(tokens, self.full_at.load(Relaxed), now).is_some()
    }

    fn take(&self, tokens: u64, now: Nanos) -> bool {
        let without = |full_at| self.without(tokens, full_at, now);
        self.full_at.fetch_update(Relaxed, Relaxed, without).is_ok()
    }

    /// When it will be full without these tokens; `None` if it has not so many.
    fn without(&self, tokens: u64, full_at: u64, now: Nanos) -> Option<u64> {
        let now = now.0.saturating_mul(UNITS);
        let full_at = full_at.max(now).saturating_add(time_of(tokens, self.per_second));
        (full_at - now <= self.fill).then_some(full_at)
    }

    fn put_back(&self, tokens: u64) {
        let cost = time_of(tokens, self.per_second);
        // It only ever gives back what was just added, so nothing wraps.
        self.full_at.fetch_sub(cost, Relaxed);
    }
}

/// In which this many tokens come, in units.
fn time_of(tokens: u64, per_second: u64) -> u64 {
    (u128::from(tokens) * u128::from(SECOND) / u128::from(per_second.max(1))) as u64
}
