//! `[[filter]]`, against an evaluator of its own that looks at every datagram alone.

use gateway::packet::{DropReason, MacAddr};
use gateway::wire::Arp;
use proptest::prelude::*;

use crate::frames::{Udp, experimental, routed};
use crate::harness::{Gateway, bridge, host, router};
use crate::transparency::{Choice, MULTICAST, build, choice, promises, run};

/// The gateway's own address on port 0 of a [`router`].
const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 0]);

fn to(dst: &str, ports: (u16, u16), payload: usize) -> Vec<u8> {
    let (src_mac, dst_mac) = (host(0), OWN);
    Udp { src_mac, dst_mac, src: "10.0.0.2", dst, ports, ttl: 9 }.frame(&vec![3; payload])
}

fn drop_rule(at: &str, matches: &str) -> String {
    format!("[[filter]]\nat = \"{at}\"\nmatch = {{ {matches} }}\naction = \"drop\"\n")
}

#[test]
fn a_filter_drops_what_it_matches_and_only_that() {
    for at in ["ingress", "forward", "egress"] {
        for mode in ["off", "list", "merge"] {
            let rule =
                drop_rule(at, "proto = \"udp\", dst = \"10.1.0.0/16\", dst_port = [5000, 5999]");
            let mut gateway =
                Gateway::new(&router(2, &format!("{rule}[gro]\nmode = \"{mode}\"\n")));
            let inside = [5000, 5999].map(|port| to("10.1.0.2", (4000, port), 100));
            let outside = [4999, 6000].map(|port| to("10.1.0.2", (4000, port), 100));
            for frame in inside.iter().chain(&outside).chain(&inside) {
                gateway.ports[0].inject(frame.clone());
            }
            gateway.run();
            let expected: Vec<_> = outside
                .iter()
                .map(|frame| routed(frame, MacAddr([2, 0, 0, 0, 0, 1]), host(1)))
                .collect();
            assert_eq!(gateway.sent()[1], expected, "{at} {mode}");
            assert_eq!(gateway.drops(DropReason::Filtered), 4, "{at} {mode}");
            let hits = gateway.assembly.workers[0].snapshot().rules[0];
            assert_eq!((hits.datagrams, hits.bytes), (4, 4 * inside[0].len() as u64));
            gateway.finish();
        }
    }
}

/// The first rule that matches decides; what none matches is accepted.
#[test]
fn the_first_match_decides() {
    let accept = "[[filter]]\nat = \"ingress\"\naction = \"accept\"\nmatch = { src_port = 4001 }\n";
    let rules = format!("{accept}{}", drop_rule("ingress", "dst_port = 5000"));
    let mut gateway = Gateway::new(&router(2, &rules));
    for ports in [(4000, 5000), (4001, 5000), (4000, 5001)] {
        gateway.ports[0].inject(to("10.1.0.2", ports, 50));
    }
    gateway.run();
    assert_eq!(gateway.sent()[1].len(), 2);
    let rules = gateway.assembly.workers[0].snapshot().rules;
    assert_eq!(rules.iter().map(|rule| rule.datagrams).collect::<Vec<_>>(), [1, 1]);
    gateway.finish();
}

#[test]
fn an_egress_filter_closes_one_port_of_many() {
    for mode in ["off", "list", "merge"] {
        let rule = drop_rule("egress", "port = \"p2\", proto = \"udp\"");
        let mut gateway = Gateway::new(&bridge(4, &format!("{rule}[gro]\nmode = \"{mode}\"\n")));
        let frames = [to("10.1.0.2", (1, 2), 60), to("10.1.0.2", (1, 2), 60)];
        frames.iter().for_each(|frame| gateway.ports[0].inject(frame.clone()));
        gateway.run();
        let sent = gateway.sent();
        assert_eq!([&sent[1][..], &sent[2], &sent[3]], [&frames[..], &[], &frames], "{mode}");
        let totals = gateway.finish();
        assert_eq!((totals.ledger.replicated, totals.ledger.dropped), (4, 2), "{mode}");
    }
    let mut gateway = Gateway::new(&bridge(3, &drop_rule("egress", "proto = \"udp\"")));
    gateway.ports[0].inject(to("10.1.0.2", (1, 2), 60));
    gateway.run();
    let totals = gateway.finish();
    assert_eq!((totals.ledger.replicated, totals.ledger.dropped), (1, 2));
}

