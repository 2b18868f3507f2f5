//! What hosts of a link owe each other passes a bridge that snoops and has a querier: duplicate address
//! detection, neighbour discovery, ARP, mDNS. Every host is a kernel with its own idea of membership.

use std::net::{IpAddr, SocketAddr};

use gateway::demo::host::{Receiver, Sender, any_like};
use gateway::demo::mdns::{self, queries};
use gateway::demo::topology::{Host, INTERFACE};

use crate::GROUPS;
use crate::middle::{self, Kind, Middle, eventually};
use crate::netns::{ping, receive};
use crate::traffic::{COUNT, becomes, stays};

const SHARED: &str = "fd78::aa";

#[test]
fn the_links_own_protocols_pass() {
    if !middle::possible() {
        return;
    }
    std::thread::scope(|scope| {
        for kind in [Kind::Linux, Kind::Gateway] {
            scope.spawn(move || through(kind));
        }
    });
}

fn through(kind: Kind) {
    let middle = Middle::start(kind, true, &[]);
    // From here on what nobody has asked for floods no more.
    for group in GROUPS {
        becomes(&middle, group, [0; 3]);
    }
    duplicates_are_found(&middle);
    neighbours_are_found(&middle);
    mdns_reaches_who_listens(&middle, "224.0.0.251".parse().unwrap(), [COUNT; 3]);
    // Linux passes these to members and routers only (docs/linux.md).
    let others = if kind == Kind::Gateway { COUNT } else { 0 };
    mdns_reaches_who_listens(&middle, mdns::GROUP.into(), [COUNT, COUNT, others]);
    stays(&middle, "ff02::1:ff99:9999", [others; 3]);
    middle.stop();
}

/// RFC 4862 5.4: the second host that takes an address hears that the first one has it.
fn duplicates_are_found(middle: &Middle) {
    let [_, first, second, _] = &middle.lab.hosts[..] else { panic!("four hosts") };
    for (host, verdict) in [(first, ""), (second, "dadfailed")] {
        host.namespace.sysctl(&format!("ipv6/conf/{INTERFACE}/accept_dad"), "1").unwrap();
        host.namespace.ip(&format!("address add {SHARED}/64 dev {INTERFACE}")).unwrap();
        eventually("detected", || {
            let shown = address_of(host);
            let is_settled = verdict == "dadfailed" || !shown.contains("tentative");
            is_settled && shown.contains(verdict)
        });
    }
    assert!(!address_of(first).contains("dadfailed"), "{}", address_of(first));
    second.namespace.ip(&format!("address delete {SHARED}/64 dev {INTERFACE}")).unwrap();
}

fn address_of(host: &Host) -> String {
    host.namespace.ip(&format!("-6 address show dev {INTERFACE} to {SHARED}")).unwrap()
}

/// By solicitations to the group of an address, and by ARP; from nothing.
fn neighbours_are_found(middle: &Middle) {
    let asking = &middle.lab.hosts[0];
    let mut addresses: Vec<IpAddr> = vec![SHARED.parse().unwrap()];
    addresses
        .extend(middle.lab.hosts[1..].iter().flat_map(|h| &h.addresses).map(ipnet::IpNet::addr));
    for family in ["-4", "-6"] {
        asking.namespace.ip(&format!("{family} neighbour flush dev {INTERFACE}")).unwrap();
    }
    for address in addresses {
        ping(asking, address).unwrap();
        let found = asking.namespace.ip(&format!("neighbour show {address}")).unwrap();
        assert!(found.contains("lladdr 02:"), "{address}: {found}");
    }
}

/// Questions reach both who listen, an answer by multicast the one who did not send it.
fn mdns_reaches_who_listens(middle: &Middle, group: IpAddr, reached: [usize; 3]) {
    let hosts = &middle.lab.hosts;
    let destination = SocketAddr::new(group, mdns::PORT);
    let listen = |host: &Host| {
        let listen = || {
            let receiver = Receiver::new(INTERFACE, any_like(group), mdns::PORT)?;
            receiver.join(INTERFACE, group)?;
            Ok(receiver)
        };
        host.namespace.enter(listen).unwrap()
    };
    let send = |host: &Host, payload: &[u8]| {
        let send = || Sender::new(INTERFACE, destination)?.send(payload, 0);
        host.namespace.enter(send).unwrap();
    };
    let (first, second) = (listen(&hosts[1]), listen(&hosts[2]));
    becomes(middle, &group.to_string(), reached);
    for query in queries() {
        send(&hosts[0], &query);
        for listener in [&first, &second] {
            assert_eq!(receive(listener).as_ref(), Some(&query), "{group}");
        }
    }
    send(&hosts[1], b"answer");
    assert_eq!(receive(&second).as_deref(), Some(&b"answer"[..]), "{group}");
}
