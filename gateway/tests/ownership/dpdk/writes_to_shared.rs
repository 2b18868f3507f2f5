use gateway::dpdk::{Pool, SharedMbuf};
use gateway::packet::{PacketBuf, SharedBuf};

fn write(mut shared: SharedMbuf, pool: &Pool) {
    let mut replica = shared.with_private_header(14, pool).unwrap();
    replica.head_mut().fill(0);
    shared.head_mut().fill(0);
}

fn main() {}
