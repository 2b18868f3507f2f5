//! The kernel as the control plane: shadows of routed ports and bridges, tables that follow Linux.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // hosts, not the path

#[path = "support/netns.rs"]
mod netns;
#[path = "support/running.rs"]
mod running;
#[path = "support/shadowed.rs"]
mod shadowed;

use gateway::control::{FibEntry, MfibEntry, NeighborEntry, Origin, Topic, WorkerReport};
use gateway::demo::host::Receiver;
use gateway::demo::topology::{INTERFACE, Lab};
use netns::{demand_intact, demand_trains, lab, ping, plug_lan, plug_routed, routes, stream};
use running::{bridge, router, start};
use shadowed::{eventually, host_report, prepare, start_router, until, with_hosts};

/// Nobody told the gateway a link address: the kernel finds them, by ARP and neighbour discovery
/// through the shadows, and the data path takes over from the first answer on.
#[test]
fn the_kernel_answers_and_finds_neighbours() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    let gateway = start_router(&lab, "");
    for own in ["10.78.1.1", "fd78:1::1", "10.78.2.1", "fd78:2::1"] {
        ping(&lab.hosts[0], own.parse().unwrap()).unwrap();
    }
    for far in ["10.78.2.2", "fd78:2::2"] {
        ping(&lab.hosts[0], far.parse().unwrap()).unwrap();
    }
    let neighbors = eventually(&gateway, Topic::Neighbors, |neighbors: &[NeighborEntry]| {
        let known = |address: &str| neighbors.iter().any(|n| n.address == address);
        ["10.78.1.2", "fd78:1::2", "10.78.2.2", "fd78:2::2"].into_iter().all(known)
    });
    assert!(neighbors.iter().all(|neighbor| neighbor.origin == Origin::Kernel));
    let before = host_report(&gateway, "gw-p0").up;
    let streams = [stream(0, "10.78.2.2", &[1]), stream(1, "fd78:1::2", &[0])];
    demand_intact(&lab, &streams, 1.0);
    let after = host_report(&gateway, "gw-p0").up;
    assert!(after - before < 200, "{} datagrams of the streams went up", after - before);
    gateway.stop_clean();
}

/// What `ip route`, and so any routing daemon, says is where datagrams go; and no longer when it is
/// taken back.
#[test]
fn routes_follow_the_kernel() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    for network in ["10.99.7.7/32", "fd99::7/128"] {
        lab.hosts[1].namespace.ip(&format!("address add {network} dev lo")).unwrap();
    }
    let gateway = start_router(&lab, "");
    assert!(ping(&lab.hosts[0], "10.99.7.7".parse().unwrap()).is_err(), "no route yet");
    lab.middle.ip("route add 10.99.0.0/16 via 10.78.2.2 dev gw-p1").unwrap();
    lab.middle.ip("-6 route add fd99::/64 via fd78:2::2 dev gw-p1").unwrap();
    lab.middle.ip("route add blackhole 10.99.8.0/24").unwrap();
    let routes = eventually(&gateway, Topic::Fib, |routes: &[FibEntry]| {
        let known = |prefix: &str| routes.iter().any(|route| route.prefix == prefix);
        ["10.99.0.0/16", "fd99::/64", "10.99.8.0/24"].into_iter().all(known)
    });
    let route = routes.iter().find(|route| route.prefix == "10.99.0.0/16").expect("the route");
    assert_eq!((route.via.as_deref(), route.port.as_str()), (Some("10.78.2.2"), "p1"));
    assert_eq!(route.origin, Origin::Kernel);
    for far in ["10.99.7.7", "fd99::7"] {
        ping(&lab.hosts[0], far.parse().unwrap()).unwrap();
    }
    lab.middle.ip("route del 10.99.0.0/16").unwrap();
    eventually(&gateway, Topic::Fib, |routes: &[FibEntry]| {
        !routes.iter().any(|route| route.prefix == "10.99.0.0/16")
    });
    assert!(ping(&lab.hosts[0], "10.99.7.7".parse().unwrap()).is_err(), "the route is gone");
    gateway.stop_clean();
}

/// Next hops of their own (`ip nexthop`, FRR): the kernel says nothing of the routes that go with one.
#[test]
fn routes_change_and_go_with_their_next_hop() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    let gateway = start_router(&lab, "");
    let via = |routes: &[FibEntry]| {
        let route = routes.iter().find(|route| route.prefix == "10.99.0.0/16")?;
        route.via.clone()
    };
    lab.middle.ip("nexthop add id 7 via 10.78.2.2 dev gw-p1").unwrap();
    lab.middle.ip("route add 10.99.0.0/16 nhid 7").unwrap();
    for hop in ["10.78.2.2", "10.78.2.3"] {
        lab.middle.ip(&format!("nexthop replace id 7 via {hop} dev gw-p1")).unwrap();
        eventually(&gateway, Topic::Fib, |routes: &[FibEntry]| via(routes).as_deref() == Some(hop));
    }
    // New interfaces have routes of their own: while they come, all are asked for anyway.
    std::thread::sleep(std::time::Duration::from_secs(4));
    lab.middle.ip("nexthop del id 7").unwrap();
    eventually(&gateway, Topic::Fib, |routes: &[FibEntry]| via(routes).is_none());
    gateway.stop_clean();
}

