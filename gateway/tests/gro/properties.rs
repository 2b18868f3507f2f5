//! Random bursts through random tables.

use core::time::Duration;

use gateway::config::{Gro, GroMode};
use gateway::gro::FlushReason;
use proptest::prelude::*;

use crate::bench::{Event, Outcome, run};
use crate::datagram::{Datagram, Ip, Tag, UdpChecksum};
use crate::model::{is_lone, is_ordered, may_be_one, order_key};

/// What is unusual about one datagram of a flow.
#[derive(Clone, Debug)]
enum Oddity {
    None,
    Length(usize),
    HopLimit,
    Class(u8),
    Df,
    Label,
    Id(u16),
    Extension(u8),
    Priority(u8),
    Options,
    BadHeader,
    Checksum(UdpChecksum),
    Padding(usize),
    Fragment,
    Split(usize),
}

#[derive(Clone, Debug)]
enum Step {
    Datagram { flow: usize, oddity: Oddity, learned: bool },
    EndOfBurst { then_micros: u64 },
}

/// Flows that differ in one thing each, some in nothing a fragment could see.
fn flows() -> Vec<Datagram> {
    let tag = |id| Tag { id, priority: 1 };
    let v4 = || Datagram::v4(0, 0).len(60);
    let v6 = || Datagram::v6(0).len(80);
    vec![
        v4(),
        v6(),
        Datagram { ports: 1, ..v4() },
        Datagram { ports: 1, ..v6() },
        Datagram { hosts: 1, ..v4() },
        Datagram { port: 1, ..v4() },
        Datagram { macs: 1, ..v4() },
        Datagram { tags: vec![tag(1)], ..v4() },
        Datagram { tags: vec![tag(1), tag(2)], ..v6() },
        Datagram { hosts: 2, ..v4().len(1400) },
        Datagram { hosts: 2, ports: 2, ..v6().len(9000) },
    ]
}

fn oddity() -> impl Strategy<Value = Oddity> {
    let checksum = prop_oneof![
        Just(UdpChecksum::Unknown),
        Just(UdpChecksum::Bad),
        Just(UdpChecksum::Spoilt),
        Just(UdpChecksum::Zero)
    ];
    prop_oneof![
        30 => Just(Oddity::None),
        3 => prop_oneof![Just(0), Just(1), 18..100usize, Just(1400)].prop_map(Oddity::Length),
        1 => Just(Oddity::HopLimit),
        1 => (1..4u8).prop_map(Oddity::Class),
        1 => Just(Oddity::Df),
        1 => Just(Oddity::Label),
        1 => (0..5u16).prop_map(Oddity::Id),
        2 => (0..2u8).prop_map(Oddity::Extension),
        1 => (0..8u8).prop_map(Oddity::Priority),
        1 => Just(Oddity::Options),
        1 => Just(Oddity::BadHeader),
        2 => checksum.prop_map(Oddity::Checksum),
        1 => (1..20usize).prop_map(Oddity::Padding),
        1 => Just(Oddity::Fragment),
        2 => (0..100usize).prop_map(Oddity::Split),
    ]
}

fn step(flows: usize) -> impl Strategy<Value = Step> {
    let datagram = (0..flows, oddity(), prop::bool::weighted(0.05))
        .prop_map(|(flow, oddity, learned)| Step::Datagram { flow, oddity, learned });
    let end = (0..40u64).prop_map(|then_micros| Step::EndOfBurst { then_micros });
    prop_oneof![20 => datagram, 1 => end]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![Just(1), Just(3), Just(flows().len())]
        .prop_flat_map(|flows| prop::collection::vec(step(flows), 1..200))
}

fn settings() -> impl Strategy<Value = Gro> {
    let max_segments = prop_oneof![1..6u16, Just(64), Just(128)];
    let max_hold = prop_oneof![Just(0), 1..60u64];
    let flows = prop_oneof![1..4u32, Just(64)];
    (max_segments, max_hold, flows).prop_map(|(max_segments, micros, flows)| Gro {
        mode: GroMode::List,
        max_segments,
        max_hold: Duration::from_micros(micros),
        flows,
        adaptive: false,
    })
}

/// The events; identifications of a flow count up from datagram to datagram.
fn events(steps: Vec<Step>) -> Vec<Event> {
    let mut flows = flows();
    let mut next_event = |step| match step {
        Step::EndOfBurst { then_micros } => Event::EndOfBurst { then_micros },
        Step::Datagram { flow, oddity, learned } => {
            let usual = &mut flows[flow];
            let datagram = with(usual.clone(), &oddity);
            if let Ip::V4 { id, .. } = &mut usual.ip {
                *id = id.wrapping_add(1);
            }
            if learned { Event::Learned(datagram) } else { Event::Datagram(datagram) }
        }
    };
    steps.into_iter().map(&mut next_event).collect()
}

