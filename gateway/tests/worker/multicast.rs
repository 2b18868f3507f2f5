use gateway::packet::MacAddr;

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

#[test]
fn the_pool_may_run_dry_at_every_allocation() {
    for fail_after in 0..120 {
        for payload in [22, 1316] {
            let pool = gateway::sim::HeapPool::new(4096, 2048);
            let mut gateway =
                Gateway::with_pool(&router(4, &format!("{ROUTE}{COPY_SHORT}")), pool.clone(), 40);
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
                let port_mac = MacAddr([2, 0, 0, 0, 0, port as u8]);
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
            assert!(missing <= 1 && received >= 7);
            gateway.finish();
        }
    }
}
