//! The model checker: every interleaving (loads and stores reordered as the memory model allows) of
//! two workers and the control side on a table of two buckets with two slots.
//! Compiled in gateway/loom.

use core::time::Duration;

use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::packet::MacAddr;

const AGEING: Duration = Duration::from_secs(1);
const LATER: Nanos = Nanos::from_secs(60);

fn station(index: u8) -> Station {
    Station::new(MacAddr([2, 0, 0, 0, 0, index]), 0).unwrap()
}

fn copies(fdb: &Fdb, of: Station) -> usize {
    let keys = fdb.buckets.iter().flat_map(Bucket::keys);
    keys.filter(|(_, key)| key.station() == Some(of)).count()
}

fn occupied(fdb: &Fdb) -> u32 {
    let keys = fdb.buckets.iter().flat_map(Bucket::keys);
    keys.filter(|(_, key)| !key.is_free()).count() as u32
}

#[test]
fn a_station_heard_twice_at_once_has_one_entry() {
    loom::model(|| {
        let fdb = Arc::new(Fdb::new(2, AGEING, 0));
        let other = Arc::clone(&fdb);
        let rival = thread::spawn(move || other.learn(station(1), PortId(1), Nanos(0)));
        fdb.learn(station(1), PortId(2), Nanos(0));
        rival.join().unwrap();
        assert_eq!(copies(&fdb, station(1)), 1);
        assert_eq!(fdb.used(), 1);
        assert!(fdb.lookup(station(1), Nanos(0)).is_some());
    });
}

#[test]
fn what_is_pinned_survives_a_worker_that_learns_it() {
    loom::model(|| {
        let fdb = Arc::new(Fdb::new(2, AGEING, 0));
        let other = Arc::clone(&fdb);
        let rival = thread::spawn(move || other.learn(station(1), PortId(1), Nanos(0)));
        let pinned = fdb.pin(station(1), PortId(2), Nanos(0));
        rival.join().unwrap();
        assert!(pinned);
        assert_eq!(fdb.lookup(station(1), LATER), Some(PortId(2)));
        assert_eq!(fdb.used(), occupied(&fdb));
    });
}

#[test]
fn a_reader_never_sees_the_next_tenants_port() {
    loom::model(|| {
        let fdb = Arc::new(Fdb::new(2, AGEING, 0));
        let first_bucket =
            |who: &u8| std::ptr::eq(fdb.buckets_of(station(*who))[0], &fdb.buckets[0]);
        let same_slot: Vec<u8> = (1..).filter(first_bucket).take(3).collect();
        fdb.learn(station(same_slot[0]), PortId(u16::from(same_slot[0])), LATER);
        let (other, sought) = (Arc::clone(&fdb), same_slot.clone());
        // The reader is the spawned one: loom then explores its loads against all stores.
        let reader = thread::spawn(move || {
            for who in sought {
                let found = other.lookup(station(who), LATER);
                assert!(found.is_none_or(|port| port.0 == u16::from(who)), "{who} on {found:?}");
            }
        });
        for pair in same_slot.windows(2) {
            fdb.flush(PortId(u16::from(pair[0])));
            fdb.learn(station(pair[1]), PortId(u16::from(pair[1])), LATER);
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_late_refresh_does_not_touch_the_next_tenant() {
    loom::model(|| {
        let fdb = Arc::new(Fdb::new(1, AGEING, 0));
        fdb.learn(station(1), PortId(1), Nanos(0));
        let other = Arc::clone(&fdb);
        let rival = thread::spawn(move || {
            other.expire(LATER);
            other.learn(station(2), PortId(2), LATER);
        });
        // Refreshes or moves the entry of station 1, if it is still there.
        fdb.learn(station(1), PortId(3), LATER);
        rival.join().unwrap();
        let second = fdb.lookup(station(2), LATER);
        assert!(second.is_none() || second == Some(PortId(2)));
        assert_eq!(fdb.used(), occupied(&fdb));
        assert!(fdb.used() <= fdb.limit());
    });
}
