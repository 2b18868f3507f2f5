//! Bridges whose ports have shadows: what the kernel's snooping hears, what follows from what it knows,
//! and that its bridge is no second way.

use gateway::config::{Config, Snooped, SnoopedFamily, SnoopedGroup};
use gateway::packet::{BufPool, DropReason, MacAddr, PortId, PortMask, TxBuf};
use gateway::sim::HeapPool;

use crate::frames::{Udp, experimental, group_mac};
use crate::harness::{Gateway, bridge, parse};
use crate::membership;

const A: MacAddr = MacAddr([2, 0, 0, 0, 9, 1]);
const KERNEL: MacAddr = MacAddr([2, 0, 0, 0, 9, 9]);
/// Ports 0 to 3 of the file, then their shadows, of which the first stands for the host.
const PORTS: u16 = 4;
const HOST: u16 = PORTS;

fn ports(ids: &[u16]) -> PortMask {
    ids.iter().map(|&id| PortId(id)).collect()
}

/// A bridge of four ports with shadows, and what the kernel knows.
fn config(extra: &str, snooped: Option<Snooped>) -> Config {
    let mut config = parse(&bridge(PORTS.into(), &format!("host = true\n{extra}")));
    config.snooped.extend(snooped);
    config
}

fn gateway(config: &Config) -> Gateway {
    Gateway::of(config, HeapPool::new(8192, 2048), usize::MAX)
}

/// Somebody asks, a router is behind port 3; these are the members of 239.1.1.1 and ff3e::1.
fn asked(members: &[u16]) -> Snooped {
    let group = |group: &str| SnoopedGroup {
        group: group.parse().unwrap(),
        source: None,
        ports: ports(members),
    };
    let groups = vec![group("239.1.1.1"), group("ff3e::1")];
    let family = SnoopedFamily { has_querier: true, routers: ports(&[3]) };
    Snooped { bridge: 0, families: [family; 2], groups }
}

/// What left by each port, and by each shadow, for a frame that came by port 0.
fn send(gateway: &mut Gateway, frame: &[u8]) -> (Vec<usize>, Vec<usize>) {
    gateway.ports[0].inject(frame.to_vec());
    gateway.run();
    let count = |frames: Vec<Vec<u8>>| {
        assert!(frames.iter().all(|sent| sent == frame), "it leaves as it came");
        frames.len()
    };
    let down = gateway.sent().into_iter().take(PORTS.into()).map(count).collect();
    let up = gateway.cables.iter().flatten().map(|cable| {
        let frames = std::iter::from_fn(|| cable.take()).map(TxBuf::arrive);
        use gateway::packet::SharedBuf;
        count(frames.map(|frame| frame.pieces().flatten().copied().collect()).collect())
    });
    (down, up.collect())
}

fn to(group: &'static str) -> Vec<u8> {
    let src = if group.contains(':') { "fe80::1" } else { "10.0.0.1" };
    let dst_mac = group_mac(group);
    Udp { src_mac: A, dst_mac, src, dst: group, ports: (5000, 5000), ttl: 9 }.frame(&[1; 1316])
}

const NOWHERE: [usize; 4] = [0; 4];
const FLOOD: [usize; 4] = [0, 1, 1, 1];
/// Up by the shadow of the port it came from, once.
const UP: [usize; 4] = [1, 0, 0, 0];

fn demand(snooped: Option<Snooped>, frames: &[Vec<u8>], down: [usize; 4], up: [usize; 4]) {
    let mut gateway = gateway(&config("", snooped));
    for frame in frames {
        assert_eq!(send(&mut gateway, frame), (down.to_vec(), up.to_vec()), "{frame:02x?}");
    }
    gateway.finish();
}

#[test]
fn without_a_querier_all_floods_and_the_host_hears_it_once() {
    let mut silent = asked(&[1]);
    silent.families = [SnoopedFamily { has_querier: false, routers: ports(&[3]) }; 2];
    let frames = [to("239.1.1.1"), to("ff3e::1"), to("239.9.9.9"), membership::broadcast()];
    for snooped in [None, Some(silent)] {
        demand(snooped.clone(), &frames, FLOOD, UP);
        demand(snooped, &[membership::report_v2([239, 1, 1, 1])], FLOOD, UP);
    }
}

#[test]
fn with_a_querier_members_and_routers_alone_get_a_group() {
    let known = [to("239.1.1.1"), to("ff3e::1")];
    demand(Some(asked(&[1])), &known, [0, 1, 0, 1], NOWHERE);
    demand(Some(asked(&[0, 2])), &known, [0, 0, 1, 1], NOWHERE);
    demand(Some(asked(&[1, HOST])), &known, [0, 1, 0, 1], UP);
    demand(Some(asked(&[1])), &[to("239.9.9.9"), to("ff3e::9")], [0, 0, 0, 1], NOWHERE);
    let link = ["224.0.0.251", "ff02::1", "ff02::fb", "ff01::5"].map(to);
    demand(Some(asked(&[1])), &link, FLOOD, UP);
}

