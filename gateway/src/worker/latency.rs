//! How long datagrams stay: of one busy poll in [`EVERY`], the time from its begin to the begin of
//! the poll after each egress port took the last of its frames, per pair of ports.
//!
//! No clock is read for it: the caller of `poll_once` reads one per poll. Held trains count from
//! the arrival of their first datagram. A port that does not take its frames keeps the sample open.

use arrayvec::ArrayVec;

use crate::counters::Latency;
use crate::packet::{Decision, PortId, PortMask};
use crate::time::Nanos;

/// One poll in so many that found work is measured.
const EVERY: u64 = 16;
/// Pairs of ports measured at once; the rest of a poll's pairs wait for another poll.
const OPEN_PAIRS: usize = 64;
/// Pairs of ports with a histogram of their own, the first that had traffic.
const PAIRS: usize = 256;

/// The samples of one worker.
pub(super) struct Sampler {
    state: State,
    /// Pairs of the sampled poll.
    open: ArrayVec<Open, OPEN_PAIRS>,
    /// Never longer than its capacity.
    pairs: Vec<Latency>,
    limit: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// Decisions of this poll are noted.
    Noting,
    /// The poll is over; frames of it may still wait.
    Waiting,
}

#[derive(Clone, Copy)]
struct Open {
    from: PortId,
    to: PortId,
    since: Nanos,
    /// When `to` has sent so many frames in all, the sampled ones have left.
    sent: u64,
}

impl Sampler {
    /// For a gateway with this many ports.
    pub(super) fn new(ports: usize) -> Self {
        let limit = ports.saturating_mul(ports).min(PAIRS);
        let pairs = Vec::with_capacity(limit);
        Self { state: State::Idle, open: ArrayVec::new(), pairs, limit }
    }

    /// What was measured so far.
    pub(super) fn pairs(&self) -> &[Latency] {
        &self.pairs
    }

    /// A poll begins; `sent` tells how many frames a port has sent in all, `None` if none of its
    /// frames wait.
    #[inline]
    pub(super) fn begin_poll(
        &mut self,
        now: Nanos,
        busy_polls: u64,
        sent: impl Fn(PortId) -> Option<u64>,
    ) {
        match self.state {
            State::Idle if busy_polls % EVERY == 0 => self.state = State::Noting,
            State::Idle | State::Noting => {}
            State::Waiting => self.settle(now, sent),
        }
    }

    /// Whether decisions are to be noted.
    #[inline]
    pub(super) fn is_noting(&self) -> bool {
        self.state == State::Noting
    }

    /// What arrived by `from`, the first of it at `since`, leaves as decided.
    #[cold]
    pub(super) fn note(&mut self, from: PortId, decision: &Decision, since: Nanos) {
        let ports = match *decision {
            Decision::Bridge { ports }
            | Decision::BridgeToListeners { ports, .. }
            | Decision::BridgeAndPunt { ports, .. }
            | Decision::Multicast { ports }
            | Decision::MulticastWatched { ports, .. } => ports,
            Decision::Route(hop) => PortMask::of(hop.port),
            Decision::Drop(_) | Decision::Answer(_) | Decision::Consume | Decision::Punt { .. } => {
                return;
            }
        };
        ports.for_each(|to| self.note_pair(from, to, since));
    }

    /// What arrived by `from`, the first of it at `since`, leaves by `to`.
    #[cold]
    pub(super) fn note_pair(&mut self, from: PortId, to: PortId, since: Nanos) {
        match self.open.iter_mut().find(|open| (open.from, open.to) == (from, to)) {
            Some(open) => open.since = open.since.min(since),
            None => {
                let _ = self.open.try_push(Open { from, to, since, sent: 0 });
            }
        }
    }

    /// The poll ends; `target` tells how many frames a port will have sent when all it holds now
    /// has left.
    #[inline]
    pub(super) fn end_poll(&mut self, target: impl Fn(PortId) -> u64) {
        if self.state == State::Noting && !self.open.is_empty() {
            for open in &mut self.open {
                open.sent = target(open.to);
            }
            self.state = State::Waiting;
        }
    }

    #[cold]
    fn settle(&mut self, now: Nanos, sent: impl Fn(PortId) -> Option<u64>) {
        let Self { open, pairs, limit, .. } = self;
        open.retain(|open| {
            if sent(open.to).is_some_and(|sent| sent < open.sent) {
                return true;
            }
            let same = |pair: &Latency| (pair.from, pair.to) == (open.from, open.to);
            let known = pairs.iter().position(same);
            let index = known.unwrap_or(pairs.len());
            if known.is_none() && pairs.len() < *limit {
                pairs.push(Latency::new(open.from, open.to));
            }
            if let Some(pair) = pairs.get_mut(index) {
                pair.record(now.since(open.since));
            }
            false
        });
        if self.open.is_empty() {
            self.state = State::Idle;
        }
    }
}
