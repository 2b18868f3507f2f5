//! The host's kernel as the control plane: what the data path does not settle itself goes up to
//! *shadows*, TAP interfaces that stand for the gateway's ports, and what Linux and its daemons
//! know of addresses, neighbours, routes and groups comes down into the tables.
//!
//! ```text
//!   worker ─► Cable ─► Uplink ─► shadow ─► kernel, daemons
//!   worker ◄─ Cable ◄─ Downlink ◄─┘           │
//!   tables ◄──────────── Mirror ◄─ netlink ───┘
//! ```
//!
//! *Invariant:* nothing here makes a worker wait: cables are bounded, and what does not fit is
//! dropped and counted. The data path goes on with the tables it has when all of this is gone.
//! Absent: routing and multicast protocols, which are the kernel's and its daemons'.

#![allow(clippy::disallowed_methods)] // the control side, not the path

mod bridge;
mod changes;
mod downlink;
mod mdb;
mod memberships;
mod mirror;
mod netlink;
mod overlay;
mod pump;
mod snooping;
mod uplink;
mod vnet;

use std::io::{self, IoSlice};

pub use bridge::{BridgePortSettings, BridgeSettings};
pub use changes::Changes;
pub use mirror::{Known, Mirror};
pub use netlink::{Kernel, KernelError};
pub use pump::{HostCounters, Shadow, ShadowCounters};
pub use snooping::KernelBridge;

/// The host's end of a shadow. Frames have a `struct virtio_net_hdr` in front.
pub trait Interface: Send {
    /// The next frame the kernel sends; `WouldBlock` if there is none.
    ///
    /// # Errors
    /// As read(2).
    fn receive(&mut self, frame: &mut [u8]) -> io::Result<usize>;
    /// Hands a frame to the kernel.
    ///
    /// # Errors
    /// As writev(2).
    fn send(&mut self, frame: &[IoSlice<'_>]) -> io::Result<()>;
    /// Whether datagrams may come as one super-packet (`VIRTIO_NET_HDR_GSO_UDP_L4`).
    fn takes_super_packets(&self) -> bool;
    /// Tells the kernel whether the port's link is up.
    ///
    /// # Errors
    /// As ioctl(2) with TUNSETCARRIER.
    fn set_carrier(&mut self, up: bool) -> io::Result<()>;
}
