//! Every drop reason of a worker, provoked. (Those of decisions alone are in `forward`.)

use gateway::packet::{DropReason, MacAddr};

use crate::frames::experimental;
use crate::harness::{Gateway, bridge};

const A: MacAddr = MacAddr([2, 0, 0, 0, 9, 1]);

#[test]
fn runts_are_counted() {
    let mut gateway = Gateway::new(&bridge(2, ""));
    for len in 1..14 {
        gateway.ports[0].inject(vec![2; len]);
    }
    gateway.run();
    assert_eq!(gateway.drops(DropReason::RuntFrame), 13);
    gateway.finish();
}

#[test]
fn split_headers_without_a_buffer_are_counted() {
    use gateway::packet::{BufPool, PacketBuf};
    let mut gateway = Gateway::new(&bridge(2, ""));
    let frame = experimental(A, MacAddr::BROADCAST);
    let mut packet = gateway.pool.alloc_from(&frame[..20]).unwrap();
    packet.chain(gateway.pool.alloc_from(&frame[20..]).unwrap());
    gateway.ports[0].inject_packet(packet);
    gateway.pool.fail_after(0);
    gateway.run();
    assert_eq!(gateway.drops(DropReason::NoBuffer), 1);
    gateway.finish();
}
