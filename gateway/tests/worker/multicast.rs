use gateway::packet::{BufPool, MacAddr};

use crate::frames::{Udp, group_mac, routed};
use crate::harness::{Gateway, host, router};

const ROUTE: &str = "[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\", \"p3\"]\n\
                     [[multicast]]\ngroup = \"ff3e::1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\", \"p3\"]\n";

/// Long frames get private headers.
const COPY_SHORT: &str = "[runtime]\ncopy_up_to = 384\n";

fn to_group<'a>(src: &'a str, group: &'a str) -> Udp<'a> {
    Udp {
        src_mac: host(0),
        dst_mac: group_mac(group),
        src,
        dst: group,
        ports: (5000, 5000),
        ttl: 9,
    }
}

/// What several ports have, as VRRP makes it.
const COMMON: MacAddr = MacAddr([0, 0, 0x5e, 0, 1, 7]);

/// The router with these ports `alike`.
fn of_one_address(alike: &[usize]) -> String {
    let mut toml = router(4, &format!("{ROUTE}{COPY_SHORT}"));
    for port in alike {
        let device = format!("\"net_null{port}\"\n");
        toml = toml.replace(&device, &format!("{device}mac = \"{COMMON}\"\n"));
    }
    toml
}

fn mac_of(port: usize, alike: &[usize]) -> MacAddr {
    if alike.contains(&port) { COMMON } else { MacAddr([2, 0, 0, 0, 0, port as u8]) }
}

/// Each port's replica has that port's source address and its own bytes, for every way of making
/// replicas: whole copies, private headers, ports that take one piece.
#[test]
fn every_replica_is_private() {
    for (src, group) in [("10.0.0.2", "239.1.1.1"), ("2001:db8:0::2", "ff3e::1")] {
        for (payload, max_pieces) in [(22, 40), (1316, 40), (1316, 1)] {
            let pool = gateway::sim::HeapPool::new(4096, 2048);
            let with_headers = router(4, &format!("{ROUTE}{COPY_SHORT}"));
            let mut gateway = Gateway::with_pool(&with_headers, pool, max_pieces);
            let train: Vec<_> =
                (0..16u8).map(|n| to_group(src, group).frame(&vec![n; payload])).collect();
            for port in 1..4 {
                gateway.ports[port].hold_transmitted(1024);
            }
            for frame in &train {
                gateway.ports[0].inject(frame.clone());
            }
            gateway.run();
            for (port, sent) in gateway.sent().into_iter().enumerate().skip(1) {
                let port_mac = MacAddr([2, 0, 0, 0, 0, port as u8]);
                let expected: Vec<_> =
                    train.iter().map(|f| routed(f, port_mac, group_mac(group))).collect();
                assert_eq!(sent, expected, "port {port}");
            }
            let fanout = gateway.assembly.workers[0].snapshot().fanout;
            if payload > 1000 && max_pieces > 1 {
                assert_eq!((fanout.private_headers, fanout.whole_copies), (48, 0));
            } else {
                assert_eq!((fanout.private_headers, fanout.whole_copies), (0, 32));
            }
            gateway.finish();
        }
    }
}

/// What stands in for one another has one address on several ports: what is rewritten alike is written
/// once, and nobody's bytes change when the others are sent.
#[test]
fn ports_of_one_address_share_what_is_rewritten_alike() {
    for alike in [&[1, 2][..], &[1, 3], &[2, 3], &[1, 2, 3]] {
        for (payload, max_pieces) in [(22, 40), (1316, 40), (1316, 1)] {
            let pool = gateway::sim::HeapPool::new(4096, 2048);
            let mut gateway = Gateway::with_pool(&of_one_address(alike), pool.clone(), max_pieces);
            let train: Vec<_> = (0..16u8)
                .map(|n| to_group("10.0.0.2", "239.1.1.1").frame(&vec![n; payload]))
                .collect();
            gateway.ports[1..].iter().for_each(|port| port.hold_transmitted(1024));
            for frame in &train {
                gateway.ports[0].inject(frame.clone());
            }
            let before = pool.available();
            gateway.run();
            let taken = before - pool.available();
            for (port, sent) in gateway.sent().into_iter().enumerate().skip(1) {
                let mac = mac_of(port, alike);
                let expected: Vec<_> =
                    train.iter().map(|f| routed(f, mac, group_mac("239.1.1.1"))).collect();
                assert_eq!(sent, expected, "port {port} of {alike:?}");
            }
            let made = gateway.assembly.workers[0].snapshot().fanout;
            let ways = [made.shared, made.private_headers, made.whole_copies, made.in_place];
            assert_eq!(ways.iter().sum::<u64>(), 48, "{made:?}");
            if gateway::ideas::EQUAL {
                let addresses = 4 - alike.len() as u64;
                assert_eq!(made.shared, 16 * (3 - addresses), "{made:?}");
                // Of a datagram each address takes a copy, the last one the original, or a head and a
                // body in front of it.
                let headers = payload > 1000 && max_pieces > 1;
                let buffers = if headers { 1 + 2 * addresses } else { addresses };
                assert_eq!(taken as u64, 16 * buffers, "{alike:?} {payload} {max_pieces}");
            }
            gateway.finish();
        }
    }
}

#[test]
fn the_pool_may_run_dry_at_every_allocation() {
    for fail_after in 0..120 {
        for (payload, alike) in [(22, &[][..]), (1316, &[]), (22, &[1, 3]), (1316, &[1, 3])] {
            let pool = gateway::sim::HeapPool::new(4096, 2048);
            let mut gateway = Gateway::with_pool(&of_one_address(alike), pool.clone(), 40);
            let train: Vec<_> = (0..8u8)
                .map(|n| to_group("10.0.0.2", "239.1.1.1").frame(&vec![n; payload]))
                .collect();
            for frame in &train {
                gateway.ports[0].inject(frame.clone());
            }
            pool.fail_after(fail_after);
            gateway.run();
            let sent = gateway.sent();
            for (port, sent) in sent.iter().enumerate().skip(1) {
                let port_mac = mac_of(port, alike);
                for frame in sent {
                    let whole =
                        train.iter().any(|f| routed(f, port_mac, group_mac("239.1.1.1")) == *frame);
                    assert!(whole, "a half-built frame left port {port}");
                }
            }
            let missing = gateway.drops(gateway::packet::DropReason::ReplicaNoBuffer);
            let left: usize = sent.iter().map(Vec::len).sum();
            let received = gateway.totals().ledger.rx;
            assert_eq!(left as u64 + missing, received * 3);
            // What is made for two ports is missing at both, the same datagram.
            assert!(missing <= alike.len().max(1) as u64 && received >= 7);
            assert!(!gateway::ideas::EQUAL || alike.is_empty() || sent[1] == sent[3]);
            gateway.finish();
        }
    }
}
