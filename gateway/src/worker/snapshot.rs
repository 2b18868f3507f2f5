use super::RuleCounters;
use crate::counters::{EgressCounts, FanoutCounters, Latency, Ledger, WorkerCounters};
use crate::gro::GroStats;
use crate::packet::PortId;
use crate::time::Nanos;

/// A worker's numbers between two polls.
#[derive(Clone, Default, Debug)]
pub struct WorkerSnapshot {
    /// What it counted.
    pub counters: WorkerCounters,
    /// How replicas were made.
    pub fanout: FanoutCounters,
    /// Coalescing, per receive queue that coalesces.
    pub gro: Vec<(PortId, GroStats)>,
    /// Sampled times of pairs of ports.
    pub latency: Vec<Latency>,
    /// Hits of filters, by [`RuleId::slot`](crate::forward::RuleId).
    pub rules: Vec<RuleCounters>,
    /// Datagrams in GRO tables.
    pub held_in_gro: u64,
    /// Frames in transmit buffers.
    pub held_in_tx: u64,
    /// Frames in the receive burst: none between two polls.
    pub held_in_burst: u64,
    /// Packets on their way from a decision to a transmit buffer: none between two polls.
    pub held_in_hand: u64,
    /// What went through the transmit buffers, by port.
    pub egress: Vec<EgressCounts>,
    /// Frames in the ring from other workers.
    pub inbox: u64,
    /// Time spent in polls that found work.
    pub busy: Nanos,
}

impl WorkerSnapshot {
    /// The conservation law at this moment.
    pub fn ledger(&self) -> Ledger {
        self.counters.ledger(self.held_in_gro + self.held_in_tx)
    }
}
