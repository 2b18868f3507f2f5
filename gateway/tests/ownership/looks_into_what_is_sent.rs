use gateway::packet::{BufPool, PacketBuf, TxBuf};
use gateway::sim::HeapPool;

fn main() {
    let pool = HeapPool::new(8, 2048);
    let mut frame = pool.alloc_from(b"bytes").unwrap().into_tx();
    let _len = frame.frame_len();
    frame.head_mut().fill(0);
    let _read = frame.head();
    let _again = frame.clone();
}
