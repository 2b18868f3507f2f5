//! The forwarding database: which port a station was last heard on (IEEE 802.1Q 8.8).
//!
//! One table per bridge, shared by all workers: lookup is wait-free, learning is a few atomic
//! operations that give up when they race (the station's next frame learns it). Two hashed buckets
//! per station and twice as many slots as stations, so that a table takes what it was made for.
//!
//! *When full:* nothing is evicted, learning is refused and what is for the unlearned station is
//! flooded; stations that talk cannot be pushed out by a flood of made-up addresses.
//! *Ageing:* an aged entry is unknown at once to whoever looks; the control side frees its slot.

mod bucket;
mod learn;
#[cfg(all(test, loom))]
mod race;
#[cfg(all(test, not(loom)))]
mod tests;

use core::hash::BuildHasher;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;

use foldhash::quality::FixedState;

pub use bucket::Station;
use bucket::{Bucket, Key, Record, Tenant, WAYS};
pub use learn::Learning;

use crate::packet::PortId;
use crate::sync::AtomicU32;
use crate::time::Nanos;

/// Stations and their ports.
pub struct Fdb {
    /// A power of two of them, at least two.
    buckets: Box<[Bucket]>,
    hasher: FixedState,
    /// Slots taken. // worker: rw (when learning), control: rw
    used: AtomicU32,
    limit: u32,
    lifetime: u64,
    refresh: u64,
}

/// One station, for display.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FdbEntry {
    /// Who.
    pub station: Station,
    /// Where.
    pub port: PortId,
    /// Time without a frame (known to within a second). `None` if pinned: it never ages.
    pub idle: Option<Duration>,
}

impl Fdb {
    /// A table for `limit` stations, each forgotten after `ageing` without a frame (and within a
    /// second, or a quarter of it, of that). `seed` keeps others from choosing addresses that
    /// collide.
    pub fn new(limit: u32, ageing: Duration, seed: u64) -> Self {
        let buckets = (limit as usize * 2).div_ceil(WAYS).next_power_of_two().max(2);
        let (lifetime, refresh) = times(ageing);
        Self {
            buckets: (0..buckets).map(|_| Bucket::new()).collect(),
            hasher: FixedState::with_seed(seed),
            used: AtomicU32::new(0),
            limit,
            lifetime,
            refresh,
        }
    }

    /// The port `station` is on, if it was heard there within the ageing time.
    #[inline]
    pub fn lookup(&self, station: Station, now: Nanos) -> Option<PortId> {
        let record = self.record(station)?;
        (!self.is_aged(record, ticks(now))).then(|| record.port())
    }

    /// Whether `station` was heard on `port` so lately that hearing it again changes nothing.
    #[inline]
    fn has_just_heard(&self, station: Station, port: PortId, now: Nanos) -> bool {
        self.record(station).is_some_and(|record| {
            record.port() == port && ticks(now).saturating_sub(record.tick()) < self.refresh
        })
    }

    /// Forgets `station`, pinned or not; whether it was known. Control side.
    pub fn forget(&self, station: Station) -> bool {
        self.find(station).is_some_and(|(bucket, tenant)| self.free(bucket, tenant.way, tenant.key))
    }

    /// Forgets what was learned on `port` (its link is down); how many stations. Control side.
    pub fn flush(&self, port: PortId) -> usize {
        self.forget_where(|record| record.port() == port)
    }

    /// Frees the slots of stations not heard for the ageing time; how many. Control side, about
    /// once a second.
    pub fn expire(&self, now: Nanos) -> usize {
        self.forget_where(|record| self.is_aged(record, ticks(now)))
    }

    /// All stations that a lookup finds now, in no order. Control side.
    pub fn entries(&self, now: Nanos) -> impl Iterator<Item = FdbEntry> {
        let now = ticks(now);
        let tenants = self.buckets.iter().flat_map(Bucket::tenants);
        tenants.filter(move |tenant| !self.is_aged(tenant.record, now)).filter_map(move |tenant| {
            let record = tenant.record;
            let idle = Duration::from_nanos(now.saturating_sub(record.tick()) << TICK_SHIFT);
            let idle = (!record.is_pinned()).then_some(idle);
            Some(FdbEntry { station: tenant.key.station()?, port: record.port(), idle })
        })
    }

    /// Slots taken, aged entries that nobody has freed yet included.
    pub fn used(&self) -> u32 {
        self.used.load(Relaxed)
    }

    /// Whether it was made for as many stations and this ageing time.
    pub fn is_for(&self, limit: u32, ageing: Duration) -> bool {
        (self.limit, self.lifetime) == (limit, times(ageing).0)
    }

    /// Stations it was made for.
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// How long a station is known, and how long a sighting need not be written down; it still counts.
fn times(ageing: Duration) -> (u64, u64) {
    let ageing = ticks(Nanos(ageing.as_nanos() as u64)).max(1);
    let refresh = (ageing / 4).min(ticks(Nanos::from_secs(1)));
    (ageing + refresh, refresh)
}

/// Times are kept in units of 2^20 ns, about a millisecond: 40 bits of them last 36 years.
const TICK_SHIFT: u32 = 20;

fn ticks(time: Nanos) -> u64 {
    time.0 >> TICK_SHIFT & ((1 << 40) - 1)
}

impl Fdb {
    fn forget_where(&self, mut condition: impl FnMut(Record) -> bool) -> usize {
        let mut freed = 0;
        for bucket in &self.buckets {
            for tenant in bucket.tenants() {
                if !tenant.record.is_pinned() && condition(tenant.record) {
                    freed += usize::from(self.free(bucket, tenant.way, tenant.key));
                }
            }
        }
        freed
    }

    fn free(&self, bucket: &Bucket, way: usize, key: Key) -> bool {
        let freed = bucket.free(way, key);
        if freed {
            self.used.fetch_sub(1, Relaxed);
        }
        freed
    }

    fn find(&self, station: Station) -> Option<(&Bucket, Tenant)> {
        self.buckets_of(station).into_iter().find_map(|b| b.find(station).map(|t| (b, t)))
    }

    #[inline]
    fn record(&self, station: Station) -> Option<Record> {
        let hash = self.hash(station);
        self.first_of(hash).record(station).or_else(|| self.second_of(hash).record(station))
    }

    /// The two buckets that may hold `station`, always in this order.
    fn buckets_of(&self, station: Station) -> [&Bucket; 2] {
        let hash = self.hash(station);
        [self.first_of(hash), self.second_of(hash)]
    }

    #[inline]
    fn hash(&self, station: Station) -> u64 {
        self.hasher.hash_one(station.bits())
    }

    #[inline]
    fn first_of(&self, hash: u64) -> &Bucket {
        &self.buckets[hash as usize & (self.buckets.len() - 1)]
    }

    fn second_of(&self, hash: u64) -> &Bucket {
        let mask = self.buckets.len() - 1;
        let (first, second) = (hash as usize & mask, (hash >> 32) as usize & mask);
        &self.buckets[if second == first { first ^ 1 } else { second }]
    }

    #[inline]
    fn is_aged(&self, record: Record, now: u64) -> bool {
        !record.is_pinned() && now.saturating_sub(record.tick()) > self.lifetime
    }
}
