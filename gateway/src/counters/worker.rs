use super::{Ledger, PortCounters};
use crate::packet::{DropReason, PortId};
use crate::time::Nanos;

/// Buckets of the burst histogram: 0, 1, 2–3, 4–7, … 128 and more frames.
pub const BURST_BUCKETS: usize = 9;

/// What one worker counted since it started.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkerCounters {
    /// Calls of `poll_once`.
    pub polls: u64,
    /// The longest time from the begin of one poll to the begin of the next.
    pub longest_round: Nanos,
    /// Polls that received at least one frame.
    pub busy_polls: u64,
    /// Rx bursts by size: 0, 1, 2–3, 4–7, … 128 and more.
    pub bursts: [u64; BURST_BUCKETS],
    /// By port index.
    pub ports: Vec<PortCounters>,
    /// Frames that ingress refused; each has a drop reason.
    pub unparsed: u64,
    /// Datagrams that got a decision.
    pub decided: u64,
    /// Frames of the gateway's own: ARP, neighbour discovery, ICMP errors.
    pub originated: u64,
    /// Datagrams consumed by the gateway itself.
    pub local: u64,
    /// Copies beyond the first that decisions asked for.
    pub replicated: u64,
    /// Frames given to another worker for transmission.
    pub handed_out: u64,
    /// Frames taken from another worker for transmission.
    pub handed_in: u64,
    /// Frames copied into one piece because their headers were split or a port takes one piece.
    pub linearised: u64,
}

/// How replicas were made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FanoutCounters {
    /// References to unchanged bytes.
    pub shared: u64,
    /// A private header in front of shared payload.
    pub private_headers: u64,
    /// Whole copies.
    pub whole_copies: u64,
    /// Originals rewritten in place.
    pub in_place: u64,
}

impl WorkerCounters {
    /// All zero, for this many ports.
    pub fn new(ports: usize) -> Self {
        Self { ports: vec![PortCounters::default(); ports], ..Self::default() }
    }

    /// Counts one rx burst.
    pub fn burst(&mut self, frames: usize) {
        let bucket = (usize::BITS - frames.leading_zeros()) as usize;
        self.bursts[bucket.min(BURST_BUCKETS - 1)] += 1;
    }

    /// Counts `frames` dropped for `reason` under `port`.
    pub fn drop(&mut self, port: PortId, reason: DropReason, frames: u64) {
        if let Some(port) = self.ports.get_mut(port.index()) {
            port.drop(reason, frames);
        }
    }

    /// The sums of the conservation law, given what is held at this moment.
    pub fn ledger(&self, held: u64) -> Ledger {
        let sum = |of: fn(&PortCounters) -> u64| self.ports.iter().map(of).sum();
        Ledger {
            rx: sum(|p| p.rx_frames),
            originated: self.originated,
            replicated: self.replicated,
            handed_in: self.handed_in,
            tx: sum(|p| p.tx_frames),
            local: self.local,
            dropped: sum(PortCounters::dropped),
            handed_out: self.handed_out,
            held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_fall_into_buckets() {
        let mut counters = WorkerCounters::new(0);
        for frames in [0, 1, 2, 3, 4, 64, 127, 128, 256] {
            counters.burst(frames);
        }
        assert_eq!(counters.bursts, [1, 1, 2, 1, 0, 0, 0, 2, 2]);
    }
}
