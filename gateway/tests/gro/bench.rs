//! Runs descriptions through parser and table, and finds out which left together.

use std::collections::HashMap;

use gateway::config::{Gro, GroMode};
use gateway::gro::{Continuation, FlushReason, GroStats, GroTable, Saving};
use gateway::ingress::{count_alike, parse};
use gateway::packet::{BufPool, FrameInfo, PacketBuf, PortId};
use gateway::sim::{HeapBuf, HeapPool};
use gateway::time::Nanos;

use crate::datagram::Datagram;

/// What arrives, and what else happens.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Datagram(Datagram),
    /// A forwarding table changes between `join` and `settle` of the datagram, if it gets there.
    Learned(Datagram),
    /// The rx burst ends, then time passes.
    EndOfBurst {
        then_micros: u64,
    },
}

/// One super-packet that left.
#[derive(Debug)]
pub(crate) struct Group {
    /// Numbers of the datagrams, in order of arrival over all events.
    pub(crate) members: Vec<usize>,
    pub(crate) info: FrameInfo,
}

/// All that happened.
pub(crate) struct Outcome {
    pub(crate) datagrams: Vec<Datagram>,
    /// Which burst each arrived in.
    pub(crate) bursts: Vec<usize>,
    pub(crate) groups: Vec<Group>,
    pub(crate) stats: GroStats,
}

/// A configuration of the table without holding, opting out or eviction.
pub(crate) fn settings() -> Gro {
    Gro {
        mode: GroMode::List,
        max_segments: 64,
        max_hold: core::time::Duration::ZERO,
        flows: 64,
        adaptive: false,
    }
}

/// Datagrams in one burst.
pub(crate) fn one_burst(settings: &Gro, datagrams: impl IntoIterator<Item = Datagram>) -> Outcome {
    run(settings, datagrams.into_iter().map(Event::Datagram))
}

/// Runs the events and closes the last burst. Panics unless every datagram left exactly once, byte
/// for byte, the books balance and the pool is full again.
///
/// Once more by the short way for datagrams like the one before, one by one and in runs, which must
/// make no difference.
pub(crate) fn run(settings: &Gro, events: impl IntoIterator<Item = Event>) -> Outcome {
    let mut benches = [Way::Long, Way::Short, Way::Runs].map(|way| Bench::new(settings, way));
    for event in events {
        benches.iter_mut().for_each(|bench| bench.handle(event.clone()));
    }
    let [outcome, others @ ..] = benches.map(Bench::finish);
    let members = |outcome: &Outcome| {
        outcome.groups.iter().map(|group| group.members.clone()).collect::<Vec<_>>()
    };
    for other in others {
        assert_eq!((members(&other), other.stats), (members(&outcome), outcome.stats));
    }
    outcome
}

/// How datagrams like the one before join.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As others do.
    Long,
    /// By the short way, offered one by one.
    Short,
    /// By the short way, as many as a port receives between two other events.
    Runs,
}

struct Bench {
    pool: HeapPool,
    table: GroTable<HeapBuf>,
    way: Way,
    now: Nanos,
    burst: usize,
    datagrams: Vec<Datagram>,
    bursts: Vec<usize>,
    /// By the address of the head piece, which stays while the packet lives.
    numbers: HashMap<*const u8, usize>,
    /// Received and not yet offered, with the port.
    waiting: Vec<HeapBuf>,
    port: PortId,
    left: Vec<(FrameInfo, Vec<HeapBuf>)>,
}

impl Bench {
    fn new(settings: &Gro, way: Way) -> Self {
        Self {
            pool: HeapPool::new(1 << 20, 9728),
            table: GroTable::new(settings, 0x5eed),
            way,
            now: Nanos(1),
            burst: 0,
            datagrams: vec![],
            bursts: vec![],
            numbers: HashMap::new(),
            waiting: vec![],
            port: PortId(0),
            left: vec![],
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Datagram(datagram) => {
                if self.way != Way::Runs || self.port != PortId(datagram.port) {
                    self.offer(false);
                }
                self.receive(datagram);
            }
            Event::Learned(datagram) => {
                self.offer(false);
                self.receive(datagram);
                self.offer(true);
            }
            Event::EndOfBurst { then_micros } => {
                self.offer(false);
                let Self { table, left, now, .. } = self;
                table.end_burst(*now, &mut |super_packet| {
                    left.push((*super_packet.info(), super_packet.into_segments().collect()));
                    Saving::LONG_WAY
                });
                self.now = self.now + Nanos::from_micros(then_micros);
                self.burst += 1;
            }
        }
    }

