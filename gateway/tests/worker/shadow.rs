//! The host's end of a port: what goes up to the kernel and what comes down from it.

use etherparse::PacketBuilder;
use gateway::config::Shadow;
use gateway::packet::{DropReason, MacAddr, PortId, SharedBuf, TxBuf};

use crate::frames::{Udp, group_mac, routed};
use crate::harness::{Gateway, bridge, host, parse, router};

/// Two routed ports, each with a shadow.
fn gateway(extra: &str) -> Gateway {
    Gateway::new(&with_host(&router(2, extra)))
}

fn with_host(toml: &str) -> String {
    toml.replace("[[port]]\n", "[[port]]\nhost = true\n")
}

/// What the kernel would read from the shadow of port 0 or 1.
fn punted(gateway: &Gateway, port: usize) -> Vec<Vec<u8>> {
    let cable = gateway.cables[gateway.cables.len() - 2 + port].as_ref().expect("a shadow");
    let frames = std::iter::from_fn(|| cable.take()).map(TxBuf::arrive);
    frames.map(|shared| shared.pieces().flatten().copied().collect()).collect()
}

fn udp<'a>(dst_mac: MacAddr, dst: &'a str, ttl: u8) -> Udp<'a> {
    let src = if dst.contains(':') { "2001:db8:0::2" } else { "10.0.0.2" };
    Udp { src_mac: host(0), dst_mac, src, dst, ports: (4000, 4000), ttl }
}

const MINE: MacAddr = MacAddr([2, 0, 0, 0, 0, 0]);

fn arp(operation: etherparse::ArpOperation, target: [u8; 4]) -> Vec<u8> {
    let packet = etherparse::ArpPacket::new(
        etherparse::ArpHardwareId::ETHERNET,
        etherparse::EtherType::IPV4,
        operation,
        &host(0).0,
        &[10, 0, 0, 2],
        &[0; 6],
        &target,
    );
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2(host(0).0, [0xff; 6]).arp(packet.unwrap());
    builder.write(&mut frame).unwrap();
    frame
}

#[test]
fn what_is_for_the_host_goes_up_as_it_came() {
    let mut gateway = gateway("");
    let to_group = |group: &'static str, ttl| udp(group_mac(group), group, ttl);
    let mut igmp = Vec::new();
    PacketBuilder::ethernet2(host(0).0, group_mac("239.5.5.5").0)
        .ipv4([10, 0, 0, 2], [239, 5, 5, 5], 1)
        .write(&mut igmp, etherparse::IpNumber(2), &[0x16, 0, 0xfa, 0xff, 239, 5, 5, 5])
        .unwrap();
    let frames = [
        udp(MINE, "10.0.0.1", 64).frame(b"own address"),
        udp(MINE, "10.1.0.1", 1).frame(b"another port's address, last hop"),
        udp(MINE, "2001:db8:0::1", 64).frame(b"six"),
        to_group("224.0.0.251", 255).frame(b"mdns"),
        to_group("ff02::fb", 255).frame(b"mdns six"),
        udp(MacAddr([0xff; 6]), "10.0.0.255", 64).frame(b"broadcast"),
        udp(MacAddr([0xff; 6]), "255.255.255.255", 64).frame(b"dhcp"),
        udp(MINE, "10.1.0.77", 64).frame(b"no neighbour yet"),
        udp(MINE, "172.30.0.1", 64).frame(b"no route: the kernel tells the sender"),
        to_group("239.9.9.9", 9).frame(b"no multicast route yet"),
        igmp,
        arp(etherparse::ArpOperation::REQUEST, [10, 0, 0, 1]),
        arp(etherparse::ArpOperation::REPLY, [10, 0, 0, 1]),
    ];
    for frame in &frames {
        gateway.ports[0].inject(frame.clone());
        gateway.run();
        assert_eq!(punted(&gateway, 0), std::slice::from_ref(frame));
        assert!(punted(&gateway, 1).is_empty());
    }
    assert!(gateway.sent().iter().all(Vec::is_empty));
    gateway.finish();
}

#[test]
fn transit_does_not_go_up() {
    let mut gateway = gateway("");
    let frame = udp(MINE, "10.1.0.2", 64).frame(b"transit");
    let others = udp(MacAddr([2, 0, 0, 0, 0, 9]), "10.0.0.1", 64).frame(b"another station's");
    gateway.ports[0].inject(frame.clone());
    gateway.ports[0].inject(others);
    gateway.run();
    assert_eq!(gateway.sent()[1], [routed(&frame, MacAddr([2, 0, 0, 0, 0, 1]), host(1))]);
    assert!(punted(&gateway, 0).is_empty() && punted(&gateway, 1).is_empty());
    assert_eq!(gateway.drops(DropReason::OtherMac), 1);
    gateway.finish();
}

