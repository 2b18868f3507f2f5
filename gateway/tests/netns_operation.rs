//! The gateway in trouble: stopped under load, with a port whose interface is down, and on two
//! workers.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // hosts, not the path

#[path = "support/netns.rs"]
mod netns;
#[path = "support/running.rs"]
mod running;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::demo::exchange::exchange;
use gateway::demo::topology::{INTERFACE, Lab, port_name};
use netns::{RATE, demand_fragments_pass, demand_intact, lab, plug_lan, plug_routed, stream};
use running::{bridge, router, start};

#[test]
fn a_stop_under_load_is_clean() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let gateway = start(&lab, "0", &bridge(&lab));
    let streams = [stream(0, "239.78.1.1", &[1, 2]), stream(1, "fd78::1", &[0])];
    let stop = AtomicBool::new(false);
    let (ending, outcome) = std::thread::scope(|scope| {
        let load = scope.spawn(|| exchange(&lab, &streams, RATE, Duration::from_secs(20), &stop));
        std::thread::sleep(Duration::from_secs(1));
        let ending = gateway.stop_clean();
        stop.store(true, Ordering::Relaxed);
        (ending, load.join().unwrap().unwrap())
    });
    let arrived = outcome.received[1].of(streams[0].id);
    assert!(arrived.intact > 0 && arrived.intact < outcome.sent[0].datagrams, "not under load");
    assert_eq!((arrived.duplicate, arrived.reordered, outcome.received[1].corrupt), (0, 0, 0));
    assert!(ending.said.iter().any(|line| line.contains("exact")), "{}", ending.said.join("\n"));
}

#[test]
fn a_host_whose_interface_is_down_stops_nobody() {
    with_one_port_down(|lab| lab.hosts[2].namespace.ip(&format!("link set {INTERFACE} down")));
}

#[test]
fn a_port_whose_interface_is_down_stops_nobody() {
    with_one_port_down(|lab| lab.middle.ip(&format!("link set {} down", port_name(2))));
}

/// Floods p1 and p2, puts p2 down meanwhile: p1 loses nothing, and the stop is clean.
fn with_one_port_down(put_down: impl Fn(&Lab) -> anyhow::Result<String> + Sync) {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let gateway = start(&lab, "0", &bridge(&lab));
    let streams = [stream(0, "239.78.1.1", &[1]), stream(0, "fd78::2", &[1])];
    // Longer than any transmit ring: 8000 datagrams.
    let duration = Duration::from_secs(4);
    let outcome = std::thread::scope(|scope| {
        let load =
            scope.spawn(|| exchange(&lab, &streams, RATE, duration, &AtomicBool::new(false)));
        std::thread::sleep(Duration::from_millis(700));
        put_down(&lab).unwrap();
        load.join().unwrap().unwrap()
    });
    for (stream, sent) in streams.iter().zip(&outcome.sent) {
        let got = outcome.received[1].of(stream.id);
        assert!(got.is_exactly(sent.datagrams), "{}: {} of {sent:?}", stream.label, got.intact);
    }
    gateway.stop_clean();
}

#[test]
fn two_workers_keep_every_flow_in_order() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 3);
    let mut configuration = router(&lab);
    configuration += "[[multicast]]\ngroup = \"239.78.2.1\"\nsource = \"any\"\nfrom = \"p0\"\n\
                      to = [\"p1\", \"p2\"]\n";
    let gateway = start(&lab, "0, 1", &configuration);
    let streams = [
        stream(0, "10.78.2.2", &[1]),
        stream(1, "fd78:1::2", &[0]),
        stream(2, "10.78.2.2", &[1]),
        stream(0, "239.78.2.1", &[1, 2]),
    ];
    demand_intact(&lab, &streams, 2.0);
    gateway.stop_clean();
}

/// Datagrams that the sending kernel fragments and the receiving one puts together again. With a
/// queue pair per worker net_af_packet has the kernel spread frames over sockets
/// (PACKET_FANOUT), which must not put fragments together on the way.
#[test]
fn fragments_pass_as_fragments() {
    for lcores in ["0", "0, 1"] {
        let Some(mut lab) = lab() else { return };
        plug_lan(&mut lab, 2);
        let gateway = start(&lab, lcores, &bridge(&lab));
        demand_fragments_pass(&lab);
        gateway.stop_clean();
    }
}
