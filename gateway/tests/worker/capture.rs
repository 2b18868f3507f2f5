//! What a capture sees: everything of one port, as it was, without changing anything.

use std::sync::Arc;

use gateway::capture::{Event, Item, Tap};
use gateway::packet::{DropReason, MacAddr, PortId};

use crate::frames::{Udp, routed};
use crate::harness::{Gateway, host, router};

fn datagram(dst: &str, fill: u8) -> Vec<u8> {
    let (src_mac, dst_mac) = (host(0), MacAddr([2, 0, 0, 0, 0, 0]));
    Udp { src_mac, dst_mac, src: "10.0.0.2", dst, ports: (4000, 5000), ttl: 9 }.frame(&[fill; 90])
}

fn begin(gateway: &Gateway, port: u16, drops: bool, records: usize) -> Arc<Tap> {
    let tap = Arc::new(Tap::new(PortId(port), drops, records, 2048));
    gateway.assembly.taps.publish(Some(Arc::clone(&tap)));
    tap
}

fn drain(tap: &Tap) -> Vec<(Event, Vec<u8>)> {
    let mut stream = Vec::new();
    while tap.drain(|time| time.0, &mut stream) {}
    let (mut rest, mut all) = (&stream[..], Vec::new());
    while let Some((Item::Frame(captured), used)) = Item::decode(rest) {
        assert_eq!(captured.frame_len as usize, captured.bytes.len());
        assert!(captured.wall_nanos > 0);
        all.push((captured.event, captured.bytes.to_vec()));
        rest = &rest[used..];
    }
    assert!(rest.is_empty());
    all
}

/// Semantics 7.2: a capture holds copies while the originals are gathered, routed and split.
#[test]
fn a_capture_has_the_bytes_that_came_and_those_that_left() {
    for mode in ["off", "list", "merge"] {
        let toml = router(2, &format!("[gro]\nmode = \"{mode}\"\n"));
        let mut gateway = Gateway::new(&toml);
        let ingress = begin(&gateway, 0, true, 64);
        let frames: Vec<_> = (0..5).map(|fill| datagram("10.1.0.2", fill)).collect();
        let astray = datagram("10.9.0.2", 9);
        for frame in frames.iter().chain([&astray]) {
            gateway.ports[0].inject(frame.clone());
        }
        gateway.run();
        let mut expected: Vec<_> =
            frames.iter().chain([&astray]).map(|f| (Event::Received, f.clone())).collect();
        expected.push((Event::Dropped(DropReason::NoRoute), astray.clone()));
        assert_eq!(drain(&ingress), expected, "{mode}");

        let egress = begin(&gateway, 1, false, 64);
        frames.iter().for_each(|frame| gateway.ports[0].inject(frame.clone()));
        gateway.run();
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        let left: Vec<_> = frames.iter().map(|frame| routed(frame, mac, host(1))).collect();
        let sent = gateway.sent();
        assert_eq!(sent[1], [&left[..], &left].concat());
        assert_eq!(drain(&egress), left.into_iter().map(|f| (Event::Sent, f)).collect::<Vec<_>>());
        assert_eq!((ingress.lost(), egress.lost()), (0, 0));
        gateway.finish();
    }
}

#[test]
fn a_slow_reader_costs_copies_and_nothing_else() {
    let mut gateway = Gateway::new(&router(2, ""));
    let tap = begin(&gateway, 0, false, 3);
    for fill in 0..10 {
        gateway.ports[0].inject(datagram("10.1.0.2", fill));
    }
    gateway.run();
    assert_eq!((drain(&tap).len(), tap.lost()), (3, 7));
    assert_eq!(gateway.sent()[1].len(), 10);
    // And when it has read, it gets copies again.
    gateway.ports[0].inject(datagram("10.1.0.2", 11));
    gateway.run();
    assert_eq!((drain(&tap).len(), tap.lost()), (1, 7));
    gateway.finish();
}

#[test]
fn what_a_port_refuses_is_captured_with_its_reason() {
    let toml = router(2, "[runtime]\ntx_buffer = 64\n");
    let mut gateway = Gateway::new(&toml);
    gateway.ports[1].limit_tx(Some(0));
    let tap = begin(&gateway, 1, true, 256);
    for fill in 0..70 {
        gateway.ports[0].inject(datagram("10.1.0.2", fill));
    }
    gateway.run();
    let events: Vec<_> = drain(&tap).into_iter().map(|(event, _)| event).collect();
    assert_eq!(events[..64], [Event::Sent; 64]);
    assert_eq!(events[64..], [Event::Refused(DropReason::TxFull); 6]);
    gateway.ports[1].limit_tx(None);
    gateway.run();
    gateway.finish();
}

/// A frame for another worker's port is captured there, once.
#[test]
fn two_workers_capture_a_frame_once() {
    let mut gateway = Gateway::new(&router(2, "[runtime]\nlcores = [0, 1]\n"));
    let tap = begin(&gateway, 1, true, 64);
    for fill in 0..4 {
        gateway.ports[0].inject(datagram("10.1.0.2", fill));
    }
    gateway.run();
    gateway.run();
    let events: Vec<_> = drain(&tap).into_iter().map(|(event, _)| event).collect();
    assert_eq!(events, [Event::Sent; 4]);
    gateway.finish();
}

#[test]
fn a_capture_that_ended_is_freed_by_the_control_side() {
    let mut gateway = Gateway::new(&router(2, ""));
    let tap = begin(&gateway, 0, true, 8);
    gateway.poll();
    let ended = Arc::downgrade(&tap);
    drop(tap);
    gateway.assembly.taps.publish(None);
    assert!(ended.upgrade().is_some(), "a worker may still use it");
    gateway.poll();
    assert!(ended.upgrade().is_some(), "freed by the worker");
    gateway.assembly.taps.sweep();
    assert!(ended.upgrade().is_none());
    gateway.finish();
}
