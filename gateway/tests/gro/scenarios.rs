//! Failures the field has had (semantics 7), in list form. That every datagram leaves once and byte
//! for byte is checked by the bench, each time.

use std::collections::BTreeMap;

use gateway::gro::{FlushReason, GroStats};

use crate::bench::{Event, Outcome, one_burst, run, settings};
use crate::datagram::{Datagram, Ip, Tag, UdpChecksum};

const V4: fn(u16) -> Datagram = |id| Datagram::v4(0, id);

/// Lengths of one flow in one burst, and the super-packets they must leave in.
#[track_caller]
fn assert_lengths(lengths: &[usize], expected: &[&[usize]]) {
    for datagram in [Datagram::v4(0, 7), Datagram::v6(0)] {
        let burst = lengths.iter().map(|&len| datagram.clone().len(len));
        let outcome = one_burst(&settings(), burst);
        let left: Vec<Vec<usize>> = outcome
            .groups
            .iter()
            .map(|group| group.members.iter().map(|&n| outcome.datagrams[n].payload).collect())
            .collect();
        assert_eq!(left, expected);
    }
}

/// A middle datagram that must cut the train of its flow in two, and stay in the middle.
#[track_caller]
fn cut_by(middle: &Datagram) -> GroStats {
    let usual = |id| match middle.is_v4() {
        true => V4(id).len(1400),
        false => Datagram::v6(0).len(1400),
    };
    let burst = [usual(0), usual(1), middle.clone(), usual(3), usual(4)];
    let outcome = one_burst(&settings(), burst);
    assert_eq!(outcome.order(), [0, 1, 2, 3, 4]);
    assert_eq!(outcome.sizes(), [2, 1, 2], "{middle:?}");
    outcome.stats
}

/// It starts a train of its own: two flushes for the same difference.
#[track_caller]
fn assert_differs(middle: &Datagram, reason: FlushReason) {
    assert_eq!(cut_by(middle).flushed(reason), 2, "{middle:?}");
}

/// It flushes what is held and passes alone.
#[track_caller]
fn assert_lone(middle: &Datagram, flushed: FlushReason, passed: FlushReason) {
    let stats = cut_by(middle);
    assert_eq!((stats.flushed(flushed), stats.flushed(passed)), (1, 1), "{middle:?}");
}

#[test]
fn s07_10_an_aggregate_of_one_is_a_plain_packet() {
    let outcome = one_burst(&settings(), [V4(1), Datagram::v6(1)]);
    assert_eq!(outcome.sizes(), [1, 1]);
    assert_eq!(outcome.stats.coalesced, 0);
    assert_eq!(outcome.stats.trains(), 2);
    let empty = run(&settings(), []);
    assert_eq!(empty.sizes(), [0; 0]);
    assert_eq!(empty.stats, GroStats::default());
}

#[test]
fn s07_14_a_super_packet_fed_again_is_not_merged_twice() {
    let first = one_burst(&settings(), (0..5).map(|id| V4(id).len(if id == 4 { 30 } else { 100 })));
    assert_eq!(first.sizes(), [5]);
    // what leaves, offered again, with more of the flow behind it: the same boundaries
    let again = first.datagrams.into_iter().chain((5..8).map(V4));
    assert_eq!(one_burst(&settings(), again).sizes(), [5, 3]);
}

#[test]
fn s07_15_empty_datagrams_between_others_stay_in_place() {
    assert_lengths(&[100, 0, 100, 0, 0, 100], &[&[100], &[0], &[100], &[0], &[0], &[100]]);
}

#[test]
fn s07_16_lengths_and_order_stay() {
    assert_lengths(
        &[1200, 1200, 1300, 1200, 700, 1200],
        &[&[1200, 1200], &[1300, 1200], &[700], &[1200]],
    );
    assert_lengths(&[11, 11, 10, 11], &[&[11, 11, 10], &[11]]);
}

#[test]
fn s07_17_each_keeps_its_own_fields() {
    use FlushReason as R;
    let v4 = |ttl, tos, df, id| {
        let ip = Ip::V4 { ttl, tos, df, id, options: false };
        Datagram { ip, ..V4(id).len(1400) }
    };
    let v6 = |hop_limit, class, label, extension| {
        let ip = Ip::V6 { hop_limit, class, label, extension };
        Datagram { ip, ..Datagram::v6(0).len(1400) }
    };
    assert_differs(&v4(63, 0, true, 2), R::HopLimit);
    assert_differs(&v4(64, 0xb8, true, 2), R::TrafficClass); // DSCP
    assert_differs(&v4(64, 3, true, 2), R::TrafficClass); // ECN
    assert_differs(&v4(64, 0, false, 2), R::DontFragment);
    assert_differs(&v4(64, 0, true, 9), R::Identification);
    assert_differs(&v6(254, 0, 0x12345, None), R::HopLimit);
    assert_differs(&v6(255, 1, 0x12345, None), R::TrafficClass);
    assert_differs(&v6(255, 0, 0x12346, None), R::FlowLabel);
    assert_differs(&v6(255, 0, 0x12345, Some(1)), R::ExtensionHeaders);
}

