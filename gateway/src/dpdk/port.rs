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

use super::log::Capture;
use super::packet_socket::PacketSockets;
use super::probe::{Attached, Probed, probe};
use super::setup::{self, Ready};
use super::{Device, Eal, Error, Link, Pool, RxQueue, TxQueue};
use crate::packet::MacAddr;

/// A started port.
pub struct Port {
    open: Arc<OpenPort>,
    ready: Ready,
    options: PortOptions,
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

/// Receive and transmit queues, at least one of each and at most those wanted.
pub type Queues = (Vec<RxQueue>, Vec<TxQueue>);

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
        // SAFETY: `setup::start` has set them up and started the port just now.
        let (mut rx, tx) = unsafe { queues(&open, &ready) };
        let rings = sockets.as_mut().map_or_else(Vec::new, PacketSockets::take_rings);
        rx.iter_mut().zip(rings).for_each(|(queue, ring)| queue.look_at(ring));
        let options = options.clone();
        let port = Self { open, ready, options, sockets, _one_thread: PhantomData };
        Ok(Opened { port, rx, tx, notes })
    }

    /// Whether [`restart`](Self::restart) mends anything. It closes the sockets of net_af_packet for
    /// good, and the kernel restarts hung transmit queues of its own devices itself (`dev_watchdog`).
    pub fn can_restart(&self) -> bool {
        !self.device().is("af_packet")
    }

    /// Stops the device, which frees what its rings hold, sets it up as it was opened and starts it.
    /// `None`, and nothing was done, while somebody still has one of its queues.
    ///
    /// # Errors
    /// Names the device, which does not run then; it can be tried again.
    pub fn restart(&mut self) -> Result<Option<Queues>, Error> {
        let Some(open) = Arc::get_mut(&mut self.open) else { return Ok(None) };
        let capture = Capture::start();
        // SAFETY: the port is attached. Queues hold `open`, so there are none, and no thread is in a
        // burst. A port that is stopped already stays so.
        unsafe { sys::rte_eth_dev_stop(open.id()) };
        drop(capture);
        let filter = self.sockets.is_none();
        let (ready, _notes) = setup::start(&open.attached, &open.pool, &self.options, filter)?;
        self.ready = ready;
        // SAFETY: set up and started just now; the old ones are gone.
        Ok(Some(unsafe { queues(&self.open, &self.ready) }))
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

/// Handles on all queues of a port.
///
/// # Safety
/// `setup::start` has set up as many and started the port, and there are no other handles on them.
unsafe fn queues(open: &Arc<OpenPort>, ready: &Ready) -> Queues {
    let (open, pieces) = (|| Arc::clone(open), ready.max_pieces);
    // SAFETY: the caller's word; each index once.
    let rx = (0..ready.rx_queues).map(|n| unsafe { RxQueue::new(open(), n) }).collect();
    // SAFETY: likewise.
    let tx = (0..ready.tx_queues).map(|n| unsafe { TxQueue::new(open(), n, pieces) }).collect();
    (rx, tx)
}

/// A string of DPDK's with static lifetime; empty for null.
pub(super) fn text(chars: *const core::ffi::c_char) -> String {
    if chars.is_null() {
        return String::new();
    }
    // SAFETY: not null; DPDK's names are NUL-terminated.
    unsafe { CStr::from_ptr(chars) }.to_string_lossy().into_owned()
}
