use gateway::packet::MacAddr;

use crate::frames::{Udp, routed};
use crate::harness::{Gateway, host, router};

fn to_gateway<'a>(src: &'a str, dst: &'a str) -> Udp<'a> {
    let dst_mac = MacAddr([2, 0, 0, 0, 0, 0]);
    Udp { src_mac: host(0), dst_mac, src, dst, ports: (4000, 5000), ttl: 64 }
}

/// Semantics 7.22: datagrams routed as one leave with one hop less each.
#[test]
fn a_train_is_rewritten_in_every_segment() {
    for (src, dst) in [("10.0.0.2", "10.1.0.2"), ("2001:db8:0::2", "2001:db8:1::2")] {
        let mut gateway = Gateway::new(&router(2, ""));
        let train: Vec<_> = (0..10u8).map(|n| to_gateway(src, dst).frame(&[n; 1200])).collect();
        for frame in &train {
            gateway.ports[0].inject(frame.clone());
        }
        gateway.run();
        let port_mac = MacAddr([2, 0, 0, 0, 0, 1]);
        let expected: Vec<_> = train.iter().map(|f| routed(f, port_mac, host(1))).collect();
        assert_eq!(gateway.sent(), [vec![], expected]);
        let stats = gateway.assembly.workers[0].snapshot().gro[0].1;
        assert_eq!((stats.packets, stats.super_packets), (10, 1));
        gateway.finish();
    }
}

