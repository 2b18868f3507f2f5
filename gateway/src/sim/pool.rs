use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::HeapBuf;
use super::heap::Slab;
use crate::packet::{BufPool, Missing, Trail};

/// A pool of heap buffers. `Clone` is another handle on the same pool.
#[derive(Clone)]
pub struct HeapPool {
    state: Arc<State>,
}

struct State {
    capacity: usize,
    headroom: usize,
    data_room: usize,
    /// Numbers of the buffers that are in; last freed first taken.
    free: Mutex<Vec<u32>>,
    /// The marks of all buffers.
    trails: Box<[AtomicU32]>,
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
                free: Mutex::new((0..capacity as u32).rev().collect()),
                trails: (0..capacity).map(|_| AtomicU32::default()).collect(),
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
        let number = state.free().pop()?;
        let ticket = Ticket { pool: Arc::clone(state), number };
        ticket.mark(Trail::MADE);
        Some(ticket)
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
        self.state.free().len()
    }

    fn capacity(&self) -> usize {
        self.state.capacity
    }

    fn missing(&self) -> Vec<Missing> {
        let mut is_out = vec![true; self.state.capacity];
        for &number in self.state.free().iter() {
            is_out[number as usize] = false;
        }
        let trails = self.state.trails.iter().zip(is_out).filter(|(_, is_out)| *is_out);
        let trail = |bits: &AtomicU32| Trail::from_bits(bits.load(Ordering::Relaxed));
        trails.map(|(bits, _)| Missing { trail: trail(bits), ..Missing::default() }).collect()
    }
}

impl State {
    fn free(&self) -> MutexGuard<'_, Vec<u32>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One buffer taken out of a pool; back when dropped.
pub(super) struct Ticket {
    pool: Arc<State>,
    number: u32,
}

impl Ticket {
    /// As the mbuf's mark, it may be written by any of several holders.
    pub(super) fn mark(&self, trail: Trail) {
        self.pool.trails[self.number as usize].store(trail.to_bits(), Ordering::Relaxed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pool.free().push(self.number);
    }
}
