//! smcroute: static routes of one source, and of any source as its datagrams come.

use std::fs;
use std::net::SocketAddr;

use gateway::control::{MfibEntry, Topic};
use gateway::demo::host::Sender;
use gateway::demo::topology::INTERFACE;

use crate::daemon::{Daemon, words};
use crate::netns::{PORT, demand_intact, stream};
use crate::shadowed::{eventually, host_report, until};
use crate::{By, Middle, through_both};

const GROUPS: [&str; 2] = ["239.78.1.1", "ff3e::78:1"];

through_both!(routes_of_one_source routes_of_any_source);

fn routes_of_one_source(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let sources = middle.addresses(0);
    let routes = GROUPS
        .iter()
        .zip(&sources)
        .map(|(group, source)| format!("mroute from IN source {source} group {group} to OUT\n"));
    let _daemon = smcroute(&middle, &routes.collect::<String>());
    await_routes(&middle);
    demand_replicas(&middle);
    middle.end();
}

/// The first datagram of a source goes to the daemon, which makes the route; the rest is forwarded
/// without it.
fn routes_of_any_source(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let routes = GROUPS.map(|group| format!("mroute from IN group {group} to OUT\n"));
    let _daemon = smcroute(&middle, &routes.concat());
    for group in GROUPS {
        first_datagram(&middle, group);
    }
    await_routes(&middle);
    demand_replicas(&middle);
    middle.end();
}

/// smcrouted in the middle; IN and OUT stand for the first interface and the others.
fn smcroute(middle: &Middle, routes: &str) -> (Daemon, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let interfaces: Vec<_> = (0..3).map(|index| middle.interface(index)).collect();
    let enable: String = interfaces.iter().map(|name| format!("phyint {name} enable\n")).collect();
    let routes = routes.replace("IN", &interfaces[0]).replace("OUT", &interfaces[1..].join(" "));
    let path = |name: &str| folder.path().join(name).display().to_string();
    let file = path("smcroute.conf");
    fs::write(&file, enable + &routes).unwrap();
    let arguments = format!("-n -N -l debug -f {file} -P {} -u {}", path("pid"), path("socket"));
    let daemon = Daemon::start(&middle.lab.middle, "smcrouted", &words(&arguments), folder.path());
    until("ready", || daemon.said(), |said| said.contains("eady, waiting for client request"));
    (daemon, folder)
}

fn await_routes(middle: &Middle) {
    let Some(gateway) = &middle.gateway else {
        let routes = || {
            let ip = |words| middle.lab.middle.ip(words).unwrap();
            ip("mroute show") + &ip("-6 mroute show")
        };
        until("routes", routes, |routes| GROUPS.iter().all(|group| routes.contains(group)));
        return;
    };
    eventually(gateway, Topic::Mfib, |routes: &[MfibEntry]| {
        let leads = |group: &str| routes.iter().any(|r| r.group == group && r.to == ["p1", "p2"]);
        GROUPS.iter().all(|group| leads(group))
    });
}

fn first_datagram(middle: &Middle, group: &str) {
    let destination = SocketAddr::new(group.parse().unwrap(), PORT);
    let open = || Sender::new(INTERFACE, destination);
    let mut sender = middle.lab.hosts[0].namespace.enter(open).unwrap();
    sender.send(b"first", 0).unwrap();
}

/// Both groups' streams arrive whole at both members; it is the gateway that replicated them.
fn demand_replicas(middle: &Middle) {
    let streams = GROUPS.map(|group| stream(0, group, &[1, 2]));
    demand_intact(&middle.lab, &streams, 1.0);
    let Some(gateway) = &middle.gateway else { return };
    let up = host_report(gateway, "gw-p0").up;
    let down: u64 = ["gw-p1", "gw-p2"].iter().map(|out| host_report(gateway, out).down).sum();
    assert!(up < 200 && down < 200, "the kernel had {up} datagrams and sent {down}");
}
