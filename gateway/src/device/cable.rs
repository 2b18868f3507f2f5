//! A port whose other end is in this program: the host side reads what workers send on it, and
//! workers receive what the host side puts in.
//!
//! *Invariant:* bounded both ways; order is kept among the frames of one sender and urgency.

use crossbeam_queue::ArrayQueue;

use crate::packet::PacketBuf;

/// Both ends of the cable. Workers use [`send`](Self::send) and [`receive`](Self::receive), the host
/// side [`take`](Self::take) and [`put`](Self::put).
pub struct Cable<B: PacketBuf> {
    urgent: ArrayQueue<B::Tx>,
    bulk: ArrayQueue<B::Tx>,
    down: ArrayQueue<B>,
}

impl<B: PacketBuf> Cable<B> {
    /// A cable that holds `frames` each way; urgent ones have a queue of their own as long.
    pub fn new(frames: usize) -> Self {
        let (urgent, bulk) = (ArrayQueue::new(frames), ArrayQueue::new(frames));
        Self { urgent, bulk, down: ArrayQueue::new(frames) }
    }

    /// Towards the host; gives the frame back when the cable is full.
    #[inline]
    pub fn send(&self, frame: B::Tx, urgent: bool) -> Result<(), B::Tx> {
        let queue = if urgent { &self.urgent } else { &self.bulk };
        queue.push(frame)
    }

    /// Appends what the host sent to `burst`, never beyond its capacity; returns how many frames.
    pub fn receive(&self, burst: &mut Vec<B>) -> usize {
        let before = burst.len();
        while burst.len() < burst.capacity() {
            let Some(packet) = self.down.pop() else { break };
            burst.push(packet);
        }
        burst.len() - before
    }

    /// The next frame for the host, urgent ones first.
    pub fn take(&self) -> Option<B::Tx> {
        self.urgent.pop().or_else(|| self.bulk.pop())
    }

    /// From the host; gives the packet back when the cable is full.
    pub fn put(&self, packet: B) -> Result<(), B> {
        self.down.push(packet)
    }

    /// Packets on their way, either way.
    pub fn held(&self) -> usize {
        self.urgent.len() + self.bulk.len() + self.down.len()
    }
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;
    use crate::packet::{BufPool, SharedBuf, TxBuf};
    use crate::sim::{HeapBuf, HeapPool};

    #[test]
    fn urgent_frames_go_first_and_what_does_not_fit_comes_back() {
        let pool = HeapPool::new(8, 256);
        let cable = Cable::<HeapBuf>::new(2);
        let frame = |byte: u8| pool.alloc_from(&[byte]).unwrap().into_tx();
        assert!(cable.send(frame(1), false).is_ok() && cable.send(frame(2), false).is_ok());
        assert!(cable.send(frame(3), false).is_err());
        assert!(cable.send(frame(4), true).is_ok());
        let order: Vec<u8> =
            std::iter::from_fn(|| cable.take()).map(|tx| tx.arrive().head()[0]).collect();
        assert_eq!(order, [4, 1, 2]);
        assert!(pool.is_full());
    }
}
