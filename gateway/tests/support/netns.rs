//! What the namespace tests share: a laboratory or a clear refusal, streams, and echo requests.
#![allow(dead_code)] // every test uses a part of it
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // hosts, not the path

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use gateway::demo::exchange::{Outcome, Stream, exchange};
use gateway::demo::host::{QUIET, Receiver, Sender};
use gateway::demo::namespace::Namespace;
use gateway::demo::tap::Tap;
use gateway::demo::topology::{Host, INTERFACE, Lab};
use gateway::demo::traffic::StreamId;
use socket2::{Domain, Protocol, Socket, Type};

/// UDP port of the receivers.
pub(crate) const PORT: u16 = 7077;
/// Datagrams per second of every stream, at most.
pub(crate) const RATE: u32 = 2000;

/// A laboratory; `None` when GATEWAY_SKIP_NETNS=1 says that there can be none here.
///
/// # Panics
/// When namespaces cannot be made: a test that did not run must not look like one that passed.
pub(crate) fn lab() -> Option<Lab> {
    if std::env::var_os("GATEWAY_SKIP_NETNS").is_some_and(|value| value == "1") {
        eprintln!("skipped: GATEWAY_SKIP_NETNS=1");
        return None;
    }
    match Lab::new() {
        Ok(lab) => Some(lab),
        Err(error) => panic!("{error:#}: run as root, or set GATEWAY_SKIP_NETNS=1 to skip"),
    }
}

/// Plugs in one host per pair of addresses, all in one network.
pub(crate) fn plug_lan(lab: &mut Lab, hosts: u8) {
    for host in 1..=hosts {
        let addresses =
            [format!("10.78.0.{host}/24"), format!("fd78::{host}/64")].map(|a| a.parse().unwrap());
        lab.plug(&format!("h{host}"), &addresses, &[]).unwrap();
    }
}

/// Plugs in host `10.78.N.2`, `fd78:N::2` behind the router's `10.78.N.1`, `fd78:N::1`, N = 1….
pub(crate) fn plug_routed(lab: &mut Lab, hosts: u8) {
    for net in 1..=hosts {
        let addresses = [format!("10.78.{net}.2/24"), format!("fd78:{net}::2/64")];
        let gateways = [format!("10.78.{net}.1"), format!("fd78:{net}::1")];
        lab.plug(
            &format!("n{net}"),
            &addresses.map(|a| a.parse().unwrap()),
            &gateways.map(|a| a.parse().unwrap()),
        )
        .unwrap();
    }
}

/// A stream; its id is made of who talks to whom.
pub(crate) fn stream(from: usize, destination: &str, receivers: &[usize]) -> Stream {
    let address: IpAddr = destination.parse().unwrap();
    Stream {
        id: StreamId(
            (from * 64 + receivers[0] * 8) as u16
                + u16::from(address.is_ipv6())
                + 2 * u16::from(address.is_multicast()),
        ),
        label: format!("{from} to {destination}"),
        from,
        destination: SocketAddr::new(address, PORT),
        receivers: receivers.to_vec(),
    }
}

/// Runs the streams for `seconds` and demands that all arrive intact, with good checksums.
pub(crate) fn demand_intact(lab: &Lab, streams: &[Stream], seconds: f64) {
    let (_, faults) = outcome(lab, streams, seconds);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(lab.checksum_errors().unwrap(), 0, "a host saw a wrong UDP checksum");
}

/// Runs the streams for `seconds`: what came of them, and everything that is not as it must be.
pub(crate) fn outcome(lab: &Lab, streams: &[Stream], seconds: f64) -> (Outcome, Vec<String>) {
    let duration = Duration::from_secs_f64(seconds);
    let outcome = exchange(lab, streams, RATE, duration, &AtomicBool::new(false)).unwrap();
    let names: Vec<_> = lab.hosts.iter().map(|host| host.name.clone()).collect();
    let faults = outcome.faults(streams, &names);
    (outcome, faults)
}

/// Sends datagrams that the first host's kernel fragments and the second's puts together again.
pub(crate) fn demand_fragments_pass(lab: &Lab) {
    for (any, to) in [("0.0.0.0", "10.78.0.2:7079"), ("::", "[fd78::2]:7079")] {
        let listen = || Receiver::new(INTERFACE, any.parse()?, 7079);
        let receiver = lab.hosts[1].namespace.enter(listen).unwrap();
        let open = || Sender::new(INTERFACE, to.parse()?);
        let mut sender = lab.hosts[0].namespace.enter(open).unwrap();
        for number in 0..50 {
            let payload: Vec<u8> = (0..4000).map(|i| (i % 251) as u8 ^ number).collect();
            sender.send(&payload, 0).unwrap();
            let got = receive(&receiver).unwrap_or_default();
            assert!(got == payload, "datagram {number} to {to}: {} bytes came", got.len());
        }
    }
}

