//! What the kernel says of received frames, and net_af_packet passes on to nobody.
//!
//! A sender on this machine that leaves the transport checksum to its device (`CHECKSUM_PARTIAL`)
//! never has it computed on the way to a packet socket; the frame's header in the ring says so
//! (`TP_STATUS_CSUMNOTREADY`). The driver takes frames in the order of the ring, so whoever looks
//! before it does knows which frame of a burst was meant.

use core::sync::atomic::{AtomicU32, Ordering};

use dpdk_sys as sys;

use super::Ring;

/// The most frames of one look; a longer burst is taken in two.
const FRAMES_MAX: usize = 256;

/// The receive ring of a socket, read beside the driver, which maps it.
pub(in crate::dpdk) struct ReceiveRing {
    start: *const u8,
    frame_bytes: usize,
    frames: usize,
    /// The frame that the driver takes next.
    next: usize,
}

// SAFETY: the pointer is to memory shared with the kernel, read atomically on any thread.
unsafe impl Send for ReceiveRing {}

/// Frames that wait.
pub(in crate::dpdk) struct Waiting {
    /// How many.
    pub(in crate::dpdk) frames: usize,
    unfinished: [u64; FRAMES_MAX / 64],
}

impl ReceiveRing {
    /// # Safety
    /// A receive ring of this shape is mapped at `address` as long as the value is used, and the
    /// driver has taken no frame from it yet.
    pub(super) unsafe fn new(address: usize, ring: Ring) -> Self {
        let start = core::ptr::with_exposed_provenance(address);
        Self { start, frame_bytes: ring.frame_bytes(), frames: ring.frames(), next: 0 }
    }

    /// Looks at the frames the driver would take now, at most `limit`.
    pub(in crate::dpdk) fn look(&self, limit: usize) -> Waiting {
        let mut waiting = Waiting { frames: 0, unfinished: [0; FRAMES_MAX / 64] };
        let limit = limit.min(FRAMES_MAX).min(self.frames);
        while waiting.frames < limit {
            let status = self.status((self.next + waiting.frames) % self.frames);
            if status & sys::TP_STATUS_USER == 0 {
                break;
            }
            let unfinished = status & sys::TP_STATUS_CSUMNOTREADY != 0;
            waiting.unfinished[waiting.frames / 64] |=
                u64::from(unfinished) << (waiting.frames % 64);
            waiting.frames += 1;
        }
        waiting
    }

    /// The driver has taken so many.
    pub(in crate::dpdk) fn advance(&mut self, frames: usize) {
        self.next = (self.next + frames) % self.frames;
    }

    fn status(&self, frame: usize) -> u32 {
        let header = self.start.wrapping_add(frame * self.frame_bytes).cast_mut();
        // SAFETY: `frame` is below `frames`, so the header is in the mapping (`new`), on a multiple
        // of 16 (TPACKET_ALIGNMENT); the kernel writes its first member, `tp_status`, atomically.
        unsafe { AtomicU32::from_ptr(header.cast()) }.load(Ordering::Acquire)
    }
}

impl Waiting {
    /// The frames of the burst, from 0 on, whose checksum the sender left unfinished.
    pub(in crate::dpdk) fn unfinished(&self) -> impl Iterator<Item = usize> {
        let words = self.unfinished.into_iter().enumerate().filter(|(_, word)| *word != 0);
        words.flat_map(|(at, word)| {
            (0..64).filter(move |bit| word >> bit & 1 != 0).map(move |bit| 64 * at + bit)
        })
    }
}
