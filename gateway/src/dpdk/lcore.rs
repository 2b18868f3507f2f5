//! A worker's place: pinned to one CPU, known to DPDK.

use core::marker::PhantomData;
use std::fs;

use core_affinity::CoreId;
use dpdk_sys as sys;

use super::{Eal, Errno, Error};

/// The calling thread is pinned, and registered with DPDK so that it has mempool caches; until
/// this is dropped.
pub struct Lcore {
    lcore: usize,
    _eal: Eal,
    /// Of this thread: not `Send`.
    _thread: PhantomData<*const ()>,
}

/// CPUs that fit a `cpu_set_t`.
const CPUS: usize = libc::CPU_SETSIZE as usize;

impl Lcore {
    /// Pins the calling thread to CPU `lcore` and registers it.
    ///
    /// # Errors
    /// [`Error::NoLcore`] if this process cannot run there, [`Error::LcoreIds`] if DPDK has as many
    /// threads as it can.
    pub fn enter(eal: &Eal, lcore: usize) -> Result<Self, Error> {
        // By id, not from a list of CPUs: isolated ones are in none.
        if lcore >= CPUS || !core_affinity::set_for_current(CoreId { id: lcore }) {
            return Err(Error::NoLcore { lcore, online: online() });
        }
        // SAFETY: the EAL runs; the thread is not registered twice, for `Lcore` is the only caller
        // and releases on drop, in the same thread; a second one here is refused below.
        if unsafe { sys::rte_thread_register() } < 0 {
            return Err(Error::LcoreIds { lcore, errno: Errno::last() });
        }
        Ok(Self { lcore, _eal: eal.clone(), _thread: PhantomData })
    }

    /// The CPU.
    pub fn id(&self) -> usize {
        self.lcore
    }
}

impl Drop for Lcore {
    fn drop(&mut self) {
        // SAFETY: this thread was registered in `enter`, and the EAL still runs.
        unsafe { sys::rte_thread_unregister() };
    }
}

fn online() -> String {
    let list = fs::read_to_string("/sys/devices/system/cpu/online");
    list.map_or_else(|_| "unknown".into(), |text| text.trim().to_owned())
}
