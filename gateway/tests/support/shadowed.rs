//! A gateway with shadows in the middle of a laboratory, and what it says of itself.
#![allow(dead_code)] // every test uses a part of it

use std::time::{Duration, Instant};

use gateway::control::{HostReport, Topic};
use gateway::demo::topology::{Lab, port_name};

use crate::running::{Running, ports, start};

/// How long something may take on a crowded machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A router with shadows and no neighbours in its file. The middle's kernel shares its interfaces
/// with net_af_packet, so it must not answer there itself: an address is heard on shadows only.
pub(crate) fn start_router(lab: &Lab, extra: &str) -> Running {
    prepare(lab);
    let text = ports(lab, |index| {
        let net = index + 1;
        format!("\"10.78.{net}.1/24\", \"fd78:{net}::1/64\"")
    });
    start(lab, "0", &(with_hosts(&text, "[[port]]\n") + extra))
}

pub(crate) fn with_hosts(text: &str, section: &str) -> String {
    text.replace(section, &format!("{section}host = true\n"))
}

pub(crate) fn prepare(lab: &Lab) {
    lab.middle.sysctl("ipv6/conf/default/disable_ipv6", "0").unwrap();
    for key in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
        lab.middle.sysctl(key, "1").unwrap();
    }
    for port in (0..lab.hosts.len()).map(port_name) {
        lab.middle.sysctl(&format!("ipv4/conf/{port}/rp_filter"), "1").unwrap();
        lab.middle.sysctl(&format!("ipv4/conf/{port}/arp_ignore"), "1").unwrap();
    }
}

/// Waits for what `is_so` asks of a running gateway.
pub(crate) fn eventually<T>(gateway: &Running, topic: Topic, is_so: impl Fn(&[T]) -> bool) -> Vec<T>
where
    T: serde::de::DeserializeOwned + std::fmt::Debug,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        let entries: Vec<T> = gateway.gateway.ask(topic).unwrap();
        if is_so(&entries) {
            return entries;
        }
        assert!(Instant::now() < deadline, "still: {entries:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until `look` shows what `is_so` asks for.
pub(crate) fn until(what: &str, look: impl Fn() -> String, is_so: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = look();
        if is_so(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "never {what}:\n{seen}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn host_report(gateway: &Running, shadow: &str) -> HostReport {
    let reports: Vec<HostReport> = gateway.gateway.ask(Topic::Host).unwrap();
    reports.into_iter().find(|report| report.shadow == shadow).expect("the shadow")
}
