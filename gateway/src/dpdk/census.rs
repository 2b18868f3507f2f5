//! Which buffers of a pool are out. DPDK keeps no list, so it is what is left of all buffers when
//! those in the pool and in the lcores' caches are taken away.

use core::ffi::{c_uint, c_void};
use core::ptr::{self, NonNull};
use std::collections::HashSet;

use dpdk_sys as sys;

use super::Pool;
use super::raw::{BUF_LEN, DATA_LEN, DATA_OFF, FRAME_LEN, Raw};
use crate::packet::{BufPool, Missing};

/// Buffers taken out of the pool at once.
const STEP: usize = 32;

/// As [`BufPool::missing`] says.
pub(super) fn missing(pool: &Pool) -> Vec<Missing> {
    let mut free: HashSet<usize> = HashSet::with_capacity(pool.capacity());
    let in_pool = take_all(pool);
    free.extend(in_pool.iter().map(|buffer| buffer.addr()));
    put_back(pool, &in_pool);
    for lcore in 0..sys::MAX_LCORE {
        free.extend(cache(pool, lcore).iter().map(|buffer| buffer.addr()));
    }
    all(pool).into_iter().filter(|buffer| !free.contains(&buffer.addr().get())).map(seen).collect()
}

/// Buffers in the caches of all lcores.
pub(super) fn cached(pool: &Pool) -> usize {
    (0..sys::MAX_LCORE).map(|lcore| cache_of(pool, lcore).1).sum()
}

fn take_all(pool: &Pool) -> Vec<*mut c_void> {
    let mut taken = Vec::with_capacity(pool.capacity());
    let mut step = STEP;
    while step > 0 {
        let mut buffers = [ptr::null_mut(); STEP];
        let into = buffers.as_mut_ptr();
        // SAFETY: the pool is live, and there is room for `step` pointers.
        match unsafe { sys::sys_mempool_backing_get(pool.as_ptr(), into, step as c_uint) } {
            0 => taken.extend_from_slice(&buffers[..step]),
            _ => step /= 2, // all or nothing: fewer than `step` are left
        }
    }
    taken
}

fn put_back(pool: &Pool, buffers: &[*mut c_void]) {
    for some in buffers.chunks(STEP) {
        // SAFETY: these came out of this pool and are in nobody's hands; it has room for all its
        // buffers.
        unsafe { sys::sys_mempool_backing_put(pool.as_ptr(), some.as_ptr(), some.len() as c_uint) };
    }
}

fn cache(pool: &Pool, lcore: u32) -> Vec<*mut c_void> {
    let (buffers, count) = cache_of(pool, lcore);
    // SAFETY: the array is part of the pool. Where another thread changes it meanwhile, a pointer
    // may be an old one: it is compared, not followed.
    (0..count).map(|at| unsafe { buffers.wrapping_add(at).read_volatile() }).collect()
}

/// The array of an lcore's cache and how many are in it.
fn cache_of(pool: &Pool, lcore: u32) -> (*const *mut c_void, usize) {
    let mut buffers = ptr::null();
    // SAFETY: the pool is live; the pointer is valid for writes; an lcore beyond the last has none.
    let count = unsafe { sys::sys_mempool_cache(pool.as_ptr(), lcore, &raw mut buffers) };
    (buffers, count as usize)
}

fn all(pool: &Pool) -> Vec<NonNull<sys::rte_mbuf>> {
    unsafe extern "C" fn note(
        _pool: *mut sys::rte_mempool,
        all: *mut c_void,
        buffer: *mut c_void,
        _number: c_uint,
    ) {
        // SAFETY: the vector given to rte_mempool_obj_iter below, which nobody else uses meanwhile.
        let all = unsafe { &mut *all.cast::<Vec<NonNull<sys::rte_mbuf>>>() };
        all.extend(NonNull::new(buffer.cast()));
    }
    let mut all = Vec::with_capacity(pool.capacity());
    let vector = (&raw mut all).cast();
    // SAFETY: the pool is live; `note` takes the vector as what it is, and does not unwind: there
    // is room for every buffer of the pool.
    unsafe { sys::rte_mempool_obj_iter(pool.as_ptr(), Some(note), vector) };
    all
}

fn seen(buffer: NonNull<sys::rte_mbuf>) -> Missing {
    // SAFETY: in the pool's memory, which is mapped and was made an mbuf with the pool; it is out of
    // the pool, and is read here only. Whoever still works with it (against the trait's word) makes
    // the description wrong, not the access: every value is checked before it is followed.
    let raw = unsafe { Raw::new(buffer) };
    let mut missing = Missing {
        trail: raw.trail(),
        references: raw.reference_count(),
        frame_len: raw.read(&FRAME_LEN),
        ..Missing::default()
    };
    let len = usize::from(raw.read(&DATA_LEN)).min(missing.start.len());
    if raw.is_direct() && usize::from(raw.read(&DATA_OFF)) + len <= raw.read(&BUF_LEN).into() {
        let data = raw.data().cast::<u8>();
        // SAFETY: a direct mbuf's buffer is its own for ever, and `len` bytes from `data` lie in it.
        unsafe { ptr::copy_nonoverlapping(data, missing.start.as_mut_ptr(), len) };
    }
    missing
}
