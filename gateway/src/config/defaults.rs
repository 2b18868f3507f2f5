//! What holds for keys the file does not have.

use core::time::Duration;
use std::path::PathBuf;

use super::{Control, Gro, GroMode, Runtime};

impl Default for Runtime {
    fn default() -> Self {
        Self {
            lcores: vec![0],
            hugepages: true,
            memory_mb: 1024,
            eal_args: Vec::new(),
            burst: 64,
            pool_buffers: 16384,
            buffer_bytes: 2048,
            ring_descriptors: 1024,
            tx_buffer: 1024,
            handoff: 4096,
            fdb_entries: 16384,
            idle_sleep_us: 0,
            copy_up_to: 2048,
        }
    }
}

impl Default for Gro {
    fn default() -> Self {
        Self {
            mode: GroMode::List,
            max_segments: 64,
            max_hold: Duration::ZERO,
            flows: 1024,
            adaptive: true,
        }
    }
}

impl Default for Control {
    fn default() -> Self {
        Self { socket: PathBuf::from("/run/gateway/gateway.sock"), metrics: None }
    }
}
