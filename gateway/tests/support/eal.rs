//! One EAL per process, whether the runner gives each test a process or a thread. Without
//! hugepages, so that any user can run it.

use std::sync::OnceLock;

use gateway::dpdk::{Eal, EalOptions, Pool, PoolOptions};

pub(crate) fn eal() -> &'static Eal {
    static EAL: OnceLock<Eal> = OnceLock::new();
    EAL.get_or_init(|| {
        let options =
            EalOptions { hugepages: false, memory_mb: 128, devices: Vec::new(), args: Vec::new() };
        Eal::start(&options).unwrap_or_else(|e| panic!("{e}; {}", e.remedy()))
    })
}

pub(crate) fn pool(buffers: u32, buffer_bytes: u16) -> Pool {
    Pool::new(eal(), PoolOptions { buffers, buffer_bytes, numa_node: None, lifo: true }).unwrap()
}
