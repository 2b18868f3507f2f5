use gateway::packet::{DropReason, MacAddr};

use crate::frames::{Udp, experimental, group_mac};
use crate::harness::{Gateway, bridge};

const A: MacAddr = MacAddr([2, 0, 0, 0, 9, 1]);
const B: MacAddr = MacAddr([2, 0, 0, 0, 9, 2]);

/// Semantics 7.1: two mDNS datagrams of 91 and 62 bytes back to back to a bridge.
#[test]
fn mdns_pair_leaves_every_other_port_as_it_came() {
    let mdns = Udp {
        src_mac: A,
        dst_mac: group_mac("ff02::fb"),
        src: "fe80::1",
        dst: "ff02::fb",
        ports: (5353, 5353),
        ttl: 255,
    };
    let pair = [mdns.frame(&[7; 91 - 62]), mdns.frame(&[])];
    let pair = [pair[0].clone(), {
        let mut p = pair[1].clone();
        p.truncate(62);
        p
    }];
    assert_eq!((pair[0].len(), pair[1].len()), (91, 62));
    for blocked in [None, Some(1), Some(2), Some(3)] {
        let mut gateway = Gateway::new(&bridge(4, ""));
        if let Some(port) = blocked {
            gateway.ports[port].limit_tx(Some(0));
        }
        for frame in &pair {
            gateway.ports[0].inject(frame.clone());
        }
        gateway.run();
        for (port, sent) in gateway.sent().into_iter().enumerate() {
            let expected: &[Vec<u8>] = if port == 0 || Some(port) == blocked { &[] } else { &pair };
            assert_eq!(sent, expected, "port {port}, blocked {blocked:?}");
        }
        let totals = gateway.finish();
        assert_eq!(totals.ledger.rx, 2);
        assert_eq!(totals.ledger.replicated, 4);
        let shutdown = totals.drops[DropReason::Shutdown.index()];
        assert_eq!(shutdown, if blocked.is_some() { 2 } else { 0 });
    }
}

#[test]
fn a_learned_station_is_reached_by_its_port_only_and_may_move() {
    let mut gateway = Gateway::new(&bridge(3, ""));
    gateway.ports[1].inject(experimental(B, A));
    gateway.run();
    gateway.sent();
    let to_b = experimental(A, B);
    gateway.ports[0].inject(to_b.clone());
    gateway.run();
    assert_eq!(gateway.sent(), [vec![], vec![to_b.clone()], vec![]]);
    gateway.ports[2].inject(experimental(B, A)); // B moves to port 2; A is known on port 0
    gateway.run();
    assert_eq!(gateway.sent(), [vec![experimental(B, A)], vec![], vec![]]);
    gateway.ports[0].inject(to_b.clone());
    gateway.run();
    assert_eq!(gateway.sent(), [vec![], vec![], vec![to_b]]);
    gateway.finish();
}

