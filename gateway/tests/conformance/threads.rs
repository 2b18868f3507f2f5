//! Handles move between threads; the count is true on all of them.

use std::thread;

use gateway::packet::{BufPool, PacketBuf, SharedBuf};

use crate::{Make, is_full, taken};

pub(crate) fn packets_are_freed_on_any_thread<B>(make: Make<B>)
where
    B: PacketBuf + Send,
    B::Tx: Send,
{
    let pool = make(64, 2048);
    let packets: Vec<_> = (0..20).map(|n| pool.alloc_from(&[n; 9]).expect("a buffer")).collect();
    let (here, there): (Vec<_>, Vec<_>) =
        packets.into_iter().map(PacketBuf::into_tx).enumerate().partition(|(n, _)| n % 2 == 0);
    thread::scope(|scope| scope.spawn(move || drop(there)).join()).expect("no panic");
    assert_eq!(taken(&pool), 10);
    drop(here);
    assert!(is_full(&pool));
}

pub(crate) fn clones_come_and_go_on_all_threads<B>(make: Make<B>)
where
    B: PacketBuf,
    B::Pool: Sync,
    B::Shared: Send,
{
    let pool = make(64, 2048);
    let shared = pool.alloc_from(b"headerpayload").expect("a buffer").share();
    thread::scope(|scope| {
        for _ in 0..4 {
            let (mine, pool) = (shared.clone(), &pool);
            scope.spawn(move || {
                for _ in 0..2_000 {
                    let clone = mine.clone();
                    let mut replica = mine.with_private_header(6, pool).expect("a replica");
                    replica.head_mut().fill(b'#');
                    drop(clone);
                    assert_eq!(replica.to_vec(), b"######payload");
                }
            });
        }
    });
    assert_eq!(taken(&pool), 1);
    assert_eq!(shared.head(), b"headerpayload");
    assert!(shared.try_unshare().is_ok(), "every other reference was given up");
    assert!(is_full(&pool));
}
