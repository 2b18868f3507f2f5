//! The A and AAAA queries of one look-up leave one socket back to back: two datagrams of one flow
//! and length, which a middlebox that treats a train as one packet answers with a wait of 5 s.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use gateway::demo::namespace::Namespace;

use crate::daemon::{Daemon, words};
use crate::shadowed::until;
use crate::{By, Middle, through_both};

const ROUNDS: u16 = 300;
const A: u16 = 1;
const AAAA: u16 = 28;
const V4: [u8; 4] = [192, 0, 2, 53];
const V6: &str = "2001:db8::53";

through_both!(through_a_router through_a_bridge to_the_host);

fn through_a_router(by: By) {
    let Some(middle) = Middle::router(by, 2) else { return };
    let hosts = &middle.lab.hosts;
    demand_answers(&hosts[0].namespace, &hosts[1].namespace, &middle.addresses(1));
    middle.end();
}

fn through_a_bridge(by: By) {
    let Some(middle) = Middle::bridge(by, 2) else { return };
    let hosts = &middle.lab.hosts;
    demand_answers(&hosts[0].namespace, &hosts[1].namespace, &middle.addresses(1));
    middle.end();
}

/// dnsmasq where the gateway runs: its queries come up as super-packets.
fn to_the_host(by: By) {
    let Some(middle) = Middle::router(by, 1) else { return };
    let own = ["10.78.1.1", "fd78:1::1"].map(|own| own.parse().unwrap());
    demand_answers(&middle.lab.hosts[0].namespace, &middle.lab.middle, &own);
    middle.end();
}

fn demand_answers(client: &Namespace, server: &Namespace, addresses: &[IpAddr]) {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = words("--keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts");
    arguments.extend(words("--pid-file= --user=root --bind-interfaces --log-facility=-"));
    arguments.push(format!("--host-record=answer.test,{},{V6}", IpAddr::from(V4)));
    arguments.extend(addresses.iter().map(|address| format!("--listen-address={address}")));
    let daemon = Daemon::start(server, "dnsmasq", &arguments, folder.path());
    until("started", || daemon.said(), |said| said.contains("started, version"));
    for &address in addresses {
        let look_ups = || {
            (0..ROUNDS).for_each(|round| look_up(SocketAddr::new(address, 53), round));
            Ok(())
        };
        client.enter(look_ups).unwrap();
    }
}

/// From a port of its own, as a resolver's.
fn look_up(server: SocketAddr, round: u16) {
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
    for kind in [A, AAAA] {
        socket.send(&query(round, kind)).unwrap();
    }
    let mut came = Vec::new();
    let mut buffer = [0; 512];
    for _ in [A, AAAA] {
        let len = socket.recv(&mut buffer).unwrap_or_else(|error| {
            panic!("look-up {round} at {server}: after {} answers: {error}", came.len())
        });
        came.push(buffer[..len].to_vec());
    }
    let v6: std::net::Ipv6Addr = V6.parse().unwrap();
    for (kind, address) in [(A, &V4[..]), (AAAA, &v6.octets()[..])] {
        let is_answer = |answer: &&Vec<u8>| {
            let header = [(round ^ kind << 8).to_be_bytes(), 0x8580_u16.to_be_bytes()].concat();
            answer.starts_with(&header) && answer.ends_with(address)
        };
        assert_eq!(came.iter().filter(is_answer).count(), 1, "{kind} of {server}: {came:02x?}");
    }
}

/// RFC 1035 4.1: one question, recursion desired.
fn query(round: u16, kind: u16) -> Vec<u8> {
    let mut query = (round ^ kind << 8).to_be_bytes().to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    query.extend(b"\x06answer\x04test\x00");
    query.extend(kind.to_be_bytes());
    query.extend([0, 1]); // IN
    query
}
