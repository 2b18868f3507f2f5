//! Multicast routes that the kernel has too: how far they reach, and whether the kernel is to hear of
//! their traffic (ADR 15).

use core::sync::atomic::Ordering;

use crate::config::KernelEntry;
use crate::packet::{PortId, PortMask};
use crate::sync::AtomicBool;

/// One of them.
pub struct Watch {
    /// Ports that take only what has more hops left than this.
    thresholds: Box<[(PortId, u8)]>,
    shadow: PortId,
    /// control: sets, worker: clears
    is_due: AtomicBool,
}

impl Watch {
    pub(super) fn new(entry: &KernelEntry, from: PortId) -> Self {
        let thresholds = entry.thresholds.iter().filter(|(port, _)| *port != from);
        Self {
            thresholds: thresholds.copied().collect(),
            shadow: entry.shadow,
            is_due: AtomicBool::new(false),
        }
    }

    /// Wants to hear of the next datagram. Control side.
    pub fn ask(&self) {
        self.is_due.store(true, Ordering::Relaxed);
    }

    /// Whether the kernel waits to hear of a datagram.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Relaxed)
    }

    /// Whether this datagram is the one to tell of: one worker's is.
    pub fn take_due(&self) -> bool {
        self.is_due() && self.is_due.swap(false, Ordering::Relaxed)
    }

    /// The host's end of the port its datagrams come by.
    pub fn shadow(&self) -> PortId {
        self.shadow
    }

    /// Ports that a datagram with so many hops left does not reach.
    pub fn beyond(&self, hops: u8) -> PortMask {
        self.thresholds.iter().filter(|(_, least)| hops <= *least).map(|(port, _)| *port).collect()
    }

    /// With more hops left than this, all ports are reached.
    pub(super) fn highest(&self) -> u8 {
        self.thresholds.iter().map(|(_, least)| *least).max().unwrap_or(0)
    }
}
