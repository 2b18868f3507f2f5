use gateway::device::TxQueue as _;
use gateway::dpdk::{Mbuf, TxQueue};
use gateway::packet::PacketBuf;

fn send(queue: &mut TxQueue, packet: Mbuf) {
    let mut frames = vec![packet.into_tx()];
    queue.tx_burst(&mut frames);
    let _read = packet.head();
}

fn main() {}
