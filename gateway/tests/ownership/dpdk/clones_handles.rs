use gateway::dpdk::{Mbuf, Port, RxQueue, TxMbuf, TxQueue};

fn is_clone<T: Clone>() {}

fn main() {
    is_clone::<Mbuf>();
    is_clone::<TxMbuf>();
    is_clone::<Port>();
    is_clone::<RxQueue>();
    is_clone::<TxQueue>();
}
