//! Receive and transmit queues of a port.
//!
//! *Invariant:* one handle per queue, so one thread at a time is in it, which is what a DPDK queue
//! asks for. A queue keeps its port open.

use std::sync::Arc;

use dpdk_sys as sys;

use super::mbuf::{Mbuf, TxMbuf};
use super::packet_socket::ReceiveRing;
use super::port::OpenPort;
use super::raw::{FLAGS, Raw, SEGMENTS};
use crate::device;
use crate::packet::{PacketBuf, SharedBuf};

/// A receive queue. `Send`, not `Clone`.
pub struct RxQueue {
    port: Arc<OpenPort>,
    queue: u16,
    refused: u64,
    /// Where net_af_packet's frames lie before they are received.
    ring: Option<ReceiveRing>,
}

/// A transmit queue. `Send`, not `Clone`.
pub struct TxQueue {
    port: Arc<OpenPort>,
    queue: u16,
    max_pieces: usize,
}

impl RxQueue {
    /// # Safety
    /// The queue is set up, its port started, and there is no other handle on it.
    pub(super) const unsafe fn new(port: Arc<OpenPort>, queue: u16) -> Self {
        Self { port, queue, refused: 0, ring: None }
    }

    /// Has the frames whose checksum the sender left unfinished pointed out by their ring.
    pub(super) fn look_at(&mut self, ring: ReceiveRing) {
        self.ring = Some(ring);
    }

    /// Frames lost because they had to be copied (see [`device::RxQueue::rx_burst`]) and no buffer
    /// was free, or one was too small. The port has counted them as received.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

impl device::RxQueue for RxQueue {
    type Buf = Mbuf;

    /// As the trait says. The vector path of some drivers (ixgbe) yields multiples of 4 only, and
    /// nothing below 4 free places.
    ///
    /// A driver that passes pointers on, as net_ring does, can yield packets others still hold;
    /// these are copied: what comes out is owned.
    fn rx_burst(&mut self, burst: &mut Vec<Mbuf>) -> usize {
        let before = burst.len();
        let room = burst.spare_capacity_mut();
        let count = room.len().min(usize::from(u16::MAX)) as u16;
        let waiting = self.ring.as_ref().map(|ring| ring.look(count.into()));
        let count = waiting.as_ref().map_or(count, |waiting| waiting.frames as u16);
        let frames = room.as_mut_ptr().cast::<*mut sys::rte_mbuf>();
        // SAFETY: the port is started and this is the queue's only handle; `frames` has room for
        // `count` pointers, and an Mbuf is one (repr(transparent)).
        let received = unsafe { sys::sys_eth_rx_burst(self.port.id(), self.queue, frames, count) };
        let received = usize::from(received);
        // SAFETY: the driver wrote `received` pointers to packets that are now this caller's. That
        // each also fulfils the invariant of Mbuf is seen to below, before anybody else looks.
        unsafe { burst.set_len(before + received) };
        if let (Some(ring), Some(waiting)) = (&mut self.ring, waiting) {
            ring.advance(received);
            let frames = waiting.unfinished().filter_map(|frame| burst.get(before + frame));
            frames.for_each(|frame| frame.raw().set_flags(sys::RTE_MBUF_F_RX_L4_CKSUM_NONE));
        }
        if burst[before..].iter().all(|packet| is_plain(packet.raw())) {
            received
        } else {
            self.make_plain(burst, before)
        }
    }
}

impl RxQueue {
    /// Makes all owned, and finishes checksums that the port leaves unfinished.
    #[cold]
    fn make_plain(&mut self, burst: &mut Vec<Mbuf>, before: usize) -> usize {
        let all_owned = burst[before..].iter().all(|packet| is_owned(packet.raw()));
        let kept = if all_owned { burst.len() - before } else { self.make_owned(burst, before) };
        burst[before..].iter_mut().for_each(Mbuf::finish_checksum);
        kept
    }

