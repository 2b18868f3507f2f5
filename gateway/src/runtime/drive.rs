use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crate::sync::{AtomicBool, AtomicUsize, yield_now};
use crate::time::Nanos;

/// How long workers offer what they hold to busy ports after a stop.
const DRAIN_LIMIT: Nanos = Nanos(1_000_000_000);
/// Empty polls before a worker that may sleep does.
const IDLE_POLLS: u32 = 64;

/// Tells workers to stop, and each of them when all have stopped receiving: from then on nothing
/// new can be handed to it.
pub struct Drain {
    /// worker: r, control: w
    stop: AtomicBool,
    /// Workers that still receive. worker: w
    receiving: AtomicUsize,
}

/// What [`drive`] asks of a worker; see `Worker`'s methods of these names.
pub trait Driven {
    /// Frames received or taken over.
    fn poll_once(&mut self, now: Nanos) -> usize;
    /// Every held datagram is decided on.
    fn release_held(&mut self, now: Nanos);
    /// Datagrams still held or waiting to be taken over.
    fn drain_once(&mut self) -> u64;
    /// Gives up what no port took.
    fn abandon(&mut self);
}

/// How a worker spends its time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Sleep after [`IDLE_POLLS`] empty polls; zero: poll on.
    pub idle_sleep: Duration,
}

impl Drain {
    /// For this many workers.
    pub fn new(workers: usize) -> Self {
        Self { stop: AtomicBool::new(false), receiving: AtomicUsize::new(workers) }
    }

    /// Asks all workers to stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn leave(&self) {
        self.receiving.fetch_sub(1, Ordering::AcqRel);
    }

    fn nobody_receives(&self) -> bool {
        self.receiving.load(Ordering::Acquire) == 0
    }
}

/// Polls until `drain` says stop, then releases what is held, offers it to the ports for at most a
/// second, and counts the rest as dropped.
pub fn drive(worker: &mut impl Driven, clock: impl Fn() -> Nanos, drain: &Drain, pace: Pace) {
    let mut idle = 0;
    while !drain.is_stopping() {
        idle = if worker.poll_once(clock()) == 0 { idle + 1 } else { 0 };
        if idle >= IDLE_POLLS && !pace.idle_sleep.is_zero() {
            thread::sleep(pace.idle_sleep);
        }
    }
    let began = clock();
    worker.release_held(began);
    drain.leave();
    loop {
        let last_handoffs_are_in = drain.nobody_receives();
        let held = worker.drain_once();
        let time_is_up = clock().since(began) > DRAIN_LIMIT;
        if last_handoffs_are_in && (held == 0 || time_is_up) {
            break;
        }
        yield_now();
    }
    worker.abandon();
}
