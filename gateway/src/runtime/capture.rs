use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::capture::Tap;
use crate::control::Capturing;
use crate::packet::PortId;
use crate::published::Published;
use crate::time::Nanos;

/// What workers copy frames for; `None` most of the time.
pub type Taps = Arc<Published<Option<Arc<Tap>>>>;

/// Copies on their way while nobody reads: 4096 of them, 8 MiB of ordinary frames.
const RECORDS: usize = 4096;

/// How long a capture whose reader has just gone may take to notice it, and more.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// One capture at a time.
pub(super) struct Captures {
    taps: Taps,
    is_taken: Arc<AtomicBool>,
}

/// A running capture. Dropping it ends it.
pub(super) struct Capture {
    tap: Arc<Tap>,
    taps: Taps,
    is_taken: Arc<AtomicBool>,
    /// Wall-clock nanoseconds minus the workers' clock.
    offset: i128,
}

impl Captures {
    pub(super) fn new(taps: Taps) -> Self {
        Self { taps, is_taken: Arc::default() }
    }

    /// `None` if another one runs on.
    pub(super) fn start(
        &self,
        port: PortId,
        wants_drops: bool,
        snap: usize,
        now: Nanos,
    ) -> Option<Capture> {
        let deadline = Instant::now() + PATIENCE;
        while self.is_taken.swap(true, Ordering::AcqRel) {
            if Instant::now() >= deadline {
                return None;
            }
            thread::sleep(PAUSE);
        }
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let offset = wall.as_nanos() as i128 - i128::from(now.0);
        let tap = Arc::new(Tap::new(port, wants_drops, RECORDS, snap));
        self.taps.publish(Some(Arc::clone(&tap)));
        let (taps, is_taken) = (Arc::clone(&self.taps), Arc::clone(&self.is_taken));
        Some(Capture { tap, taps, is_taken, offset })
    }
}

impl Capturing for Capture {
    fn drain(&mut self, out: &mut Vec<u8>) -> bool {
        let to_wall = |time: Nanos| (i128::from(time.0) + self.offset) as u64;
        self.tap.drain(to_wall, out)
    }

    fn lost(&self) -> u64 {
        self.tap.lost()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.taps.publish(None);
        self.is_taken.store(false, Ordering::Release);
    }
}
