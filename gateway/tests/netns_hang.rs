//! A port whose transmit queue hangs in the real program (semantics 7.31): it is restarted and sends
//! again, and the hosts on the other ports notice nothing.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // hosts, not the path

#[path = "support/netns.rs"]
mod netns;
#[path = "support/plugin.rs"]
mod plugin;
#[path = "support/running.rs"]
mod running;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use gateway::control::{DropsReport, Health, PortReport, Topic};

use netns::{demand_intact, lab, plug_lan, stream};
use running::{Running, bridge, start_program};

/// What the library lets the queue take before it hangs.
const TAKES: u64 = 300;
/// Streams of two seconds until it must have been noticed and mended.
const ROUNDS: usize = 20;

fn hung_port(gateway: &Running) -> PortReport {
    let ports: Vec<PortReport> = gateway.gateway.ask(Topic::Ports).unwrap();
    ports.into_iter().find(|port| port.name == "ill").unwrap()
}

#[test]
fn s07_31_a_hung_port_is_restarted_and_the_others_lose_nothing() {
    if option_env!("DPDK_STATIC").is_some() {
        return; // a static program has no function to put another in front of
    }
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("gateway");
    let (library, gateway) = (plugin::build("hang/hanger"), env!("CARGO_BIN_EXE_gateway"));
    let script = format!("#!/bin/sh\nLD_PRELOAD='{}' exec '{gateway}' \"$@\"\n", library.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let ill = "[[port]]\nname = \"ill\"\ndevice = \"net_null9,no-rx=1\"\n[[bridge]]";
    let configuration =
        bridge(&lab).replace("[[bridge]]", ill).replace("ports = [", "ports = [\"ill\", ");
    let gateway = start_program(&program, &lab, "0, 1", &configuration);

    let streams = [
        stream(0, "239.78.1.1", &[1, 2]),
        stream(1, "fd78::1", &[0]),
        stream(2, "ff15:78::1", &[0, 1]),
    ];
    let mended = (0..ROUNDS).any(|_| {
        demand_intact(&lab, &streams, 2.0);
        hung_port(&gateway).resets > 0
    });
    assert!(mended, "{:?}", hung_port(&gateway));
    let before = hung_port(&gateway);
    assert!(!before.hung && before.tx_packets >= TAKES, "{before:?}");
    let drops = || gateway.gateway.ask::<DropsReport>(Topic::Drops).unwrap().by_port;
    let lost = drops();
    demand_intact(&lab, &streams, 1.0);
    let after = hung_port(&gateway);
    assert!(after.tx_packets > before.tx_packets + TAKES && after.resets == 1, "{after:?}");
    assert_eq!(drops(), lost, "it is over");
    assert!(lost["ill"]["port_reset"] > 0, "{lost:?}");
    assert_eq!(lost.keys().collect::<Vec<_>>(), ["ill"], "{lost:?}");
    let health: Health = gateway.gateway.ask(Topic::Health).unwrap();
    assert!(health.live && health.ready && health.problems.is_empty(), "{health:?}");
    let said = gateway.stop_clean().said.join("\n");
    for line in ["HUNG: port ill takes no frame", "port ill was restarted"] {
        assert!(said.contains(line), "never said `{line}`: {said}");
    }
}
