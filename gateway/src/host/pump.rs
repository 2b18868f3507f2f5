//! Moves frames between cables and interfaces, a bounded number at a time.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Interface;
use super::downlink::{FRAME_MAX, send_down};
use super::uplink::Uplink;
use crate::config::Gro;
use crate::device::Cable;
use crate::packet::{MAX_SEGMENTS, PacketBuf, TxBuf};
use crate::time::Nanos;

/// Frames each way before other shadows have their turn.
const TURN: usize = 256;

/// One shadow: the cable to the workers and the interface to the kernel.
pub struct Shadow<B: PacketBuf, I> {
    cable: Arc<Cable<B>>,
    interface: I,
    pool: B::Pool,
    uplink: Uplink<B>,
    split: Vec<B>,
    frame: Box<[u8]>,
    counters: Arc<ShadowCounters>,
}

/// What became of frames at a shadow. host: w, control: r
#[derive(Default, Debug)]
pub struct ShadowCounters {
    up: AtomicU64,
    up_super_packets: AtomicU64,
    up_in_super_packets: AtomicU64,
    up_refused: AtomicU64,
    down: AtomicU64,
    down_no_buffer: AtomicU64,
    down_full: AtomicU64,
    down_bad_requests: AtomicU64,
}

/// A copy of [`ShadowCounters`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostCounters {
    /// Datagrams the kernel took.
    pub up: u64,
    /// Super-packets the kernel took.
    pub up_super_packets: u64,
    /// Datagrams in them.
    pub up_in_super_packets: u64,
    /// Datagrams the kernel refused: the interface is down, or out of memory.
    pub up_refused: u64,
    /// Datagrams given to workers.
    pub down: u64,
    /// Datagrams of the kernel lost for want of a buffer.
    pub down_no_buffer: u64,
    /// Datagrams of the kernel that no worker took in time.
    pub down_full: u64,
    /// Checksum or segmentation requests that make no sense.
    pub down_bad_requests: u64,
}

impl<B: PacketBuf, I: Interface> Shadow<B, I> {
    /// `settings` bound its super-packets.
    pub fn new(cable: Arc<Cable<B>>, interface: I, pool: B::Pool, settings: &Gro, seed: u64) -> Self
    where
        B::Pool: Clone,
    {
        Self {
            cable,
            interface,
            uplink: Uplink::new(settings, pool.clone(), seed),
            pool,
            split: Vec::with_capacity(MAX_SEGMENTS),
            frame: vec![0; FRAME_MAX].into_boxed_slice(),
            counters: Arc::default(),
        }
    }

    /// Its counters, for the control side.
    pub fn counters(&self) -> Arc<ShadowCounters> {
        Arc::clone(&self.counters)
    }

    /// The kernel's interface.
    pub fn interface(&mut self) -> &mut I {
        &mut self.interface
    }

    /// One turn each way; returns how many frames were moved.
    pub fn pump(&mut self, now: Nanos) -> usize {
        self.pump_up(now) + self.pump_down()
    }

    /// One turn up only, once nobody receives what the kernel sends; returns how many frames.
    pub fn drain(&mut self, now: Nanos) -> usize {
        self.pump_up(now)
    }

    fn pump_up(&mut self, now: Nanos) -> usize {
        let Self { cable, interface, uplink, counters, .. } = self;
        let mut frames = 0;
        while frames < TURN {
            let Some(frame) = cable.take() else { break };
            uplink.send(frame.arrive(), interface, counters, now);
            frames += 1;
        }
        uplink.flush(interface, counters, now);
        frames
    }

    fn pump_down(&mut self) -> usize {
        let Self { cable, interface, pool, split, frame, counters, .. } = self;
        for frames in 0..TURN {
            match interface.receive(frame) {
                Ok(len) => {
                    let frame = frame.get_mut(..len).unwrap_or_default();
                    send_down(frame, cable, pool, split, counters);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nothing there, or an interface that is down or gone.
                Err(_) => return frames,
            }
        }
        TURN
    }
}

impl ShadowCounters {
    pub(super) fn sent_up(&self, datagrams: u64, written: &io::Result<()>) {
        let counter = if written.is_ok() { &self.up } else { &self.up_refused };
        counter.fetch_add(datagrams, Ordering::Relaxed);
    }

    pub(super) fn super_packet_up(&self, datagrams: u64) {
        self.up_super_packets.fetch_add(1, Ordering::Relaxed);
        self.up_in_super_packets.fetch_add(datagrams, Ordering::Relaxed);
    }

    pub(super) fn sent_down(&self, taken: bool) {
        let counter = if taken { &self.down } else { &self.down_full };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost_down(&self, datagrams: u64) {
        self.down_no_buffer.fetch_add(datagrams, Ordering::Relaxed);
    }

    pub(super) fn bad_request(&self) {
        self.down_bad_requests.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them now.
    pub fn read(&self) -> HostCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        HostCounters {
            up: read(&self.up),
            up_super_packets: read(&self.up_super_packets),
            up_in_super_packets: read(&self.up_in_super_packets),
            up_refused: read(&self.up_refused),
            down: read(&self.down),
            down_no_buffer: read(&self.down_no_buffer),
            down_full: read(&self.down_full),
            down_bad_requests: read(&self.down_bad_requests),
        }
    }
}
