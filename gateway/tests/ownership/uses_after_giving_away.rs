use gateway::device::TxQueue;
use gateway::packet::{BufPool, PacketBuf, SharedBuf, TxBuf};
use gateway::sim::{HeapPool, SimPort};

fn main() {
    let pool = HeapPool::new(8, 2048);

    let mut packet = pool.alloc_from(b"bytes").unwrap();
    let _shared = packet.share();
    packet.head_mut().fill(0);

    let packet = pool.alloc_from(b"bytes").unwrap();
    let frame = packet.into_tx();
    let _read = packet.head();

    SimPort::new().tx_queue(1).tx_burst(&mut vec![frame]);
    let _len = frame.frame_len();

    let shared = pool.alloc_from(b"bytes").unwrap().share();
    let _unshared = shared.try_unshare();
    let _read = shared.head();
}
