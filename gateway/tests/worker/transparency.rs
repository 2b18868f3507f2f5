//! The law: what leaves with aggregation on is what leaves with it off, per port and per flow in
//! order. Random bursts of random datagrams over random configurations.

use std::collections::BTreeMap;

use gateway::packet::MacAddr;
use proptest::prelude::*;

use crate::frames::{Udp, group_mac};
use crate::harness::{Gateway, bridge, router};

/// One datagram as the strategy chooses it.
#[derive(Clone, Debug)]
pub struct Choice {
    pub ingress: usize,
    flow: u8,
    to: To,
    ttl: u8,
    payload: usize,
    fill: u8,
    damage: Damage,
}

#[derive(Clone, Copy, Debug)]
enum To {
    V4,
    V6,
    Group4,
    Group6,
}

/// What makes a datagram unlike its neighbours.
#[derive(Clone, Copy, Debug)]
enum Damage {
    None,
    Padding(usize),
    ZeroChecksum,
    BadChecksum,
    Fragment,
    Ecn(u8),
    Identification(u8),
    Tag(u16),
    Truncated(usize),
    BadIpChecksum,
}

pub fn choice() -> impl Strategy<Value = Choice> {
    let to = prop_oneof![
        4 => Just(To::V4), 3 => Just(To::V6), 2 => Just(To::Group4), 1 => Just(To::Group6)
    ];
    let damage = prop_oneof![
        14 => Just(Damage::None),
        1 => (1..30usize).prop_map(Damage::Padding),
        1 => Just(Damage::ZeroChecksum),
        1 => Just(Damage::BadChecksum),
        1 => Just(Damage::Fragment),
        1 => (0..4u8).prop_map(Damage::Ecn),
        1 => (0..4u8).prop_map(Damage::Identification),
        1 => (0..3u16).prop_map(Damage::Tag),
        1 => (14..60usize).prop_map(Damage::Truncated),
        1 => Just(Damage::BadIpChecksum),
    ];
    let payload = prop_oneof![4 => Just(200usize), 2 => Just(1200), 1 => 0..400usize];
    (0..3usize, 0..3u8, to, prop_oneof![9 => Just(64u8), 1 => 1..4u8], payload, any::<u8>(), damage)
        .prop_map(|(ingress, flow, to, ttl, payload, fill, damage)| Choice {
            ingress,
            flow,
            to,
            ttl,
            payload,
            fill,
            damage,
        })
}

pub fn build(choice: &Choice) -> Vec<u8> {
    let n = choice.ingress;
    let away = (n + 1) % 3;
    let (src4, src6) = (format!("10.{n}.0.2"), format!("2001:db8:{n}::2"));
    let (dst4, dst6) = (format!("10.{away}.0.2"), format!("2001:db8:{away}::2"));
    let (src, dst) = match choice.to {
        To::V4 => (&src4, dst4.as_str()),
        To::Group4 => (&src4, "239.1.1.1"),
        To::V6 => (&src6, dst6.as_str()),
        To::Group6 => (&src6, "ff3e::1"),
    };
    let dst_mac = match choice.to {
        To::V4 | To::V6 => MacAddr([2, 0, 0, 0, 0, n as u8]),
        To::Group4 | To::Group6 => group_mac(dst),
    };
    let udp = Udp {
        src_mac: MacAddr([2, 0, 0, 0, 7, choice.flow]),
        dst_mac,
        src,
        dst,
        ports: (4000, 5000 + u16::from(choice.flow)),
        ttl: choice.ttl,
    };
    let frame = udp.frame(&vec![choice.fill; choice.payload]);
    damage(frame, choice.damage)
}

fn damage(mut frame: Vec<u8>, damage: Damage) -> Vec<u8> {
    let v4 = frame[12] == 0x08;
    let udp_checksum = if v4 { 14 + 20 + 6 } else { 14 + 40 + 6 };
    match damage {
        Damage::None => {}
        Damage::Padding(bytes) => frame.extend(std::iter::repeat_n(0xee, bytes)),
        Damage::ZeroChecksum => frame[udp_checksum..udp_checksum + 2].fill(0),
        Damage::BadChecksum => frame[udp_checksum] ^= 0x55,
        Damage::Fragment if v4 => frame[20] |= 0x20,
        Damage::Ecn(ecn) if v4 => frame[15] |= ecn,
        Damage::Ecn(ecn) => frame[15] |= ecn << 4,
        Damage::Identification(id) if v4 => frame[19] = id,
        Damage::Fragment | Damage::Identification(_) => frame[20] = 44,
        Damage::Tag(vid) => drop(frame.splice(12..12, [0x81, 0x00, 0x00, vid as u8])),
        Damage::Truncated(len) => frame.truncate(len),
        Damage::BadIpChecksum if v4 => frame[24] ^= 1,
        Damage::BadIpChecksum => frame[14] = 0x50,
    }
    if v4 && frame.len() >= 34 && frame[12] == 0x08 && !matches!(damage, Damage::BadIpChecksum) {
        let (header, _) = etherparse::Ipv4Header::from_slice(&frame[14..])
            .map_or((None, 0), |(header, _)| (Some(header), 0));
        if let Some(header) = header {
            frame[24..26].copy_from_slice(&header.calc_header_checksum().to_be_bytes());
        }
    }
    frame
}

