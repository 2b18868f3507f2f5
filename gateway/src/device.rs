//! What the path asks of a port's queues. `dpdk::RxQueue`/`TxQueue` and `sim::SimRx`/`SimTx` obey.

mod cable;
mod exchange;

pub use cable::Cable;
pub use exchange::{Exchange, Seat};

use crate::packet::{BufPool, PacketBuf};

/// The family of types one kind of port works with.
pub trait Backend {
    /// Packets.
    type Buf: PacketBuf<Pool = Self::Pool>;
    /// Where they come from; `Clone` is another handle on the same pool.
    type Pool: BufPool<Buf = Self::Buf> + Clone;
    /// A receive queue of a port.
    type Rx: RxQueue<Buf = Self::Buf>;
    /// A transmit queue of a port.
    type Tx: TxQueue<Buf = Self::Buf>;
}

/// A receive queue, owned by one worker.
pub trait RxQueue {
    /// What it yields.
    type Buf: PacketBuf;

    /// Appends received frames to `burst`, never beyond its capacity; returns how many.
    fn rx_burst(&mut self, burst: &mut Vec<Self::Buf>) -> usize;
}

/// A transmit queue, owned by one worker.
pub trait TxQueue {
    /// What it takes.
    type Buf: PacketBuf;

    /// Offers `frames` in order. The accepted prefix is removed from `frames` and belongs to the
    /// queue; the rest stays. Returns how many were accepted.
    fn tx_burst(&mut self, frames: &mut Vec<<Self::Buf as PacketBuf>::Tx>) -> usize;

    /// The most pieces a frame may have here: 1 where the port has no multi-segment transmit.
    fn max_pieces(&self) -> usize;
}
