use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Handoff;
use crate::counters::{EgressCounts, WorkerCounters};
use crate::device::{Backend, Cable, Seat, TxQueue};
use crate::packet::{DropReason, PacketBuf, PortId, TxBuf};

/// How frames of a worker reach a port.
pub enum Way<K: Backend> {
    /// By a transmit queue of its own.
    Queue(Seat<K::Tx>),
    /// By the worker that owns the port's only queue.
    Handoff(Handoff<<K::Buf as PacketBuf>::Tx>),
    /// To the host's end of it.
    Cable(Arc<Cable<K::Buf>>),
}

/// One port as one worker sees it.
pub struct EgressPort<K: Backend> {
    way: Way<K>,
    /// worker: r, control: w
    link_up: Arc<AtomicBool>,
    buffer: Vec<<K::Buf as PacketBuf>::Tx>,
    /// Frames the buffer takes now: none while the queue is exchanged.
    limit: usize,
    /// Frames it takes while there is a queue.
    room: usize,
    queued: u64,
    handed_out: u64,
    /// The queue took less than offered since the last end of a poll.
    busy: bool,
}

impl<K: Backend> EgressPort<K> {
    /// A port with a buffer of `limit` frames.
    pub fn new(way: Way<K>, link_up: Arc<AtomicBool>, limit: usize) -> Self {
        let buffer = Vec::with_capacity(limit);
        Self { way, link_up, buffer, limit, room: limit, queued: 0, handed_out: 0, busy: false }
    }

    pub(super) fn counts(&self) -> EgressCounts {
        let held = self.buffer.len() as u64;
        EgressCounts { queued: self.queued, handed_out: self.handed_out, held }
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether frames go from here to the device.
    pub(super) fn has_queue(&self) -> bool {
        matches!(self.way, Way::Queue(_))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Whether this many frames go into the buffer, one like the other.
    #[inline]
    pub(super) fn takes_at_once(&self, frames: usize) -> bool {
        matches!(self.way, Way::Queue(_))
            && self.limit - self.buffer.len() >= frames
            && self.link_up.load(Ordering::Relaxed)
    }

    /// Buffers as many frames as [`takes_at_once`](Self::takes_at_once) was asked for; returns how
    /// many there are now.
    #[inline]
    pub(super) fn extend(
        &mut self,
        frames: impl Iterator<Item = <K::Buf as PacketBuf>::Tx>,
    ) -> usize {
        let before = self.buffer.len();
        self.buffer.extend(frames);
        self.queued += (self.buffer.len() - before) as u64;
        self.buffer.len()
    }

    /// Returns how many frames are now buffered; a frame handed over is not.
    pub(super) fn push(
        &mut self,
        port: PortId,
        frame: <K::Buf as PacketBuf>::Tx,
        counters: &mut WorkerCounters,
    ) -> Result<usize, DropReason> {
        self.queued += 1;
        if !self.link_up.load(Ordering::Relaxed) {
            return Err(DropReason::LinkDown);
        }
        match &self.way {
            Way::Handoff(handoff) => {
                handoff.send(port, frame).map_err(|_| DropReason::HandoffFull)?;
                counters.handed_out += 1;
                self.handed_out += 1;
            }
            Way::Cable(cable) => send(cable, port, frame, false, counters)?,
            Way::Queue(_) if self.buffer.len() == self.limit => return Err(self.refusal()),
            Way::Queue(_) => self.buffer.push(frame),
        }
        Ok(self.buffer.len())
    }

    /// Ahead of bulk traffic, where the port is a shadow.
    pub(super) fn push_urgent(
        &mut self,
        port: PortId,
        frame: <K::Buf as PacketBuf>::Tx,
        counters: &mut WorkerCounters,
    ) -> Result<(), DropReason> {
        match &self.way {
            Way::Cable(cable) => {
                self.queued += 1;
                send(cable, port, frame, true, counters)
            }
            Way::Queue(_) | Way::Handoff(_) => self.push(port, frame, counters).map(|_| ()),
        }
    }

    /// In mid-poll: only while the queue keeps up.
    #[inline(never)]
    pub(super) fn flush_eagerly(&mut self, port: PortId, counters: &mut WorkerCounters) {
        if !self.busy {
            self.burst(port, counters);
        }
    }

    /// At the end of a poll.
    pub(super) fn flush(&mut self, port: PortId, counters: &mut WorkerCounters) {
        self.busy = false;
        if self.link_up.load(Ordering::Relaxed) {
            self.burst(port, counters);
        } else {
            self.abandon(port, DropReason::LinkDown, counters);
        }
    }

    /// Gives the queue up, and with it what waits for it, or takes the next, as the control side wants.
    pub(super) fn follow(&mut self, port: PortId, counters: &mut WorkerCounters) {
        let Way::Queue(seat) = &mut self.way else { return };
        seat.follow();
        self.limit = if seat.queue().is_some() { self.room } else { 0 };
        if self.limit == 0 {
            self.abandon(port, DropReason::PortReset, counters);
        }
    }

    /// Why the buffer takes no more.
    #[cold]
    fn refusal(&self) -> DropReason {
        if self.limit == 0 { DropReason::PortReset } else { DropReason::TxFull }
    }

    pub(super) fn abandon(
        &mut self,
        port: PortId,
        reason: DropReason,
        counters: &mut WorkerCounters,
    ) {
        counters.drop(port, reason, self.buffer.len() as u64);
        self.buffer.clear();
    }

    fn burst(&mut self, port: PortId, counters: &mut WorkerCounters) {
        let Way::Queue(seat) = &mut self.way else { return };
        let Some(queue) = seat.queue() else { return };
        // What the queue accepts is no longer ours to measure, so it is measured before.
        let offered = self.buffer.len();
        let bytes: usize = self.buffer.iter().map(TxBuf::frame_len).sum();
        let accepted = queue.tx_burst(&mut self.buffer);
        let kept: usize = self.buffer.iter().map(TxBuf::frame_len).sum();
        self.busy = accepted < offered;
        let counters = &mut counters.ports[port.index()];
        counters.tx_frames += accepted as u64;
        counters.tx_bytes += (bytes - kept) as u64;
        counters.tx_partial += u64::from(self.busy);
    }
}

/// What the host's end takes counts as transmitted.
fn send<B: PacketBuf>(
    cable: &Cable<B>,
    port: PortId,
    frame: B::Tx,
    urgent: bool,
    counters: &mut WorkerCounters,
) -> Result<(), DropReason> {
    let bytes = frame.frame_len();
    cable.send(frame, urgent).map_err(|_| DropReason::HostFull)?;
    let counters = &mut counters.ports[port.index()];
    counters.tx_frames += 1;
    counters.tx_bytes += bytes as u64;
    Ok(())
}
