use gateway::packet::{BufPool, PacketBuf};
use gateway::sim::HeapPool;

fn main() {
    let pool = HeapPool::new(8, 2048);
    let mut packet = pool.alloc_from(b"bytes").unwrap();
    let header = packet.head();
    packet.prepend(4);
    assert_eq!(header, b"bytes");
}
