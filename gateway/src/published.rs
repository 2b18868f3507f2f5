//! Immutable tables on their way from the control side to workers.
//!
//! *Invariant:* a worker switches between two polls only, without waiting; what it gives up is freed
//! by the control side, never by a worker.

use core::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::sync::{AtomicU64, Mutex, MutexGuard};

/// The newest value and those that workers may still hold.
pub struct Published<T> {
    /// control: w, worker: r
    generation: AtomicU64,
    versions: Mutex<Versions<T>>,
}

struct Versions<T> {
    current: Arc<T>,
    retired: Vec<Arc<T>>,
}

impl<T> Published<T> {
    /// Generation 0.
    pub fn new(value: T) -> Arc<Self> {
        let versions = Versions { current: Arc::new(value), retired: Vec::new() };
        Arc::new(Self { generation: AtomicU64::new(0), versions: Mutex::new(versions) })
    }

    /// Makes `value` the newest; frees retired ones that no worker holds any more. Control side.
    pub fn publish(&self, value: T) {
        let mut versions = self.lock();
        let old = std::mem::replace(&mut versions.current, Arc::new(value));
        versions.retired.push(old);
        self.generation.fetch_add(1, Ordering::Release);
        versions.retired.retain(|old| Arc::strong_count(old) > 1);
    }

    /// Something that the newest value shares with its readers has changed: they take it anew, as
    /// if it had been published again. Control side.
    pub fn renew(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Frees retired values that no worker holds any more. Control side, now and then.
    pub fn sweep(&self) {
        self.lock().retired.retain(|old| Arc::strong_count(old) > 1);
    }

    /// How often a value was published.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The newest value. Control side.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.lock().current)
    }

    /// A worker's view.
    pub fn reader(self: &Arc<Self>) -> Reader<T> {
        let versions = self.lock();
        Reader {
            value: Arc::clone(&versions.current),
            seen: self.generation(),
            source: Arc::clone(self),
        }
    }

    #[allow(clippy::disallowed_methods)] // control side; a worker only ever tries
    fn lock(&self) -> MutexGuard<'_, Versions<T>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value one worker works with.
pub struct Reader<T> {
    value: Arc<T>,
    seen: u64,
    source: Arc<Published<T>>,
}

impl<T> Reader<T> {
    /// A handle on the value, which the publisher still frees.
    pub fn value(&self) -> Arc<T> {
        Arc::clone(&self.value)
    }

    /// Whether there is a newer value: one load.
    #[inline]
    pub fn is_stale(&self) -> bool {
        self.source.generation.load(Ordering::Relaxed) != self.seen
    }

    /// Switches to the newest value, unless the control side is just writing.
    pub fn refresh(&mut self) {
        if let Ok(versions) = self.source.versions.try_lock() {
            self.seen = self.source.generation.load(Ordering::Acquire);
            self.value = Arc::clone(&versions.current);
        }
    }
}

impl<T> Deref for Reader<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_reader_switches_when_it_asks_and_the_publisher_frees() {
        let published = Published::new(1);
        let mut reader = published.reader();
        let first = Arc::downgrade(&published.current());
        published.publish(2);
        assert!(reader.is_stale());
        assert_eq!(*reader, 1);
        reader.refresh();
        assert_eq!((*reader, reader.is_stale()), (2, false));
        assert!(first.upgrade().is_some(), "freed by the worker");
        published.publish(3);
        assert!(first.upgrade().is_none());
    }

    #[test]
    fn what_is_renewed_is_taken_anew() {
        let published = Published::new(1);
        let mut reader = published.reader();
        published.renew();
        assert!(reader.is_stale());
        reader.refresh();
        assert_eq!((*reader, reader.is_stale()), (1, false));
    }
}
