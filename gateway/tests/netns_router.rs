//! The gateway as a router between kernel hosts that find it by ARP and neighbour discovery.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // hosts, not the path

#[path = "support/netns.rs"]
mod netns;
#[path = "support/running.rs"]
mod running;

use std::io::IoSliceMut;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use gateway::demo::frame::read_datagram;
use gateway::demo::host::{HOPS, Sender};
use gateway::demo::topology::{Host, INTERFACE};
use netns::{demand_intact, frames, lab, ping, plug_routed, stream, tap};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use running::{router, start};
use socket2::{Domain, Socket, Type};

#[test]
fn unicast_is_routed_both_ways_and_the_gateway_is_found() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    let gateway = start(&lab, "0", &router(&lab));
    let streams = [
        stream(0, "10.78.2.2", &[1]),
        stream(0, "fd78:2::2", &[1]),
        stream(1, "10.78.1.2", &[0]),
        stream(1, "fd78:1::2", &[0]),
    ];
    demand_intact(&lab, &streams, 2.0);
    for (host, net) in lab.hosts.iter().zip(1..) {
        let neighbors = host.namespace.ip("neighbor show").unwrap();
        for own in [format!("10.78.{net}.1 "), format!("fd78:{net}::1 ")] {
            let entry = neighbors.lines().find(|line| line.starts_with(&own));
            let entry = entry.unwrap_or_else(|| panic!("no {own}in:\n{neighbors}"));
            assert!(entry.contains("lladdr") && !entry.contains("FAILED"), "{entry}");
        }
    }
    gateway.stop_clean();
}

#[test]
fn echo_requests_pass() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    let gateway = start(&lab, "0", &router(&lab));
    for (from, to) in [(0, "10.78.2.2"), (0, "fd78:2::2"), (1, "10.78.1.2"), (1, "fd78:1::2")] {
        ping(&lab.hosts[from], to.parse().unwrap()).unwrap();
    }
    gateway.stop_clean();
}

#[test]
fn a_hop_limit_of_one_ends_at_the_gateway() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    let gateway = start(&lab, "0", &router(&lab));
    let far = tap(&lab.hosts[1]);
    for (to, own) in [("10.78.2.2", "10.78.1.1"), ("fd78:2::2", "fd78:1::1")] {
        let to = SocketAddr::new(to.parse().unwrap(), 33434);
        let error = one_hop(&lab.hosts[0], to);
        let own: IpAddr = own.parse().unwrap();
        // Time exceeded in transit: RFC 792 type 11 code 0, RFC 4443 3.3 type 3 code 0.
        let kind = if own.is_ipv4() { 11 } else { 3 };
        assert_eq!(error, Some((kind, 0, own)), "{to}");
    }
    let leaked =
        |frame: &[u8]| read_datagram(frame).unwrap().filter(|d| d.dst.port() == 33434).map(drop);
    assert_eq!(frames(&far, 0, leaked).len(), 0, "datagrams with hop limit 1 were forwarded");
    gateway.stop_clean();
}

#[test]
fn groups_are_routed_to_their_ports_only() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 4); // the last is a member of nothing
    let mut configuration = router(&lab);
    for group in ["239.78.2.1", "ff3e::78:2"] {
        configuration += &format!(
            "[[multicast]]\ngroup = \"{group}\"\nsource = \"any\"\nfrom = \"p0\"\n\
             to = [\"p1\", \"p2\"]\n"
        );
    }
    let gateway = start(&lab, "0", &configuration);
    let streams = [stream(0, "239.78.2.1", &[1, 2]), stream(0, "ff3e::78:2", &[1, 2])];
    demand_intact(&lab, &streams, 2.0);

    // One hop less, the group's link address, the egress port's as the source.
    let taps = [tap(&lab.hosts[1]), tap(&lab.hosts[2])];
    let port_macs = ["p1", "p2"].map(|port| {
        let shown = lab.middle.ip(&format!("-brief link show {port}")).unwrap();
        shown.split_whitespace().nth(2).unwrap().to_owned()
    });
    let group: SocketAddr = "239.78.2.1:7078".parse().unwrap();
    let open = || Sender::new(INTERFACE, group);
    let mut sender = lab.hosts[0].namespace.enter(open).unwrap();
    sender.send(&[7; 2500], 1200).unwrap();
    for (tap, port_mac) in taps.iter().zip(port_macs) {
        let lengths = frames(tap, 3, |frame| {
            let datagram = read_datagram(frame).unwrap()?;
            assert_eq!(u32::from(datagram.hops), HOPS - 1);
            assert_eq!(datagram.dst_mac.to_string(), "01:00:5e:4e:02:01");
            assert_eq!(datagram.src_mac.to_string(), port_mac);
            Some(datagram.payload.len())
        });
        assert_eq!(lengths, [1200, 1200, 100]);
    }
    gateway.stop_clean();
}

/// Sends a datagram with hop limit 1; the ICMP error that came for it: type, code, from whom.
fn one_hop(host: &Host, to: SocketAddr) -> Option<(u8, u8, IpAddr)> {
    let exchange = || {
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM, None)?;
        if to.is_ipv4() {
            socket.set_ttl_v4(1)?;
            setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
        } else {
            socket.set_unicast_hops_v6(1)?;
            setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        let _ = socket.send_to(b"how far is it", &to.into())?;
        while Instant::now() < deadline {
            if let Some(error) = queued_error(&socket) {
                return Ok(Some(error));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(None)
    };
    host.namespace.enter(exchange).unwrap()
}

/// What is in the socket's error queue (ip(7), IP_RECVERR).
fn queued_error(socket: &Socket) -> Option<(u8, u8, IpAddr)> {
    use std::os::fd::AsRawFd;
    let (mut payload, mut space) = ([0; 256], vec![0; 512]);
    let mut parts = [IoSliceMut::new(&mut payload)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags).ok()?;
    message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4RecvErr(error, Some(from)) => {
            let from = u32::from_be(from.sin_addr.s_addr);
            Some((error.ee_type, error.ee_code, IpAddr::from(from.to_be_bytes())))
        }
        ControlMessageOwned::Ipv6RecvErr(error, Some(from)) => {
            Some((error.ee_type, error.ee_code, IpAddr::from(from.sin6_addr.s6_addr)))
        }
        _ => None,
    })
}
