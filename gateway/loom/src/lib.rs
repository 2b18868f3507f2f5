//! The code that crosses threads, compiled from the gateway's own files with loom's atomics and
//! locks: every interleaving, with loads and stores reordered as the memory model allows.
//!
//! Not here: the ring of a hand-over (crossbeam-queue, which has tests of its own; `drain` puts a
//! weaker one in its place), and loads of plain flags that order nothing.
#![cfg(test)]
#![allow(dead_code, unreachable_pub, unused_imports)] // a part of each file is used
#![allow(clippy::disallowed_methods)] // as where the files are

mod drain;
mod exchange;
mod mailbox;
mod published;

#[path = "../../src/packet/addr.rs"]
mod addr;
#[path = "../../src/forward/bridge/fdb/mod.rs"]
mod fdb;
#[path = "../../src/packet/ports.rs"]
mod ports;
#[path = "../../src/sync.rs"]
mod sync;
#[path = "../../src/time.rs"]
mod time;

/// Where the files look for them.
mod packet {
    pub(crate) use crate::addr::MacAddr;
    pub(crate) use crate::ports::PortId;
}
