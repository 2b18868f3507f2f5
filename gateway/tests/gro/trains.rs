//! That equal datagrams really are coalesced, and exactly how: counts, limits, time, eviction.

use core::time::Duration;

use gateway::config::Gro;
use gateway::gro::FlushReason;

use crate::bench::{Event, one_burst, run, settings};
use crate::datagram::{Datagram, Tag, UdpChecksum};

/// `count` datagrams of each flow, one of each in turn.
fn interleaved(flows: u16, count: u16) -> impl Iterator<Item = Datagram> {
    (0..count).flat_map(move |id| {
        (0..flows).map(move |flow| match flow % 2 {
            0 => Datagram::v4(flow, id),
            _ => Datagram::v6(flow),
        })
    })
}

#[test]
fn interleaved_flows_leave_as_one_super_packet_each() {
    for (flows, count) in [(1, 2), (1, 64), (2, 32), (7, 9), (32, 2), (64, 1)] {
        let outcome = one_burst(&settings(), interleaved(flows, count));
        assert_eq!(outcome.sizes(), vec![usize::from(count); flows.into()]);
        assert_eq!(
            outcome.stats.flushed(FlushReason::EndOfBurst),
            match count {
                64 => 0, // complete before the burst ended
                _ => flows.into(),
            }
        );
        assert_eq!(outcome.stats.flows_peak, u64::from(flows));
        assert!((outcome.stats.mean_train() - f64::from(count)).abs() < 1e-9);
    }
}

#[test]
fn first_arrived_first_flushed() {
    let outcome = one_burst(&settings(), interleaved(5, 3));
    let firsts: Vec<usize> = outcome.groups.iter().map(|g| g.members[0]).collect();
    assert_eq!(firsts, [0, 1, 2, 3, 4]);
}

#[test]
fn trains_end_at_max_segments() {
    for max_segments in [1, 2, 3, 63, 64, 128] {
        let settings = Gro { max_segments, ..settings() };
        let size = usize::from(max_segments);
        let outcome = one_burst(&settings, (0..3 * max_segments).map(|id| Datagram::v4(0, id)));
        assert_eq!(outcome.sizes(), vec![size; 3]);
        assert_eq!(outcome.stats.flushed(FlushReason::MaxSegments), 3);
    }
}

#[test]
fn trains_end_before_64_kib() {
    let settings = Gro { max_segments: 128, ..settings() };
    // 1514-byte frames: 43 make 65 102 bytes, 44 would make 66 616
    let outcome = one_burst(&settings, (0..100).map(|id| Datagram::v4(0, id).len(1472)));
    assert_eq!(outcome.sizes(), [43, 43, 14]);
    assert_eq!(outcome.stats.flushed(FlushReason::MaxBytes), 2);
    // 1024-byte frames: 64 of them make 64 KiB exactly
    let outcome = one_burst(&settings, (0..64).map(|id| Datagram::v4(0, id).len(982)));
    assert_eq!(outcome.sizes(), [63, 1]);
}

#[test]
fn checksums_the_port_did_not_verify_do_not_matter_in_list_form() {
    let unknown = |id| Datagram { checksum: UdpChecksum::Unknown, ..Datagram::v4(0, id) };
    let burst = [Datagram::v4(0, 0), unknown(1), Datagram::v4(0, 2)];
    assert_eq!(one_burst(&settings(), burst).sizes(), [3]);
}

#[test]
fn datagrams_of_several_pieces_are_coalesced_too() {
    let split = |id| Datagram { split: Some(usize::from(id) * 9), ..Datagram::v4(0, id) };
    assert_eq!(one_burst(&settings(), (0..12).map(split)).sizes(), [12]);
}

