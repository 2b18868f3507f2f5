//! What the ownership traits promise, held against every buffer there is: one suite, so that a
//! test on heap buffers says something about mbufs.
//!
//! Counts are of the pool's buffers: what a call takes, what comes back and when.

mod bounds;
mod model;
mod sharing;
mod threads;

#[cfg(feature = "dpdk")]
#[path = "../support/eal.rs"]
mod eal;

use gateway::packet::{BufPool, PacketBuf};
use gateway::sim::{HeapBuf, HeapPool};

/// Makes a pool of so many buffers with so much data room.
type Make<B> = fn(usize, usize) -> <B as PacketBuf>::Pool;

/// Every law, held against one kind of buffer.
macro_rules! suite {
    ($buffers:ident, $buf:ty, $make:expr) => {
        mod $buffers {
            use super::*;

            const MAKE: Make<$buf> = $make;
            laws! { bounds, $buf,
                a_pool_runs_dry_and_full_again
                many_at_once
                copying_into_room_that_there_is
                room_ends_where_it_ends
                trimming
                truncating_a_chain_frees_what_is_behind
                a_chain_is_its_pieces_in_order
                what_is_detached_is_a_packet_of_its_own
                pieces_go_home_to_their_own_pool
                what_is_out_is_listed_with_its_trail
            }
            laws! { sharing, $buf,
                clones_take_no_buffer_and_the_last_frees
                a_private_header_is_private
                a_private_header_of_a_chain
                a_piece_shown_by_others_is_not_detached
                a_replica_of_a_replica
                a_replica_is_shared
                holders_may_go_in_any_order
                a_pool_that_runs_dry_leaves_nothing_half_built
                a_copy_is_whole
                unsharing_takes_the_last_holder
                what_is_sent_is_not_forgotten
                what_is_sent_can_be_copied
            }
            laws! { threads, $buf,
                packets_are_freed_on_any_thread
                clones_come_and_go_on_all_threads
            }
            laws! { model, $buf,
                random_operations
            }
        }
    };
}

macro_rules! laws {
    ($topic:ident, $buf:ty, $($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                $topic::$law::<$buf>(MAKE);
            }
        )*
    };
}

suite!(heap, HeapBuf, HeapPool::new);
#[cfg(feature = "dpdk")]
suite!(mbuf, gateway::dpdk::Mbuf, |buffers, data_room| eal::pool(buffers as u32, data_room as u16));

fn is_full(pool: &impl BufPool) -> bool {
    pool.available() == pool.capacity()
}

fn taken(pool: &impl BufPool) -> usize {
    pool.capacity() - pool.available()
}