fn with(mut datagram: Datagram, oddity: &Oddity) -> Datagram {
    match (oddity, &mut datagram.ip) {
        (Oddity::HopLimit, Ip::V4 { ttl: limit, .. } | Ip::V6 { hop_limit: limit, .. }) => {
            *limit -= 1;
        }
        (&Oddity::Class(new), Ip::V4 { tos: old, .. } | Ip::V6 { class: old, .. }) => *old = new,
        (Oddity::Df, Ip::V4 { df, .. }) => *df = !*df,
        (&Oddity::Id(new), Ip::V4 { id, .. }) => *id = new,
        (Oddity::Options, Ip::V4 { options, .. }) => *options = true,
        (Oddity::Label, Ip::V6 { label, .. }) => *label += 1,
        (&Oddity::Extension(value), Ip::V6 { extension, .. }) => *extension = Some(value),
        (&Oddity::Length(payload), _) => datagram.payload = payload,
        (&Oddity::Checksum(checksum), _) => datagram.checksum = checksum,
        (&Oddity::Padding(padding), _) => datagram.padding = padding,
        (&Oddity::Split(at), _) => datagram.split = Some(at),
        (Oddity::Fragment, _) => datagram.fragment = true,
        (Oddity::BadHeader, Ip::V4 { .. }) => datagram.bad_header_checksum = true,
        (&Oddity::Priority(priority), _) => {
            if let Some(last) = datagram.tags.last_mut() {
                last.priority = priority;
            }
        }
        _ => {}
    }
    datagram
}

/// Nothing left before what it must not overtake.
fn check_order(outcome: &Outcome) -> Result<(), TestCaseError> {
    let order = outcome.order();
    for (at, &later) in order.iter().enumerate() {
        for &earlier in &order[at + 1..] {
            let overtaken = earlier < later
                && is_ordered(&outcome.datagrams[earlier], &outcome.datagrams[later]);
            prop_assert!(!overtaken, "{later} left before {earlier}");
        }
    }
    Ok(())
}

/// Every super-packet is one that semantics 2 allows.
fn check_groups(outcome: &Outcome, settings: &Gro) -> Result<(), TestCaseError> {
    for group in &outcome.groups {
        let members: Vec<_> = group.members.iter().map(|&n| &outcome.datagrams[n]).collect();
        prop_assert!(may_be_one(&members, settings.max_segments.into()), "{:?}", group.members);
        prop_assert_eq!(group.info.port.index(), usize::from(members[0].port));
        prop_assert_eq!(usize::from(group.info.tags), members[0].tags.len());
    }
    Ok(())
}

/// No datagram started a super-packet that could have joined the one before it of its flow.
fn check_nothing_missed(outcome: &Outcome, settings: &Gro) -> Result<(), TestCaseError> {
    for (at, group) in outcome.groups.iter().enumerate() {
        let first = group.members[0];
        let key = order_key(&outcome.datagrams[first]);
        let before = outcome.groups[..at].iter().rev();
        let same_key = |n: &usize| order_key(&outcome.datagrams[*n]) == key;
        let Some(before) = before.into_iter().find(|g| same_key(&g.members[0])) else { continue };
        let last = before.members[before.members.len() - 1];
        if outcome.bursts[before.members[0]] != outcome.bursts[first] {
            continue;
        }
        let between = &outcome.datagrams[last + 1..first];
        if between.iter().any(|d| d.fragment && is_ordered(d, &outcome.datagrams[first])) {
            continue;
        }
        // a train ends as soon as no datagram of its full size would fit
        let full_size = outcome.datagrams[before.members[0]].clone();
        let mut joined: Vec<_> = before.members.iter().map(|&n| &outcome.datagrams[n]).collect();
        joined.push(&outcome.datagrams[first]);
        let allowed = may_be_one(&joined, settings.max_segments.into());
        let bytes: usize = joined[1..].iter().map(|d| d.frame(0).len()).sum();
        let fits =
            bytes - outcome.datagrams[first].frame(0).len() + 2 * full_size.frame(0).len() < 65536;
        prop_assert!(!(allowed && fits), "{first} could have joined {:?}", before.members);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 600 } else { 5000 }))]

    #[test]
    fn the_law_holds_for_random_bursts(settings in settings(), steps in steps()) {
        let outcome = run(&settings, events(steps));
        check_order(&outcome)?;
        check_groups(&outcome, &settings)?;
    }

    #[test]
    fn whatever_may_be_coalesced_is(max_segments in 1..65u16, steps in steps()) {
        let settings = Gro { max_segments, ..crate::bench::settings() };
        let no_learning = events(steps).into_iter().map(|event| match event {
            Event::Learned(datagram) => Event::Datagram(datagram),
            other => other,
        });
        let outcome = run(&settings, no_learning);
        check_nothing_missed(&outcome, &settings)?;
        let lone = outcome.datagrams.iter().filter(|d| is_lone(d)).count() as u64;
        let passed = [FlushReason::PassedLone, FlushReason::PassedFragment];
        prop_assert_eq!(passed.map(|r| outcome.stats.flushed(r)).iter().sum::<u64>(), lone);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn order_holds_while_ports_opt_out_and_back(
        settings in settings(), steps in prop::collection::vec(step(11), 3000..6000),
    ) {
        // mostly single datagrams between ends of bursts: windows close both ways
        let settings = Gro { adaptive: true, ..settings };
        let events = events(steps);
        let short_bursts = events.into_iter().enumerate().flat_map(|(n, event)| {
            let end = Event::EndOfBurst { then_micros: 100 };
            let lonely = n % 4000 < 3000;
            core::iter::once(event).chain(lonely.then_some(end))
        });
        let outcome = run(&settings, short_bursts);
        prop_assert!(outcome.stats.opt_outs > 0);
        prop_assert!(outcome.stats.flushed(FlushReason::PassedOptOut) > 0);
        check_order(&outcome)?;
        check_groups(&outcome, &settings)?;
    }
}