/// Datagrams for a program on the gateway's host arrive one by one, whatever form they took on the
/// way up; a group is heard from joining to leaving, on its last hop too.
#[test]
fn programs_on_the_host_are_reached() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 1);
    let gateway = start_router(&lab, "");
    let listen = || Receiver::new("gw-p0", "0.0.0.0".parse()?, 7171);
    let receiver = lab.middle.enter(listen).unwrap();
    ping(&lab.hosts[0], "10.78.1.1".parse().unwrap()).unwrap(); // finds the link address
    let trains = |destination: &str| {
        let destination = format!("{destination}:7171").parse().unwrap();
        demand_trains(&lab.hosts[0].namespace, INTERFACE, destination, &receiver, 20);
    };
    trains("10.78.1.1");
    lab.middle.enter(|| receiver.join("gw-p0", "239.7.7.7".parse()?)).unwrap();
    eventually(&gateway, Topic::Mfib, |routes: &[MfibEntry]| {
        routes.iter().any(|route| route.group == "239.7.7.7" && route.to == ["gw-p0"])
    });
    trains("239.7.7.7");
    let report = host_report(&gateway, "gw-p0");
    assert_eq!((report.up_refused, report.down_bad_requests), (0, 0));
    drop(receiver);
    eventually(&gateway, Topic::Mfib, |routes: &[MfibEntry]| routes.is_empty());
    let said = gateway.stop_clean().said.join("\n");
    let takes_super_packets = said.contains("takes super-packets");
    assert_eq!(report.up_super_packets > 0, takes_super_packets, "{report:?}\n{said}");
}

/// A port without a link is an interface without a carrier: daemons see it go and come back.
#[test]
fn a_lost_link_is_a_lost_carrier() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    let gateway = start_router(&lab, "");
    let carrier_becomes = |wanted: &str| {
        until(wanted, || lab.middle.ip("link show gw-p1").unwrap(), |link| link.contains(wanted));
    };
    carrier_becomes("LOWER_UP");
    lab.hosts[1].namespace.ip(&format!("link set {INTERFACE} down")).unwrap();
    carrier_becomes("NO-CARRIER");
    lab.hosts[1].namespace.ip(&format!("link set {INTERFACE} up")).unwrap();
    carrier_becomes("LOWER_UP");
    gateway.stop_clean();
}

/// The host is a member of the bridge, by one shadow or by those of its ports: it has an address there,
/// is pinged, and pings. When the gateway has ended nothing is left of it.
#[test]
fn the_host_is_a_member_of_the_bridge() {
    for (snooping, shadows) in [(false, &["gw-br0"][..]), (true, &["gw-p0", "gw-p1"])] {
        let Some(mut lab) = lab() else { return };
        plug_lan(&mut lab, 2);
        prepare(&lab);
        let section = format!("[[bridge]]\nsnooping = {snooping}\n");
        let text = bridge(&lab).replace("[[bridge]]\n", &section);
        let gateway = start(&lab, "0", &with_hosts(&text, "[[bridge]]\n"));
        lab.middle.ip("address add 10.78.0.200/24 dev gw-br0").unwrap();
        for host in &lab.hosts {
            ping(host, "10.78.0.200".parse().unwrap()).unwrap();
        }
        ping(&lab.hosts[0], "10.78.0.2".parse().unwrap()).unwrap();
        let reports: Vec<_> = shadows.iter().map(|name| host_report(&gateway, name)).collect();
        let (up, down) = (reports.iter().map(|r| r.up), reports.iter().map(|r| r.down));
        assert!(up.sum::<u64>() >= 4 && down.sum::<u64>() >= 4, "{reports:?}");
        gateway.stop_clean();
        let left = lab.middle.ip("-brief link show").unwrap();
        assert!(!left.contains("gw-"), "{left}");
    }
}

/// What cannot be a shadow is refused with a remedy, before any traffic.
#[test]
fn without_the_right_to_make_interfaces_the_remedy_is_named() {
    let bridged = "[[bridge]]\nname = \"br0\"\nports = [\"p0\"]\nhost = true\n";
    // The name is taken by what is no TAP, or no bridge.
    for (taken, before, text) in [
        ("gw-p0", "link add gw-p0 type bridge", "host = true\n"),
        ("gw-p0", "link add gw-p0 type bridge", bridged),
        ("gw-br0", "tuntap add gw-br0 mode tap", bridged),
    ] {
        let Some(mut lab) = lab() else { return };
        plug_routed(&mut lab, 1);
        lab.middle.ip(before).unwrap();
        let said = refused(&lab, text);
        assert!(said.contains(&format!("shadow {taken}")) && said.contains("help: "), "{said}");
        let left = lab.middle.ip("-brief link show").unwrap();
        assert_eq!(left.matches("gw-").count(), 1, "what was made is gone: {left}");
    }
}

