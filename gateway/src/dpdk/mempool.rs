//! Pools of mbufs.

use core::ptr::NonNull;
use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dpdk_sys as sys;

use super::raw::Raw;
use super::{Eal, Errno, Error, Mbuf, census};
use crate::ideas;
use crate::packet::{BufPool, Missing, Trail};

/// A pool of mbufs. `Clone` is another handle on the same pool; any thread may use any handle.
///
/// Buffers have no tie to the handles, so a pool that is not full when its last handle goes stays
/// allocated for the life of the process, and the EAL under it runs on.
#[derive(Clone)]
pub struct Pool(Arc<Mempool>);

/// Sizes of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// Buffers in all.
    pub buffers: u32,
    /// Bytes of frame that fit one buffer behind the headroom.
    pub buffer_bytes: u16,
    /// The NUMA node of the ports it serves; `None`: any.
    pub numa_node: Option<u32>,
    /// Whether what was freed last is allocated first, and so is still in the processor's cache; else
    /// every other buffer that is free comes before it, once caches run over. net_af_xdp needs the
    /// latter: with a stack, which begins with the last buffers, it receives nothing.
    pub lifo: bool,
}

struct Mempool {
    pool: NonNull<sys::rte_mempool>,
    capacity: usize,
    data_room: usize,
    /// Under the pool's memory.
    eal: Eal,
}

// SAFETY: what the pool is made on (lf_stack, or the ring_mp_mc of rte_pktmbuf_pool_create without
// flags) is for any number of threads, and its per-lcore caches are indexed by the calling thread's own
// lcore id.
unsafe impl Send for Mempool {}
// SAFETY: as above.
unsafe impl Sync for Mempool {}

/// Buffers an lcore keeps at hand: as many as there can be (`RTE_MEMPOOL_CACHE_MAX_SIZE`), for a burst
/// in eight copies.
const CACHE_MAX: u32 = 512;

impl Pool {
    /// Makes a pool.
    ///
    /// # Errors
    /// [`Error::PoolMemory`] if the EAL has too little memory.
    pub fn new(eal: &Eal, options: PoolOptions) -> Result<Self, Error> {
        let node = options.numa_node.map_or(ANY_NODE, |node| node as i32);
        let pool = create(options, node).or_else(|errno| {
            // --no-huge memory is on node 0 only: another node's pool then lives there.
            if node == ANY_NODE { Err(errno) } else { create(options, ANY_NODE) }
        });
        let pool = pool.map_err(|errno| Error::PoolMemory {
            buffers: options.buffers,
            buffer_bytes: options.buffer_bytes,
            errno,
        })?;
        Ok(Self(Arc::new(Mempool {
            pool,
            capacity: options.buffers as usize,
            data_room: usize::from(options.buffer_bytes),
            eal: eal.clone(),
        })))
    }

    /// Whether every buffer is back.
    pub fn is_full(&self) -> bool {
        self.available() == self.capacity()
    }

    /// Buffers in the caches of lcores; they are free, but to that lcore only.
    pub fn cached(&self) -> usize {
        census::cached(self)
    }

    pub(super) fn as_ptr(&self) -> *mut sys::rte_mempool {
        self.0.pool.as_ptr()
    }
}

impl BufPool for Pool {
    type Buf = Mbuf;

    fn alloc(&self) -> Option<Mbuf> {
        // SAFETY: the pool is live, and holds mbufs: rte_pktmbuf_pool_create made it.
        let mbuf = unsafe { sys::sys_pktmbuf_alloc(self.as_ptr()) };
        // SAFETY: rte_pktmbuf_alloc hands a buffer to one caller only.
        let raw = unsafe { Raw::new(NonNull::new(mbuf)?) };
        raw.mark(Trail::MADE);
        // SAFETY: fresh from the pool it is direct, one piece, its reference count 1.
        Some(unsafe { Mbuf::from_raw(raw) })
    }

    fn alloc_many(&self, count: usize, packets: &mut Vec<Mbuf>) {
        let before = packets.len();
        let room = packets.spare_capacity_mut();
        let count = count.min(room.len());
        let mbufs = room.as_mut_ptr().cast::<*mut sys::rte_mbuf>();
        // SAFETY: the pool is live, and holds mbufs: rte_pktmbuf_pool_create made it. There is room
        // for `count` pointers, and an Mbuf is one (repr(transparent)).
        let bulk = || unsafe { sys::sys_pktmbuf_alloc_bulk(self.as_ptr(), mbufs, count as u32) };
        if !ideas::BULK || bulk() != 0 {
            // All or none: there are fewer.
            return packets.extend((0..count).map_while(|_| self.alloc()));
        }
        // SAFETY: the callee wrote `count` pointers to buffers it hands to one caller only; fresh
        // from the pool each is direct, one piece, its reference count 1.
        unsafe { packets.set_len(before + count) };
    }

    fn data_room(&self) -> usize {
        self.0.data_room
    }

    /// Not exact while other lcores allocate and free: it adds up their caches.
    fn available(&self) -> usize {
        self.0.available()
    }

    fn capacity(&self) -> usize {
        self.0.capacity
    }

    fn missing(&self) -> Vec<Missing> {
        census::missing(self)
    }
}

impl Mempool {
    fn available(&self) -> usize {
        // SAFETY: the pool is live; rte_mempool_avail_count only reads.
        unsafe { sys::rte_mempool_avail_count(self.pool.as_ptr()) as usize }
    }
}

impl Drop for Mempool {
    fn drop(&mut self) {
        if self.available() == self.capacity {
            // SAFETY: no handle is left to allocate from (this is the last), no port receives into
            // it (ports keep a handle), and no mbuf of it is out, so nothing points into it.
            unsafe { sys::sys_mempool_free(self.pool.as_ptr()) };
        } else {
            std::mem::forget(self.eal.clone());
        }
    }
}

/// `SOCKET_ID_ANY`
const ANY_NODE: i32 = -1;

fn create(options: PoolOptions, node: i32) -> Result<NonNull<sys::rte_mempool>, Errno> {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let name = CString::new(format!("gw_pool_{serial}")).expect("no NUL in the name");
    // Small pools get small caches, lest one lcore's cache starve the others.
    let cache = CACHE_MAX.min(options.buffers / 32);
    let room = u32::from(options.buffer_bytes) + sys::RTE_PKTMBUF_HEADROOM;
    let room = u16::try_from(room).map_err(|_| Errno(libc::EINVAL))?;
    // SAFETY: the EAL runs; the name is NUL-terminated and copied; the numbers are checked by the
    // callee (rte_pktmbuf_pool_create), which fails with rte_errno set.
    let pool = unsafe {
        let lifo = options.lifo.into();
        sys::sys_pktmbuf_pool_create(name.as_ptr(), options.buffers, cache, room, node, lifo)
    };
    NonNull::new(pool).ok_or_else(Errno::last)
}