#[test]
fn tags_are_compared_whole() {
    let tagged = |id, priority| {
        let tags = vec![Tag { id: 7, priority: 0 }, Tag { id, priority }];
        Datagram { tags, ..Datagram::v6(0) }
    };
    let outcome = one_burst(
        &settings(),
        [(1, 0), (2, 0), (1, 0), (1, 3), (2, 0), (1, 3)].map(|(id, p)| tagged(id, p)),
    );
    let members: Vec<_> = outcome.groups.iter().map(|g| g.members.as_slice()).collect();
    assert_eq!(members, [&[0, 2][..], &[1, 4], &[3, 5]]);
    assert_eq!(outcome.stats.flushed(FlushReason::Priority), 1);
}

#[test]
fn held_across_bursts_until_max_hold_has_passed() {
    let settings = Gro { max_hold: Duration::from_micros(50), ..settings() };
    let burst =
        |id, then_micros| [Event::Datagram(Datagram::v4(0, id)), Event::EndOfBurst { then_micros }];
    let events = [burst(0, 20), burst(1, 29), burst(2, 1), burst(3, 49), burst(4, 50)].concat();
    let outcome = run(&settings, events);
    // the fourth comes when the first is 50 µs old, but joins: its burst's end flushes all four
    assert_eq!(outcome.sizes(), [4, 1]);
    assert_eq!(outcome.stats.flushed(FlushReason::Expired), 2);
    assert_eq!(outcome.stats.hold_nanos_max, 50_000);
    assert_eq!(outcome.stats.hold_nanos, 50_000 + 50_000);
}

#[test]
fn a_full_table_evicts_the_oldest_train() {
    let settings = Gro { flows: 2, ..settings() };
    let outcome = one_burst(&settings, [1, 2, 1, 3, 2, 3, 1].map(|flow| Datagram::v4(flow, 0)));
    let members: Vec<_> = outcome.groups.iter().map(|g| g.members.as_slice()).collect();
    assert_eq!(members, [&[0, 2][..], &[1, 4], &[3, 5], &[6]]);
    assert_eq!(outcome.stats.evictions(), 2);
    assert_eq!(outcome.stats.flows_peak, 2);
}

#[test]
fn tables_that_change_flush_what_was_decided_by_the_old_ones() {
    let outcome = run(
        &settings(),
        [
            Event::Datagram(Datagram::v4(1, 0)),
            Event::Datagram(Datagram::v4(2, 0)),
            Event::Learned(Datagram::v4(1, 5)), // differs from the held one: a stale conflict
            Event::Datagram(Datagram::v4(1, 6)),
            Event::Learned(Datagram::v4(3, 0)),
        ],
    );
    assert_eq!(outcome.sizes(), [1, 1, 2, 1]);
    assert_eq!(outcome.order(), [0, 1, 2, 3, 4]);
    assert_eq!(outcome.stats.flushed(FlushReason::TablesChanged), 3);
    assert_eq!(outcome.stats.flushed(FlushReason::Identification), 0);
}

#[test]
fn a_port_without_trains_is_skipped_and_tried_again() {
    let settings = Gro { adaptive: true, flows: 256, ..settings() };
    let lonely = |flow| Event::Datagram(Datagram { port: 1, ..Datagram::v4(flow, 0) });
    let burst = || {
        let trains_of_five = interleaved(4, 5).map(Event::Datagram);
        (0..100).map(lonely).chain(trains_of_five).chain([Event::EndOfBurst { then_micros: 1 }])
    };
    let outcome = run(&settings, (0..50).flat_map(|_| burst()));
    // A burst ends before it is judged: of port 1's 5000 are held 300, 288, 276 and 352; between and
    // behind them pass 512, 1024, 2048 and 200 (of 4096).
    assert_eq!(outcome.stats.opt_outs, 4);
    assert_eq!(outcome.stats.flushed(FlushReason::PassedOptOut), 512 + 1024 + 2048 + 200);
    // port 0 goes on as before
    let trains_of_five = outcome.groups.iter().filter(|g| g.members.len() == 5).count();
    assert_eq!(trains_of_five, 4 * 50);
}