#[test]
fn what_the_kernel_sends_leaves_as_it_is() {
    let mut gateway = gateway("");
    let frame = udp(host(1), "10.1.0.2", 64).frame(b"from the kernel");
    let cable = gateway.cables[3].clone().expect("the second shadow");
    for _ in 0..3 {
        let packet = gateway.pool.clone();
        let packet = gateway::packet::BufPool::alloc_from(&packet, &frame).unwrap();
        cable.put(packet).unwrap_or_else(|_| panic!("the cable is full"));
    }
    gateway.run();
    assert_eq!(gateway.sent()[1], [frame.clone(), frame.clone(), frame]);
    gateway.finish();
}

/// RFC 1122 3.3.9: a member on the gateway's host gets the datagram as it came, on its last hop
/// too; the other members get it routed.
#[test]
fn a_group_of_the_host_goes_up_and_on() {
    let toml = with_host(&router(
        2,
        "[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"p0\"\nto = [\"p1\"]\n",
    ));
    let mut config = parse(&toml);
    let shadow = config.shadow_of(Shadow::Port(PortId(0))).unwrap();
    config.multicast[0].to.push(shadow);
    let mut gateway = Gateway::of(&config, gateway::sim::HeapPool::new(64, 2048), usize::MAX);
    let group = group_mac("239.1.1.1");
    let (far, last_hop) = (udp(group, "239.1.1.1", 9), udp(group, "239.1.1.1", 1));
    let (far, last_hop) = (far.frame(b"one"), last_hop.frame(b"two"));
    gateway.ports[0].inject(far.clone());
    gateway.ports[0].inject(last_hop.clone());
    gateway.run();
    assert_eq!(punted(&gateway, 0), [far.clone(), last_hop]);
    assert_eq!(gateway.sent()[1], [routed(&far, MacAddr([2, 0, 0, 0, 0, 1]), group)]);
    gateway.finish();
}

/// The host is a member of the bridge like any port: flooded to, learned, alone addressed.
#[test]
fn the_host_is_a_member_of_the_bridge() {
    let toml = bridge(2, "host = true\nsnooping = false\n");
    let mut gateway = Gateway::new(&toml);
    let cable = gateway.cables[2].clone().expect("the bridge's shadow");
    let (kernel, station) = (MacAddr([2, 0, 0, 0, 9, 9]), host(0));
    let from_kernel = Udp {
        src_mac: kernel,
        dst_mac: station,
        src: "10.0.0.9",
        dst: "10.0.0.2",
        ports: (1, 2),
        ttl: 64,
    }
    .frame(b"down");
    let packet = gateway::packet::BufPool::alloc_from(&gateway.pool, &from_kernel).unwrap();
    cable.put(packet).unwrap_or_else(|_| panic!("the cable is full"));
    gateway.run();
    let sent = gateway.sent();
    for port in &sent[..2] {
        assert_eq!(port, std::slice::from_ref(&from_kernel), "flooded");
    }
    let answer = Udp {
        src_mac: station,
        dst_mac: kernel,
        src: "10.0.0.2",
        dst: "10.0.0.9",
        ports: (2, 1),
        ttl: 64,
    }
    .frame(b"up");
    gateway.ports[0].inject(answer.clone());
    gateway.run();
    let up: Vec<_> = std::iter::from_fn(|| cable.take()).map(TxBuf::arrive).collect();
    assert_eq!(up.len(), 1);
    assert_eq!(up[0].head(), answer);
    assert!(gateway.sent().iter().all(Vec::is_empty), "learned: nobody else gets it");
    drop((up, cable));
    gateway.finish();
}

/// A flood of one class silences no other, and every datagram of it is accounted for.
#[test]
fn punts_are_limited_by_class() {
    let mut gateway = gateway("");
    for _ in 0..3000 {
        gateway.ports[0].inject(udp(MINE, "172.30.0.1", 64).frame(b"no route"));
    }
    gateway.ports[0].inject(arp(etherparse::ArpOperation::REQUEST, [10, 0, 0, 1]));
    gateway.run();
    let up = punted(&gateway, 0);
    assert_eq!(up[0][12..14], [0x08, 0x06], "ARP goes ahead");
    assert_eq!(up.len() as u64 - 1 + gateway.drops(DropReason::PuntLimited), 3000);
    assert!((90..200).contains(&up.len()), "{}", up.len());
    gateway.finish();
}

/// A host side that has stopped reading costs only what is for it.
#[test]
fn a_full_cable_drops_and_counts() {
    let toml = format!("[runtime]\nhandoff = 64\n{}", with_host(&router(2, "")));
    let mut gateway = Gateway::new(&toml);
    for _ in 0..100 {
        gateway.ports[0].inject(udp(MINE, "10.0.0.1", 64).frame(b"local"));
        gateway.ports[0].inject(udp(MINE, "10.1.0.2", 64).frame(b"transit"));
    }
    gateway.run();
    assert_eq!((punted(&gateway, 0).len(), gateway.drops(DropReason::HostFull)), (64, 36));
    assert_eq!(gateway.sent()[1].len(), 100);
    gateway.finish();
}
