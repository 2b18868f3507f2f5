//! Random trains: mostly what a sender sends, now and then anything a network can bring.

use proptest::prelude::*;

use super::{Kind, Link, Oddity, Packet, Tag, To, Train};

/// A train into one of so many ports.
pub(crate) fn train(ports: usize) -> impl Strategy<Value = Train> {
    let count = prop_oneof![3 => Just(1usize), 4 => 2..6usize, 1 => 6..24usize, 1 => 60..70usize];
    let tail = prop::option::weighted(0.4, 0..1400usize);
    let id_step = prop_oneof![6 => Just(1u16), 3 => Just(0), 1 => any::<u16>()];
    let flows = prop_oneof![4 => Just(1u16), 1 => 2..4u16];
    let odd = prop::option::weighted(0.25, (1..8usize, oddity()));
    let usual = (packet(ports), count, tail, id_step, flows, odd).prop_map(
        |(first, count, tail, id_step, flows, odd)| Train {
            first,
            count,
            tail,
            id_step,
            flows,
            growth: 0,
            odd,
        },
    );
    prop_oneof![100 => usual, 1 => hopeless(ports)]
}

/// So many that no two of them join that a port gives coalescing up for a while.
fn hopeless(ports: usize) -> impl Strategy<Value = Train> {
    (packet(ports), 1030..1100usize, 1..4u16).prop_map(|(first, count, flows)| {
        let first = Packet { payload: 10, pieces: vec![], ..first };
        Train { first, count, tail: None, id_step: 1, flows, growth: 1, odd: None }
    })
}

fn packet(ports: usize) -> impl Strategy<Value = Packet> {
    let who = (0..ports, 2..=4u8, prop::bool::weighted(0.03), any::<bool>());
    let from = (prop::option::weighted(0.04, any::<u8>()), tags(), 0..3u16);
    let ttl = prop_oneof![12 => Just(64u8), 2 => 0..4u8];
    let tos = prop_oneof![5 => Just(0u8), 1 => any::<u8>()];
    let label = prop_oneof![3 => Just(0x12345u32), 1 => any::<u32>()];
    let head =
        (ttl, tos, label, prop_oneof![Just(9u16), Just(0xfffe), any::<u16>()], any::<bool>());
    let payload = prop_oneof![
        4 => Just(100usize), 4 => Just(1200), 1 => Just(1472), 1 => Just(0), 2 => 0..20usize, 2 => 0..1600usize
    ];
    let pieces = prop_oneof![
        8 => Just(vec![]),
        1 => prop::collection::vec(1..80usize, 1..4),
        1 => prop::collection::vec(1..600usize, 1..4),
    ];
    (who, to(ports), link(), from, head, (payload, kind(), oddity(), pieces, any::<bool>()))
        .prop_map(|(who, to, link, from, head, body)| {
            let (ingress, host, moved, v6) = who;
            let (strange_source, tags, flow) = from;
            let (ttl, tos, label, id, df) = head;
            let (payload, kind, oddity, pieces, verified) = body;
            Packet {
                ingress,
                host,
                moved,
                v6,
                to,
                link,
                strange_source,
                tags,
                flow,
                ttl,
                tos,
                label,
                id,
                df,
                payload,
                kind,
                oddity,
                pieces,
                verified,
            }
        })
}

fn to(ports: usize) -> impl Strategy<Value = To> {
    prop_oneof![
        12 => (1..=ports, 2..=4u8).prop_map(|(port, host)| To::Host { port, host }),
        6 => any::<u8>().prop_map(To::Far),
        6 => any::<u8>().prop_map(To::Group),
        1 => (0..ports).prop_map(To::Own),
        1 => (0..ports).prop_map(To::Broadcast),
        1 => any::<u8>().prop_map(To::Strange),
    ]
}

fn link() -> impl Strategy<Value = Link> {
    prop_oneof![
        30 => Just(Link::Right),
        1 => Just(Link::Broadcast),
        1 => Just(Link::OtherGroup),
        1 => Just(Link::Reserved),
        1 => Just(Link::Nobody),
        1 => Just(Link::GroupSource),
    ]
}

fn tags() -> impl Strategy<Value = Vec<Tag>> {
    let kind = prop_oneof![4 => Just(0x8100u16), 1 => Just(0x88a8), 1 => Just(0x9100)];
    let priority = prop_oneof![3 => Just(0u8), 1 => 0..8u8];
    let tag = (kind, 0..3u16, priority).prop_map(|(kind, id, priority)| Tag { kind, id, priority });
    prop_oneof![10 => Just(vec![]), 2 => prop::collection::vec(tag, 1..=3)]
}

fn kind() -> impl Strategy<Value = Kind> {
    let ask =
        (prop::bool::weighted(0.7), prop_oneof![4 => Just(1u16), 1 => 0..4u16], any::<bool>());
    prop_oneof![
        24 => Just(Kind::Udp),
        1 => Just(Kind::Tcp),
        1 => Just(Kind::Echo),
        1 => Just(Kind::IcmpError),
        1 => Just(Kind::Membership),
        1 => Just(Kind::Experimental),
        2 => ask.prop_map(|(ours, operation, probe)| Kind::Ask { ours, operation, probe }),
        1 => prop_oneof![Just(0x88ccu16), Just(0x8847), Just(0x0040)].prop_map(Kind::Other),
    ]
}

fn oddity() -> impl Strategy<Value = Oddity> {
    prop_oneof![
        20 => Just(Oddity::None),
        1 => (1..40usize).prop_map(Oddity::Padding),
        1 => Just(Oddity::ZeroChecksum),
        1 => Just(Oddity::BadChecksum),
        1 => Just(Oddity::AllOnes),
        1 => Just(Oddity::BadIpChecksum),
        1 => (-9..9i16).prop_map(Oddity::UdpLength),
        1 => Just(Oddity::FirstFragment),
        1 => prop_oneof![1..200u16, any::<u16>()].prop_map(Oddity::LaterFragment),
        2 => any::<u8>().prop_map(Oddity::Extension),
        1 => Just(Oddity::Reserved),
        1 => (0..80usize).prop_map(Oddity::Truncated),
    ]
}
