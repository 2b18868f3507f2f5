//! How a worker gives a queue up and gets another in its place, while the port is restarted.
//!
//! *Invariant:* nobody waits. The worker drops its handle between two polls; that no handle is left
//! is what whoever restarts the port looks at (`dpdk::Port::restart`), not what is noted here.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::sync::{AtomicBool, Mutex};

/// The control side's end. What it does here workers see after `Published::renew`.
pub struct Exchange<Q> {
    /// control: w, worker: r
    recalled: AtomicBool,
    /// control: w, worker: takes (never waits)
    next: Mutex<Option<Q>>,
}

impl<Q> Exchange<Q> {
    /// Wants the queue back, also one that was not yet taken.
    #[allow(clippy::disallowed_methods)] // control side; a worker only ever tries
    pub fn recall(&self) {
        self.recalled.store(true, Ordering::Relaxed);
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Has another queue for the worker.
    #[allow(clippy::disallowed_methods)] // control side; a worker only ever tries
    pub fn supply(&self, queue: Q) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(queue);
        self.recalled.store(false, Ordering::Relaxed);
    }
}

/// A worker's end: the queue, if it is not being exchanged.
pub struct Seat<Q> {
    queue: Option<Q>,
    exchange: Arc<Exchange<Q>>,
}

impl<Q> Seat<Q> {
    /// With its first queue.
    pub fn new(queue: Q) -> Self {
        let exchange = Exchange { recalled: AtomicBool::new(false), next: Mutex::new(None) };
        Self { queue: Some(queue), exchange: Arc::new(exchange) }
    }

    /// The other end.
    pub fn exchange(&self) -> Arc<Exchange<Q>> {
        Arc::clone(&self.exchange)
    }

    /// The queue, if there is one now.
    #[inline]
    pub fn queue(&mut self) -> Option<&mut Q> {
        self.queue.as_mut()
    }

    /// Gives the queue up, or takes the next, as the control side wants.
    pub fn follow(&mut self) {
        if self.exchange.recalled.load(Ordering::Relaxed) {
            self.queue = None;
        } else if self.queue.is_none() {
            if let Ok(mut next) = self.exchange.next.try_lock() {
                self.queue = next.take();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_given_up_and_another_taken() {
        let mut seat = Seat::new(1);
        let exchange = seat.exchange();
        seat.follow();
        assert_eq!(seat.queue(), Some(&mut 1));
        exchange.recall();
        seat.follow();
        seat.follow();
        assert_eq!(seat.queue(), None);
        exchange.supply(2);
        seat.follow();
        assert_eq!(seat.queue(), Some(&mut 2));
    }

    #[test]
    fn what_was_not_yet_taken_is_recalled_too() {
        let mut seat = Seat::new(Arc::new(1));
        let exchange = seat.exchange();
        exchange.recall();
        seat.follow();
        let second = Arc::new(2);
        exchange.supply(Arc::clone(&second));
        exchange.recall();
        assert_eq!(Arc::strong_count(&second), 1);
        seat.follow();
        assert_eq!(seat.queue(), None);
    }
}
