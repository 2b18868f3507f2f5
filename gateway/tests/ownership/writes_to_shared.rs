use gateway::packet::{BufPool, PacketBuf, SharedBuf};
use gateway::sim::HeapPool;

fn main() {
    let pool = HeapPool::new(8, 2048);
    let mut shared = pool.alloc_from(b"bytes").unwrap().share();
    let _readable = shared.head();
    shared.head_mut().fill(0);
    shared.truncate(3);
    shared.trim_front(1);
}