#[test]
fn s07_17_identification_counts_or_stays_and_does_not_mix() {
    let burst = |ids: &[u16]| one_burst(&settings(), ids.iter().map(|&id| V4(id))).sizes();
    assert_eq!(burst(&[7, 7, 7, 7]), [4]);
    assert_eq!(burst(&[0xfffe, 0xffff, 0, 1]), [4]);
    assert_eq!(burst(&[7, 8, 8, 8]), [2, 2]);
    assert_eq!(burst(&[7, 7, 8, 9]), [2, 2]);
    assert_eq!(burst(&[9, 8, 7, 6]), [1, 1, 1, 1]);
}

#[test]
fn s07_17_equal_extension_headers_do_not_cut() {
    let with = |value| Datagram {
        ip: Ip::V6 { hop_limit: 9, class: 0, label: 0, extension: Some(value) },
        ..Datagram::v6(0)
    };
    assert_eq!(one_burst(&settings(), [3, 3, 3, 4, 4].map(with)).sizes(), [3, 2]);
}

#[test]
fn s07_18_what_cannot_join_does_not_overtake() {
    let options = Ip::V4 { ttl: 64, tos: 0, df: true, id: 2, options: true };
    let v4 = || V4(2).len(1400);
    let v6 = || Datagram::v6(0).len(1400);
    for lone in [
        Datagram { padding: 8, ..V4(2).len(10) },
        Datagram { padding: 4, ..v4() },
        Datagram { checksum: UdpChecksum::Zero, ..v4() },
        Datagram { checksum: UdpChecksum::Bad, ..v4() },
        Datagram { bad_header_checksum: true, ..v4() },
        Datagram { ip: options, ..v4() },
        V4(2).len(0),
        Datagram { checksum: UdpChecksum::Zero, ..v6() },
        Datagram { padding: 4, ..v6() },
        Datagram::v6(0).len(0),
    ] {
        assert_lone(&lone, FlushReason::LoneDatagram, FlushReason::PassedLone);
    }
    for fragment in [v4(), v6()].map(|datagram| Datagram { fragment: true, ..datagram }) {
        assert_lone(&fragment, FlushReason::Fragment, FlushReason::PassedFragment);
    }
}

#[test]
fn s07_18_a_fragment_waits_for_all_flows_of_its_addresses_and_for_no_other() {
    let from = |hosts, ports, id| Datagram { hosts, ..Datagram::v4(ports, id) };
    let held = [from(0, 1, 0), from(1, 1, 0), from(0, 2, 0), from(0, 1, 1), from(1, 1, 1)];
    let fragment = Datagram { fragment: true, ..from(0, 9, 0) };
    let burst = held.into_iter().chain([fragment, from(1, 1, 2), from(0, 1, 2)]);
    let outcome = one_burst(&settings(), burst);
    let members: Vec<_> = outcome.groups.iter().map(|g| g.members.as_slice()).collect();
    assert_eq!(members, [&[0, 3][..], &[2], &[5], &[1, 4, 6], &[7]]);
}

#[test]
fn s07_19_fragments_pass_untouched_in_any_order() {
    let fragment = |hosts| Datagram { fragment: true, hosts, ..V4(1).len(1480) };
    let outcome = one_burst(&settings(), [1, 0, 2, 0, 1].map(fragment));
    assert_eq!(outcome.order(), [0, 1, 2, 3, 4]);
    assert_eq!(outcome.stats.flushed(FlushReason::PassedFragment), 5);
}

#[test]
fn s07_20_a_reused_slot_inherits_nothing() {
    // one place, used by trains that differ in everything a place remembers
    let settings = gateway::config::Gro { flows: 1, ..settings() };
    let tags = |n| (1..=n).map(|id| Tag { id, priority: 5 }).collect();
    let users = [
        Datagram::v4(1, 9).len(1400),
        Datagram { tags: tags(2), ..Datagram::v6(2).len(40) },
        Datagram { tags: tags(1), ..Datagram::v4(3, 500).len(700) },
        Datagram::v6(4).len(20),
    ];
    let mut alone = BTreeMap::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        for user in order {
            let burst = vec![users[user].clone(); 3];
            let sizes = one_burst(&settings, burst).sizes();
            alone.insert(user, sizes);
        }
        let events = order.iter().flat_map(|&user| {
            vec![Event::Datagram(users[user].clone()); 3].into_iter().chain([end_of_burst()])
        });
        let together = run(&settings, events);
        assert_eq!(together.sizes(), order.map(|user| alone[&user].clone()).concat());
        assert_infos_are_own(&together);
    }
}

fn end_of_burst() -> Event {
    Event::EndOfBurst { then_micros: 10 }
}

fn assert_infos_are_own(outcome: &Outcome) {
    for group in &outcome.groups {
        let first = &outcome.datagrams[group.members[0]];
        assert_eq!(usize::from(group.info.tags), first.tags.len());
        assert_eq!(group.info.udp_payload() as usize, first.payload);
        assert_eq!(group.info.port.index(), usize::from(first.port));
    }
}
