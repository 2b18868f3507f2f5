use std::time::Duration;

use gateway::packet::{DropReason, MacAddr};
use gateway::runtime::{Drain, Pace, drive};
use gateway::time::Nanos;

use crate::frames::{Udp, group_mac};
use crate::harness::{Gateway, bridge};

fn frame(port: u8, n: u8) -> Vec<u8> {
    Udp {
        src_mac: MacAddr([2, 0, 0, 0, 9, port]),
        dst_mac: group_mac("239.1.1.1"),
        src: "10.0.0.1",
        dst: "239.1.1.1",
        ports: (5000, u16::from(port)),
        ttl: 4,
    }
    .frame(&[n; 100])
}

/// Ports belong to different workers; order per flow is kept across the hand-over.
#[test]
fn frames_cross_from_worker_to_worker_in_order() {
    let mut gateway = Gateway::new(&bridge(4, "[runtime]\nlcores = [0, 1]\n"));
    for n in 0..100 {
        for port in 0..4 {
            gateway.ports[usize::from(port)].inject(frame(port, n));
        }
    }
    gateway.run();
    for (to, sent) in gateway.sent().into_iter().enumerate() {
        for from in (0..4u8).filter(|&from| usize::from(from) != to) {
            let of_flow: Vec<_> = sent.iter().filter(|f| f[11] == from).cloned().collect();
            let expected: Vec<_> = (0..100).map(|n| frame(from, n)).collect();
            assert_eq!(of_flow, expected, "from {from} to {to}");
        }
    }
    let totals = gateway.finish();
    assert_eq!(totals.ledger.handed_in, totals.ledger.handed_out);
    assert_eq!(totals.ledger.handed_in, 4 * 100 * 2);
}

#[test]
fn a_full_inbox_is_counted_for_the_egress_port() {
    let mut gateway = Gateway::new(&bridge(2, "[runtime]\nlcores = [0, 1]\nhandoff = 64\n"));
    for n in 0..200 {
        gateway.ports[0].inject(frame(0, n));
    }
    for _ in 0..5 {
        gateway.now = gateway.now + Nanos(1000);
        gateway.assembly.workers[0].poll_once(gateway.now); // worker 1 does not poll
    }
    assert_eq!(gateway.drops(DropReason::HandoffFull), 200 - 64);
    gateway.run();
    assert_eq!(gateway.ports[1].take_sent().len(), 64);
    gateway.finish();
}

/// One call takes a bounded number of frames over, so a stop takes several.
#[test]
fn a_stop_sends_all_that_was_handed_over() {
    let mut gateway = Gateway::new(&bridge(2, "[runtime]\nlcores = [0, 1]\n"));
    for n in 0..=255 {
        (0..5).for_each(|_| gateway.ports[0].inject(frame(0, n)));
    }
    while gateway.ports[0].pending() > 0 {
        gateway.now = gateway.now + Nanos(1000);
        gateway.assembly.workers[0].poll_once(gateway.now); // worker 1 does not poll
    }
    let drain = Drain::new(1);
    drain.stop();
    let pace = Pace { idle_sleep: Duration::ZERO };
    let now = gateway.now;
    drive(&mut gateway.assembly.workers[1], || now, &drain, pace);
    assert_eq!(gateway.drops(DropReason::Shutdown), 0);
    assert_eq!(gateway.ports[1].take_sent().len(), 5 * 256);
    gateway.finish();
}
