use gateway::packet::DropReason;

use crate::frames::stream;
use crate::harness::{Gateway, bridge};

/// A blocked port fills its own buffer, drops its own newest frames, and resumes in order.
#[test]
fn a_blocked_port_does_not_disturb_the_others() {
    let mut gateway = Gateway::new(&bridge(3, "[runtime]\ntx_buffer = 64\n"));
    gateway.ports[2].limit_tx(Some(10));
    let frames = stream(200, 1316);
    for frame in &frames {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
    let sent = gateway.sent();
    assert_eq!(sent[1], frames);
    assert_eq!(sent[2], frames[..10]);
    assert_eq!(gateway.drops(DropReason::TxFull), 200 - 10 - 64);
    gateway.ports[2].limit_tx(None);
    gateway.run();
    assert_eq!(gateway.ports[2].take_sent(), frames[10..74]);
    gateway.finish();
}

#[test]
fn frames_for_a_port_without_link_are_dropped_by_name() {
    let mut gateway = Gateway::new(&bridge(3, ""));
    gateway.set_link(1, false);
    let frames = stream(20, 1316);
    for frame in &frames {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
    let sent = gateway.sent();
    assert_eq!((sent[1].len(), sent[2].len()), (0, 20));
    assert_eq!(gateway.drops(DropReason::LinkDown), 20);
    gateway.set_link(1, true);
    gateway.ports[0].inject(frames[0].clone());
    gateway.run();
    assert_eq!(gateway.ports[1].take_sent(), frames[..1]);
    gateway.finish();
}

/// Semantics 7.30: a stop with datagrams held loses none of them.
#[test]
fn held_datagrams_leave_at_the_end() {
    let mut gateway = Gateway::new(&bridge(2, "[gro]\nmax_hold_us = 10000\n"));
    for frame in stream(5, 1316) {
        gateway.ports[0].inject(frame);
    }
    gateway.run();
    assert_eq!(gateway.ports[1].take_sent().len(), 0);
    let port = gateway.ports[1].clone();
    let totals = gateway.finish();
    assert_eq!(port.take_sent(), stream(5, 1316));
    assert_eq!(totals.ledger.tx, 5);
}
