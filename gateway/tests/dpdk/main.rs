//! The DPDK end on real mbufs and virtual devices, without hugepages: any user can run it.
#![cfg(feature = "dpdk")]

mod ports;

use std::sync::OnceLock;

use gateway::dpdk::{Eal, EalOptions, Pool, PoolOptions};

/// One EAL per process, whether the runner gives each test a process or a thread.
fn eal() -> &'static Eal {
    static EAL: OnceLock<Eal> = OnceLock::new();
    EAL.get_or_init(|| {
        let options =
            EalOptions { hugepages: false, memory_mb: 128, devices: Vec::new(), args: Vec::new() };
        Eal::start(&options).unwrap_or_else(|e| panic!("{e}; {}", e.remedy()))
    })
}

fn pool(buffers: u32) -> Pool {
    Pool::new(eal(), PoolOptions { buffers, buffer_bytes: 2048, numa_node: None }).unwrap()
}
