//! In what order datagrams must leave: those of a flow among themselves, and fragments among all of
//! their addresses, if they came in by one port in frames of one pair of stations. A reading of
//! frames of its own.

use std::collections::{BTreeMap, BTreeSet};

use etherparse::LaxIpSlice;

/// Addresses as they are in the header.
type Pair = Vec<u8>;

/// What order is promised for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Flow {
    pair: Pair,
    /// VLAN tags without priority, and UDP ports.
    tags_and_ports: Vec<u8>,
}

enum Reading {
    Datagram(Flow),
    Fragment(Pair),
    Other,
}

/// What was promised, by what came in.
#[derive(Default)]
pub(super) struct Promises {
    /// The ports and stations a flow came from.
    flows: BTreeMap<Flow, BTreeSet<Vec<u8>>>,
    /// The ports the fragments and datagrams of a pair came from.
    pairs: BTreeMap<Pair, BTreeSet<usize>>,
}

impl Promises {
    /// A frame came in.
    pub(super) fn note(&mut self, port: usize, frame: &[u8]) {
        let (pair, flow) = match read(frame) {
            Reading::Datagram(flow) => (flow.pair.clone(), Some(flow)),
            Reading::Fragment(pair) => (pair, None),
            Reading::Other => return,
        };
        self.pairs.entry(pair).or_default().insert(port);
        if let Some(flow) = flow {
            let from = [&[port as u8][..], &frame[..12]].concat();
            self.flows.entry(flow).or_default().insert(from);
        }
    }

    /// What left must be the same; order counts where it is promised. `whole`: nothing was
    /// fragmented on the way.
    pub(super) fn check(&self, off: &[Vec<u8>], on: &[Vec<u8>], whole: bool) {
        assert_eq!(sorted(off), sorted(on), "other frames");
        for (flow, from) in &self.flows {
            if from.len() == 1 {
                let with_fragments = whole && self.pairs[&flow.pair].len() == 1;
                let of_flow = |frame: &&Vec<u8>| match read(frame) {
                    Reading::Datagram(its) => its == *flow,
                    Reading::Fragment(pair) => with_fragments && pair == flow.pair,
                    Reading::Other => false,
                };
                let (off, on) = (off.iter().filter(of_flow), on.iter().filter(of_flow));
                assert!(
                    off.clone().eq(on.clone()),
                    "out of order: {:x?} not {:x?}",
                    on.collect::<Vec<_>>(),
                    off.collect::<Vec<_>>()
                );
            }
        }
    }
}

fn sorted(frames: &[Vec<u8>]) -> Vec<&[u8]> {
    let mut frames: Vec<_> = frames.iter().map(Vec::as_slice).collect();
    frames.sort_unstable();
    frames
}

fn read(frame: &[u8]) -> Reading {
    let mut l3 = 14;
    let mut tags = Vec::new();
    while let Some(&[id_high, id_low, high, low]) = frame.get(l3 - 2..l3 + 2) {
        let is_tag = matches!((id_high, id_low), (0x81 | 0x91, 0) | (0x88, 0xa8));
        if !is_tag || tags.len() == 8 {
            break;
        }
        tags.extend([id_high, id_low, high & 0x0f, low]);
        l3 += 4;
    }
    let version = match frame.get(l3 - 2..l3) {
        Some([0x08, 0x00]) => 4,
        Some([0x86, 0xdd]) => 6,
        _ => return Reading::Other,
    };
    let Ok((ip, _)) = LaxIpSlice::from_slice(&frame[l3..]) else { return Reading::Other };
    let addresses = if ip.ipv4().is_some() { 12..20 } else { 8..40 };
    if version != frame[l3] >> 4 || ip.payload().ip_number.0 != 17 {
        return Reading::Other;
    }
    let pair = frame[l3..][addresses].to_vec();
    match ip.payload().payload.get(..8) {
        _ if ip.payload().fragmented => Reading::Fragment(pair),
        Some(udp) => {
            Reading::Datagram(Flow { pair, tags_and_ports: [&tags[..], &udp[..4]].concat() })
        }
        None => Reading::Other,
    }
}
