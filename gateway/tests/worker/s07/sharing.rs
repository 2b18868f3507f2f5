use gateway::packet::{BufPool, DropReason, MacAddr, PacketBuf, SharedBuf};
use gateway::sim::{HeapBuf, HeapPool};

use super::{alike, burst, burst_of_packets, coalesced, fanout, in_every_form, with_form};
use crate::frames::{Udp, group_mac, routed};
use crate::harness::{Gateway, bridge, host, router};

type Held = <HeapBuf as PacketBuf>::Shared;

const FANOUT: &str = "[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"p0\"\n\
                      to = [\"p1\", \"p2\", \"p3\"]\n";

fn to_group() -> Udp<'static> {
    let (src, dst) = ("10.0.0.2", "239.1.1.1");
    Udp { src_mac: host(0), dst_mac: group_mac(dst), src, dst, ports: (5000, 5000), ttl: 9 }
}

fn train(count: u8, payload: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| to_group().frame(&vec![n; payload])).collect()
}

fn port_mac(port: usize) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, port as u8])
}

fn bytes(held: &Held) -> Vec<u8> {
    held.pieces().flatten().copied().collect()
}

/// A packet with this frame whose bytes behind the first `private` another one holds.
fn shared(pool: &HeapPool, frame: &[u8], private: usize) -> (HeapBuf, Held) {
    let held = pool.alloc_from(frame).unwrap().share();
    (held.with_private_header(private, pool).unwrap(), held)
}

/// The local listener is a port like the others here: there is no host side.
#[test]
fn s07_01_the_mdns_pair_arrives_at_every_port_whoever_sends_and_whoever_is_blocked() {
    let pair = gateway::demo::mdns::frames().unwrap();
    assert_eq!(gateway::demo::mdns::queries().map(|query| query.len()), [91, 62]);
    for sender in 0..4 {
        for blocked in (0..4).filter(|&port| port != sender).map(Some).chain([None]) {
            let sent = alike(|form| {
                let mut gateway = Gateway::new(&with_form(&bridge(4, ""), form));
                if let Some(port) = blocked {
                    gateway.ports[port].limit_tx(Some(0));
                }
                pair.iter().for_each(|frame| gateway.ports[sender].inject(frame.clone()));
                gateway.run();
                assert_eq!(coalesced(&gateway), if form == "off" { 0 } else { 2 });
                let before = gateway.sent();
                gateway.ports.iter().for_each(|port| port.limit_tx(None));
                gateway.run();
                let after = gateway.sent();
                gateway.finish();
                [before, after]
            });
            let [before, after] = sent;
            for (port, (before, after)) in before.into_iter().zip(after).enumerate() {
                let due = if port == sender { &[][..] } else { &pair };
                let (in_time, late) =
                    if blocked == Some(port) { (&[][..], due) } else { (due, &[][..]) };
                assert_eq!((&before[..], &after[..]), (in_time, late), "{sender} to {port}");
            }
        }
    }
}

#[test]
fn s07_02_a_tap_holds_what_is_forwarded_and_split_and_sees_its_own_bytes() {
    let frames = train(8, 700);
    for private in [42, 64] {
        for form in super::FORMS {
            let mut gateway = Gateway::new(&with_form(&router(4, FANOUT), form));
            let pool = gateway.pool.clone();
            let (packets, tap): (Vec<_>, Vec<_>) =
                frames.iter().map(|frame| shared(&pool, frame, private)).unzip();
            burst_of_packets(&mut gateway, packets);
            for (port, sent) in gateway.sent().iter().enumerate().skip(1) {
                let expected = frames.iter().map(|f| routed(f, port_mac(port), f_group()));
                assert_eq!(*sent, expected.collect::<Vec<_>>(), "{form} {private}");
            }
            assert!(tap.iter().map(bytes).eq(frames.iter().cloned()), "{form} {private}");
            assert_eq!(pool.capacity() - pool.available(), frames.len(), "the tap's, no others");
            drop(tap);
            gateway.finish();
        }
    }
}

fn f_group() -> MacAddr {
    group_mac("239.1.1.1")
}

const LISTENERS: [MacAddr; 3] =
    [MacAddr([2, 0, 0, 0, 8, 1]), MacAddr([2, 0, 0, 0, 8, 2]), MacAddr([2, 0, 0, 0, 8, 3])];

fn listener(group: &str, port: usize, mac: MacAddr) -> String {
    format!(
        "[[listener]]\nbridge = \"br0\"\ngroup = \"{group}\"\nport = \"p{port}\"\nmac = \"{mac}\"\n"
    )
}

