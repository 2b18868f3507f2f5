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

through_both!(routes_of_a_session_are_forwarded_and_a_flood_does_not_end_it);

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
    fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    fs::write(path(&format!("{daemon}.conf")), configuration).unwrap();
    fs::write(path("zebra.conf"), "").unwrap();
    let start = |name: &str| {
        let (file, pid) = (path(&format!("{name}.conf")), path(&format!("{name}.pid")));
        let mut arguments = words(&format!("-f {file} -i {pid} -z {}", path("zserv.api")));
        arguments.extend(words(&format!("--vty_socket {} -P 0 --log stdout", folder.display())));
        Daemon::start(namespace, &format!("/usr/lib/frr/{name}"), &arguments, folder)
    };
    let zebra = start("zebra");
    until("zebra's socket", || listed(folder), |files| files.contains("zserv.api"));
    [zebra, start(daemon)]
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