    /// Keeps what is owned, copies what is not, drops what cannot be copied.
    fn make_owned(&mut self, burst: &mut Vec<Mbuf>, before: usize) -> usize {
        for at in (before..burst.len()).rev() {
            // What a driver yields holds one reference to each piece: a shared packet it is.
            let packet = burst.swap_remove(at).share();
            let owned =
                packet.try_unshare().or_else(|shared| shared.copy(self.port.pool()).ok_or(()));
            match owned {
                Ok(mut packet) => {
                    packet.clear_tx_flags();
                    burst.push(packet);
                    let last = burst.len() - 1;
                    burst.swap(at, last);
                }
                Err(()) => {
                    self.refused += 1;
                }
            }
        }
        burst.len() - before
    }
}

impl TxQueue {
    /// # Safety
    /// The queue is set up, its port started, and there is no other handle on it. `max_pieces` is
    /// what the transmit path of the port can do.
    pub(super) const unsafe fn new(port: Arc<OpenPort>, queue: u16, max_pieces: usize) -> Self {
        Self { port, queue, max_pieces }
    }

    /// Lets go of transmitted frames. Some drivers free them only when their descriptors are
    /// reused, so an idle queue would keep buffers; for those without this call nothing happens.
    pub fn reclaim(&mut self) {
        // SAFETY: the port is started and this is the queue's only handle.
        unsafe { sys::rte_eth_tx_done_cleanup(self.port.id(), self.queue, 0) };
    }
}

impl device::TxQueue for TxQueue {
    type Buf = Mbuf;

    fn tx_burst(&mut self, frames: &mut Vec<TxMbuf>) -> usize {
        let offered = frames.len();
        let count = offered.min(usize::from(u16::MAX)) as u16;
        let pointers = frames.as_mut_ptr().cast::<*mut sys::rte_mbuf>();
        // SAFETY: the port is started and this is the queue's only handle; a TxMbuf is one pointer
        // (repr(transparent)) to a packet it owns a reference to, of pieces the port can send. A
        // driver writes to packets others hold no more than rte_vlan_insert does, and no frame has
        // the flag that asks for it.
        let accepted =
            unsafe { sys::sys_eth_tx_burst(self.port.id(), self.queue, pointers, count) };
        let accepted = usize::from(accepted);
        let rest = offered - accepted;
        // The accepted prefix is the queue's: forgotten here, not dropped.
        // SAFETY: shorter than before.
        unsafe { frames.set_len(0) };
        let from = frames.as_ptr().wrapping_add(accepted);
        // SAFETY: `rest` handles from `accepted` on are initialised and lie in the vector's
        // allocation; copying moves them, as the old places are given up by `set_len`.
        unsafe { core::ptr::copy(from, frames.as_mut_ptr(), rest) };
        // SAFETY: the first `rest` are initialised now.
        unsafe { frames.set_len(rest) };
        accepted
    }

    fn max_pieces(&self) -> usize {
        self.max_pieces
    }
}

/// Flags of which a packet fresh from a driver has none: those that would make a transmit queue do
/// more than send the bytes, those of bytes elsewhere, and the bit that a wrong and an unfinished
/// checksum share.
const ODD_FLAGS: u64 = FOREIGN_FLAGS | sys::RTE_MBUF_F_RX_L4_CKSUM_BAD;
const FOREIGN_FLAGS: u64 =
    sys::RTE_MBUF_F_TX_OFFLOAD_MASK | sys::RTE_MBUF_F_INDIRECT | sys::RTE_MBUF_F_EXTERNAL;

/// One direct piece, one reference, no odd flag: what all drivers but a few yield.
fn is_plain(raw: Raw) -> bool {
    raw.is_sole() && raw.read(&SEGMENTS) == 1 && raw.read(&FLAGS) & ODD_FLAGS == 0
}

/// Plain, whatever its checksum.
fn is_owned(raw: Raw) -> bool {
    raw.is_sole() && raw.read(&SEGMENTS) == 1 && raw.read(&FLAGS) & FOREIGN_FLAGS == 0
}