fn to(frame: &[u8], mac: MacAddr) -> Vec<u8> {
    [&mac.0[..], &frame[6..]].concat()
}

#[test]
fn s07_03_each_listener_on_a_port_gets_copies_to_its_own_address() {
    for (src, dst) in [("10.0.0.2", "239.1.1.1"), ("2001:db8::2", "ff3e::1")] {
        // p2 has a member, p3 nobody; the second listener sends, too
        let toml = bridge(4, &LISTENERS.map(|mac| listener(dst, 1, mac)).concat())
            + &format!("[[group]]\nbridge = \"br0\"\ngroup = \"{dst}\"\nports = [\"p2\"]\n");
        for src_mac in [host(0), LISTENERS[1]] {
            let udp = Udp { src_mac, dst_mac: group_mac(dst), src, dst, ports: (1, 2), ttl: 4 };
            let train: Vec<_> = [500, 500, 500, 70].map(|len| udp.frame(&vec![7; len])).into();
            let sent = in_every_form(&toml, &train);
            let listening = LISTENERS.iter().filter(|mac| **mac != src_mac);
            let copies: Vec<_> =
                train.iter().flat_map(|f| listening.clone().map(|mac| to(f, *mac))).collect();
            assert_eq!(sent, [vec![], copies, train, vec![]]);
        }
    }
}

#[test]
fn s07_03_nothing_goes_back_and_every_copy_is_tested_by_its_ports_mtu() {
    let alone = bridge(2, &listener("239.1.1.1", 1, LISTENERS[0]));
    let udp = |src_mac| Udp { src_mac, ..to_group() };
    let mut gateway = Gateway::new(&alone);
    gateway.ports[1].inject(udp(host(1)).frame(&[1; 100])); // from behind the listener's port
    gateway.ports[0].inject(udp(LISTENERS[0]).frame(&[1; 100])); // by the listener itself
    gateway.run();
    assert_eq!(gateway.sent(), [vec![], Vec::<Vec<u8>>::new()]);
    assert_eq!(gateway.drops(DropReason::NoEgress), 2);
    gateway.finish();

    let device = "device = \"net_null1\"\n";
    let small = alone.replace(device, &format!("{device}mtu = 600\n"));
    let train: Vec<_> = [700, 700, 300].map(|len| to_group().frame(&vec![7; len])).into();
    for form in super::FORMS {
        let mut gateway = Gateway::new(&with_form(&small, form));
        burst(&mut gateway, &train);
        assert_eq!(gateway.ports[1].take_sent(), [to(&train[2], LISTENERS[0])], "{form}");
        assert_eq!(gateway.drops(DropReason::TooBig), 2, "{form}");
        gateway.finish();
    }
}

/// A filter at egress is asked about a port once, and closes it to all of its listeners.
#[test]
fn s07_03_a_closed_port_has_no_listeners() {
    let rule = "[[filter]]\nat = \"egress\"\nmatch = { port = \"p1\" }\naction = \"drop\"\n";
    let listeners = LISTENERS.map(|mac| listener("239.1.1.1", 1, mac)).concat()
        + &listener("239.1.1.1", 2, MacAddr([2, 0, 0, 0, 8, 9]));
    let toml = bridge(3, &(listeners + rule));
    let frames = train(3, 200);
    for form in super::FORMS {
        let mut gateway = Gateway::new(&with_form(&toml, form));
        burst(&mut gateway, &frames);
        let copies = frames.iter().map(|f| to(f, MacAddr([2, 0, 0, 0, 8, 9])));
        assert_eq!(gateway.sent(), [vec![], vec![], copies.collect::<Vec<_>>()]);
        assert_eq!(gateway.drops(DropReason::Filtered), 3);
        gateway.finish();
    }
}

/// The decision that others share is not touched: IGMP to the group stays as it was sent.
#[test]
fn s07_03_membership_messages_are_not_converted() {
    let toml = bridge(3, &listener("239.1.1.1", 1, LISTENERS[0]));
    let mut report = Vec::new();
    etherparse::PacketBuilder::ethernet2(host(0).0, group_mac("239.1.1.1").0)
        .ipv4([10, 0, 0, 2], [239, 1, 1, 1], 1)
        .write(&mut report, etherparse::IpNumber::IGMP, &[0x16, 0, 0xf9, 0xfc, 239, 1, 1, 1])
        .unwrap();
    let sent = in_every_form(&toml, &[report.clone()]);
    assert_eq!(sent, [vec![], vec![report.clone()], vec![report]]);
}