    fn receive(&mut self, datagram: Datagram) {
        let packet = packet(&self.pool, &datagram, self.datagrams.len());
        self.port = PortId(datagram.port);
        self.numbers.insert(packet.head().as_ptr(), self.datagrams.len());
        self.datagrams.push(datagram);
        self.bursts.push(self.burst);
        self.waiting.push(packet);
    }

    /// What waits goes into the table. `learned`: a table changes before what starts something new.
    fn offer(&mut self, learned: bool) {
        let Self { table, waiting, left, now, port, way, .. } = self;
        let mut sink = |super_packet: gateway::packet::SuperPacket<'_, HeapBuf>| {
            left.push((*super_packet.info(), super_packet.into_segments().collect()));
            Saving::LONG_WAY
        };
        let said = |packet: &HeapBuf| {
            let (head, frame_len) = (packet.head(), packet.frame_len());
            parse(*port, head, frame_len, packet.rx_checksum()).expect("an Ethernet frame")
        };
        let count =
            |previous: &FrameInfo, before: &[u8], next: &[HeapBuf], train: &mut Continuation| {
                let alike = count_alike(*port, previous, before, next, |id| train.admits(id));
                assert!(next[..alike].iter().all(|packet| *previous == said(packet)));
                alike
            };
        let mut waiting = waiting.drain(..);
        loop {
            if *way != Way::Long {
                table.join_alike(&mut waiting, count, *now, &mut sink);
            }
            let Some(packet) = waiting.next() else { return };
            let info = said(&packet);
            if let Err(unjoined) = table.join(packet, &info, *now, &mut sink) {
                if learned {
                    table.flush_all(FlushReason::TablesChanged, *now, &mut sink);
                    assert_eq!(table.held(), 0);
                }
                table.settle(unjoined, *now, &mut sink);
            }
        }
    }

    fn finish(mut self) -> Outcome {
        self.handle(Event::EndOfBurst { then_micros: 0 });
        let left = &mut self.left;
        self.table.flush_all(FlushReason::Shutdown, self.now, &mut |super_packet| {
            left.push((*super_packet.info(), super_packet.into_segments().collect()));
            Saving::LONG_WAY
        });
        assert_eq!(self.table.held(), 0);
        assert!(self.waiting.is_empty());
        let groups: Vec<Group> =
            self.left.iter().map(|(info, segments)| self.group(info, segments)).collect();
        let stats = *self.table.stats();
        self.check_books(&groups, &stats);
        drop(self.left);
        assert!(self.pool.is_full(), "every buffer is back");
        Outcome { datagrams: self.datagrams, bursts: self.bursts, groups, stats }
    }

    fn group(&self, info: &FrameInfo, segments: &[HeapBuf]) -> Group {
        let members: Vec<usize> = segments
            .iter()
            .map(|segment| {
                let number = self.numbers[&segment.head().as_ptr()];
                assert_eq!(segment.to_vec(), self.datagrams[number].frame(number), "{number}");
                number
            })
            .collect();
        let first = &segments[0];
        assert_eq!(info.frame_len as usize, first.frame_len(), "the first segment's");
        Group { members, info: *info }
    }

    fn check_books(&self, groups: &[Group], stats: &GroStats) {
        let mut members: Vec<usize> = groups.iter().flat_map(|g| g.members.clone()).collect();
        members.sort_unstable();
        assert!(members.into_iter().eq(0..self.datagrams.len()), "each left exactly once");
        assert_eq!(stats.packets, self.datagrams.len() as u64);
        assert_eq!(stats.super_packets, groups.len() as u64);
        assert_eq!(stats.flushes.iter().sum::<u64>(), stats.super_packets);
        let coalesced: usize = groups.iter().map(|g| g.members.len()).filter(|&n| n > 1).sum();
        assert_eq!(stats.coalesced, coalesced as u64);
        assert_eq!(stats.flows, 0);
    }
}

fn packet(pool: &HeapPool, datagram: &Datagram, number: usize) -> HeapBuf {
    let frame = datagram.frame(number);
    let headers = frame.len() - datagram.padding - datagram.payload;
    let head_len = datagram.split.map_or(frame.len(), |at| headers + at.min(datagram.payload));
    let mut packet = pool.alloc_from(&frame[..head_len]).unwrap();
    if head_len < frame.len() {
        packet.chain(pool.alloc_from(&frame[head_len..]).unwrap());
    }
    packet.set_rx_checksum(datagram.rx_checksum());
    packet
}

impl Outcome {
    /// Sizes of the super-packets, in order.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.groups.iter().map(|group| group.members.len()).collect()
    }

    /// Numbers of the datagrams in the order they left.
    pub(crate) fn order(&self) -> Vec<usize> {
        self.groups.iter().flat_map(|group| group.members.iter().copied()).collect()
    }
}
