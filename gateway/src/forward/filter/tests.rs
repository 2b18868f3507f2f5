use proptest::prelude::*;

use super::{Filters, Limiter, RuleId};
use crate::config::{Action, Filter, Match, Place};
use crate::time::Nanos;

fn filter(port: u16) -> Filter {
    let matches = Match { dst_port: Some((port, port)), ..Match::default() };
    let (rate_pps, rate_bps) = (Some(100), None);
    Filter { at: Place::Ingress, matches, action: Action::Accept, rate_pps, rate_bps }
}

fn ids(filters: &Filters) -> Vec<RuleId> {
    filters.rules().map(|(_, id)| id).collect()
}

#[test]
fn a_rule_keeps_its_counters_as_long_as_it_is_there() {
    let first = Filters::build(&[filter(1), filter(2)], None, 1).unwrap();
    let [one, two] = ids(&first)[..] else { panic!() };
    let second = Filters::build(&[filter(3), filter(2), filter(1)], Some(&first), 2).unwrap();
    let [three, again_two, again_one] = ids(&second)[..] else { panic!() };
    assert_eq!((again_one, again_two), (one, two));
    assert_eq!(three.born, 2);
    assert!(three.slot != one.slot && three.slot != two.slot);
    // Another rule in the slot of one that is gone is not taken for it.
    let third = Filters::build(&[filter(4)], Some(&second), 3).unwrap();
    assert_eq!(ids(&third), [RuleId { slot: 0, born: 3 }]);
    assert!(Filters::build(&[], Some(&third), 4).is_none());
}

#[test]
fn equal_rules_are_two_rules() {
    let first = Filters::build(&[filter(1), filter(1)], None, 1).unwrap();
    let second = Filters::build(&[filter(1), filter(1)], Some(&first), 2).unwrap();
    assert_eq!(ids(&first), ids(&second));
    assert_ne!(ids(&first)[0].slot, ids(&first)[1].slot);
}

proptest! {
    /// Against buckets that count what they hold, in units of which a second has 16e9.
    #[test]
    fn a_limiter_is_two_token_buckets(
        pps in prop::option::of(1u64..1_000_000),
        bps in prop::option::of(1000u64..100_000_000_000),
        steps in prop::collection::vec(
            (prop_oneof![Just(0u64), 0u64..2_000_000], 60usize..1600), 1..300),
    ) {
        let limiter = Limiter::new(pps, bps);
        prop_assert_eq!(limiter.is_none(), pps.is_none() && bps.is_none());
        let Some(limiter) = limiter else { return Ok(()) };
        const SECOND: u128 = 16_000_000_000;
        let cost = |tokens: u64, rate: Option<u64>| {
            rate.map_or(0, |rate| u128::from(tokens) * SECOND / u128::from(rate))
        };
        let depth = |least: u64, rate: Option<u64>| (SECOND / 10).max(cost(least, rate));
        let depths = [depth(1, pps), depth(16384 * 8, bps)];
        let (mut held, mut now) = (depths, Nanos::from_secs(3));
        for (step, bytes) in steps {
            now = now + Nanos(step);
            for (held, depth) in held.iter_mut().zip(depths) {
                *held = depth.min(*held + u128::from(step) * 16);
            }
            let costs = [cost(1, pps), cost(bytes as u64 * 8, bps)];
            let passes = held[0] >= costs[0] && held[1] >= costs[1];
            prop_assert_eq!(limiter.has(bytes, now), passes);
            prop_assert_eq!(limiter.take(bytes, now), passes);
            if passes {
                held = [held[0] - costs[0], held[1] - costs[1]];
            }
        }
    }
}
