//! IGMP and MLD snooping by the host's kernel: kernel hosts join and leave, the gateway forwards as a
//! Linux bridge in its place does.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // hosts, not the path

#[path = "support/middle.rs"]
mod linux;
#[path = "support/membership.rs"]
mod membership;
#[path = "support/netns.rs"]
mod netns;
#[path = "support/running.rs"]
mod running;
#[path = "netns_snoop/link.rs"]
mod link;
#[path = "netns_snoop/middle.rs"]
mod middle;
#[path = "netns_snoop/traffic.rs"]
mod traffic;

use std::net::Ipv4Addr;
use std::time::Duration;

use gateway::control::{DropsReport, MdbEntry, TableUse, Topic};
use gateway::demo::host::{Receiver, any_like};
use gateway::demo::topology::INTERFACE;
use membership::{broadcast, general_query, leave_v2, mld_report, report_v2, to_routers};
use middle::{BRIDGE, Kind, Middle};
use netns::{PORT, ping, receive};
use socket2::{Domain, Socket, Type};
use traffic::{COUNT, arrivals, becomes, seen_by, stays, zap};

const GROUPS: [&str; 2] = ["239.78.1.1", "ff3e::78:1"];

/// What the second, third and fourth host get of the first one's datagrams, step by step.
type Outcome = Vec<(&'static str, [usize; 3])>;

/// A member of `group` behind a port, until it is dropped.
fn join(middle: &Middle, host: usize, group: &str) -> Receiver {
    let group = group.parse().unwrap();
    let listen = || {
        let receiver = Receiver::new(INTERFACE, any_like(group), PORT)?;
        receiver.join(INTERFACE, group)?;
        Ok(receiver)
    };
    middle.lab.hosts[host].namespace.enter(listen).unwrap()
}

/// Joins, leaves and routers while somebody asks. Leaving is believed at once on the third port only.
fn with_querier(kind: Kind, group: &'static str) -> Outcome {
    let middle = Middle::start(kind, true, &["p2"]);
    let mut outcome = Vec::new();
    let mut step = |name, expected| outcome.push((name, becomes(&middle, group, expected)));
    step("nobody has joined", [0, 0, 0]);
    let second = join(&middle, 1, group);
    step("the second has joined", [COUNT, 0, 0]);
    let third = join(&middle, 2, group);
    step("the third too", [COUNT, COUNT, 0]);
    drop(third);
    step("the third has left", [COUNT, 0, 0]);
    drop(second);
    step("the second has left, and was asked whether others listen", [0, 0, 0]);
    middle.send(3, &general_query(group));
    step("a router is behind the fourth", [0, 0, COUNT]);
    let _second = join(&middle, 1, group);
    step("the second has joined again", [COUNT, 0, COUNT]);
    let link = if group.contains(':') { "ff02::1" } else { "224.0.0.251" };
    outcome.push(("a group of the link", stays(&middle, link, [COUNT; 3])));
    outcome.push(("broadcast", seen_by(&middle, &[broadcast()], [1; 3])));
    middle.stop();
    outcome
}

#[test]
fn members_and_routers_get_a_group_as_on_a_linux_bridge() {
    if !middle::possible() {
        return;
    }
    let run = |kind| {
        std::thread::scope(|scope| {
            let families = GROUPS.map(|group| scope.spawn(move || with_querier(kind, group)));
            families.map(|outcome| outcome.join().unwrap())
        })
    };
    assert_eq!(run(Kind::Gateway), run(Kind::Linux));
}

/// Nobody asks, so whoever is silent may still listen: everything floods, what is joined as well.
#[test]
fn without_a_querier_groups_flood() {
    for kind in [Kind::Linux, Kind::Gateway] {
        let Some(middle) = middle::possible().then(|| Middle::start(kind, false, &[])) else {
            return;
        };
        for group in GROUPS {
            stays(&middle, group, [COUNT; 3]);
            let member = join(&middle, 1, group);
            std::thread::sleep(Duration::from_millis(1500)); // longer than the response time
            stays(&middle, group, [COUNT; 3]);
            drop(member);
        }
        // A router beyond the fourth port begins to ask: then it, and members, are all.
        for group in GROUPS {
            let _member = join(&middle, 2, group);
            middle.send(3, &general_query(group));
            becomes(&middle, group, [0, COUNT, COUNT]);
        }
        middle.stop();
    }
}

/// A report of IGMPv2 or MLDv1 reaches routers once each, and no other host: it would keep its own to
/// itself. One of version 3, and a leave, suppress nothing and reach all. A malformed one reaches
/// nobody and is counted.
#[test]
fn reports_reach_routers_once_and_malformed_ones_nobody() {
    for kind in [Kind::Linux, Kind::Gateway] {
        let Some(middle) = middle::possible().then(|| Middle::start(kind, true, &[])) else {
            return;
        };
        for group in ["239.78.9.9", "ff3e::78:9"] {
            middle.send(3, &general_query(group));
            becomes(&middle, group, [0, 0, COUNT]);
        }
        let [report_v3, leave] = to_routers();
        let report = report_v2([239, 78, 1, 1]);
        for (name, message, expected) in [
            ("IGMPv2", &report, [0, 0, 1]),
            ("MLDv1", &mld_report(), [0, 0, 1]),
            ("IGMPv3", &report_v3, [1; 3]),
            ("leave", &leave, [1; 3]),
        ] {
            let got = seen_by(&middle, std::slice::from_ref(message), expected);
            assert_eq!(got, expected, "{kind:?}, {name}");
        }
        let mut malformed = report;
        *malformed.last_mut().unwrap() ^= 1;
        assert_eq!(seen_by(&middle, &[malformed.clone()], [0; 3]), [0; 3], "{kind:?}");
        if let Some(gateway) = middle.gateway() {
            let drops: DropsReport = gateway.gateway.ask(Topic::Drops).unwrap();
            assert_eq!(drops.by_reason["bad_membership"], 1);
        }
        middle.stop();
    }
}

/// IGMPv3: a member of one source gets that one. And a router that was told of, and asks nothing.
#[test]
fn sources_have_members_of_their_own() {
    if !middle::possible() {
        return;
    }
    let run = |kind| {
        // From the first question on: a host that heard version 2 speaks that for minutes.
        let middle = Middle::start_with(kind, true, &[], "mcast_igmp_version 3");
        let port = middle.kernel_port(3);
        middle
            .lab
            .middle
            .command("bridge", &format!("link set dev {port} mcast_router 2"))
            .unwrap();
        let group = "232.78.1.1";
        becomes(&middle, group, [0, 0, COUNT]);
        let join = |host: usize, source: &str| {
            let source = source.parse::<Ipv4Addr>().unwrap();
            let listen = || {
                let receiver = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
                let group = group.parse().unwrap();
                let own = Ipv4Addr::new(10, 78, 0, host as u8 + 1);
                receiver.join_ssm_v4(&source, &group, &own)?;
                Ok(receiver)
            };
            middle.lab.hosts[host].namespace.enter(listen).unwrap()
        };
        let _second = join(1, "10.78.0.1");
        let _third = join(2, "10.78.0.99");
        becomes(&middle, group, [COUNT, 0, COUNT]);
        if let Some(gateway) = middle.gateway() {
            let entries: Vec<MdbEntry> = gateway.gateway.ask(Topic::Mdb).unwrap();
            let of = |source: &str| {
                let found = entries.iter().find(|entry| entry.source.as_deref() == Some(source));
                found.map(|entry| entry.ports.clone()).unwrap_or_default()
            };
            assert_eq!((of("10.78.0.1"), of("10.78.0.99")), (vec!["p1".into()], vec!["p2".into()]));
        }
        middle.stop();
    };
    run(Kind::Linux);
    run(Kind::Gateway);
}

/// The table of groups has a size, the kernel's: beyond it Linux gives snooping up, and nobody misses
/// anything.
#[test]
fn more_groups_than_there_is_room_for_flood() {
    for kind in [Kind::Linux, Kind::Gateway] {
        let Some(middle) = middle::possible().then(|| Middle::start_limited(kind, &[], 64)) else {
            return;
        };
        becomes(&middle, GROUPS[0], [0, 0, 0]);
        (0..80).for_each(|n| middle.send(1, &report_v2([239, 78, 2, n])));
        becomes(&middle, GROUPS[0], [COUNT; 3]);
        middle.stop();
    }
}

/// A port's host that joins more groups than it may does not get the rest, and takes nothing from
/// others.
#[test]
fn a_port_is_believed_a_limited_number_of_groups() {
    if middle::linux_version() < (6, 3) {
        eprintln!("skipped: needs Linux 6.3");
        return;
    }
    const LIMIT: u8 = 3;
    let group = |n: u8| [239, 78, 3, n];
    let name = |n: u8| Ipv4Addr::from(group(n)).to_string();
    for kind in [Kind::Linux, Kind::Gateway] {
        let limited = || Middle::start_limited_by_port(kind, &["p1"], LIMIT.into());
        let Some(middle) = middle::possible().then(limited) else { return };
        // IPv6 is in groups by itself, and they count; a port that goes down has none any more.
        let off = format!("ipv6/conf/{INTERFACE}/disable_ipv6");
        middle.lab.hosts[1].namespace.sysctl(&off, "1").unwrap();
        let port = middle.kernel_port(1);
        for state in ["down", "up"] {
            middle.lab.middle.ip(&format!("link set {port} {state}")).unwrap();
        }
        let entries = middle.lab.middle.command("bridge", "mdb show").unwrap();
        assert!(!entries.contains(&format!("port {port} ")), "{entries}");
        becomes(&middle, GROUPS[0], [0, 0, 0]);
        (1..=LIMIT + 1).for_each(|n| middle.send(1, &report_v2(group(n))));
        (1..=LIMIT).for_each(|n| {
            becomes(&middle, &name(n), [COUNT, 0, 0]);
        });
        stays(&middle, &name(LIMIT + 1), [0, 0, 0]);
        if let Some(gateway) = middle.gateway() {
            let tables: Vec<TableUse> = gateway.gateway.ask(Topic::Tables).unwrap();
            let of_port = tables.iter().find(|table| table.name == "groups p1").unwrap();
            assert_eq!((of_port.used, of_port.limit), (LIMIT.into(), LIMIT.into()));
        }
        middle.send(2, &report_v2(group(LIMIT + 1)));
        becomes(&middle, &name(LIMIT + 1), [0, COUNT, 0]);
        middle.send(1, &leave_v2(group(1)));
        becomes(&middle, &name(1), [0, 0, 0]);
        middle.send(1, &report_v2(group(LIMIT + 1)));
        becomes(&middle, &name(LIMIT + 1), [COUNT, COUNT, 0]);
        middle.stop();
    }
}

/// The host is a member like any other: what it joins on the bridge it gets, once, and what it sends
/// is received once.
#[test]
fn the_host_joins_on_its_bridge() {
    let Some(middle) = middle::possible().then(|| Middle::start(Kind::Gateway, true, &[])) else {
        return;
    };
    let gateway = middle.gateway().unwrap();
    let namespace = &middle.lab.middle;
    namespace.ip(&format!("address add 10.78.0.200/24 dev {BRIDGE}")).unwrap();
    ping(&middle.lab.hosts[0], "10.78.0.200".parse().unwrap()).unwrap();
    becomes(&middle, GROUPS[0], [0, 0, 0]);
    let group = GROUPS[0].parse().unwrap();
    let listen = || {
        let receiver = Receiver::new(BRIDGE, any_like(group), PORT)?;
        receiver.join(BRIDGE, group)?;
        Ok(receiver)
    };
    let receiver = namespace.enter(listen).unwrap();
    let is_member = |entry: &MdbEntry| entry.group == GROUPS[0] && entry.ports == [BRIDGE];
    middle::eventually("the host is a member", || {
        let entries: Vec<MdbEntry> = gateway.gateway.ask(Topic::Mdb).unwrap();
        entries.iter().any(is_member)
    });
    assert_eq!(arrivals(&middle, GROUPS[0], [0; 3]), [0; 3]);
    for number in 0..COUNT {
        let datagram = receive(&receiver).unwrap_or_else(|| panic!("datagram {number} of {COUNT}"));
        assert_eq!(datagram.len(), traffic::BYTES);
    }
    let mut buffer = [0; 2048];
    assert!(receiver.receive(&mut buffer).unwrap().is_none(), "one came twice");
    middle.stop();
}

/// What somebody removes, a shadow of a port or the bridge itself, is made anew, and learns again.
#[test]
fn what_is_removed_is_made_anew_and_learns_again() {
    let Some(middle) = middle::possible().then(|| Middle::start(Kind::Gateway, true, &[])) else {
        return;
    };
    let namespace = middle.lab.middle.clone();
    becomes(&middle, GROUPS[0], [0, 0, 0]);
    let _member = join(&middle, 1, GROUPS[0]);
    becomes(&middle, GROUPS[0], [COUNT, 0, 0]);
    for removed in ["gw-p1", BRIDGE] {
        namespace.ip(&format!("link delete {removed}")).unwrap();
        middle::eventually("a port of the bridge again", || {
            let link = namespace.command("bridge", "-d link show dev gw-p1").unwrap_or_default();
            link.contains(&format!("master {BRIDGE}")) && link.contains("isolated on")
        });
        // With a bridge its settings are gone, and it gives those who listen ten seconds.
        becomes(&middle, GROUPS[0], [COUNT, 0, 0]);
        becomes(&middle, "239.78.9.9", [0, 0, 0]);
    }
    middle.stop();
    let left = namespace.ip("-brief link show").unwrap();
    assert!(!left.contains("gw-"), "{left}");
}

/// From joining to the first datagram: measured, not judged. ZAPS=10 ROUTES=200000 beside a table of
/// routes that has nothing to do with it.
#[test]
fn zap_time() {
    let number = |name, default| std::env::var(name).map_or(default, |n| n.parse().unwrap());
    let (zaps, count) = (number("ZAPS", 5), number("ROUTES", 0));
    for kind in [Kind::Linux, Kind::Gateway] {
        let Some(middle) = middle::possible().then(|| Middle::start(kind, true, &["p2"])) else {
            return;
        };
        middle.load_routes(count);
        becomes(&middle, GROUPS[0], [0, 0, 0]);
        let mut times: Vec<_> = (0..zaps).map(|_| zap(&middle, 2, GROUPS[0])).collect();
        times.sort_unstable();
        let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
        println!(
            "zap time, {kind:?}, {count} routes: median {median:?}, longest {longest:?} of {zaps}"
        );
        middle.stop();
    }
}