/// Sends `rounds` trains of ten datagrams to `destination` and demands that all come, one by one;
/// the next train waits for them.
pub(crate) fn demand_trains(
    from: &Namespace,
    interface: &str,
    destination: SocketAddr,
    receiver: &Receiver,
    rounds: u8,
) {
    let mut sender = from.enter(|| Sender::new(interface, destination)).unwrap();
    for round in 0..rounds {
        let payload: Vec<u8> = (0..10_000_u32).map(|i| (i / 1000) as u8 ^ round).collect();
        sender.send(&payload, 1000).unwrap();
        for number in 0..10 {
            let got = receive(receiver).expect("a datagram");
            assert!(got == vec![number ^ round; 1000], "round {round}: {got:?}");
        }
    }
}

/// What has `ip` add so many routes to networks that end with `.0/24`; its file is in `folder`.
pub(crate) fn routes(folder: &Path, count: u32, via: &str) -> String {
    let batch = folder.join("routes");
    let route = |n: u32| {
        let net = Ipv4Addr::from_bits(0x1400_0000 + (n << 8));
        format!("route add {net}/24 via {via}\n")
    };
    std::fs::write(&batch, (0..count).map(route).collect::<String>()).unwrap();
    format!("-batch {}", batch.display())
}

/// How long something may take on a crowded machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// The next datagram; `None` if none comes.
pub(crate) fn receive(receiver: &Receiver) -> Option<Vec<u8>> {
    let (mut buffer, deadline) = ([0; 8192], Instant::now() + PATIENCE);
    while Instant::now() < deadline {
        if let Some(datagram) = receiver.receive(&mut buffer).unwrap() {
            return Some(datagram.to_vec());
        }
    }
    None
}

/// What `wanted` makes of the frames that come, until `count` have come, however long that takes,
/// and then nothing more.
pub(crate) fn frames<T>(
    tap: &Tap,
    count: usize,
    mut wanted: impl FnMut(&[u8]) -> Option<T>,
) -> Vec<T> {
    let (mut all, mut buffer, deadline) = (Vec::new(), vec![0; 1 << 16], Instant::now() + PATIENCE);
    let mut last = Instant::now();
    loop {
        let found = tap.receive(&mut buffer).unwrap().and_then(&mut wanted);
        if found.is_some() {
            last = Instant::now();
        }
        all.extend(found);
        let is_enough = all.len() >= count && last.elapsed() > QUIET;
        if is_enough || Instant::now() > deadline {
            return all;
        }
    }
}

/// A raw socket on the cable of `host`.
pub(crate) fn tap(host: &Host) -> Tap {
    host.namespace.enter(|| Tap::new(INTERFACE)).unwrap()
}

/// The reply to an echo request from `host`, in a kernel's ping socket, or what came instead.
pub(crate) fn ping(host: &Host, destination: IpAddr) -> Result<(), String> {
    let (domain, protocol, request) = match destination {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4, [8, 0, 0, 0, 0, 0, 0, 1]),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6, [128, 0, 0, 0, 0, 0, 0, 1]),
    };
    host.namespace.sysctl("ipv4/ping_group_range", "0 2147483647").unwrap();
    let message = [&request[..], b"gateway end to end"].concat();
    let exchange = || {
        let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
        socket.bind_device(Some(INTERFACE.as_bytes()))?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        let mut reply = [0; 256];
        let deadline = Instant::now() + Duration::from_secs(5);
        let len = loop {
            socket.send_to(&message, &SocketAddr::new(destination, 0).into())?;
            match std::io::Read::read(&mut &socket, &mut reply) {
                Ok(len) => break len,
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => {}
            }
        };
        Ok(reply[..len].to_vec())
    };
    let reply = host.namespace.enter(exchange).map_err(|error| format!("{error:#}"))?;
    // A ping socket sets the identifier (bytes 4 and 5) and the checksum itself.
    let is_reply = reply[0] == if destination.is_ipv4() { 0 } else { 129 };
    let same = reply[6..] == message[6..];
    if is_reply && same { Ok(()) } else { Err(format!("came instead: {reply:02x?}")) }
}
