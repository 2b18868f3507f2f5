//! Sampled times: from the poll that received to the poll after the frames had left.

use gateway::counters::Latency;
use gateway::packet::{MacAddr, PortId};
use gateway::time::Nanos;

use crate::frames::{Udp, group_mac};
use crate::harness::{Gateway, bridge, host, router};

fn datagram(fill: u8) -> Vec<u8> {
    let (src_mac, dst_mac) = (host(0), MacAddr([2, 0, 0, 0, 0, 0]));
    let (src, dst) = ("10.0.0.2", "10.1.0.2");
    Udp { src_mac, dst_mac, src, dst, ports: (4000, 5000), ttl: 9 }.frame(&[fill; 90])
}

fn measured(gateway: &Gateway) -> Vec<Latency> {
    gateway.assembly.workers[0].snapshot().latency
}

/// A poll is a microsecond here.
#[test]
fn a_frame_that_leaves_in_its_poll_took_one() {
    let mut gateway = Gateway::new(&router(2, ""));
    gateway.ports[0].inject(datagram(1));
    gateway.poll();
    assert_eq!(measured(&gateway).len(), 0, "when it left is known in the next poll");
    gateway.poll();
    let [pair] = &measured(&gateway)[..] else { panic!() };
    assert_eq!((pair.from, pair.to, pair.count(), pair.max()), (PortId(0), PortId(1), 1, 1000));
    gateway.finish();
}

#[test]
fn a_hold_counts_from_the_first_datagram() {
    for mode in ["list", "merge"] {
        let extra = format!("[gro]\nmode = \"{mode}\"\nmax_hold_us = 20\n");
        let mut gateway = Gateway::new(&router(2, &extra));
        for fill in 0..3 {
            gateway.ports[0].inject(datagram(fill));
            gateway.poll();
        }
        gateway.now = gateway.now + Nanos(30_000);
        gateway.poll();
        gateway.poll();
        let [pair] = &measured(&gateway)[..] else { panic!("{mode}") };
        // Two polls to the last datagram, 30 us and two more polls.
        assert_eq!((pair.count(), pair.max()), (1, 34_000), "{mode}");
        gateway.finish();
    }
}

#[test]
fn a_port_that_takes_nothing_makes_its_pair_wait_and_no_other() {
    let mut gateway = Gateway::new(&bridge(3, ""));
    gateway.ports[2].limit_tx(Some(0));
    let (src_mac, dst_mac) = (host(0), group_mac("239.1.1.1"));
    let (src, dst) = ("10.0.0.2", "239.1.1.1");
    let udp = Udp { src_mac, dst_mac, src, dst, ports: (1, 2), ttl: 9 };
    gateway.ports[0].inject(udp.frame(&[1; 40]));
    for _ in 0..9 {
        gateway.poll();
    }
    assert_eq!(measured(&gateway).iter().map(|pair| pair.to).collect::<Vec<_>>(), [PortId(1)]);
    gateway.ports[2].limit_tx(None);
    gateway.poll();
    gateway.poll();
    let all = measured(&gateway);
    assert_eq!(
        all.iter().map(|pair| (pair.to, pair.max())).collect::<Vec<_>>(),
        [(PortId(1), 1000), (PortId(2), 10_000)]
    );
    gateway.finish();
}

/// One busy poll in sixteen.
#[test]
fn polls_are_sampled() {
    let mut gateway = Gateway::new(&router(2, ""));
    for fill in 0..160 {
        gateway.ports[0].inject(datagram(fill));
        gateway.poll();
    }
    gateway.poll();
    let [pair] = &measured(&gateway)[..] else { panic!() };
    assert_eq!((pair.count(), pair.max()), (10, 1000));
    gateway.finish();
}
