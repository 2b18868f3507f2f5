use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::HeapBuf;
use super::heap::Slab;
use crate::packet::BufPool;

/// A pool of heap buffers. `Clone` is another handle on the same pool.
#[derive(Clone)]
pub struct HeapPool {
    state: Arc<State>,
}

struct State {
    capacity: usize,
    headroom: usize,
    data_room: usize,
    out: AtomicUsize,
    /// Allocations until one fails on purpose; `u64::MAX` never.
    until_failure: AtomicU64,
    asked: AtomicU64,
}

impl HeapPool {
    /// DPDK's default headroom (`RTE_PKTMBUF_HEADROOM`).
    pub const HEADROOM: usize = 128;

    /// A pool of `capacity` buffers with room for `data_room` bytes behind the headroom.
    pub fn new(capacity: usize, data_room: usize) -> Self {
        Self {
            state: Arc::new(State {
                capacity,
                headroom: Self::HEADROOM,
                data_room,
                out: AtomicUsize::new(0),
                until_failure: AtomicU64::new(u64::MAX),
                asked: AtomicU64::new(0),
            }),
        }
    }

    /// Lets the allocation after the next `allocations` fail, once: the way to try pool exhaustion
    /// at every allocation point.
    pub fn fail_after(&self, allocations: u64) {
        self.state.until_failure.store(allocations, Ordering::Relaxed);
    }

    /// How often a buffer was asked for, whether there was one or not.
    pub fn asked(&self) -> u64 {
        self.state.asked.load(Ordering::Relaxed)
    }

    /// Whether every buffer is back.
    pub fn is_full(&self) -> bool {
        self.available() == self.capacity()
    }

    /// Takes one buffer out of the count.
    pub(super) fn take(&self) -> Option<Ticket> {
        let state = &self.state;
        state.asked.fetch_add(1, Ordering::Relaxed);
        let left = state.until_failure.load(Ordering::Relaxed);
        if left != u64::MAX {
            state.until_failure.store(left.wrapping_sub(1), Ordering::Relaxed);
            if left == 0 {
                return None;
            }
        }
        state
            .out
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |out| {
                (out < state.capacity).then_some(out + 1)
            })
            .ok()?;
        Some(Ticket { pool: Arc::clone(state) })
    }
}

impl BufPool for HeapPool {
    type Buf = HeapBuf;

    fn alloc(&self) -> Option<HeapBuf> {
        let ticket = self.take()?;
        let slab = Slab::new(self.state.headroom + self.state.data_room, ticket);
        Some(HeapBuf::fresh(slab, self.state.headroom))
    }

    fn data_room(&self) -> usize {
        self.state.data_room
    }

    fn available(&self) -> usize {
        self.state.capacity - self.state.out.load(Ordering::Relaxed)
    }

    fn capacity(&self) -> usize {
        self.state.capacity
    }
}

/// One buffer taken out of a pool; back when dropped.
pub(super) struct Ticket {
    pool: Arc<State>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pool.out.fetch_sub(1, Ordering::Relaxed);
    }
}
