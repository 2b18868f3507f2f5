//! How a sighting of a station becomes an entry. Every change is one compare-and-swap on what was
//! read before; who loses a race changes nothing and leaves it to the station's next frame.

use core::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::{Bucket, Fdb, Key, Record, Station, Tenant, ticks};
use crate::packet::PortId;
use crate::sync::fence;
use crate::time::Nanos;

/// What a sighting of a station does to the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Learning {
    /// Nothing that a lookup could tell: known on this port, pinned, or nothing to learn.
    Unchanged,
    /// The station was unknown.
    New,
    /// The station was known on another port.
    Moved,
    /// The table is full.
    Refused,
}

impl Learning {
    /// Whether a lookup before and one after can differ.
    pub fn is_change(self) -> bool {
        matches!(self, Self::New | Self::Moved)
    }
}

impl Fdb {
    /// What [`learn`](Self::learn) would do now. Nothing changes but the time of the last sighting,
    /// which is written down at most once a second.
    #[inline]
    pub fn would_learn(&self, station: Station, port: PortId, now: Nanos) -> Learning {
        // Nearly every frame is from a station that was heard there a moment ago.
        if self.has_just_heard(station, port, now) {
            return Learning::Unchanged;
        }
        self.note_sighting(station, port, now)
    }

    #[inline(never)]
    fn note_sighting(&self, station: Station, port: PortId, now: Nanos) -> Learning {
        let record = Record::new(port, false, ticks(now));
        let plan = self.plan(station, record, ticks(now));
        if let Plan::Refresh(bucket, tenant) = plan {
            bucket.rewrite(tenant, record);
        }
        plan.outcome()
    }

    /// Notes that `station` was heard on `port`.
    pub fn learn(&self, station: Station, port: PortId, now: Nanos) -> Learning {
        self.write(station, Record::new(port, false, ticks(now)), ticks(now))
    }

    /// Puts `station` on `port` for good: neither ageing nor moves nor [`flush`](Self::flush)
    /// change that. False if there is no room. Control side.
    pub fn pin(&self, station: Station, port: PortId, now: Nanos) -> bool {
        let record = Record::new(port, true, ticks(now));
        let pinned =
            |fdb: &Self| fdb.find(station).is_some_and(|(_, t)| t.record.is_pinned_to(port));
        // A worker that learns the station at the same time can win a race or two.
        (0..8).any(|_| self.write(station, record, ticks(now)) != Learning::Refused && pinned(self))
    }
}

/// How a sighting is to be written down.
enum Plan<'a> {
    Keep,
    Refresh(&'a Bucket, Tenant),
    Rewrite(&'a Bucket, Tenant, Learning),
    Claim(&'a Bucket, usize, Key),
    Refuse,
}

impl Plan<'_> {
    fn outcome(&self) -> Learning {
        match self {
            Self::Keep | Self::Refresh(..) => Learning::Unchanged,
            Self::Rewrite(_, _, learning) => *learning,
            Self::Claim(..) => Learning::New,
            Self::Refuse => Learning::Refused,
        }
    }
}

impl Fdb {
    fn plan(&self, station: Station, new: Record, now: u64) -> Plan<'_> {
        let Some((bucket, tenant)) = self.find(station) else {
            return self.plan_claim(station, now);
        };
        let old = tenant.record;
        if old.is_pinned() && !new.is_pinned() {
            Plan::Keep
        } else if self.is_aged(old, now) {
            Plan::Rewrite(bucket, tenant, Learning::New)
        } else if old.port() != new.port() {
            Plan::Rewrite(bucket, tenant, Learning::Moved)
        } else if now.saturating_sub(old.tick()) >= self.refresh || new.is_pinned() {
            Plan::Refresh(bucket, tenant)
        } else {
            Plan::Keep
        }
    }

    /// A slot for a station that has none: in the emptier of its two buckets.
    fn plan_claim(&self, station: Station, now: u64) -> Plan<'_> {
        let [first, second] = self.buckets_of(station);
        let [in_first, in_second] = [first, second].map(|bucket| self.vacancies(bucket, now));
        let (bucket, vacancies) =
            if in_second.count > in_first.count { (second, in_second) } else { (first, in_first) };
        match vacancies.slot {
            Some((_, key)) if key.is_free() && self.used() >= self.limit => Plan::Refuse,
            Some((way, key)) => Plan::Claim(bucket, way, key),
            None => Plan::Refuse,
        }
    }

    fn vacancies(&self, bucket: &Bucket, now: u64) -> Vacancies {
        let mut vacancies = Vacancies { count: 0, slot: None };
        for (way, key) in bucket.keys() {
            if key.is_free() {
                vacancies.count += 1;
                vacancies.slot = vacancies.slot.or(Some((way, key)));
            } else if bucket.tenant(way, key).is_some_and(|t| self.is_aged(t.record, now)) {
                vacancies.count += 1;
                vacancies.slot = Some((way, key));
            }
        }
        vacancies
    }

    fn write(&self, station: Station, record: Record, now: u64) -> Learning {
        let plan = self.plan(station, record, now);
        let done = match plan {
            Plan::Keep | Plan::Refuse => true,
            Plan::Refresh(bucket, tenant) | Plan::Rewrite(bucket, tenant, _) => {
                bucket.rewrite(tenant, record)
            }
            // The slot of an aged tenant is counted already.
            Plan::Claim(_, _, key) if key.is_free() && !self.count_one() => {
                return Learning::Refused;
            }
            Plan::Claim(bucket, way, key) => {
                let claimed = bucket.claim(way, key, station, record);
                if claimed {
                    self.keep_one(station);
                } else if key.is_free() {
                    self.used.fetch_sub(1, Relaxed);
                }
                claimed
            }
        };
        if done { plan.outcome() } else { Learning::Unchanged }
    }

    /// Counts one more slot, unless the table is full.
    fn count_one(&self) -> bool {
        let counted = self.used.fetch_add(1, Relaxed) < self.limit;
        if !counted {
            self.used.fetch_sub(1, Relaxed);
        }
        counted
    }

    /// Two workers may have claimed a slot each for one station. The pinned one stays, else the
    /// first.
    fn keep_one(&self, station: Station) {
        // Between the store of our key and the look at the others: of two workers that did both,
        // at least one sees both keys.
        fence(SeqCst);
        let buckets = self.buckets_of(station);
        let copies = || {
            let of_bucket = |at: usize| buckets[at].tenants().map(move |tenant| (at, tenant));
            (0..2).flat_map(of_bucket).filter(|(_, tenant)| tenant.key.station() == Some(station))
        };
        let any_pinned = copies().any(|(_, tenant)| tenant.record.is_pinned());
        // Others come and go meanwhile. What is freed had one before it or a pinned one beside it,
        // so two workers never free each other's.
        let mut kept = any_pinned;
        for (at, tenant) in copies() {
            if kept && !tenant.record.is_pinned() {
                self.free(buckets[at], tenant.way, tenant.key);
            }
            kept = true;
        }
    }
}

/// Slots of one bucket that a new station could have.
struct Vacancies {
    count: usize,
    /// One of them: that of an aged tenant if possible, so that the table does not grow.
    slot: Option<(usize, Key)>,
}
