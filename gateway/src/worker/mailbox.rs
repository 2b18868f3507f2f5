//! How the control side reads a worker's plain counters: it asks, the worker copies them between
//! two polls. The copy is consistent, and the path pays one relaxed load per poll.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::sync::{AtomicU64, Mutex};

/// Where a copy is asked for and left.
#[derive(Default)]
pub struct Mailbox<T> {
    /// worker: r, control: w
    asked: AtomicU64,
    /// worker: w, control: r
    answered: AtomicU64,
    /// worker: w (never waits), control: r
    copy: Mutex<T>,
}

impl<T: Clone> Mailbox<T> {
    /// Asks for a copy; returns the number of the request.
    pub fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether request `number` or a later one has been answered.
    pub fn has_answered(&self, number: u64) -> bool {
        self.answered.load(Ordering::Acquire) >= number
    }

    /// The copy, once request `number` or a later one has been answered.
    #[allow(clippy::disallowed_methods)] // control side; the worker only ever tries
    pub fn collect(&self, number: u64) -> Option<T> {
        if !self.has_answered(number) {
            return None;
        }
        Some(self.copy.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Whether a request is open.
    #[inline]
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) != self.answered.load(Ordering::Relaxed)
    }

    /// Answers all requests made so far, unless the control side is just reading.
    pub(super) fn answer(&self, write: impl FnOnce(&mut T)) {
        let asked = self.asked.load(Ordering::Relaxed);
        if let Ok(mut copy) = self.copy.try_lock() {
            write(&mut copy);
            drop(copy);
            self.answered.store(asked, Ordering::Release);
        }
    }
}
