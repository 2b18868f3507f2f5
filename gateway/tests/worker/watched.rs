//! Multicast routes of the kernel: how far they reach, and what the kernel hears of them.

use gateway::config::{KernelEntry, Shadow};
use gateway::packet::{DropReason, MacAddr, PortId, SharedBuf, TxBuf};
use gateway::runtime::Rounds;
use gateway::sim::HeapPool;
use gateway::time::Nanos;

use crate::frames::{Udp, group_mac, routed};
use crate::harness::{Gateway, host, parse, router};

const GROUPS: [(&str, &str); 2] = [("10.0.0.2", "239.1.1.1"), ("2001:db8:0::2", "ff3e::1")];

/// From p0 to p1 with more than one hop left, to p2 with more than 8; as the kernel has it. `to_host`
/// adds the host's end of p0: a program there is a member.
fn gateway(mode: &str, to: &[u16], to_host: bool) -> Gateway {
    let routes = GROUPS.map(|(_, group)| {
        format!("[[multicast]]\ngroup = \"{group}\"\nfrom = \"p0\"\nto = [\"p1\"]\n")
    });
    let toml = router(3, &routes.concat()).replace("[[port]]\n", "[[port]]\nhost = true\n");
    let mut config = parse(&format!("[gro]\nmode = \"{mode}\"\n{toml}"));
    let shadow = config.shadow_of(Shadow::Port(PortId(0))).unwrap();
    for route in &mut config.multicast {
        route.to = to.iter().map(|&port| PortId(port)).collect();
        route.to.extend(to_host.then_some(shadow));
        route.kernel = Some(KernelEntry { thresholds: vec![(PortId(2), 8)], shadow });
    }
    Gateway::of(&config, HeapPool::new(512, 2048), usize::MAX)
}

fn frame(family: usize, hops: u8, payload: &[u8]) -> Vec<u8> {
    let (src, dst) = GROUPS[family];
    let (src_mac, dst_mac) = (host(0), group_mac(dst));
    Udp { src_mac, dst_mac, src, dst, ports: (5000, 5000), ttl: hops }.frame(payload)
}

/// What the kernel would read from the shadow of p0.
fn heard(gateway: &Gateway) -> Vec<Vec<u8>> {
    let cable = gateway.cables[3].as_ref().expect("a shadow");
    let frames = std::iter::from_fn(|| cable.take()).map(TxBuf::arrive);
    frames.map(|shared| shared.pieces().flatten().copied().collect()).collect()
}

fn leaving(frame: &[u8], port: u8, family: usize) -> Vec<u8> {
    routed(frame, MacAddr([2, 0, 0, 0, 0, port]), group_mac(GROUPS[family].1))
}

#[test]
fn a_datagram_leaves_only_where_it_has_hops_enough() {
    for (mode, family) in [("off", 0), ("list", 0), ("merge", 0), ("list", 1)] {
        let mut gateway = gateway(mode, &[1, 2], false);
        let frames: Vec<_> =
            [1, 2, 8, 9, 9, 9, 255].map(|hops| frame(family, hops, b"ten bytes.")).into();
        frames.iter().for_each(|frame| gateway.ports[0].inject(frame.clone()));
        gateway.run();
        let sent = gateway.sent();
        let leave = |port, from: usize| -> Vec<_> {
            frames[from..].iter().map(|frame| leaving(frame, port, family)).collect()
        };
        assert_eq!((&sent[1], &sent[2]), (&leave(1, 1), &leave(2, 3)), "{mode}");
        assert_eq!(gateway.drops(DropReason::TtlThreshold), 2);
        assert_eq!(gateway.drops(DropReason::TtlExpired), 1);
        assert!(heard(&gateway).is_empty(), "nobody asked");
        gateway.finish();
    }
}

#[test]
fn what_reaches_no_port_is_counted_once_for_each() {
    let mut gateway = gateway("list", &[2], false);
    (0..3).for_each(|_| gateway.ports[0].inject(frame(0, 8, b"short of breath")));
    gateway.run();
    assert!(gateway.sent().iter().all(Vec::is_empty));
    assert_eq!(gateway.drops(DropReason::TtlThreshold), 3);
    gateway.finish();
}

/// Asked, the data path tells of one datagram of each route with traffic, with one hop left; also
/// of a route that leads nowhere.
#[test]
fn the_kernel_hears_of_one_datagram_when_it_asks() {
    for to in [&[1, 2][..], &[]] {
        let mut gateway = gateway("list", to, false);
        let mut rounds = Rounds::new(Nanos(0));
        for (round, family) in [(0, 0), (1, 1), (2, 0)] {
            let now = Nanos::from_secs(round);
            rounds.step(&gateway.assembly.tables.current(), now);
            rounds.step(&gateway.assembly.tables.current(), now + Nanos::from_micros(900_000));
            for payload in [b"first", b"other", b"third"] {
                gateway.ports[0].inject(frame(family, 9, payload));
            }
            gateway.run();
            assert_eq!(heard(&gateway), [frame(family, 1, b"first")], "round {round}");
            let sent = gateway.sent();
            assert_eq!((sent[1].len(), sent[2].len()), if to.is_empty() { (0, 0) } else { (3, 3) });
        }
        gateway.finish();
    }
}

/// A member on the host gets everything, and the kernel nothing that it would forward again.
#[test]
fn members_on_the_host_get_what_goes_no_further() {
    for mode in ["off", "list", "merge"] {
        let mut gateway = gateway(mode, &[1], true);
        let frames = [7, 8, 9].map(|byte| frame(0, 9, &[byte; 100]));
        gateway.assembly.tables.current().watches().for_each(gateway::forward::Watch::ask);
        frames.iter().for_each(|frame| gateway.ports[0].inject(frame.clone()));
        gateway.run();
        assert_eq!(heard(&gateway), [7, 8, 9].map(|byte| frame(0, 1, &[byte; 100])));
        assert_eq!(gateway.sent()[1], frames.map(|frame| leaving(&frame, 1, 0)));
        gateway.finish();
    }
}

/// Nor does a pool that is dry, or a kernel that does not read, harm the members.
#[test]
fn no_room_for_the_kernel_costs_only_the_kernel() {
    let mut gateway = gateway("list", &[1], true);
    for _ in 0..70 {
        for byte in 0..64 {
            gateway.ports[0].inject(frame(0, 9, &[byte; 100]));
        }
        gateway.run();
        assert_eq!(gateway.sent()[1].len(), 64);
    }
    assert!(gateway.drops(DropReason::ReplicaNoBuffer) > 0);
    heard(&gateway);
    gateway.finish();
}
