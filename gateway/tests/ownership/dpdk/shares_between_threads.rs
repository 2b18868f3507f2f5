use gateway::dpdk::{Eal, Lcore, Mbuf, Pool, Port, RxQueue, SharedMbuf, TxMbuf, TxQueue};

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}

fn main() {
    // These may.
    is_send::<(Eal, Mbuf, Pool, Port, RxQueue, SharedMbuf, TxMbuf, TxQueue)>();
    is_sync::<(Eal, Mbuf, Pool)>();

    // Cloning through `&` skips the atomic addition when there is one handle.
    is_sync::<SharedMbuf>();
    // ethdev's control calls are for one thread at a time.
    is_sync::<Port>();
    // A thread registers itself and nobody else.
    is_send::<Lcore>();
}
