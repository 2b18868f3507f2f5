//! Senders that leave the checksum to their device: frames of a veth whose offloads are on arrive
//! unfinished, and must leave finished by ports that compute nothing.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // hosts, not the path

#[path = "support/netns.rs"]
mod netns;
#[path = "support/running.rs"]
mod running;

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use gateway::demo::topology::{INTERFACE, Lab};

/// Two hosts in one network whose stacks compute no checksum on transmit; what arrives is checked.
fn lab() -> Option<Lab> {
    let mut lab = netns::lab()?;
    netns::plug_lan(&mut lab, 2);
    for host in &lab.hosts {
        host.namespace
            .command("ethtool", &format!("-K {INTERFACE} tx on tso off gso off"))
            .unwrap();
    }
    Some(lab)
}

/// The frame of a datagram with this payload, as it is on the cable of `host`.
fn seen(tap: &gateway::demo::tap::Tap, payload: &[u8]) -> Vec<u8> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut buffer = [0; 4096];
    while Instant::now() < deadline {
        if let Some(frame) = tap.receive(&mut buffer).unwrap() {
            if frame.ends_with(payload) {
                return frame.to_vec();
            }
        }
    }
    panic!("no frame with the payload")
}

fn udp_checksum_is_right(frame: &[u8]) -> bool {
    let headers = etherparse::PacketHeaders::from_ethernet_slice(frame).unwrap();
    let (Some(net), Some(transport)) = (headers.net, headers.transport) else { return false };
    let udp = transport.udp().unwrap();
    let payload = headers.payload.slice();
    let right = match net {
        etherparse::NetHeaders::Ipv4(ip, _) => udp.calc_checksum_ipv4(&ip, payload),
        etherparse::NetHeaders::Ipv6(ip, _) => udp.calc_checksum_ipv6(&ip, payload),
        _ => return false,
    };
    udp.checksum == right.unwrap()
}

#[test]
fn s07_25_an_unfinished_checksum_is_finished_on_the_wire() {
    let Some(lab) = lab() else { return };
    for form in ["off", "list", "merge"] {
        let file = format!("{}[gro]\nmode = \"{form}\"\n", running::bridge(&lab));
        let running = running::start(&lab, "0", &file);
        let cable = netns::tap(&lab.hosts[1]);
        for (from, to) in [("10.78.0.1:0", "10.78.0.2:7070"), ("[fd78::1]:0", "[fd78::2]:7070")] {
            let payload = format!("{form} from {from}, unfinished on the way in");
            let listen = || Ok(UdpSocket::bind(to)?);
            let receiver = lab.hosts[1].namespace.enter(listen).unwrap();
            receiver.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let send = || Ok(UdpSocket::bind(from)?.send_to(payload.as_bytes(), to)?);
            lab.hosts[0].namespace.enter(send).unwrap();
            let mut buffer = [0; 2048];
            let len = receiver.recv(&mut buffer).expect("a kernel that checks what it receives");
            assert_eq!(&buffer[..len], payload.as_bytes());
            assert!(udp_checksum_is_right(&seen(&cable, payload.as_bytes())), "{form} {from}");
        }
        assert_eq!(lab.checksum_errors().unwrap(), 0, "{form}");
        running.stop_clean();
    }
}

/// TCP passes unchanged, and its checksums are as unfinished.
#[test]
fn s07_25_tcp_gets_through_too() {
    let Some(lab) = lab() else { return };
    let running = running::start(&lab, "0", &running::bridge(&lab));
    let listener =
        lab.hosts[1].namespace.enter(|| Ok(TcpListener::bind("10.78.0.2:7070")?)).unwrap();
    let echo = thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let mut text = [0; 5];
        std::io::Read::read_exact(&mut stream, &mut text)?;
        std::io::Write::write_all(&mut stream, &text)
    });
    let talk = || {
        let address = "10.78.0.2:7070".parse()?;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(20))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        std::io::Write::write_all(&mut stream, b"hello")?;
        let mut text = [0; 5];
        std::io::Read::read_exact(&mut stream, &mut text)?;
        Ok(text)
    };
    assert_eq!(&lab.hosts[0].namespace.enter(talk).unwrap(), b"hello");
    echo.join().unwrap().unwrap();
    running.stop_clean();
}