#[test]
fn reports_go_to_routers_and_all_else_of_membership_to_everybody() {
    let reports = [membership::report_v2([239, 1, 1, 1]), membership::mld_report()];
    demand(Some(asked(&[1, 2])), &reports, [0, 0, 0, 1], UP);
    let mut others = membership::to_routers().to_vec();
    others.extend(["239.1.1.1", "ff3e::1"].map(membership::general_query));
    demand(Some(asked(&[1, 2])), &others, FLOOD, UP);
    // With no router anywhere the kernel alone hears it.
    let mut alone = asked(&[1]);
    alone.families[0].routers = PortMask::EMPTY;
    demand(Some(alone), &reports[..1], NOWHERE, UP);
}

#[test]
fn malformed_messages_go_nowhere_and_are_counted() {
    let mut gateway = gateway(&config("", None));
    let good = [membership::report_v2([239, 1, 1, 1]), membership::mld_report()];
    let mut bad = membership::bad_queries().to_vec();
    for frame in &good {
        for cut in [1, 4] {
            // Of the message, not of the frame: the lengths say that it is shorter.
            let mut frame = frame.clone();
            *frame.last_mut().unwrap() ^= cut;
            bad.push(frame);
        }
    }
    for frame in &bad {
        assert_eq!(send(&mut gateway, frame), (NOWHERE.to_vec(), NOWHERE.to_vec()), "{frame:02x?}");
    }
    assert_eq!(gateway.drops(DropReason::BadMembership), bad.len() as u64);
    gateway.finish();
}

/// A flood of reports costs routers nothing and the kernel no more than its class has; what is for the
/// host goes on.
#[test]
fn a_flood_of_reports_is_limited_and_counted() {
    let mut gateway = gateway(&config("", Some(asked(&[]))));
    for n in 0..3000_u16 {
        let [high, low] = n.to_be_bytes();
        gateway.ports[0].inject(membership::report_v2([239, 7, high, low]));
    }
    gateway.run();
    let up = std::iter::from_fn(|| gateway.cables[4].as_ref().unwrap().take()).count();
    assert_eq!(up as u64 + gateway.drops(DropReason::PuntLimited), 3000);
    assert!((500..700).contains(&up), "{up}");
    assert_eq!(gateway.sent()[3].len(), 3000);
    assert_eq!(send(&mut gateway, &membership::broadcast()), (FLOOD.to_vec(), UP.to_vec()));
    gateway.finish();
}

/// What the kernel sends by a port's shadow leaves by that port alone; the station that sent it is
/// behind all of them, and is reached by the shadow of the port a frame comes from.
#[test]
fn the_host_is_behind_every_port() {
    let mut gateway = gateway(&config("", None));
    let query = membership::general_query("239.1.1.1");
    for port in [2, 1] {
        let cable = gateway.cables[usize::from(PORTS) + port].clone().expect("a shadow");
        for frame in [&query, &experimental(KERNEL, MacAddr::BROADCAST)] {
            let packet = gateway.pool.alloc_from(frame).unwrap();
            cable.put(packet).unwrap_or_else(|_| panic!("the cable is full"));
            gateway.run();
            let sent = gateway.sent();
            assert_eq!(sent[port], std::slice::from_ref(frame));
            assert_eq!(sent.iter().map(Vec::len).sum::<usize>(), 1, "by that port alone");
        }
    }
    let answer = experimental(A, KERNEL);
    assert_eq!(send(&mut gateway, &answer), (NOWHERE.to_vec(), UP.to_vec()));
    let bridge = &gateway.assembly.tables.current();
    let fdb = bridge.bridges()[0].fdb().entries(gateway.now);
    assert!(fdb.into_iter().any(|entry| entry.port == PortId(HOST)));
    gateway.finish();
}

/// RFC 4607: a source that has members of its own goes to them; the others to those of the group.
#[test]
fn sources_may_have_members_of_their_own() {
    let mut snooped = asked(&[1]);
    let source = Some("10.0.0.1".parse().unwrap());
    snooped.groups.push(SnoopedGroup { source, ports: ports(&[2]), ..snooped.groups[0] });
    demand(Some(snooped), &[to("239.1.1.1")], [0, 0, 1, 1], NOWHERE);
}

/// The file's members are members whether anybody asks or not, beside those the kernel knows.
#[test]
fn the_file_adds_members() {
    let file = "[[group]]\nbridge = \"br0\"\ngroup = \"239.1.1.1\"\nports = [\"p2\"]\n";
    let mut silent = asked(&[1]);
    silent.families = Default::default();
    for (snooped, down) in
        [(None, [0, 0, 1, 0]), (Some(silent), [0, 1, 1, 0]), (Some(asked(&[1])), [0, 1, 1, 1])]
    {
        let mut gateway = gateway(&config(file, snooped));
        assert_eq!(send(&mut gateway, &to("239.1.1.1")), (down.to_vec(), NOWHERE.to_vec()));
        gateway.finish();
    }
}

/// A port that an egress filter closes gets no report; the kernel hears it all the same.
#[test]
fn filters_close_ports_and_not_the_kernel() {
    let rule = |port: &str| {
        format!("[[filter]]\nat = \"egress\"\naction = \"drop\"\nmatch = {{ port = \"{port}\" }}\n")
    };
    let report = membership::report_v2([239, 1, 1, 1]);
    for (rules, down) in [(rule("p3"), NOWHERE), (rule("p1"), [0, 0, 0, 1])] {
        let mut gateway = gateway(&config(&rules, Some(asked(&[1]))));
        assert_eq!(send(&mut gateway, &report), (down.to_vec(), UP.to_vec()), "{rules}");
        gateway.finish();
    }
}