/// What a gateway with this port says that does not start.
fn refused(lab: &Lab, of_port: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let text = "[runtime]\nhugepages = false\nmemory_mb = 64\npool_buffers = 2048\n\
                [control]\nsocket = \"FOLDER/gw.sock\"\n\
                [[port]]\nname = \"p0\"\ndevice = \"net_af_packet0,iface=p0\"\n";
    let file = folder.path().join("gw.toml");
    let text = text.replace("FOLDER", &folder.path().to_string_lossy()) + of_port;
    std::fs::write(&file, text).unwrap();
    let run = || {
        let program = env!("CARGO_BIN_EXE_gateway");
        Ok(std::process::Command::new(program).args(["run", "-c"]).arg(&file).output()?)
    };
    let output = lab.middle.enter(run).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    said.into_owned()
}

/// An interface that somebody removes is made anew as the file wants it. Meanwhile what the file says is
/// forwarded on.
#[test]
fn a_shadow_that_is_removed_is_made_anew() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    prepare(&lab);
    let text = router(&lab).replacen("addresses", "mtu = 1700\naddresses", 1);
    let gateway = start(&lab, "0", &with_hosts(&text, "[[port]]\n"));
    let streams = [stream(0, "10.78.2.2", &[1]), stream(1, "fd78:1::2", &[0])];
    let look = || lab.middle.ip("address show gw-p0").unwrap_or_default();
    let number = |text: &str| text.split(':').next().map(str::to_owned).unwrap_or_default();
    let word = |text: &str, key: &str| {
        let after = text.split_whitespace().skip_while(|word| *word != key).nth(1);
        after.map(str::to_owned)
    };
    for _ in 0..2 {
        ping(&lab.hosts[0], "10.78.1.1".parse().unwrap()).unwrap();
        let before = look();
        assert!(before.contains("mtu 1700") && before.contains("10.78.1.1/24"), "{before}");
        std::thread::scope(|scope| {
            let load = scope.spawn(|| demand_intact(&lab, &streams, 1.0));
            lab.middle.ip("link delete gw-p0").unwrap();
            let is_anew =
                |now: &str| number(now) != number(&before) && now.contains("fd78:1::1/64");
            let now = until("made anew", look, is_anew);
            for key in ["mtu", "link/ether", "inet"] {
                assert_eq!(word(&now, key), word(&before, key), "{now}");
            }
            load.join().unwrap();
        });
        until("it is on", look, |now| now.contains("LOWER_UP"));
        for own in ["10.78.1.1", "fd78:1::1"] {
            ping(&lab.hosts[0], own.parse().unwrap()).unwrap();
        }
    }
    let said = gateway.stop_clean().said.join("\n");
    assert_eq!(said.matches("shadow gw-p0 was removed, and is made anew").count(), 2, "{said}");
    let left = lab.middle.ip("-brief link show").unwrap();
    assert!(!left.contains("gw-"), "{left}");
}

/// What a routing daemon does when its session comes up. ROUTES=200000 measures.
#[test]
fn a_burst_of_routes_is_mirrored_while_datagrams_pass() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    let gateway = start_router(&lab, "");
    for far in ["10.78.2.2", "fd78:2::2"] {
        ping(&lab.hosts[0], far.parse().unwrap()).unwrap();
    }
    let count: u32 = std::env::var("ROUTES").map_or(10_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let batch = routes(folder.path(), count, "10.78.2.2 dev gw-p1");
    let known = || {
        let fib: Vec<FibEntry> = gateway.gateway.ask(Topic::Fib).unwrap();
        fib.iter().filter(|route| route.prefix.ends_with(".0/24")).count()
    };
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        let load = scope.spawn(|| demand_intact(&lab, &[stream(0, "10.78.2.2", &[1])], 2.0));
        lab.middle.ip(&batch).unwrap();
        let (told, wanted) = (began.elapsed(), count as usize + 2);
        until("all routes", || known().to_string(), |known| known == wanted.to_string());
        let took = began.elapsed();
        load.join().unwrap();
        let workers: Vec<WorkerReport> = gateway.gateway.ask(Topic::Workers).unwrap();
        eprintln!(
            "{count} routes: the kernel had them after {told:?}, the gateway after {took:?}; longest \
             round {:.1} ms",
            workers[0].longest_round_ms
        );
        assert_eq!(workers[0].stalls, 0);
    });
    gateway.stop_clean();
}
