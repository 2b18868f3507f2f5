//! Linux as an oracle: the same frames through a Linux bridge, router or multicast router in
//! network namespaces and through the gateway's workers, coalescing off, list and merge. The three
//! must agree; where Linux differs, docs/linux.md has a row with the reason. Linux' own GRO is
//! judged the same way, against Linux without.
//!
//! `ORACLE_FRAMES=1` prints the frames that differ.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // hosts, not the path

mod bridge;
mod capture;
mod compare;
mod document;
mod edit;
#[allow(dead_code, unreachable_pub)] // shared with the worker's tests
#[path = "../worker/frames.rs"]
mod frames;
#[allow(dead_code, unreachable_pub)]
#[path = "../worker/harness.rs"]
mod harness;
mod linux;
#[path = "../support/middle.rs"]
mod middle;
#[path = "../support/netns.rs"]
mod netns;
mod router;
mod trains;

use compare::{Arrival, Case, Sent, difference, steps};
use document::Findings;
use harness::Gateway;
use linux::Linux;

const MODES: [&str; 3] = ["off", "list", "merge"];

#[test]
fn a_bridge_is_as_linux_or_the_document_says_why() {
    let Some(mut linux) = Linux::new(4, |lab| {
        middle::linux_bridge(lab);
        lab.middle.ip("link set p3 mtu 1000").unwrap();
    }) else {
        return;
    };
    judge("bridge", &bridge::configuration(), &mut linux, &bridge::cases());
}

#[test]
fn a_router_is_as_linux_or_the_document_says_why() {
    let Some(mut linux) = Linux::new(4, router::set_up) else { return };
    judge("router", &router::configuration(), &mut linux, &router::cases());
}

#[test]
fn a_multicast_router_is_as_linux_or_the_document_says_why() {
    let Some(mut linux) = Linux::new(4, router::set_up) else { return };
    let _routes = router::multicast_routes(&linux.lab);
    let configuration = router::multicast_configuration();
    judge("multicast", &configuration, &mut linux, &router::multicast_cases());
}

/// Linux' own coalescing breaks what the design's list of failures says; ours is judged above.
#[test]
fn coalescing_in_linux_is_as_the_document_says() {
    for offload in ["rx-gro-list", "rx-udp-gro-forwarding"] {
        let Some(mut linux) = Linux::new(2, middle::linux_bridge) else { return };
        judge_offload(&format!("{offload}, bridge"), offload, &mut linux, bridge::cases());
        let Some(mut linux) = Linux::new(2, linux::router) else { return };
        judge_offload(&format!("{offload}, router"), offload, &mut linux, router::cases());
    }
}

/// Compares the gateway's modes with each other and with Linux.
fn judge(world: &str, configuration: &str, linux: &mut Linux, cases: &[Case]) {
    let mut findings = Findings::new(world);
    for case in cases {
        let [off, rest @ ..] = MODES.map(|mode| gateway(configuration, mode, &case.arrivals));
        for (sent, mode) in rest.iter().zip(&MODES[1..]) {
            let found = difference(("off", &off), (mode, sent));
            assert_eq!(found, None, "{world}: {}: modes differ", case.name);
        }
        let by_linux = linux.run(&case.arrivals);
        findings.add(case, difference(("Linux", &by_linux), ("gateway", &off)));
    }
    findings.demand_pinned();
}

/// Compares Linux with coalescing on `p0` with Linux without.
fn judge_offload(world: &str, offload: &str, linux: &mut Linux, mut cases: Vec<Case>) {
    cases.retain(|case| case.name.contains("train") || case.name.contains("pair"));
    let plain: Vec<_> = cases.iter().map(|case| linux.run(&case.arrivals)).collect();
    linux.coalesce(offload);
    let mut findings = Findings::new(world);
    for (case, plain) in cases.iter().zip(&plain) {
        // A train falls apart where its sender has to wait for a CPU; hardly twice.
        let judge = |_| difference(("off", plain), ("on", &linux.run(&case.arrivals)));
        findings.add(case, (0..2).find_map(judge));
    }
    findings.by_kind().demand_pinned();
}

/// What leaves each port of a gateway that has seen nothing before.
fn gateway(configuration: &str, mode: &str, arrivals: &[Arrival]) -> Sent {
    let mut gateway = Gateway::new(&format!("{configuration}[gro]\nmode = \"{mode}\"\n"));
    let mut sent = vec![Vec::new(); gateway.ports.len()];
    for (port, frames) in steps(arrivals) {
        frames.into_iter().for_each(|frame| gateway.ports[port].inject(frame));
        gateway.run();
        sent.iter_mut().zip(gateway.sent()).for_each(|(all, new)| all.extend(new));
    }
    gateway.finish();
    sent
}
