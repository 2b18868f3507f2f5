//! What a gateway owes, frame by frame, straight from the semantics: no trains, no buffers, no
//! queues. Reads whole frames with etherparse; knows nothing of the gateway but the names of drops.
//!
//! Where the semantics leave a choice (which of several equal paths; a table that another changes
//! while a datagram is held) a frame has several fates, one of which must be its own.

mod answer;
mod bridge;
mod fate;
mod fragment;
mod order;
mod read;
mod rewrite;
mod router;

use std::rc::Rc;

use gateway::packet::DropReason;

use crate::world::{AGEING_S, World};
pub(crate) use bridge::Stations;
pub(crate) use fate::{ErrorKind, Fate};
pub(crate) use order::Class;
use read::Frame;

/// A frame that a worker received, and what may become of it.
pub(crate) struct Arrival {
    pub(crate) worker: usize,
    pub(crate) class: Class,
    pub(crate) fates: Vec<Fate>,
}

/// The tables of one moment, and which memory each bridge has.
struct Snapshot {
    world: Rc<World>,
    memories: [usize; 2],
}

/// A datagram that may still be in a table, since when.
struct Held {
    arrival: usize,
    worker: usize,
    port: usize,
    bytes: Vec<u8>,
    since: u64,
}

pub(crate) struct Model {
    snapshots: Vec<Snapshot>,
    /// Which snapshot each worker decides by.
    adopted: Vec<usize>,
    memories: Vec<Stations>,
    held: Vec<Held>,
    /// Nanoseconds; 0: nothing outlives a poll.
    max_hold: u64,
    pub(crate) arrivals: Vec<Arrival>,
}

impl Model {
    pub(crate) fn new(world: Rc<World>, workers: usize, max_hold: u64) -> Self {
        let memories = vec![Stations::new(AGEING_S), Stations::new(AGEING_S)];
        let snapshots = vec![Snapshot { world, memories: [0, 1] }];
        let adopted = vec![0; workers];
        Self { snapshots, adopted, memories, held: vec![], max_hold, arrivals: vec![] }
    }

    /// The control side publishes other tables. A bridge that keeps its ports keeps its memory.
    pub(crate) fn publish(&mut self, world: Rc<World>) {
        let before = self.newest();
        let mut memories = [0; 2];
        for (bridge, memory) in memories.iter_mut().enumerate() {
            let members = world.members(bridge);
            let same = (0..2).find(|&old| before.world.members(old) == members);
            *memory = same.map_or(usize::MAX, |old| before.memories[old]);
        }
        for memory in memories.iter_mut().filter(|memory| **memory == usize::MAX) {
            *memory = self.memories.len();
            self.memories.push(Stations::new(AGEING_S));
        }
        self.snapshots.push(Snapshot { world, memories });
    }

    /// A worker begins a poll: what it held has gone by the tables it had.
    pub(crate) fn begin_poll(&mut self, worker: usize) {
        let newest = self.snapshots.len() - 1;
        if self.adopted[worker] != newest {
            self.adopted[worker] = newest;
            self.held.retain(|held| held.worker != worker);
        }
    }

    pub(crate) fn end_poll(&mut self, worker: usize, now: u64) {
        let max_hold = self.max_hold;
        self.held.retain(|held| held.worker != worker || now - held.since < max_hold);
    }

    /// The frames of one poll come in the order in which the worker receives them.
    pub(crate) fn receive(&mut self, worker: usize, port: usize, bytes: &[u8], now: u64) {
        let Some(frame) = Frame::read(bytes) else {
            let fates = vec![Fate::dropped(DropReason::RuntFrame)];
            return self.arrivals.push(Arrival { worker, class: Class::Loose, fates });
        };
        if self.learn(worker, port, &frame, now) {
            self.held.retain(|held| held.worker != worker);
            self.tables_changed_for(|other| other != worker, now);
        }
        let fates = self.decide(worker, port, &frame, now);
        let class = Class::of(port, &frame);
        if self.max_hold > 0 && matches!(class, Class::Flow { .. }) {
            let arrival = self.arrivals.len();
            self.held.push(Held { arrival, worker, port, bytes: bytes.to_vec(), since: now });
        }
        self.arrivals.push(Arrival { worker, class, fates });
    }

    /// The control side forgets who was learned on a port.
    pub(crate) fn forget(&mut self, port: usize, now: u64) {
        let newest = self.newest();
        if let Some(bridge) = newest.world.ports[port].bridge {
            let memory = newest.memories[bridge];
            self.memories[memory].forget(port);
            self.tables_changed_for(|_| true, now);
        }
    }

    fn newest(&self) -> &Snapshot {
        self.snapshots.last().expect("there is always one")
    }

    fn learn(&mut self, worker: usize, port: usize, frame: &Frame<'_>, now: u64) -> bool {
        let snapshot = &self.snapshots[self.adopted[worker]];
        let Some(bridge) = snapshot.world.ports[port].bridge else { return false };
        self.memories[snapshot.memories[bridge]].learn(frame, port, now)
    }

    fn decide(&self, worker: usize, port: usize, frame: &Frame<'_>, now: u64) -> Vec<Fate> {
        let snapshot = &self.snapshots[self.adopted[worker]];
        match snapshot.world.ports[port].bridge {
            Some(bridge) => {
                let stations = &self.memories[snapshot.memories[bridge]];
                vec![bridge::decide(&snapshot.world, bridge, stations, port, frame, now)]
            }
            None => router::decide(&snapshot.world, port, frame),
        }
    }

    /// Another than the holder changed a table: what is held may see either.
    fn tables_changed_for(&mut self, workers: impl Fn(usize) -> bool, now: u64) {
        for held in self.held.iter().filter(|held| workers(held.worker)) {
            let frame = Frame::read(&held.bytes).expect("read when it arrived");
            for fate in self.decide(held.worker, held.port, &frame, now) {
                let fates = &mut self.arrivals[held.arrival].fates;
                if !fates.contains(&fate) {
                    fates.push(fate);
                }
            }
        }
    }
}
