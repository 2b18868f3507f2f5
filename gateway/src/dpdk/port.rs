//! A port: a device that is set up and started, and its queues.
//!
//! *Invariant:* the device runs as long as the [`Port`] or one of its queues lives, and its
//! receive pool longer. Control calls (`stats`, `link`) come from one thread at a time: `Port` is
//! `Send`, not `Sync`, as ethdev asks; queues work beside them.

use core::cell::Cell;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use std::sync::Arc;

use dpdk_sys as sys;

use super::packet_socket::PacketSockets;
use super::probe::{Attached, Probed, probe};
use super::setup::{self, Ready};
use super::{Device, Eal, Error, Link, Pool, RxQueue, TxQueue};
use crate::packet::MacAddr;

/// A started port.
pub struct Port {
    open: Arc<OpenPort>,
    ready: Ready,
    sockets: Option<PacketSockets>,
    _one_thread: PhantomData<Cell<()>>,
}

/// What a port and its queues hold together. The device is closed before the pool is let go.
pub(super) struct OpenPort {
    attached: Attached,
    pool: Pool,
}

/// How a port is set up.
#[derive(Clone, Debug)]
pub struct PortOptions {
    /// Overrides the device's address.
    pub mac: Option<MacAddr>,
    /// IP MTU in bytes; frames of it with two VLAN tags are received and sent.
    pub mtu: u16,
    /// Receive queues wanted.
    pub rx_queues: u16,
    /// Transmit queues wanted.
    pub tx_queues: u16,
    /// Descriptors per queue wanted, a power of two.
    pub descriptors: u16,
    /// Receive frames for every address; otherwise the port's own and all groups.
    pub promiscuous: bool,
    /// Transmit chains of pieces also where that costs the port its vector path (PCI devices).
    /// Virtual devices that can do it always do.
    pub multi_segment: bool,
}

/// A port just opened.
pub struct Opened {
    /// The control side's handle.
    pub port: Port,
    /// Receive queues, at least 1, at most those wanted.
    pub rx: Vec<RxQueue>,
    /// Transmit queues, at least 1, at most those wanted.
    pub tx: Vec<TxQueue>,
    /// What the device did not do as asked, one line each, for the operator.
    pub notes: Vec<String>,
}

/// Counters of a port since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PortStats {
    /// Frames received.
    pub rx_packets: u64,
    /// Frames accepted for transmission.
    pub tx_packets: u64,
    /// Bytes received, without the frame check sequence.
    pub rx_bytes: u64,
    /// Bytes transmitted.
    pub tx_bytes: u64,
    /// Frames the device dropped because the receive queue was full.
    pub rx_missed: u64,
    /// Frames dropped because the pool was dry.
    pub rx_no_buffer: u64,
    /// Broken frames received.
    pub rx_errors: u64,
    /// Frames that could not be transmitted.
    pub tx_errors: u64,
}

impl Port {
    /// Opens, sets up and starts a device that receives into `pool`.
    ///
    /// # Errors
    /// Names the device; [`Error::remedy`] says what to do.
    pub fn open(
        eal: &Eal,
        device: &Device,
        pool: &Pool,
        options: &PortOptions,
    ) -> Result<Opened, Error> {
        let Probed { attached, mut sockets, mut notes } = probe(eal, device, pool, options)?;
        let (ready, more) = setup::start(&attached, pool, options, sockets.is_none())?;
        notes.extend(more);
        let open = Arc::new(OpenPort { attached, pool: pool.clone() });
        let (rx_count, tx_count, pieces) = (ready.rx_queues, ready.tx_queues, ready.max_pieces);
        // SAFETY: `setup::start` has set up so many queues and started the port; each index once.
        let mut rx: Vec<_> =
            (0..rx_count).map(|n| unsafe { RxQueue::new(Arc::clone(&open), n) }).collect();
        let rings = sockets.as_mut().map_or_else(Vec::new, PacketSockets::take_rings);
        rx.iter_mut().zip(rings).for_each(|(queue, ring)| queue.look_at(ring));
        // SAFETY: as above.
        let tx =
            (0..tx_count).map(|n| unsafe { TxQueue::new(Arc::clone(&open), n, pieces) }).collect();
        let port = Self { open, ready, sockets, _one_thread: PhantomData };
        Ok(Opened { port, rx, tx, notes })
    }

    /// The device.
    pub fn device(&self) -> &Device {
        self.open.attached.device()
    }

    /// The address it sends from: the configured one, or its own.
    pub fn mac(&self) -> MacAddr {
        self.ready.mac
    }

    /// The driver, as "net_ixgbe".
    pub fn driver(&self) -> &str {
        &self.ready.driver
    }

    /// The receive path the driver chose, as "Vector SSE"; `None` if it does not say.
    pub fn rx_mode(&self) -> Option<&str> {
        self.ready.rx_mode.as_deref()
    }

    /// The transmit path the driver chose.
    pub fn tx_mode(&self) -> Option<&str> {
        self.ready.tx_mode.as_deref()
    }

    /// The NUMA node it is on.
    pub fn numa_node(&self) -> Option<u32> {
        self.open.attached.numa_node()
    }

    /// The state of its link now.
    pub fn link(&self) -> Link {
        Link::of(self.open.id(), self.device())
    }

    /// Its counters now.
    pub fn stats(&self) -> PortStats {
        let mut stats = MaybeUninit::<sys::rte_eth_stats>::zeroed();
        // SAFETY: the port is attached, the pointer valid for writes; on failure zeros stay.
        unsafe { sys::rte_eth_stats_get(self.open.id(), stats.as_mut_ptr()) };
        // SAFETY: integers, zeroed or filled in.
        let stats = unsafe { stats.assume_init() };
        PortStats {
            rx_packets: stats.ipackets,
            tx_packets: stats.opackets,
            rx_bytes: stats.ibytes,
            tx_bytes: stats.obytes,
            rx_missed: stats.imissed + self.sockets.as_ref().map_or(0, PacketSockets::missed),
            rx_no_buffer: stats.rx_nombuf,
            rx_errors: stats.ierrors,
            tx_errors: stats.oerrors,
        }
    }
}

impl OpenPort {
    pub(super) fn id(&self) -> u16 {
        self.attached.id()
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }
}

/// A string of DPDK's with static lifetime; empty for null.
pub(super) fn text(chars: *const core::ffi::c_char) -> String {
    if chars.is_null() {
        return String::new();
    }
    // SAFETY: not null; DPDK's names are NUL-terminated.
    unsafe { CStr::from_ptr(chars) }.to_string_lossy().into_owned()
}
