use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::packet::MacAddr;

const AGEING: Duration = Duration::from_secs(300);

fn station(index: u32) -> Station {
    let [a, b, c, d] = index.to_be_bytes();
    Station::new(MacAddr([2, 0, a, b, c, d]), 0).unwrap()
}

fn at(secs: u64) -> Nanos {
    Nanos::from_secs(secs)
}

#[test]
fn groups_and_zero_are_no_stations() {
    for mac in [[0; 6], [0xff; 6], [1, 0, 0x5e, 0, 0, 1]] {
        assert_eq!(Station::new(MacAddr(mac), 5), None);
    }
    let station = Station::new(MacAddr([2, 1, 2, 3, 4, 5]), 0xfff).unwrap();
    assert_eq!((station.mac(), station.vlan()), (MacAddr([2, 1, 2, 3, 4, 5]), 0xfff));
}

#[test]
fn learns_moves_and_forgets() {
    let fdb = Fdb::new(64, AGEING, 0);
    let who = station(1);
    assert_eq!(fdb.lookup(who, at(0)), None);
    assert_eq!(fdb.learn(who, PortId(1), at(0)), Learning::New);
    assert_eq!(fdb.lookup(who, at(0)), Some(PortId(1)));
    assert_eq!(fdb.learn(who, PortId(1), at(1)), Learning::Unchanged);
    assert_eq!(fdb.learn(who, PortId(2), at(2)), Learning::Moved);
    assert_eq!(fdb.lookup(who, at(2)), Some(PortId(2)));
    assert!(fdb.forget(who));
    assert_eq!((fdb.lookup(who, at(2)), fdb.used()), (None, 0));
}

#[test]
fn vlans_do_not_know_each_other() {
    let fdb = Fdb::new(64, AGEING, 0);
    let mac = MacAddr([2, 0, 0, 0, 0, 1]);
    let [ten, twenty] = [10, 20].map(|vlan| Station::new(mac, vlan).unwrap());
    fdb.learn(ten, PortId(1), at(0));
    assert_eq!(fdb.lookup(twenty, at(0)), None);
    fdb.learn(twenty, PortId(2), at(0));
    assert_eq!(fdb.lookup(ten, at(0)), Some(PortId(1)));
}

#[test]
fn an_aged_entry_is_unknown_even_before_it_is_freed() {
    let fdb = Fdb::new(64, AGEING, 0);
    fdb.learn(station(1), PortId(1), at(0));
    assert_eq!(fdb.lookup(station(1), at(300)), Some(PortId(1)));
    assert_eq!(fdb.lookup(station(1), at(302)), None);
    assert_eq!(fdb.entries(at(302)).count(), 0);
    // Heard again, it is new: a held frame was to be flooded.
    assert_eq!(fdb.would_learn(station(1), PortId(1), at(302)), Learning::New);
    assert_eq!((fdb.expire(at(300)), fdb.used()), (0, 1));
    assert_eq!((fdb.expire(at(302)), fdb.used()), (1, 0));
}

#[test]
fn a_sighting_is_written_once_a_second_and_counts_all_the_same() {
    let fdb = Fdb::new(64, AGEING, 0);
    fdb.learn(station(1), PortId(1), at(0));
    let idle = |now| fdb.entries(now).next().unwrap().idle.unwrap().as_secs_f64();
    let soon = Nanos(900_000_000);
    assert_eq!(fdb.would_learn(station(1), PortId(1), soon), Learning::Unchanged);
    assert!((idle(soon) - 0.9).abs() < 0.01, "not written yet");
    // Heard at 0.9 s, so not forgotten 300 s later, although 0.9 s was never written down.
    assert_eq!(fdb.lookup(station(1), Nanos(300_800_000_000)), Some(PortId(1)));
    assert_eq!(fdb.would_learn(station(1), PortId(1), at(2)), Learning::Unchanged);
    assert!(idle(at(2)) < 0.01, "written");
}

#[test]
fn asking_changes_nothing_that_a_lookup_tells() {
    let fdb = Fdb::new(64, AGEING, 0);
    assert_eq!(fdb.would_learn(station(1), PortId(1), at(0)), Learning::New);
    assert_eq!(fdb.lookup(station(1), at(0)), None);
    fdb.learn(station(1), PortId(1), at(0));
    assert_eq!(fdb.would_learn(station(1), PortId(2), at(5)), Learning::Moved);
    assert_eq!(fdb.lookup(station(1), at(5)), Some(PortId(1)));
    assert!(Learning::New.is_change() && Learning::Moved.is_change());
    assert!(!Learning::Unchanged.is_change() && !Learning::Refused.is_change());
}

#[test]
fn takes_what_it_was_made_for_and_then_refuses() {
    for limit in [64, 1000, 16384] {
        let fdb = Fdb::new(limit, AGEING, 7);
        for index in 0..limit {
            assert_eq!(fdb.learn(station(index), PortId(1), at(0)), Learning::New, "{index}");
        }
        assert_eq!(fdb.used(), limit);
        assert_eq!(fdb.would_learn(station(limit), PortId(2), at(0)), Learning::Refused);
        assert_eq!(fdb.learn(station(limit), PortId(2), at(0)), Learning::Refused);
        assert_eq!((fdb.lookup(station(limit), at(0)), fdb.used()), (None, limit));
        // Who is known stays known, and may move.
        assert_eq!(fdb.learn(station(0), PortId(2), at(0)), Learning::Moved);
        // Aged entries make room.
        fdb.expire(at(400));
        assert_eq!(fdb.learn(station(limit), PortId(2), at(400)), Learning::New);
    }
}

