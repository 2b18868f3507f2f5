//! FRR: a session over a shadow, its routes in the data path, and a flood that does not end it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gateway::control::{DropsReport, FibEntry, Origin, Topic};
use gateway::demo::host::Sender;
use gateway::demo::namespace::Namespace;
use gateway::demo::topology::INTERFACE;

use crate::daemon::{Daemon, words};
use crate::netns::{demand_intact, stream};
use crate::shadowed::{eventually, until};
use crate::{By, Middle, through_both};

/// The hold time is 3 s: a session that is not heard for so long is dropped.
const FLOOD: std::time::Duration = std::time::Duration::from_secs(4);

/// Longer than the daemons take to end, begin and find each other again.
const RESTART_SECONDS: f64 = 8.0;

through_both! {
    routes_of_a_session_are_forwarded_and_a_flood_does_not_end_it
    forwarding_goes_on_while_the_daemons_are_restarted
}

fn routes_of_a_session_are_forwarded_and_a_flood_does_not_end_it(by: By) {
    let Some(middle) = Middle::router(by, 2) else { return };
    let (here, there) = (&middle.lab.middle, &middle.lab.hosts[0].namespace);
    for address in ["10.99.1.7/32", "fd99:1::7/128"] {
        there.ip(&format!("address add {address} dev lo")).unwrap();
    }
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let networks = ["10.99.1.0/24", "fd99:1::/64"];
    let _there =
        frr(there, folders[0].path(), "bgpd", &configuration("65001", "1.2", "1.1", &networks));
    let _here = frr(here, folders[1].path(), "bgpd", &configuration("65002", "1.1", "1.2", &[]));
    match &middle.gateway {
        Some(gateway) => {
            let routes = eventually(gateway, Topic::Fib, |routes: &[FibEntry]| {
                networks.iter().all(|net| routes.iter().any(|route| route.prefix == *net))
            });
            let learnt = routes.iter().filter(|route| networks.contains(&&route.prefix[..]));
            for route in learnt {
                assert_eq!((&route.port[..], route.origin), ("p0", Origin::Kernel), "{route:?}");
            }
        }
        None => {
            let routes = || here.ip("route").unwrap() + &here.ip("-6 route").unwrap();
            until("a route", routes, |routes| networks.iter().all(|net| routes.contains(net)));
        }
    }
    let streams = [stream(1, "10.99.1.7", &[0]), stream(1, "fd99:1::7", &[0])];
    demand_intact(&middle.lab, &streams, 1.0);

    let destination = "10.200.0.1:7077".parse().unwrap();
    let open = || Sender::new(INTERFACE, destination);
    let mut sender = middle.lab.hosts[1].namespace.enter(open).unwrap();
    let began = std::time::Instant::now();
    while began.elapsed() < FLOOD {
        let _ = sender.send(&[0x5a; 32 * 500], 500); // refused when it hears that there is no route
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    if let Some(gateway) = &middle.gateway {
        let drops: DropsReport = gateway.gateway.ask(Topic::Drops).unwrap();
        assert!(drops.by_reason["punt_limited"] > 1000, "no flood: {drops:?}");
    }
    let neighbor = vtysh(here, folders[1].path(), "bgpd", "show bgp neighbors 10.78.1.2 json");
    for healthy in ["\"bgpState\":\"Established\"", "\"connectionsDropped\":0"] {
        assert!(neighbor.contains(healthy), "{healthy} not in {neighbor}");
    }
    demand_intact(&middle.lab, &streams, 0.5);
    middle.end();
}

/// The routing daemons are restarted as an update of theirs does it: the kernel keeps their routes
/// (`zebra --retain`, then `--graceful_restart`), and no datagram is lost.
fn forwarding_goes_on_while_the_daemons_are_restarted(by: By) {
    let Some(middle) = Middle::router(by, 2) else { return };
    let (here, there) = (&middle.lab.middle, &middle.lab.hosts[0].namespace);
    there.ip("address add 10.99.1.7/32 dev lo").unwrap();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [mine, others] =
        [("65002", "1.1", "1.2", &[][..]), ("65001", "1.2", "1.1", &["10.99.1.0/24"])]
            .map(|(number, own, peer, networks)| configuration(number, own, peer, networks));
    let _there = frr(there, folders[0].path(), "bgpd", &others);
    let start = || frr_with(here, folders[1].path(), "bgpd", &mine, "--retain -K 60");
    let is_up = || {
        let routes = || here.ip("route").unwrap();
        until("a route", routes, |routes| routes.contains("10.99.1.0/24"));
        let show = || vtysh(here, folders[1].path(), "bgpd", "show bgp neighbors 10.78.1.2 json");
        until("a session", show, |neighbor| neighbor.contains("\"bgpState\":\"Established\""));
    };
    let daemons = start();
    is_up();
    if let Some(gateway) = &middle.gateway {
        eventually(gateway, Topic::Fib, |routes: &[FibEntry]| {
            routes.iter().any(|route| route.prefix == "10.99.1.0/24")
        });
    }
    let streams = [stream(1, "10.99.1.7", &[0])];
    demand_intact(&middle.lab, &streams, 0.5); // link addresses are known from here on
    std::thread::scope(|scope| {
        let load = scope.spawn(|| demand_intact(&middle.lab, &streams, RESTART_SECONDS));
        std::thread::sleep(std::time::Duration::from_millis(500));
        drop(daemons); // zebra first, so that nobody takes routes back
        let _daemons = start();
        is_up();
        load.join().unwrap();
    });
    middle.end();
}

/// Both address families over one session; `own` and `peer` are the ends of 10.78 and fd78.
fn configuration(number: &str, own: &str, peer: &str, networks: &[&str]) -> String {
    let own_v6 = format!("fd78:{}", own.replace('.', "::"));
    let peer = format!("10.78.{peer}");
    let of_family = |v6: bool| -> String {
        let of_it = networks.iter().filter(|net| net.contains(':') == v6);
        of_it.map(|net| format!("  network {net}\n")).collect()
    };
    format!(
        "router bgp {number}\n bgp router-id 10.78.{own}\n no bgp ebgp-requires-policy\n \
         no bgp network import-check\n neighbor {peer} remote-as external\n \
         neighbor {peer} timers 1 3\n neighbor {peer} timers connect 1\n \
         neighbor {peer} advertisement-interval 0\n \
         address-family ipv4 unicast\n{} exit-address-family\n \
         address-family ipv6 unicast\n  neighbor {peer} activate\n  \
         neighbor {peer} route-map v6 out\n{} exit-address-family\n\
         route-map v6 permit 10\n set ipv6 next-hop global {own_v6}\n",
        of_family(false),
        of_family(true),
    )
}

/// zebra and another daemon, which give up root and write into `folder` only.
pub(crate) fn frr(
    namespace: &Namespace,
    folder: &Path,
    daemon: &str,
    configuration: &str,
) -> [Daemon; 2] {
    frr_with(namespace, folder, daemon, configuration, "")
}

/// With `more` arguments of zebra's.
fn frr_with(
    namespace: &Namespace,
    folder: &Path,
    daemon: &str,
    configuration: &str,
    more: &str,
) -> [Daemon; 2] {
    fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    fs::write(path(&format!("{daemon}.conf")), configuration).unwrap();
    fs::write(path("zebra.conf"), "").unwrap();
    let start = |name: &str, more: &str| {
        let (file, pid) = (path(&format!("{name}.conf")), path(&format!("{name}.pid")));
        let mut arguments = words(&format!("-f {file} -i {pid} -z {}", path("zserv.api")));
        arguments.extend(words(&format!("--vty_socket {} -P 0 --log stdout", folder.display())));
        arguments.extend(words(more));
        Daemon::start(namespace, &format!("/usr/lib/frr/{name}"), &arguments, folder)
    };
    let zebra = start("zebra", more);
    until("zebra's socket", || listed(folder), |files| files.contains("zserv.api"));
    [zebra, start(daemon, "")]
}

fn listed(folder: &Path) -> String {
    let names = fs::read_dir(folder).unwrap().flatten();
    names.map(|entry| entry.file_name().to_string_lossy().into_owned() + "\n").collect()
}

/// What a daemon of FRR answers.
pub(crate) fn vtysh(namespace: &Namespace, folder: &Path, daemon: &str, command: &str) -> String {
    let run = || {
        let output = std::process::Command::new("vtysh")
            .arg("--vty_socket")
            .arg(folder)
            .args(["-d", daemon, "-c", command])
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    namespace.enter(run).unwrap()
}
