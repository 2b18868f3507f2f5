//! The end: a worker does not leave while another may still hand it something.

#[path = "../../src/runtime/drive.rs"]
mod file;

use core::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

use crate::time::Nanos;
use file::{Drain, Driven, Pace, drive};

/// Frames in the receiver's inbox. A ring that orders nothing: what is handed over in time is seen
/// because of the drain alone.
type Ring = Arc<AtomicUsize>;

/// Takes over what others hand in.
struct Receiving {
    inbox: Ring,
    taken: usize,
    left: bool,
}

impl Driven for Receiving {
    fn poll_once(&mut self, _now: Nanos) -> usize {
        loom::thread::yield_now();
        0
    }

    fn release_held(&mut self, _now: Nanos) {}

    /// One at a time: the rest waits.
    fn drain_once(&mut self) -> u64 {
        let waiting = self.inbox.load(Relaxed);
        if self.taken < waiting {
            self.taken += 1;
        }
        (waiting - self.taken) as u64
    }

    fn abandon(&mut self) {
        self.left = true;
    }
}

/// Hands over what it holds when it must let go.
struct Sending {
    held: usize,
    to: Ring,
}

impl Driven for Sending {
    fn poll_once(&mut self, _now: Nanos) -> usize {
        loom::thread::yield_now();
        0
    }

    fn release_held(&mut self, _now: Nanos) {
        let held = core::mem::take(&mut self.held);
        self.to.store(held, Relaxed);
    }

    fn drain_once(&mut self) -> u64 {
        self.held as u64
    }

    fn abandon(&mut self) {
        assert_eq!(self.held, 0);
    }
}

#[test]
fn what_is_handed_over_at_the_end_is_taken_over() {
    loom::model(|| {
        let drain = Arc::new(Drain::new(2));
        let ring = Ring::new(AtomicUsize::new(0));
        let pace = Pace { idle_sleep: Duration::ZERO };
        let sender = {
            let (drain, to) = (Arc::clone(&drain), Arc::clone(&ring));
            thread::spawn(move || drive(&mut Sending { held: 2, to }, || Nanos(0), &drain, pace))
        };
        drain.stop();
        let mut worker = Receiving { inbox: ring, taken: 0, left: false };
        drive(&mut worker, || Nanos(0), &drain, pace);
        assert!(worker.left);
        assert_eq!(worker.taken, 2, "left with frames in its inbox");
        sender.join().unwrap();
    });
}