#[test]
fn slots_of_aged_stations_are_taken_over_uncounted() {
    let fdb = Fdb::new(1, AGEING, 7);
    for round in 0..100 {
        let now = at(u64::from(round) * 1000);
        assert_eq!(fdb.learn(station(round), PortId(1), now), Learning::New);
        assert_eq!(fdb.lookup(station(round), now), Some(PortId(1)));
        assert_eq!(fdb.expire(now + at(500)), 1);
    }
    assert_eq!(fdb.used(), 0);
}

#[test]
fn what_is_pinned_stays() {
    let fdb = Fdb::new(64, AGEING, 0);
    fdb.learn(station(1), PortId(1), at(0));
    assert!(fdb.pin(station(1), PortId(2), at(0)));
    assert_eq!(fdb.learn(station(1), PortId(1), at(1)), Learning::Unchanged);
    assert_eq!((fdb.flush(PortId(2)), fdb.expire(at(10_000))), (0, 0));
    assert_eq!(fdb.lookup(station(1), at(10_000)), Some(PortId(2)));
    assert_eq!(fdb.entries(at(10_000)).next().unwrap().idle, None);
    assert!(fdb.pin(station(1), PortId(3), at(10_000)));
    assert_eq!(fdb.lookup(station(1), at(10_000)), Some(PortId(3)));
    assert!(fdb.forget(station(1)) && !fdb.forget(station(1)));
}

#[test]
fn a_port_without_link_is_forgotten_alone() {
    let fdb = Fdb::new(64, AGEING, 0);
    for index in 0..30 {
        fdb.learn(station(index), PortId(index as u16 % 3), at(0));
    }
    assert_eq!(fdb.flush(PortId(1)), 10);
    assert!(fdb.entries(at(0)).all(|entry| entry.port != PortId(1)));
    assert_eq!(fdb.used(), 20);
}

#[derive(Clone, Debug)]
enum Step {
    Learn(u32, u16),
    Lookup(u32),
    Wait(u64),
    Expire,
    Flush(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..80u32, 0..4u16).prop_map(|(who, port)| Step::Learn(who, port)),
        6 => (0..80u32).prop_map(Step::Lookup),
        2 => (0..400u64).prop_map(Step::Wait),
        1 => Just(Step::Expire),
        1 => (0..4u16).prop_map(Step::Flush),
    ];
    proptest::collection::vec(step, 1..400)
}

proptest! {
    /// Against a map with times. Between 300 and 301 s after a sighting either answer is right.
    #[test]
    fn is_a_map_with_ageing(steps in steps(), seed: u64) {
        let fdb = Fdb::new(80, AGEING, seed);
        let mut model: HashMap<u32, (PortId, u64)> = HashMap::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Learn(who, port) => {
                    let would = fdb.would_learn(station(who), PortId(port), at(now));
                    let did = fdb.learn(station(who), PortId(port), at(now));
                    prop_assert_eq!(would, did);
                    let expected = match model.insert(who, (PortId(port), now)) {
                        Some((_, seen)) if now - seen > 301 => Learning::New,
                        Some((old, _)) if old != PortId(port) => Learning::Moved,
                        Some(_) => Learning::Unchanged,
                        None => Learning::New,
                    };
                    prop_assert_eq!(did, expected);
                }
                Step::Lookup(who) => {
                    let known = model.get(&who).filter(|(_, seen)| now - seen <= 301);
                    let found = fdb.lookup(station(who), at(now));
                    prop_assert_eq!(found, known.map(|(port, _)| *port));
                }
                // Never to exactly 301 s after a sighting.
                Step::Wait(secs) => now += secs * 3,
                Step::Expire => {
                    fdb.expire(at(now));
                    model.retain(|_, (_, seen)| now - *seen <= 301);
                    prop_assert_eq!(fdb.used() as usize, model.len());
                }
                Step::Flush(port) => {
                    fdb.flush(PortId(port));
                    model.retain(|_, (on, _)| *on != PortId(port));
                }
            }
            prop_assert!(fdb.used() >= fdb.entries(at(now)).count() as u32);
        }
    }
}

/// Four writers, two readers and the control side on a table too small for them. A station's port
/// encodes who it is, so a record read with another's key shows.
#[test]
fn workers_at_once_never_misread_and_the_count_is_right() {
    const STATIONS: u32 = 200;
    let fdb = Fdb::new(64, Duration::from_secs(1), 3);
    let ports_of = |who: u32| [who as u16, who as u16 + 1000];
    std::thread::scope(|scope| {
        for worker in 0..4u32 {
            let fdb = &fdb;
            scope.spawn(move || {
                for round in 0..40_000u32 {
                    let who = (round.wrapping_mul(2_654_435_761) >> 7 ^ worker) % STATIONS;
                    let port = ports_of(who)[(round & 1) as usize];
                    // Time goes on by a millisecond a round: entries age and slots change hands.
                    fdb.learn(station(who), PortId(port), Nanos(u64::from(round) * 1_000_000));
                }
            });
        }
        for reader in 0..2u32 {
            let fdb = &fdb;
            scope.spawn(move || {
                for round in 0..80_000u32 {
                    let who = (round + reader) % STATIONS;
                    // Before everything: nothing is aged, whatever is there is found.
                    if let Some(port) = fdb.lookup(station(who), Nanos(0)) {
                        assert!(ports_of(who).contains(&port.0), "{who} on {port}");
                    }
                }
            });
        }
        for round in 0..400u64 {
            fdb.expire(Nanos(round * 100_000_000));
            fdb.flush(PortId(round as u16 % 200));
        }
    });
    let stations: Vec<_> = fdb.entries(Nanos(0)).map(|entry| entry.station).collect();
    let unique: HashSet<_> = stations.iter().collect();
    assert_eq!(unique.len(), stations.len(), "one entry each");
    assert_eq!(fdb.used() as usize, stations.len());
    assert!(fdb.used() <= fdb.limit());
}
