//! Queues come and go with the tables' generation: nothing else tells the worker.

#[path = "../../src/device/exchange.rs"]
mod file;

use loom::thread;

use crate::published::file::{Published, Reader};
use file::Seat;

/// As a worker between two polls.
fn poll(reader: &mut Reader<()>, seat: &mut Seat<u64>) {
    if reader.is_stale() {
        reader.refresh();
        seat.follow();
    }
}

#[test]
fn a_worker_gives_its_queue_up_and_has_the_new_one_in_the_end() {
    for supplied in [false, true] {
        loom::model(move || {
            let tables = Published::new(());
            let (mut reader, mut seat) = (tables.reader(), Seat::new(1));
            let exchange = seat.exchange();
            let worker = thread::spawn(move || {
                for _ in 0..2 {
                    poll(&mut reader, &mut seat);
                }
                (reader, seat)
            });
            exchange.recall();
            tables.renew();
            if supplied {
                exchange.supply(2);
                tables.renew();
            }
            let (mut reader, mut seat) = worker.join().unwrap();
            poll(&mut reader, &mut seat);
            // A worker that was too slow to give it up keeps it: nobody has restarted its port.
            let queue = seat.queue().copied();
            assert!(if supplied { queue.is_some() } else { queue.is_none() }, "{queue:?}");
        });
    }
}
