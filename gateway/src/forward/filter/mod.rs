//! `[[filter]]` compiled: at each place a flat list of rules, the first that matches decides.
//!
//! What a rule can ask is the same for all datagrams of a super-packet (its order key holds it), so
//! one look is enough; except for rates, which count datagrams: [`Filters::may_limit`] tells what
//! must go one by one, in order of arrival. *Size:* at most `FILTERS_MAX` rules.
//! *Invariant:* looking changes nothing but tokens of rates. Absent: counting, copying, dropping.

mod key;
mod limit;
mod rule;
#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::Arc;

pub use key::FilterKey;
pub use limit::Limiter;
pub use rule::Rule;

use crate::config::{FILTERS_MAX, Filter, Place};

/// The rules of a snapshot.
pub struct Filters {
    places: [Box<[Rule]>; 4],
    /// Rules with a rate, at whatever place.
    limits: Box<[Rule]>,
    /// In the order of the file.
    entries: Box<[Entry]>,
}

/// A rule as the control side knows it.
#[derive(Clone)]
struct Entry {
    filter: Filter,
    id: RuleId,
    limiter: Option<Arc<Limiter>>,
}

/// Whose counters: a place in every worker's table, and since which rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RuleId {
    /// Below `FILTERS_MAX`.
    pub slot: u16,
    /// Never used twice in a slot.
    pub born: u32,
}

impl Filters {
    /// The rules of a configuration; `None` if it has none. A rule that `previous` had too keeps
    /// its counters and its rate's tokens; `born` was never given before.
    pub fn build(filters: &[Filter], previous: Option<&Self>, born: u32) -> Option<Box<Self>> {
        if filters.is_empty() {
            return None;
        }
        let old = previous.map_or(&[][..], |previous| &previous.entries);
        let mut left: Vec<Option<&Entry>> = old.iter().map(Some).collect();
        let kept: Vec<Option<&Entry>> = filters
            .iter()
            .map(|filter| {
                let same = |entry: &&mut Option<&Entry>| {
                    entry.as_ref().is_some_and(|entry| entry.filter == *filter)
                };
                left.iter_mut().find(same).and_then(Option::take)
            })
            .collect();
        let mut taken = vec![false; FILTERS_MAX];
        for entry in kept.iter().flatten() {
            taken[usize::from(entry.id.slot)] = true;
        }
        let mut free = (0..FILTERS_MAX as u16).filter(|&slot| !taken[usize::from(slot)]);
        let entries = filters.iter().zip(kept).filter_map(|(filter, kept)| match kept {
            Some(entry) => Some(entry.clone()),
            None => Some(Entry {
                filter: *filter,
                id: RuleId { slot: free.next()?, born },
                limiter: Limiter::new(filter.rate_pps, filter.rate_bps).map(Arc::new),
            }),
        });
        Some(Box::new(Self::compile(entries.collect())))
    }

    fn compile(entries: Box<[Entry]>) -> Self {
        let rules = |wanted: &dyn Fn(&Entry) -> bool| -> Box<[Rule]> {
            let wanted = entries.iter().filter(|entry| wanted(entry));
            wanted.map(|entry| Rule::new(&entry.filter, entry.id, entry.limiter.clone())).collect()
        };
        let at = |place: Place| rules(&move |entry| entry.filter.at == place);
        let places = [Place::Ingress, Place::Forward, Place::Egress, Place::Local].map(at);
        let limits = rules(&|entry| entry.limiter.is_some());
        Self { places, limits, entries }
    }

    /// The first rule at `place` that matches.
    #[inline]
    pub fn find(&self, place: Place, key: &FilterKey) -> Option<&Rule> {
        self.places[place as usize].iter().find(|rule| rule.matches(key))
    }

    /// Whether there is any rule at `place`.
    #[inline]
    pub fn has(&self, place: Place) -> bool {
        !self.places[place as usize].is_empty()
    }

    /// Whether any rule has a rate.
    #[inline]
    pub fn has_limits(&self) -> bool {
        !self.limits.is_empty()
    }

    /// Whether a rule with a rate might match, by whatever port it leaves.
    pub fn may_limit(&self, key: &FilterKey) -> bool {
        self.limits.iter().any(|rule| rule.might_match(key))
    }

    /// The rules in the order of the file, and whose counters are theirs.
    pub fn rules(&self) -> impl Iterator<Item = (&Filter, RuleId)> {
        self.entries.iter().map(|entry| (&entry.filter, entry.id))
    }

    /// Rules in all.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Slots above the last one in use.
    pub fn slots(&self) -> usize {
        self.entries.iter().map(|entry| usize::from(entry.id.slot) + 1).max().unwrap_or(0)
    }
}