#[test]
fn s07_04_whole_copies_are_equal_in_every_segment() {
    let mut frames = train(9, 900);
    frames.push(to_group().frame(&[9; 33]));
    for (up_to, whole) in [(16384, 20), (0, 0)] {
        let toml = router(4, &format!("{FANOUT}[runtime]\ncopy_up_to = {up_to}\n"));
        for form in super::FORMS {
            let mut gateway = Gateway::new(&with_form(&toml, form));
            burst(&mut gateway, &frames);
            for (port, sent) in gateway.sent().iter().enumerate().skip(1) {
                let expected = frames.iter().map(|f| routed(f, port_mac(port), f_group()));
                assert_eq!(*sent, expected.collect::<Vec<_>>(), "{form}");
            }
            let made = fanout(&gateway);
            assert_eq!((made.whole_copies, made.private_headers), (whole, 30 - 3 * whole / 2));
            gateway.finish();
        }
    }
}

#[test]
fn s07_05_cycles_with_a_failing_pool_end_where_they_began() {
    for form in super::FORMS {
        let toml = with_form(&router(4, FANOUT), form);
        let pool = HeapPool::new(512, 1700);
        let mut gateway = Gateway::with_pool(&toml, pool.clone(), 3);
        let frames = train(4, 600);
        for cycle in 0..4000 {
            if cycle % 3 == 0 {
                pool.fail_after(cycle % 17);
            }
            burst(&mut gateway, &frames);
            pool.fail_after(u64::MAX);
            gateway.ports.iter().for_each(|port| drop(port.take_sent()));
            assert!(pool.is_full(), "cycle {cycle}");
        }
        let lost = gateway.drops(DropReason::ReplicaNoBuffer);
        assert!(lost > 100, "{form}: {lost}");
        gateway.finish();
    }
}

#[test]
fn s07_06_shared_packets_merged_with_private_ones_are_not_edited_for_their_holders() {
    let unicast = Udp { dst_mac: port_mac(0), dst: "10.1.0.2", ..to_group() };
    let frames: Vec<_> = (0..6).map(|n| unicast.frame(&[n; 300])).collect();
    for form in super::FORMS {
        let mut gateway = Gateway::new(&with_form(&router(2, ""), form));
        let pool = gateway.pool.clone();
        let mut held = Vec::new();
        let packets = frames.iter().enumerate().map(|(n, frame)| match n % 2 {
            0 => pool.alloc_from(frame).unwrap(),
            _ => {
                let (packet, holder) = shared(&pool, frame, 64);
                held.push(holder);
                packet
            }
        });
        let packets = packets.collect();
        burst_of_packets(&mut gateway, packets);
        assert_eq!(coalesced(&gateway), if form == "off" { 0 } else { 6 });
        let expected: Vec<_> = frames.iter().map(|f| routed(f, port_mac(1), host(1))).collect();
        assert_eq!(gateway.ports[1].take_sent(), expected, "{form}");
        assert!(held.iter().map(bytes).eq(frames.iter().skip(1).step_by(2).cloned()), "{form}");
        drop(held);
        gateway.finish();
    }
}

#[test]
fn s07_07_buffers_of_two_pools_in_one_super_packet_go_home_each() {
    let frames = train(7, 300);
    for form in super::FORMS {
        let mut gateway = Gateway::new(&with_form(&router(4, FANOUT), form));
        let pools = [gateway.pool.clone(), HeapPool::new(64, 2048)];
        let packets = frames.iter().zip(pools.iter().cycle());
        let packets = packets.map(|(frame, pool)| pool.alloc_from(frame).unwrap()).collect();
        burst_of_packets(&mut gateway, packets);
        assert_eq!(coalesced(&gateway), if form == "off" { 0 } else { 7 });
        assert_eq!(gateway.sent().iter().map(Vec::len).collect::<Vec<_>>(), [0, 7, 7, 7]);
        gateway.finish();
        assert!(pools[1].is_full(), "{form}");
    }
}

#[test]
fn s07_08_the_first_packet_of_a_flow_to_many_ports_makes_one_entry() {
    for form in ["list", "merge"] {
        let extra = "[gro]\nmax_hold_us = 1000\nmode = ";
        for toml in [router(4, FANOUT), bridge(4, "")] {
            let mut gateway = Gateway::new(&format!("{toml}{extra}\"{form}\"\n"));
            burst(&mut gateway, &train(1, 100));
            let (_, gro) = gateway.assembly.workers[0].snapshot().gro[0];
            assert_eq!((gro.flows, gro.flows_peak), (1, 1), "{form}");
            let learned: u32 =
                gateway.assembly.tables.current().bridges().iter().map(|b| b.fdb().used()).sum();
            assert_eq!(learned, u32::from(toml.contains("[[bridge]]")));
            gateway.finish();
        }
    }
}