/// What order is promised for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Order {
    /// Tags, addresses and UDP ports: among themselves.
    Flow(Vec<u8>),
    /// Fragments: among all datagrams of their addresses.
    Fragment,
    /// Nothing that could be coalesced: only that it leaves.
    None,
}

/// An independent reading of a frame: its address pair and what order is promised for.
fn read(frame: &[u8]) -> (Vec<u8>, Order) {
    let l3 = if frame[12] == 0x81 { 18 } else { 14 };
    let v4 = frame[l3 - 2] == 0x08;
    let (addresses, l4) = if v4 { (l3 + 12..l3 + 20, l3 + 20) } else { (l3 + 8..l3 + 40, l3 + 40) };
    let Some(pair) = frame.get(addresses).map(<[u8]>::to_vec) else {
        return (Vec::new(), Order::None);
    };
    let (version, protocol) = (frame[l3] >> 4, if v4 { frame[l3 + 9] } else { frame[l3 + 6] });
    if protocol != 17 || version != if v4 { 4 } else { 6 } {
        return (pair, Order::None);
    }
    let is_fragment = v4 && (frame[l3 + 6] & 0x3f, frame[l3 + 7]) != (0, 0);
    match frame.get(l4..l4 + 4) {
        Some(ports) if !is_fragment => (pair, Order::Flow([&frame[12..l3], ports].concat())),
        _ => (pair, Order::Fragment),
    }
}

/// Every sequence whose order is promised: of each flow, with all fragments of its addresses in
/// their places; the rest in any order.
pub fn promises(sent: &[Vec<u8>]) -> BTreeMap<(Vec<u8>, Order), Vec<&[u8]>> {
    let read: Vec<_> = sent.iter().map(|frame| read(frame)).collect();
    let mut promises: BTreeMap<(Vec<u8>, Order), Vec<&[u8]>> = BTreeMap::new();
    for key in &read {
        promises.entry(key.clone()).or_default();
    }
    for ((pair, order), sequence) in &mut promises {
        for (frame, (its_pair, its_order)) in sent.iter().zip(&read) {
            let counts = its_order == order
                || (*its_order == Order::Fragment && matches!(order, Order::Flow(_)));
            if its_pair == pair && counts {
                sequence.push(frame);
            }
        }
        if *order == Order::None {
            sequence.sort_unstable();
        }
    }
    promises
}

/// What the gateway itself says of a datagram: which of them are told is the rate limit's choice,
/// and that depends on the time.
fn is_icmp_error(frame: &[u8]) -> bool {
    let protocol = if frame[12] == 0x08 { 23 } else { 20 };
    matches!((frame[12], frame.get(protocol)), (0x08, Some(1)) | (0x86, Some(58)))
}

/// Runs one configuration and returns the datagrams that were forwarded, per port.
pub fn run(toml: &str, bursts: &[Vec<Choice>]) -> Vec<Vec<Vec<u8>>> {
    let mut gateway = Gateway::new(toml);
    let ports = gateway.ports.clone();
    for burst in bursts {
        for choice in burst {
            gateway.ports[choice.ingress].inject(build(choice));
        }
        gateway.poll();
    }
    gateway.run();
    gateway.finish();
    let forwarded = |port: &gateway::sim::SimPort| {
        port.take_sent().into_iter().filter(|frame| !is_icmp_error(frame)).collect()
    };
    ports.iter().map(forwarded).collect()
}

pub const MULTICAST: &str = "[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n\
                         [[multicast]]\ngroup = \"ff3e::1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n";

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]
    #[test]
    fn aggregation_changes_nothing(
        bursts in prop::collection::vec(prop::collection::vec(choice(), 0..24), 1..12),
        routed in any::<bool>(),
        max_segments in prop_oneof![Just(1u16), Just(2), Just(3), Just(64)],
        max_hold_us in prop_oneof![Just(0u64), Just(2), Just(1000)],
        burst in prop_oneof![Just(4u16), Just(64)],
    ) {
        let base = if routed { router(3, MULTICAST) } else { bridge(3, "") };
        let settings = |mode: &str| format!(
            "{base}\n[runtime]\nburst = {burst}\n[gro]\nmode = \"{mode}\"\nflows = 64\n\
             max_segments = {max_segments}\nmax_hold_us = {max_hold_us}\n"
        );
        let off = run(&settings("off"), &bursts);
        for form in ["list", "merge"] {
            let on = run(&settings(form), &bursts);
            for port in 0..3 {
                let (off, on) = (promises(&off[port]), promises(&on[port]));
                prop_assert_eq!(off, on, "{} port {}", form, port);
            }
        }
    }
}
