//! The pair of datagrams that the project began with, through real sockets: 91 and 62 bytes,
//! fe80::… to ff02::fb, 5353 to 5353, hop limit 255, a flow label, in one UDP_SEGMENT train.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // hosts, not the path

#[path = "support/netns.rs"]
mod netns;
#[path = "support/running.rs"]
mod running;

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use gateway::demo::frame::read_datagram;
use gateway::demo::host::Receiver;
use gateway::demo::mdns::{GROUP, PORT, queries};
use gateway::demo::tap::Tap;
use gateway::demo::topology::{Host, INTERFACE};
use netns::{frames, lab, plug_lan, receive, tap};
use running::{bridge, start};
use socket2::{Domain, Socket, Type};

const PAIRS: usize = 200;

#[test]
fn every_port_gets_exactly_the_two_originals() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 4); // one asks, three ports listen
    let gateway = start(&lab, "0", &bridge(&lab));
    let taps: Vec<Tap> = lab.hosts.iter().map(tap).collect();
    let listeners: Vec<Receiver> = lab.hosts[1..].iter().map(listener).collect();
    let (socket, group) = responder(&lab.hosts[0]);
    for number in 0..PAIRS {
        socket.send_to(&queries().concat(), &group.into()).unwrap();
        for listener in &listeners {
            for query in queries() {
                assert_eq!(receive(listener), Some(query), "pair {number}");
            }
        }
    }
    // On the cables: what the asking kernel sent is what every other kernel got, byte for byte.
    let [sent, received @ ..] = &taps.iter().map(mdns_frames).collect::<Vec<_>>()[..] else {
        panic!("four hosts")
    };
    assert_eq!(sent.len(), 2 * PAIRS);
    for frame in sent {
        let datagram = read_datagram(frame).unwrap().unwrap();
        assert_eq!(datagram.hops, 255);
        assert_ne!(datagram.flow_label, 0);
    }
    for frames in received {
        assert_eq!(frames, sent);
    }
    gateway.stop_clean();
}

fn listener(host: &Host) -> Receiver {
    let listen = || {
        let receiver = Receiver::new(INTERFACE, Ipv6Addr::UNSPECIFIED.into(), PORT)?;
        receiver.join(INTERFACE, GROUP.into())?;
        Ok(receiver)
    };
    host.namespace.enter(listen).unwrap()
}

/// A socket as an mDNS responder has it; the kernel chooses the link-local source and, from the
/// socket's hash, the flow label (net.ipv6.auto_flowlabels).
fn responder(host: &Host) -> (Socket, SocketAddr) {
    let open = || {
        let index = nix::net::if_::if_nametoindex(INTERFACE)?;
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
        socket.bind(&SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), PORT).into())?;
        socket.set_multicast_if_v6(index)?;
        socket.set_multicast_hops_v6(255)?;
        let segment = queries()[0].len() as i32;
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::UdpGsoSegment, &segment)?;
        Ok((socket, SocketAddrV6::new(GROUP, PORT, 0, index).into()))
    };
    host.namespace.enter(open).unwrap()
}

/// The mDNS frames that were on the cable.
fn mdns_frames(tap: &Tap) -> Vec<Vec<u8>> {
    let is_mdns =
        |frame: &[u8]| read_datagram(frame).ok().flatten().is_some_and(|d| d.dst.port() == PORT);
    frames(tap, 2 * PAIRS, |frame| is_mdns(frame).then(|| frame.to_vec()))
}