#[test]
fn a_local_filter_sees_what_is_for_the_gateway_only() {
    let rules =
        drop_rule("local", "port = \"p0\", proto = \"udp\"") + &drop_rule("local", "port = \"p1\"");
    let mut gateway = Gateway::new(&router(2, &rules));
    gateway.ports[0].inject(to("10.0.0.1", (1, 2), 60));
    gateway.ports[0].inject(to("10.1.0.2", (1, 2), 60));
    let ask = |port: usize| {
        let mut frame = [&[0xff; 6][..], &host(port).0, &[8, 6]].concat();
        frame.extend_from_slice(&[0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend_from_slice(&host(port).0);
        frame.extend_from_slice(&[10, port as u8, 0, 2, 0, 0, 0, 0, 0, 0, 10, port as u8, 0, 1]);
        assert_eq!(frame.len(), 14 + size_of::<Arp>());
        frame
    };
    gateway.ports[0].inject(ask(0));
    gateway.ports[1].inject(ask(1));
    gateway.run();
    let sent = gateway.sent();
    assert_eq!((sent[0].len(), sent[1].len()), (1, 1), "an ARP reply by p0, the datagram by p1");
    assert_eq!(gateway.drops(DropReason::Filtered), 2);
    assert_eq!(gateway.drops(DropReason::NoHost), 0);
    gateway.finish();
}

/// Semantics 7.2 in spirit: the mirror's bytes are those that came, whatever becomes of the
/// original.
#[test]
fn a_mirror_copies_what_came_and_nothing_else_changes() {
    for mode in ["off", "list", "merge"] {
        let rule = "[[filter]]\nat = \"forward\"\naction = \"mirror\"\nto = \"p2\"\n\
                    match = { dst_port = 5000 }\n";
        let mut gateway = Gateway::new(&router(3, &format!("{rule}[gro]\nmode = \"{mode}\"\n")));
        let frames: Vec<_> =
            [100, 100, 30].iter().map(|&len| to("10.1.0.2", (4000, 5000), len)).collect();
        frames.iter().for_each(|frame| gateway.ports[0].inject(frame.clone()));
        gateway.ports[0].inject(to("10.1.0.2", (4000, 5001), 100));
        gateway.run();
        let sent = gateway.sent();
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        let expected: Vec<_> = frames.iter().map(|frame| routed(frame, mac, host(1))).collect();
        assert_eq!((&sent[1][..3], sent[1].len()), (&expected[..], 4), "{mode}");
        assert_eq!(sent[2], frames, "{mode}");
        assert_eq!(gateway.finish().ledger.replicated, 3);
    }
}

#[test]
fn a_mirror_port_too_small_for_a_copy_loses_the_copy_only() {
    let rule = "[[filter]]\nat = \"ingress\"\naction = \"mirror\"\nto = \"p2\"\n";
    let toml = router(3, rule).replace("\"net_null2\"", "\"net_null2\"\nmtu = 200");
    let mut gateway = Gateway::new(&toml);
    gateway.ports[0].inject(to("10.1.0.2", (1, 2), 400));
    gateway.run();
    let sent = gateway.sent();
    assert_eq!((sent[1].len(), sent[2].len()), (1, 0));
    assert_eq!(gateway.drops(DropReason::TooBig), 1);
    gateway.finish();
}

/// 50 a second is a bucket of five that gets one each 20 ms.
#[test]
fn a_rate_counts_datagrams_and_fills_again() {
    for mode in ["off", "list", "merge"] {
        let rule = "[[filter]]\nat = \"ingress\"\naction = \"accept\"\nrate_pps = 50\n\
                    match = { dst_port = 5000 }\n";
        let mut gateway = Gateway::new(&router(2, &format!("{rule}[gro]\nmode = \"{mode}\"\n")));
        let burst = |gateway: &mut Gateway| {
            for _ in 0..8 {
                gateway.ports[0].inject(to("10.1.0.2", (4000, 5000), 100));
                gateway.ports[0].inject(to("10.1.0.2", (4000, 5001), 100));
            }
            gateway.run();
            gateway.sent()[1].len()
        };
        assert_eq!(burst(&mut gateway), 8 + 5, "{mode}");
        gateway.now = gateway.now + gateway::time::Nanos(40_000_000);
        assert_eq!(burst(&mut gateway), 8 + 2, "{mode}");
        assert_eq!(gateway.drops(DropReason::RateLimited), 3 + 6);
        assert_eq!(gateway.assembly.workers[0].snapshot().rules[0].limited, 9);
        gateway.finish();
    }
}

/// A tenth of a second of 10 Mbit/s is 125 000 bytes.
#[test]
fn a_rate_counts_the_bytes_of_frames() {
    let rule = "[[filter]]\nat = \"egress\"\naction = \"accept\"\nrate_bps = 10_000_000\n";
    let mut gateway = Gateway::new(&router(2, rule));
    let frame = to("10.1.0.2", (4000, 5000), 1000 - 42);
    assert_eq!(frame.len(), 1000);
    for _ in 0..200 {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
    assert_eq!(gateway.sent()[1].len(), 125);
    assert_eq!(gateway.drops(DropReason::RateLimited), 75);
    gateway.finish();
}

/// A dropped sender is not learned: its address could be anybody's.
#[test]
fn a_bridge_does_not_learn_from_what_ingress_drops() {
    let (a, b) = (MacAddr([2, 0, 0, 0, 9, 1]), MacAddr([2, 0, 0, 0, 9, 2]));
    let mut gateway = Gateway::new(&bridge(3, &drop_rule("ingress", "port = \"p1\"")));
    gateway.ports[1].inject(experimental(b, a));
    gateway.run();
    gateway.ports[0].inject(experimental(a, b));
    gateway.run();
    assert_eq!(gateway.sent(), [vec![], vec![experimental(a, b)], vec![experimental(a, b)]]);
    gateway.finish();
}

/// What a rule looks for, as a test chooses it; `None` is anything.
#[derive(Clone, Debug)]
struct Rule {
    place: Place,
    port: Option<usize>,
    udp: bool,
    v4: Option<bool>,
    dst_net: Option<u8>,
    dst_ports: Option<(u16, u16)>,
    action: Act,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Ingress,
    Forward,
    Egress,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Accept,
    Drop,
    /// Of so many datagrams at once.
    Limit(u64),
}

fn rule(places: &'static [Place], rates: bool) -> impl Strategy<Value = Rule> {
    let limit = if rates { 1 } else { 0 };
    let action = prop_oneof![
        2 => Just(Act::Accept),
        3 => Just(Act::Drop),
        limit => (1..9u64).prop_map(Act::Limit),
    ];
    let optional = |n: u8| prop::option::of(0..n);
    let ports = prop::option::of((0..3u16, 0..3u16));
    (
        prop::sample::select(places),
        optional(3),
        any::<bool>(),
        optional(2),
        optional(3),
        ports,
        action,
    )
        .prop_map(|(place, port, udp, v4, dst_net, dst_ports, action)| Rule {
            place,
            port: port.map(usize::from),
            udp,
            v4: v4.map(|v4| v4 == 0),
            dst_net: dst_net.filter(|_| v4.is_some()),
            dst_ports: dst_ports.map(|(a, b)| (5000 + a.min(b), 5000 + a.max(b))),
            action,
        })
}

impl Rule {
    fn toml(&self) -> String {
        let mut keys = Vec::new();
        if let Some(port) = self.port {
            keys.push(format!("port = \"p{port}\""));
        }
        if self.udp {
            keys.push("proto = \"udp\"".to_owned());
        }
        if let Some(v4) = self.v4 {
            let net = match (v4, self.dst_net) {
                (true, Some(net)) => format!("10.{net}.0.0/16"),
                (true, None) => "0.0.0.0/0".to_owned(),
                (false, Some(net)) => format!("2001:db8:{net}::/48"),
                (false, None) => "::/0".to_owned(),
            };
            keys.push(format!("dst = \"{net}\""));
        }
        if let Some((first, last)) = self.dst_ports {
            keys.push(format!("dst_port = [{first}, {last}]"));
        }
        let place = format!("{:?}", self.place).to_lowercase();
        let action = match self.action {
            Act::Accept => "action = \"accept\"".to_owned(),
            Act::Drop => "action = \"drop\"".to_owned(),
            Act::Limit(datagrams) => format!("action = \"accept\"\nrate_pps = {}", datagrams * 10),
        };
        format!("[[filter]]\nat = \"{place}\"\n{action}\nmatch = {{ {} }}\n", keys.join(", "))
    }

    fn matches(&self, frame: &[u8], port: usize) -> bool {
        let seen = Seen::of(frame);
        let family = seen.dst.as_ref().map(|dst| dst.len() == 4);
        let net = |net: u8| match seen.dst.as_deref() {
            Some([10, second, ..]) if family == Some(true) => *second == net,
            Some([0x20, 1, 0xd, 0xb8, 0, second, ..]) if family == Some(false) => *second == net,
            _ => false,
        };
        self.port.is_none_or(|wanted| wanted == port)
            && (!self.udp || seen.udp)
            && self.v4.is_none_or(|v4| family == Some(v4))
            && self.dst_net.is_none_or(net)
            && self
                .dst_ports
                .is_none_or(|(first, last)| seen.dst_port.is_some_and(|p| first <= p && p <= last))
    }
}

/// An independent reading of one frame.
struct Seen {
    dst: Option<Vec<u8>>,
    udp: bool,
    dst_port: Option<u16>,
}

impl Seen {
    fn of(frame: &[u8]) -> Self {
        Self::read(frame).unwrap_or(Self { dst: None, udp: false, dst_port: None })
    }

    fn read(frame: &[u8]) -> Option<Self> {
        let l2 = if frame[12..14] == [0x81, 0] { 18 } else { 14 };
        let ip = frame.get(l2..)?;
        let word =
            |at: usize| Some(usize::from(u16::from_be_bytes([*ip.get(at)?, *ip.get(at + 1)?])));
        let (dst, protocol, l4, end) = match frame.get(l2 - 2..l2)? {
            [0x08, 0x00] => {
                let (header, total) = (usize::from(*ip.first()? & 15) * 4, word(2)?);
                let whole = ip.len() >= 20 && ip[0] >> 4 == 4 && header >= 20;
                if !whole || total < header || total > ip.len() {
                    return None;
                }
                let l4 = (word(6)? & 0x1fff == 0).then_some(header);
                (ip[16..20].to_vec(), ip[9], l4, total)
            }
            [0x86, 0xdd] => {
                let end = 40 + word(4)?;
                if ip.len() < end || ip[0] >> 4 != 6 {
                    return None;
                }
                let (protocol, l4) = match ip[6] {
                    44 if end < 48 => (44, None),
                    44 => (ip[40], (word(42)? & 0xfff8 == 0).then_some(48)),
                    next => (next, Some(40)),
                };
                (ip[24..40].to_vec(), protocol, l4, end)
            }
            _ => return None,
        };
        let ports = l4.filter(|l4| matches!(protocol, 6 | 17) && l4 + 4 <= end);
        let dst_port = ports.and_then(|l4| word(l4 + 2)).map(|port| port as u16);
        Some(Self { dst: Some(dst), udp: protocol == 17, dst_port })
    }
}

/// Rules and what is left of their rates: one datagram after the other.
struct Evaluator<'a> {
    rules: Vec<(&'a Rule, u64)>,
}

impl<'a> Evaluator<'a> {
    fn new(rules: &'a [Rule], place: Place) -> Self {
        let left = |rule: &Rule| match rule.action {
            Act::Limit(datagrams) => datagrams,
            Act::Accept | Act::Drop => 0,
        };
        let here = rules.iter().filter(|rule| rule.place == place);
        Self { rules: here.map(|rule| (rule, left(rule))).collect() }
    }

    fn passes(&mut self, frame: &[u8], port: usize) -> bool {
        let Some((rule, left)) = self.rules.iter_mut().find(|(r, _)| r.matches(frame, port)) else {
            return true;
        };
        match rule.action {
            Act::Accept => true,
            Act::Drop => false,
            Act::Limit(_) if *left == 0 => false,
            Act::Limit(_) => {
                *left -= 1;
                true
            }
        }
    }
}

/// The port a datagram of [`build`] came from; `None` for what has no address to tell.
fn ingress_of(frame: &[u8]) -> Option<usize> {
    let l2 = if frame[12..14] == [0x81, 0] { 18 } else { 14 };
    // The second byte of an IPv4 source, the sixth of an IPv6 one: both count the ingress.
    frame.get(l2 + 13).map(|&net| net.into())
}

fn settings(base: &str, rules: &[Rule], mode: &str, hold: u64) -> String {
    let rules: String = rules.iter().map(Rule::toml).collect();
    format!("{base}{rules}[gro]\nmode = \"{mode}\"\nmax_hold_us = {hold}\n")
}

fn base(is_routed: bool) -> String {
    if is_routed { router(3, MULTICAST) } else { bridge(3, "") }
}

fn bursts() -> impl Strategy<Value = Vec<Vec<Choice>>> {
    prop::collection::vec(prop::collection::vec(choice(), 0..24), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Dropped at ingress is as good as never sent, rates included.
    #[test]
    fn ingress_filters_judge_every_datagram_alone(
        bursts in bursts(),
        rules in prop::collection::vec(rule(&[Place::Ingress], true), 1..6),
        is_routed in any::<bool>(),
        hold in prop_oneof![Just(0u64), Just(3)],
    ) {
        let base = base(is_routed);
        let mut evaluator = Evaluator::new(&rules, Place::Ingress);
        let mut admitted = Vec::new();
        for burst in &bursts {
            // A poll receives from one port after the other.
            let mut order: Vec<_> = (0..burst.len()).collect();
            order.sort_by_key(|&index| burst[index].ingress);
            let passes: Vec<_> = order
                .into_iter()
                .filter(|&index| evaluator.passes(&build(&burst[index]), burst[index].ingress))
                .collect();
            let passed = burst.iter().enumerate().filter(|(index, _)| passes.contains(index));
            admitted.push(passed.map(|(_, choice)| choice.clone()).collect::<Vec<_>>());
        }
        let expected = run(&settings(&base, &[], "off", 0), &admitted);
        for mode in ["off", "list", "merge"] {
            let sent = run(&settings(&base, &rules, mode, hold), &bursts);
            for port in 0..3 {
                prop_assert_eq!(
                    promises(&sent[port]), promises(&expected[port]), "{} port {}", mode, port
                );
            }
        }
    }

    /// What forward and egress filters let out is what would have left, without what they match.
    #[test]
    fn later_filters_judge_every_datagram_alone(
        bursts in bursts(),
        rules in prop::collection::vec(rule(&[Place::Forward, Place::Egress], false), 1..6),
        is_routed in any::<bool>(),
        hold in prop_oneof![Just(0u64), Just(3)],
    ) {
        let base = base(is_routed);
        let unfiltered = run(&settings(&base, &[], "off", 0), &bursts);
        // Whose ingress cannot be told is left out on both sides.
        let known = |frame: &&Vec<u8>| ingress_of(frame).is_some();
        for mode in ["off", "list", "merge"] {
            let sent = run(&settings(&base, &rules, mode, hold), &bursts);
            for port in 0..3 {
                let mut forward = Evaluator::new(&rules, Place::Forward);
                let mut egress = Evaluator::new(&rules, Place::Egress);
                let kept = unfiltered[port].iter().filter(known).filter(|frame| {
                    forward.passes(frame, ingress_of(frame).unwrap_or(9))
                        && egress.passes(frame, port)
                });
                let kept: Vec<_> = kept.cloned().collect();
                let sent: Vec<_> = sent[port].iter().filter(known).cloned().collect();
                prop_assert_eq!(promises(&sent), promises(&kept), "{} port {}", mode, port);
            }
        }
    }

    /// Which datagrams a rate lets pass does not depend on how others are gathered.
    #[test]
    fn rates_are_the_same_in_every_mode(
        bursts in bursts(),
        rules in prop::collection::vec(
            rule(&[Place::Ingress, Place::Forward, Place::Egress], true), 1..6),
        is_routed in any::<bool>(),
    ) {
        let base = base(is_routed);
        let off = run(&settings(&base, &rules, "off", 0), &bursts);
        for mode in ["list", "merge"] {
            let sent = run(&settings(&base, &rules, mode, 0), &bursts);
            for port in 0..3 {
                prop_assert_eq!(promises(&sent[port]), promises(&off[port]), "{} {}", mode, port);
            }
        }
    }
}
