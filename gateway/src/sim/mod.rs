//! The gateway without hardware: heap buffers that count references as mbufs do, and ports that
//! are queues in memory. Tests, the demo without root and the heap benches run on it.
//!
//! *Invariant:* [`HeapBuf`] passes the same conformance suite as `dpdk::Mbuf`; a pool knows at any
//! time how many of its buffers are out.
#![allow(clippy::disallowed_methods)] // frames cross between test and worker under a lock

mod heap;
mod pool;
mod port;

pub use heap::{HeapBuf, HeapShared, HeapTx};
pub use pool::HeapPool;
pub use port::{Sim, SimPort, SimRx, SimTx};