/// Datagrams between known stations, one that floods among them, and a station that moves: of one
/// burst each leaves as it would have on its own, in order.
#[test]
fn known_stations_in_one_burst() {
    const C: MacAddr = MacAddr([2, 0, 0, 0, 9, 3]);
    let (src, dst) = ("10.0.0.1", "10.0.0.2");
    let udp = |src_mac, dst_mac, n: u8| {
        Udp { src_mac, dst_mac, src, dst, ports: (1, 2), ttl: 64 }.frame(&[n; 100])
    };
    let tagged = |frame: &[u8]| [&frame[..12], &[0x81, 0, 0, 7], &frame[12..]].concat();
    let hello = |station| experimental(station, MacAddr::BROADCAST);
    let mut gateway = Gateway::new(&bridge(3, "[gro]\nmode = \"off\"\n"));
    let stations = [(0, hello(A)), (1, hello(B)), (2, hello(C)), (1, tagged(&hello(B)))];
    for (port, hello) in stations {
        gateway.ports[port].inject(hello);
    }
    gateway.run();
    gateway.sent();
    let (moves, floods, to_c) = (udp(C, B, 1), hello(A), udp(A, C, 2));
    let to_b = [udp(A, B, 3), udp(A, B, 4), udp(A, B, 5)];
    // A is not known there at first.
    let in_vlan = [tagged(&to_b[0]), tagged(&to_b[1])];
    let burst = [
        [&to_b[0], &to_b[1], &floods, &to_c, &to_b[2]],
        [&moves, &in_vlan[0], &in_vlan[1], &to_c, &to_b[0]],
    ];
    for frame in burst.concat() {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
    let [first, second, third] = to_b;
    let [tagged_first, tagged_second] = in_vlan;
    let to_1 = [&first, &second, &floods, &third, &moves, &tagged_first, &tagged_second, &first];
    // C is where A is now, and what A has for it goes nowhere.
    assert_eq!(gateway.sent(), [vec![], to_1.map(Clone::clone).into(), vec![floods.clone(), to_c]]);
    assert_eq!(gateway.drops(DropReason::SamePort), 1);
    gateway.finish();
}

/// A station appears in the middle of a held train: what came before it is still flooded.
#[test]
fn a_held_datagram_does_not_see_a_later_table_change() {
    let udp =
        Udp { src_mac: A, dst_mac: B, src: "10.0.0.1", dst: "10.0.0.2", ports: (1, 2), ttl: 64 };
    for gro in ["off", "list"] {
        let mut gateway =
            Gateway::new(&bridge(3, &format!("[gro]\nmode = \"{gro}\"\nmax_hold_us = 1000\n")));
        let train: Vec<_> = (0..4u8).map(|n| udp.frame(&[n; 100])).collect();
        gateway.ports[0].inject(train[0].clone());
        gateway.ports[0].inject(train[1].clone());
        gateway.poll();
        gateway.ports[2].inject(experimental(B, MacAddr::BROADCAST));
        gateway.poll();
        gateway.ports[0].inject(train[2].clone());
        gateway.ports[0].inject(train[3].clone());
        gateway.now = gateway.now + gateway::time::Nanos::from_micros(2000);
        gateway.run();
        gateway.now = gateway.now + gateway::time::Nanos::from_micros(2000);
        gateway.run();
        let sent = gateway.sent();
        let announced = experimental(B, MacAddr::BROADCAST);
        assert_eq!(sent[1], [train[0].clone(), train[1].clone(), announced], "gro {gro}");
        assert_eq!(sent[2], train, "gro {gro}");
        gateway.finish();
    }
}

#[test]
fn static_groups_reach_members_only() {
    let group = "[[group]]\nbridge = \"br0\"\ngroup = \"239.1.1.1\"\nports = [\"p1\", \"p2\"]\n";
    let mut gateway = Gateway::new(&bridge(4, group));
    let known = Udp {
        src_mac: A,
        dst_mac: group_mac("239.1.1.1"),
        src: "10.0.0.1",
        dst: "239.1.1.1",
        ports: (5000, 5000),
        ttl: 1,
    };
    let unknown = Udp { dst: "239.129.1.1", ..known }; // the same Ethernet address
    gateway.ports[0].inject(known.frame(&[1; 1316]));
    gateway.ports[0].inject(unknown.frame(&[2; 1316]));
    gateway.run();
    let (one, two) = (known.frame(&[1; 1316]), unknown.frame(&[2; 1316]));
    assert_eq!(
        gateway.sent(),
        [vec![], vec![one.clone(), two.clone()], vec![one, two.clone()], vec![two]]
    );
    gateway.finish();
}

/// Frames with a valid Ethernet header leave verbatim, whatever is behind it.
#[test]
fn malformed_ip_is_bridged_verbatim() {
    let mut gateway = Gateway::new(&bridge(2, ""));
    let good = experimental(A, B);
    let mut broken = Vec::new();
    for byte in 14..34 {
        for len in [good.len(), 34, 20, 14] {
            let mut frame = good[..len].to_vec();
            if byte < len {
                frame[byte] ^= 0xff;
            }
            broken.push(frame);
        }
    }
    for frame in &broken {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
    assert_eq!(gateway.sent(), [vec![], broken]);
    gateway.finish();
}
