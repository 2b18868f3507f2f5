use gateway::packet::{BufPool, PacketBuf};
use gateway::sim::HeapPool;

fn main() {
    let pool = HeapPool::new(8, 2048);
    let packet = pool.alloc_from(b"bytes").unwrap();
    let _another = packet.clone();
    let _read = packet.head();
}
