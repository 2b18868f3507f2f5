use core::time::Duration;

use super::FlushReason;

/// What a table has done since it was made. The worker that owns the table publishes it.
///
/// *Invariant:* `packets = held + packets that left`, `super_packets` is the sum of all flushes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GroStats {
    /// Packets offered, whatever they are.
    pub packets: u64,
    /// Datagrams held now.
    pub held: u64,
    /// Super-packets handed on, those of one included.
    pub super_packets: u64,
    /// Datagrams that left in a super-packet of two or more.
    pub coalesced: u64,
    /// Datagrams that left after having been held, alone or not.
    pub released: u64,
    /// Super-packets by [`FlushReason::index`].
    pub flushes: [u64; FlushReason::COUNT],
    /// How often coalescing was given up on a port for a while.
    pub opt_outs: u64,
    /// Flows held now.
    pub flows: u64,
    /// Most flows held at once.
    pub flows_peak: u64,
    /// Sum over held trains of the time from the first datagram to the flush, in nanoseconds.
    pub hold_nanos: u64,
    /// The longest of these times.
    pub hold_nanos_max: u64,
}

impl GroStats {
    /// Super-packets that left for this reason.
    pub fn flushed(&self, reason: FlushReason) -> u64 {
        self.flushes[reason.index()]
    }

    /// Trains flushed because the table had no place left.
    pub fn evictions(&self) -> u64 {
        self.flushed(FlushReason::Evicted)
    }

    /// Trains that were held and have left.
    pub fn trains(&self) -> u64 {
        self.super_packets - self.passed()
    }

    /// Packets that left: datagrams of trains, and those that were never held.
    pub fn left(&self) -> u64 {
        self.released + self.passed()
    }

    fn passed(&self) -> u64 {
        FlushReason::ALL.iter().filter(|r| r.is_pass()).map(|&r| self.flushed(r)).sum()
    }

    /// Datagrams per train over all that could be coalesced; 0 before the first.
    pub fn mean_train(&self) -> f64 {
        match self.trains() {
            0 => 0.0,
            trains => self.released as f64 / trains as f64,
        }
    }

    /// Mean time a train was held.
    pub fn mean_hold(&self) -> Duration {
        Duration::from_nanos(self.hold_nanos.checked_div(self.trains()).unwrap_or(0))
    }

    pub(super) fn record(&mut self, reason: FlushReason, datagrams: usize) {
        self.super_packets += 1;
        self.flushes[reason.index()] += 1;
        if datagrams > 1 {
            self.coalesced += datagrams as u64;
        }
    }

    /// Packets that passed without being held, each alone.
    pub(super) fn record_passed(&mut self, reason: FlushReason, packets: u64) {
        self.packets += packets;
        self.super_packets += packets;
        self.flushes[reason.index()] += packets;
    }

    pub(super) fn record_flows(&mut self, flows: usize) {
        self.flows = flows as u64;
        self.flows_peak = self.flows_peak.max(self.flows);
    }

    pub(super) fn record_hold(&mut self, nanos: u64, datagrams: usize) {
        self.released += datagrams as u64;
        self.hold_nanos += nanos;
        self.hold_nanos_max = self.hold_nanos_max.max(nanos);
    }
}
