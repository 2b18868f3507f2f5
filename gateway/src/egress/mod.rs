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

use crate::capture::Capturer;
use crate::counters::{EgressCounts, WorkerCounters};
use crate::device::Backend;
use crate::ideas;
use crate::packet::{DropReason, PacketBuf, PortId, PortMask, Trail, TxBuf};
use crate::time::Nanos;

/// Frames in a transmit buffer that start a burst without waiting for the end of the poll.
const EAGER_FRAMES: usize = 64;

/// All egress ports as one worker sees them.
pub struct Egress<K: Backend> {
    ports: Vec<EgressPort<K>>,
    /// Ports with frames in their buffers.
    waiting: PortMask,
    /// While a capture is on.
    capturer: Option<Capturer>,
}

impl<K: Backend> Egress<K> {
    /// By port index.
    pub fn new(ports: Vec<EgressPort<K>>) -> Self {
        Self { ports, waiting: PortMask::EMPTY, capturer: None }
    }

    /// Begins or ends a capture.
    pub fn set_capturer(&mut self, capturer: Option<Capturer>) {
        self.capturer = capturer;
    }

    /// What takes copies while a capture is on.
    #[inline]
    pub fn capturer(&self) -> Option<&Capturer> {
        self.capturer.as_ref()
    }

    /// Tells a capture what time it is.
    #[inline]
    pub fn begin_poll(&mut self, now: Nanos) {
        if let Some(capturer) = &mut self.capturer {
            capturer.tick(now);
        }
    }

    /// Queues one frame for a port.
    #[inline]
    pub fn push(
        &mut self,
        port: PortId,
        frame: <K::Buf as PacketBuf>::Tx,
        counters: &mut WorkerCounters,
    ) {
        self.push_all(port, core::iter::once(frame), counters);
    }

    #[inline(never)]
    fn push_with_care(
        &mut self,
        port: PortId,
        frame: <K::Buf as PacketBuf>::Tx,
        counters: &mut WorkerCounters,
    ) {
        if self.capturer.is_none() {
            // A refusal has been counted.
            let _ = self.put(port, frame, counters);
            return;
        }
        let copy = self.capturer.as_ref().and_then(|capturer| {
            capturer.before_send(port, |out| (frame.copy_into(out), frame.frame_len()))
        });
        let is_here = self.ports.get(port.index()).is_some_and(EgressPort::has_queue);
        let put = self.put(port, frame, counters);
        let (Some(copy), Some(capturer)) = (copy, &self.capturer) else { return };
        match put {
            Ok(()) if is_here => capturer.sent(copy),
            Ok(()) => capturer.not_sent(copy),
            Err(reason) => capturer.refused(copy, reason),
        }
    }

    fn put(
        &mut self,
        port: PortId,
        mut frame: <K::Buf as PacketBuf>::Tx,
        counters: &mut WorkerCounters,
    ) -> Result<(), DropReason> {
        let Some(egress) = self.ports.get_mut(port.index()) else {
            counters.drop(port, DropReason::NoEgress, 1);
            return Err(DropReason::NoEgress);
        };
        frame.mark(Trail::queued(port));
        match egress.push(port, frame, counters) {
            Ok(buffered) => {
                self.waiting = self.waiting.with(port);
                if buffered >= EAGER_FRAMES {
                    egress.flush_eagerly(port, counters);
                }
                Ok(())
            }
            Err(reason) => {
                counters.drop(port, reason, 1);
                Err(reason)
            }
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

    /// Queues a train's frames for a port, in order.
    #[inline]
    pub fn push_all(
        &mut self,
        port: PortId,
        frames: impl ExactSizeIterator<Item = <K::Buf as PacketBuf>::Tx>,
        counters: &mut WorkerCounters,
    ) {
        let count = frames.len();
        if !ideas::ARRAYS && count > 1 {
            return frames.for_each(|frame| self.push(port, frame, counters));
        }
        let at_once = self.capturer.is_none();
        let egress = self.ports.get_mut(port.index());
        let Some(egress) = egress.filter(|egress| at_once && egress.takes_at_once(count)) else {
            return self.push_each(port, frames, counters);
        };
        let buffered = egress.extend(frames.map(|mut frame| {
            frame.mark(Trail::queued(port));
            frame
        }));
        if buffered == count {
            self.waiting = self.waiting.with(port);
        }
        if buffered >= EAGER_FRAMES {
            egress.flush_eagerly(port, counters);
        }
    }

    #[inline(never)]
    fn push_each(
        &mut self,
        port: PortId,
        frames: impl Iterator<Item = <K::Buf as PacketBuf>::Tx>,
        counters: &mut WorkerCounters,
    ) {
        for frame in frames {
            self.push_with_care(port, frame, counters);
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

    /// Gives queues up or takes new ones, as the control side wants; see [`Seat`](crate::device::Seat).
    pub fn follow(&mut self, counters: &mut WorkerCounters) {
        for (index, egress) in self.ports.iter_mut().enumerate() {
            egress.follow(PortId(index as u16), counters);
        }
    }

    /// Frames in the buffer of one port.
    pub fn waiting_at(&self, port: PortId) -> u64 {
        self.ports.get(port.index()).map_or(0, |port| port.len() as u64)
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
