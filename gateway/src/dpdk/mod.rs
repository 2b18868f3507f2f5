//! Real ports: the DPDK end. The only room with unsafe code; every other room sees the traits of
//! `packet` and `device`.
//!
//! *Invariant:* an [`Mbuf`] alone holds all its pieces' metadata and its head's bytes; a
//! [`SharedMbuf`] is never written. What a handle needs lives as long as the handle: queues keep
//! their port, ports their pool, pools and registered lcores the EAL. A pool that is dropped while
//! buffers are out, and the EAL with it, stays for the life of the process.
//!
//! *Absent:* hardware offloads on transmit (they leave the vector path, and a replica's offload
//! metadata would be shared), secondary processes, hotplug while running.
#![allow(unsafe_code)]

mod census;
mod clock;
mod device;
mod eal;
mod error;
mod lcore;
mod link;
mod log;
mod mbuf;
mod mempool;
mod packet_socket;
mod port;
mod probe;
mod queue;
mod raw;
mod setup;
mod tap;

pub use clock::Clock;
pub use device::Device;
pub use eal::{Eal, EalOptions, version};
pub use error::{Errno, Error};
pub use lcore::Lcore;
pub use link::Link;
pub use mbuf::{Mbuf, SharedMbuf, TxMbuf};
pub use mempool::{Pool, PoolOptions};
pub use port::{Opened, Port, PortOptions, PortStats, Queues};
pub use queue::{RxQueue, TxQueue};
pub use tap::Tap;

use crate::device::Backend;

/// The family of DPDK types.
pub struct Dpdk;

impl Backend for Dpdk {
    type Buf = Mbuf;
    type Pool = Pool;
    type Rx = RxQueue;
    type Tx = TxQueue;
}
