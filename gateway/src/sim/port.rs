//! A simulated port: what a test injects is received, what the worker transmits is collected.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::{HeapBuf, HeapPool, HeapTx};
use crate::device::{Backend, RxQueue, TxQueue};
use crate::packet::{BufPool, PacketBuf, TxBuf};

/// The family of simulated types.
pub struct Sim;

impl Backend for Sim {
    type Buf = HeapBuf;
    type Pool = HeapPool;
    type Rx = SimRx;
    type Tx = SimTx;
}

/// The test's end of a simulated port. `Clone` is another handle on the same port.
#[derive(Clone, Default)]
pub struct SimPort {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    incoming: VecDeque<Injected>,
    sent: Vec<Vec<u8>>,
    /// What the worker received, if somebody wants to know.
    received: Option<Vec<Vec<u8>>>,
    /// Frames the port accepts before it is full; `None`: never full.
    tx_room: Option<usize>,
    /// Accepted frames the port still holds, as a NIC's ring does.
    ring: VecDeque<HeapTx>,
    ring_size: usize,
    rx_no_buffer: u64,
    queues_in_use: usize,
}

enum Injected {
    Bytes(Vec<u8>),
    Packet(HeapBuf),
}

impl SimPort {
    /// An idle port that accepts everything and holds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a frame arrive; it takes a buffer of the receiving queue's pool when it is polled.
    pub fn inject(&self, frame: impl Into<Vec<u8>>) {
        self.lock().incoming.push_back(Injected::Bytes(frame.into()));
    }

    /// Lets a ready-made packet arrive (several pieces, checksum verdict, another pool).
    pub fn inject_packet(&self, packet: HeapBuf) {
        self.lock().incoming.push_back(Injected::Packet(packet));
    }

    /// Takes what was sent so far, in order.
    pub fn take_sent(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.lock().sent)
    }

    /// Notes from now on what workers receive, for [`take_received`](Self::take_received).
    pub fn note_received(&self) {
        self.lock().received.get_or_insert_default();
    }

    /// Takes what workers received so far, in order; what a dry pool lost is not in it.
    pub fn take_received(&self) -> Vec<Vec<u8>> {
        self.lock().received.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Frames not yet received.
    pub fn pending(&self) -> usize {
        self.lock().incoming.len()
    }

    /// Frames lost on reception because the pool was dry.
    pub fn rx_no_buffer(&self) -> u64 {
        self.lock().rx_no_buffer
    }

    /// Limits how many more frames the port accepts: `Some(0)` blocks it, `None` unblocks it.
    pub fn limit_tx(&self, frames: Option<usize>) {
        self.lock().tx_room = frames;
    }

    /// Keeps the last `frames` transmitted packets referenced, as the descriptors of a NIC do until
    /// they are reused; 0 releases all.
    pub fn hold_transmitted(&self, frames: usize) {
        let mut state = self.lock();
        state.ring_size = frames;
        while state.ring.len() > frames {
            state.ring.pop_front();
        }
    }

    /// The receive queue, for a worker.
    pub fn rx_queue(&self, pool: HeapPool) -> SimRx {
        SimRx { port: self.open_queue(), pool }
    }

    /// The transmit queue, for a worker; frames of up to `max_pieces` pieces.
    pub fn tx_queue(&self, max_pieces: usize) -> SimTx {
        SimTx { port: self.open_queue(), max_pieces }
    }

    /// Queues that somebody has.
    pub fn queues_in_use(&self) -> usize {
        self.lock().queues_in_use
    }

    fn open_queue(&self) -> InUse {
        self.lock().queues_in_use += 1;
        InUse(self.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The port of a queue.
struct InUse(SimPort);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.lock().queues_in_use -= 1;
    }
}

/// A receive queue of a simulated port.
pub struct SimRx {
    port: InUse,
    pool: HeapPool,
}

impl RxQueue for SimRx {
    type Buf = HeapBuf;

    fn rx_burst(&mut self, burst: &mut Vec<HeapBuf>) -> usize {
        let mut state = self.port.0.lock();
        let before = burst.len();
        while burst.len() < burst.capacity() {
            let Some(injected) = state.incoming.pop_front() else { break };
            let packet = match injected {
                Injected::Bytes(bytes) => self.pool.alloc_from(&bytes),
                Injected::Packet(packet) => Some(packet),
            };
            match packet {
                Some(packet) => {
                    if let Some(received) = &mut state.received {
                        received.push(packet.to_vec());
                    }
                    burst.push(packet);
                }
                None => state.rx_no_buffer += 1,
            }
        }
        burst.len() - before
    }
}

/// A transmit queue of a simulated port.
pub struct SimTx {
    port: InUse,
    max_pieces: usize,
}

impl TxQueue for SimTx {
    type Buf = HeapBuf;

    fn tx_burst(&mut self, frames: &mut Vec<HeapTx>) -> usize {
        let mut state = self.port.0.lock();
        let accepted = state.tx_room.unwrap_or(usize::MAX).min(frames.len());
        if let Some(room) = &mut state.tx_room {
            *room -= accepted;
        }
        for frame in frames.drain(..accepted) {
            assert!(frame.piece_count() <= self.max_pieces, "more pieces than the port can send");
            state.sent.push(frame.to_vec());
            state.ring.push_back(frame);
            if state.ring.len() > state.ring_size {
                state.ring.pop_front();
            }
        }
        accepted
    }

    fn max_pieces(&self) -> usize {
        self.max_pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_port_gives_frames_back() {
        let pool = HeapPool::new(4, 2048);
        let port = SimPort::new();
        let mut tx = port.tx_queue(1);
        let mut frames: Vec<HeapTx> = Vec::new();
        for byte in 0..3u8 {
            frames.push(crate::packet::PacketBuf::into_tx(pool.alloc_from(&[byte]).unwrap()));
        }
        port.limit_tx(Some(2));
        assert_eq!(tx.tx_burst(&mut frames), 2);
        assert_eq!(frames.len(), 1);
        assert_eq!(port.take_sent(), [[0], [1]]);
        port.limit_tx(None);
        assert_eq!(tx.tx_burst(&mut frames), 1);
        assert!(pool.is_full());
    }
}
