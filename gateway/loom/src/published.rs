//! Snapshots: a worker sees them in order and whole, and never frees one.

#[path = "../../src/published.rs"]
pub(crate) mod file;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use file::Published;
use loom::thread;

/// A table that knows who freed it, and how many are left.
struct Table {
    number: u64,
    publisher: thread::ThreadId,
    left: Arc<AtomicUsize>,
}

impl Drop for Table {
    fn drop(&mut self) {
        assert_eq!(
            thread::current().id(),
            self.publisher,
            "table {} freed by a worker",
            self.number
        );
        self.left.fetch_sub(1, Relaxed);
    }
}

#[test]
fn a_worker_sees_every_table_in_order_and_frees_none() {
    loom::model(|| {
        let left = Arc::new(AtomicUsize::new(3));
        let publisher = thread::current().id();
        let table = |number| Table { number, publisher, left: Arc::clone(&left) };
        let published = Published::new(table(0));
        let mut reader = published.reader();
        let worker = thread::spawn(move || {
            let mut last = 0;
            for _ in 0..2 {
                if reader.is_stale() {
                    reader.refresh();
                }
                assert!(reader.number >= last, "an older table");
                last = reader.number;
            }
            reader
        });
        published.publish(table(1));
        published.publish(table(2));
        let mut reader = worker.join().unwrap();
        // What is published is seen: nothing else tells the worker.
        if reader.is_stale() {
            reader.refresh();
        }
        assert_eq!((reader.number, reader.is_stale()), (2, false));
        drop(reader);
        assert!(left.load(Relaxed) >= 1);
        published.publish(Table { number: 3, publisher, left: Arc::new(AtomicUsize::new(1)) });
        assert_eq!(left.load(Relaxed), 0, "freed at the next table, or before");
    });
}

#[test]
fn what_a_refresh_says_it_saw_is_what_it_holds() {
    loom::model(|| {
        let published = Published::new(0);
        let other = Arc::clone(&published);
        let control = thread::spawn(move || {
            other.publish(1);
            other.publish(2);
        });
        let mut reader = published.reader();
        reader.refresh();
        if !reader.is_stale() {
            // One load that may be old: but then the value is as old.
            assert!(*reader <= published.generation());
        }
        control.join().unwrap();
        if !reader.is_stale() {
            assert_eq!(*reader, 2, "missed a table for ever");
        }
    });
}
