//! Transmit buffers: one per port and worker, in front of the port's queue or of the worker that
//! owns it.
//!
//! *Invariant:* a slow or blocked port costs only its own frames: its buffer fills, then the
//! newest frame is dropped as `tx_full` and counted for that port. Every frame pushed is sent,
//! handed over, buffered or counted as dropped. Retries are one per poll, never a loop.

mod handoff;
mod port;

pub use handoff::{Handoff, Inbox};
pub use port::{EgressPort, Way};

use crate::counters::{EgressCounts, WorkerCounters};
use crate::device::Backend;
use crate::packet::{DropReason, PacketBuf, PortId, PortMask, Trail, TxBuf};

/// Frames in a transmit buffer that start a burst without waiting for the end of the poll.
const EAGER_FRAMES: usize = 64;

/// All egress ports as one worker sees them.
pub struct Egress<K: Backend> {
    ports: Vec<EgressPort<K>>,
    /// Ports with frames in their buffers.
    waiting: PortMask,
}

impl<K: Backend> Egress<K> {
    /// By port index.
    pub fn new(ports: Vec<EgressPort<K>>) -> Self {
        Self { ports, waiting: PortMask::EMPTY }
    }

    /// Queues one frame for a port.
    #[inline]
    pub fn push(
        &mut self,
        port: PortId,
        mut frame: <K::Buf as PacketBuf>::Tx,
        counters: &mut WorkerCounters,
    ) {
        let Some(egress) = self.ports.get_mut(port.index()) else {
            counters.drop(port, DropReason::NoEgress, 1);
            return;
        };
        frame.mark(Trail::queued(port));
        match egress.push(port, frame, counters) {
            Ok(buffered) => {
                self.waiting = self.waiting.with(port);
                if buffered >= EAGER_FRAMES {
                    egress.flush_eagerly(port, counters);
                }
            }
            Err(reason) => counters.drop(port, reason, 1),
        }
    }

    /// Queues one frame for a shadow, ahead of bulk traffic.
    pub fn push_urgent(
        &mut self,
        port: PortId,
        mut frame: <K::Buf as PacketBuf>::Tx,
        counters: &mut WorkerCounters,
    ) {
        let Some(egress) = self.ports.get_mut(port.index()) else {
            counters.drop(port, DropReason::NoEgress, 1);
            return;
        };
        frame.mark(Trail::queued(port));
        if let Err(reason) = egress.push_urgent(port, frame, counters) {
            counters.drop(port, reason, 1);
        }
    }

    /// Offers every buffer to its queue once.
    pub fn flush(&mut self, counters: &mut WorkerCounters) {
        for port in self.waiting {
            let egress = &mut self.ports[port.index()];
            egress.flush(port, counters);
            if egress.is_empty() {
                self.waiting = self.waiting.without(port);
            }
        }
    }

    /// Frames in buffers.
    pub fn held(&self) -> u64 {
        self.waiting.map(|port| self.ports[port.index()].len() as u64).sum()
    }

    /// What went through every port's buffer, by port index.
    pub fn counts(&self) -> impl Iterator<Item = EgressCounts> {
        self.ports.iter().map(EgressPort::counts)
    }

    /// Gives up on what is still buffered, counted as `shutdown`.
    pub fn abandon(&mut self, counters: &mut WorkerCounters) {
        for port in std::mem::take(&mut self.waiting) {
            self.ports[port.index()].abandon(port, DropReason::Shutdown, counters);
        }
    }
}
