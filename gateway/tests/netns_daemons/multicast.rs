//! smcroute: static routes of one source, and of any source as its datagrams come.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use gateway::control::{DropsReport, MfibEntry, Topic};
use gateway::demo::host::{HOPS, Receiver, Sender};
use gateway::demo::topology::INTERFACE;

use crate::daemon::{Daemon, words};
use crate::netns::{PORT, demand_intact, receive, stream};
use crate::shadowed::{eventually, host_report, until};
use crate::{By, Middle, through_both};

const GROUPS: [&str; 2] = ["239.78.1.1", "ff3e::78:1"];

through_both!(
    routes_of_one_source
    routes_of_any_source
    thresholds_keep_datagrams_in
    members_on_the_host_are_members_among_others
    the_kernel_hears_of_traffic_and_not_of_silence
);

fn routes_of_one_source(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let _daemon = smcroute(&middle, 1, &of_one_source(&middle));
    await_routes(&middle);
    demand_replicas(&middle);
    middle.end();
}

/// The first datagram of a source goes to the daemon, which makes the route; the rest is forwarded
/// without it.
fn routes_of_any_source(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let routes = GROUPS.map(|group| format!("mroute from IN group {group} to OUT\n"));
    let _daemon = smcroute(&middle, 1, &routes.concat());
    for group in GROUPS {
        first_datagram(&middle, group);
    }
    await_routes(&middle);
    demand_replicas(&middle);
    middle.end();
}

/// More hops than the demo's datagrams have: the last interface takes none of them. IPv6 knows no
/// thresholds (`struct mf6cctl` of linux/mroute6.h has a set of interfaces).
fn thresholds_keep_datagrams_in(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let _daemon = smcroute(&middle, HOPS, &of_one_source(&middle));
    await_routes(&middle);
    demand_intact(&middle.lab, &[stream(0, GROUPS[0], &[1])], 0.5);
    demand_intact(&middle.lab, &[stream(0, GROUPS[1], &[1, 2])], 0.5);
    if let Some(gateway) = &middle.gateway {
        let drops: DropsReport = gateway.gateway.ask(Topic::Drops).unwrap();
        assert_eq!(drops.by_port["p2"]["ttl_threshold"], drops.by_reason["ttl_threshold"]);
        assert!(drops.by_reason["ttl_threshold"] >= 1000, "{drops:?}");
    }
    middle.end();
}

/// smcroute joins the groups as well, as its manual says: so the kernel has the datagrams and a route
/// for them, and yet nobody gets them twice.
fn members_on_the_host_are_members_among_others(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let join = GROUPS.map(|group| format!("mgroup from IN group {group}\n")).concat();
    let _daemon = smcroute(&middle, 1, &(join + &of_one_source(&middle)));
    let input = middle.interface(0);
    let listen = || {
        let receiver = Receiver::new(&input, "0.0.0.0".parse()?, PORT)?;
        receiver.join(&input, GROUPS[0].parse()?)?;
        Ok(receiver)
    };
    let receiver = middle.lab.middle.enter(listen).unwrap();
    if let Some(gateway) = &middle.gateway {
        eventually(gateway, Topic::Mfib, |routes: &[MfibEntry]| {
            let is_complete = |route: &MfibEntry| route.group == GROUPS[0] && route.to.len() == 3;
            routes.iter().any(is_complete)
        });
    } else {
        await_routes(&middle);
    }
    let streams = GROUPS.map(|group| stream(0, group, &[1, 2]));
    demand_intact(&middle.lab, &streams, 0.5);
    assert!(receive(&receiver).is_some(), "the member on the host heard nothing");
    middle.end();
}

/// What daemons age routes by: the kernel's count of an entry's datagrams.
fn the_kernel_hears_of_traffic_and_not_of_silence(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let idle = ["239.78.1.2", "ff3e::78:2"];
    let routes = of_one_source(&middle);
    let silent = routes.replace(GROUPS[0], idle[0]).replace(GROUPS[1], idle[1]);
    let _daemon = smcroute(&middle, 1, &(routes + &silent));
    await_routes(&middle);
    let mut before = [0, 0];
    for _ in 0..2 {
        demand_replicas(&middle);
        std::thread::sleep(Duration::from_millis(1100)); // for the next second's news
        for (group, before) in GROUPS.iter().zip(&mut before) {
            first_datagram(&middle, group);
            let more = |seen: &str| seen.parse::<u64>().is_ok_and(|packets| packets > *before);
            let seen = until("more", || packets(&middle, group).to_string(), more);
            *before = seen.parse().unwrap();
        }
        assert_eq!(idle.map(|group| packets(&middle, group)), [0, 0]);
    }
    middle.end();
}

/// How many datagrams of a group's route the kernel has counted.
fn packets(middle: &Middle, group: &str) -> u64 {
    let family = if group.contains(':') { "-6" } else { "-4" };
    let routes = middle.lab.middle.ip(&format!("{family} -s mroute show")).unwrap();
    let entry = routes.split_once(&format!(",{group})")).map_or("", |(_, behind)| behind);
    let count = entry.lines().nth(1).and_then(|line| line.split_whitespace().next());
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{group} in {routes}"))
}

/// From the first host to the others.
fn of_one_source(middle: &Middle) -> String {
    let routes = GROUPS
        .iter()
        .zip(middle.addresses(0))
        .map(|(group, source)| format!("mroute from IN source {source} group {group} to OUT\n"));
    routes.collect()
}

/// smcrouted in the middle; IN and OUT stand for the first interface and the others, of which the last
/// has the threshold.
fn smcroute(middle: &Middle, threshold: u32, routes: &str) -> (Daemon, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let interfaces: Vec<_> = (0..3).map(|index| middle.interface(index)).collect();
    let enable = interfaces
        .iter()
        .zip([1, 1, threshold])
        .map(|(name, threshold)| format!("phyint {name} enable ttl-threshold {threshold}\n"));
    let enable: String = enable.collect();
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