#[test]
fn a_frame_that_came_padded_leaves_padded_with_zeros() {
    let mut gateway = Gateway::new(&router(2, ""));
    let bare = to_gateway("10.0.0.2", "10.1.0.2").frame(b"dns");
    let mut padded = bare.clone();
    padded.resize(60, 0xee);
    let mut trailer = bare.clone();
    trailer.resize(80, 0xee);
    let long = to_gateway("10.0.0.2", "10.1.0.2").frame(&[5; 40]);
    let mut long_trailer = long.clone();
    long_trailer.extend([0xee; 9]);
    for frame in [&bare, &padded, &trailer, &long_trailer] {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
    let port_mac = MacAddr([2, 0, 0, 0, 0, 1]);
    let bare = routed(&bare, port_mac, host(1));
    let mut zeros = bare.clone();
    zeros.resize(60, 0);
    let long = routed(&long, port_mac, host(1));
    assert_eq!(gateway.sent(), [vec![], vec![bare, zeros.clone(), zeros, long]]);
    gateway.finish();
}

/// Semantics 7.12: headers split over pieces at every offset are treated as contiguous.
#[test]
fn split_headers_are_routed_as_contiguous_ones() {
    use gateway::packet::{BufPool, PacketBuf};
    let mut gateway = Gateway::new(&router(2, ""));
    let frame = to_gateway("10.0.0.2", "10.1.0.2").frame(&[9; 200]);
    let port_mac = MacAddr([2, 0, 0, 0, 0, 1]);
    for cut in 1..frame.len() {
        let mut packet = gateway.pool.alloc_from(&frame[..cut]).unwrap();
        let middle = (cut + 7).min(frame.len());
        packet.chain(gateway.pool.alloc_from(&frame[cut..middle]).unwrap());
        packet.chain(gateway.pool.alloc_from(&frame[middle..]).unwrap());
        gateway.ports[0].inject_packet(packet);
        gateway.run();
        let sent = gateway.ports[1].take_sent();
        assert_eq!(sent, [routed(&frame, port_mac, host(1))], "cut at {cut}");
    }
    gateway.finish();
}

#[test]
fn equal_cost_paths_keep_a_flow_together_and_share_the_load() {
    let routes = "[[route]]\nprefix = \"172.16.0.0/12\"\nvia = \"10.1.0.2\"\n\
                  [[route]]\nprefix = \"172.16.0.0/12\"\nvia = \"10.2.0.2\"\n";
    let mut gateway = Gateway::new(&router(3, routes));
    for flow in 0..64u8 {
        let dst = format!("172.16.{flow}.1");
        for _ in 0..3 {
            gateway.ports[0].inject(to_gateway("10.0.0.2", &dst).frame(&[flow; 50]));
        }
    }
    gateway.run();
    let sent = gateway.sent();
    assert_eq!(sent[1].len() + sent[2].len(), 192);
    assert!(sent[1].len() >= 48 && sent[2].len() >= 48, "{} / {}", sent[1].len(), sent[2].len());
    let flows = |port: usize| {
        sent[port].iter().map(|frame| frame[32]).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(flows(1).is_disjoint(&flows(2)), "a flow took both paths");
    gateway.finish();
}

/// Semantics 7.22: with one hop left nothing leaves but an error to the sender, from an address of
/// the gateway, quoting the datagram as it came.
#[test]
fn time_exceeded_goes_back_to_the_sender() {
    for (src, dst, address) in
        [("10.0.0.2", "10.1.0.2", "10.0.0.1"), ("2001:db8:0::2", "2001:db8:1::2", "2001:db8::1")]
    {
        let mut gateway = Gateway::new(&router(2, ""));
        let dying = Udp { ttl: 1, ..to_gateway(src, dst) }.frame(&[3; 64]);
        gateway.ports[0].inject(dying.clone());
        gateway.run();
        let sent = gateway.sent();
        assert_eq!((sent[0].len(), sent[1].len()), (1, 0));
        let error = etherparse::PacketHeaders::from_ethernet_slice(&sent[0][0]).unwrap();
        let quoted = error.payload.slice();
        assert!(quoted.starts_with(&dying[14..14 + 28]), "{quoted:?}");
        let source: std::net::IpAddr = match error.net.unwrap() {
            etherparse::NetHeaders::Ipv4(ip, _) => ip.source.into(),
            etherparse::NetHeaders::Ipv6(ip, _) => ip.source.into(),
            other => panic!("{other:?}"),
        };
        assert_eq!(source.to_string(), address);
        assert_eq!(sent[0][0][..6], host(0).0);
        let totals = gateway.finish();
        assert_eq!((totals.ledger.originated, totals.ledger.dropped), (1, 1));
    }
}

/// RFC 826: a request for the port's address is answered by the port, and by nobody else.
#[test]
fn arp_requests_for_the_port_are_answered() {
    let mut gateway = Gateway::new(&router(2, ""));
    let mut request = vec![0xff; 6];
    request.extend(host(0).0);
    request.extend([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
    request.extend(host(0).0);
    request.extend([10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1]);
    gateway.ports[0].inject(request.clone());
    request[41] = 9; // somebody else's address
    gateway.ports[0].inject(request);
    gateway.run();
    let sent = gateway.sent();
    assert_eq!(sent[0].len(), 1);
    let reply = &sent[0][0];
    assert_eq!(reply[..6], host(0).0);
    assert_eq!(reply[20..32], [0, 2, 2, 0, 0, 0, 0, 0, 10, 0, 0, 1]);
    assert_eq!(gateway.totals().ledger.local, 2);
    gateway.finish();
}

/// What has a short way and what has none, in one burst and in every order: a next hop, none, the last
/// hop, both families. Each is decided on once, and what leaves by a port leaves in order.
#[test]
fn datagrams_with_and_without_a_next_hop_mix_in_a_burst() {
    let targets = [
        ("10.0.0.2", "10.1.0.2", 64, 1),
        ("2001:db8:0::2", "2001:db8:2::2", 64, 2),
        ("10.0.0.2", "10.9.9.9", 64, 0),
        ("10.0.0.2", "10.2.0.2", 64, 2),
        ("10.0.0.2", "10.1.0.2", 1, 0),
        ("10.0.0.3", "10.1.0.2", 9, 1),
        ("127.0.0.1", "10.1.0.2", 64, 0),
        ("2001:db8:0::2", "2001:db8:0::9", 64, 0),
    ];
    for step in [1, 3, 5, 7, 8, 9] {
        let mut gateway = Gateway::new(&router(3, "[gro]\nmode = \"off\"\n"));
        let (mut expected, mut dropped) = ([const { Vec::new() }; 3], 0);
        // Bursts are of 64: runs of 1, and with steps of 8 one target for a whole burst.
        for n in 0..300_u16 {
            let (src, dst, ttl, port) =
                targets[usize::from(if step == 8 { n / 64 } else { n * step }) % 8];
            let frame = Udp { ttl, ..to_gateway(src, dst) }.frame(&n.to_be_bytes());
            match port {
                0 => dropped += 1,
                _ => {
                    let port_mac = MacAddr([2, 0, 0, 0, 0, port as u8]);
                    expected[port].push(routed(&frame, port_mac, host(port)));
                }
            }
            gateway.ports[0].inject(frame);
        }
        gateway.run();
        let sent = gateway.sent();
        assert_eq!((&sent[1], &sent[2]), (&expected[1], &expected[2]), "step {step}");
        let totals = gateway.finish();
        assert_eq!(totals.ledger.dropped, dropped, "step {step}");
    }
}
