//! Four hosts around a gateway whose kernel snoops, or around a Linux bridge.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use gateway::control::{FibEntry, Topic};
use gateway::demo::tap::Tap;
use gateway::demo::topology::{Lab, port_name};
use gateway::host::Kernel;

use crate::linux::linux_bridge_with;
use crate::netns::{lab, plug_lan, routes, tap};
use crate::running::{Running, bridge, start};

/// The gateway's shadow of its bridge.
pub(crate) const BRIDGE: &str = "gw-br0";
/// Hundredths of a second that hosts are given to answer: a tenth of what is usual.
const RESPONSE: u32 = 100;

/// What is in the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Gateway,
    Linux,
}

pub(crate) struct Middle {
    pub(crate) lab: Lab,
    gateway: Option<Running>,
    /// On the cable of each host.
    pub(crate) taps: Vec<Tap>,
}

/// Whether namespaces can be made; a panic if they must.
pub(crate) fn possible() -> bool {
    lab().is_some()
}

impl Middle {
    pub(crate) fn start(kind: Kind, querier: bool, fast_leave: &[&str]) -> Self {
        Self::start_with(kind, querier, fast_leave, "")
    }

    /// With `more` settings of the kernel's bridge.
    pub(crate) fn start_with(kind: Kind, querier: bool, fast_leave: &[&str], more: &str) -> Self {
        let section = section(querier, fast_leave);
        Self::start_by(kind, querier, fast_leave, more, &section)
    }

    /// With a querier and so many groups at most, by the gateway's file or in the kernel.
    pub(crate) fn start_limited(kind: Kind, fast_leave: &[&str], groups: u32) -> Self {
        let section = section(true, fast_leave) + &format!("max_groups = {groups}\n");
        let more = match kind {
            Kind::Gateway => String::new(),
            Kind::Linux => format!("mcast_hash_max {groups}"),
        };
        Self::start_by(kind, true, fast_leave, &more, &section)
    }

    /// Likewise, for each port.
    pub(crate) fn start_limited_by_port(kind: Kind, fast_leave: &[&str], groups: u32) -> Self {
        let section = section(true, fast_leave) + &format!("max_groups_per_port = {groups}\n");
        let middle = Self::start_by(kind, true, fast_leave, "", &section);
        if kind == Kind::Linux {
            let limit = |port: usize| {
                let mut kernel = Kernel::open().map_err(|error| anyhow!("{error}"))?;
                let index = kernel.index_of(&middle.kernel_port(port));
                let limited = index.and_then(|index| kernel.limit_groups(index, groups));
                limited.map_err(|error| anyhow!("{error}"))
            };
            for port in 0..middle.lab.hosts.len() {
                middle.lab.middle.enter(|| limit(port)).unwrap();
            }
        }
        middle
    }

    fn start_by(kind: Kind, querier: bool, fast_leave: &[&str], more: &str, section: &str) -> Self {
        let mut lab = lab().unwrap();
        plug_lan(&mut lab, 4);
        // A bridge asks IPv6 hosts from its link-local address.
        lab.middle.sysctl("ipv6/conf/default/disable_ipv6", "0").unwrap();
        let gateway = match kind {
            Kind::Gateway => Some(gateway(&lab, querier, more, section)),
            Kind::Linux => {
                linux(&lab, querier, fast_leave, more);
                None
            }
        };
        let taps = lab.hosts.iter().map(tap).collect();
        Self { lab, gateway, taps }
    }

    pub(crate) fn gateway(&self) -> Option<&Running> {
        self.gateway.as_ref()
    }

    /// The port of the kernel's bridge towards a host.
    pub(crate) fn kernel_port(&self, host: usize) -> String {
        let prefix = if self.gateway.is_some() { "gw-" } else { "" };
        format!("{prefix}{}", port_name(host))
    }

    /// A frame from the cable of a host.
    pub(crate) fn send(&self, host: usize, frame: &[u8]) {
        self.taps[host].send(frame).unwrap();
    }

    /// Routes over the bridge, which the gateway leaves to the kernel but has in its tables.
    pub(crate) fn load_routes(&self, count: u32) {
        let bridge = if self.gateway.is_some() { BRIDGE } else { "br0" };
        self.lab.middle.ip(&format!("address add 10.78.0.200/24 dev {bridge}")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let via = format!("10.78.0.1 dev {bridge}");
        self.lab.middle.ip(&routes(folder.path(), count, &via)).unwrap();
        let Some(gateway) = &self.gateway else { return };
        eventually("all routes", || {
            let fib: Vec<FibEntry> = gateway.gateway.ask(Topic::Fib).unwrap();
            fib.len() >= count as usize
        });
    }

    pub(crate) fn stop(self) {
        if let Some(gateway) = self.gateway {
            gateway.stop_clean();
        }
    }
}

/// The gateway's, with its bridge.
fn section(querier: bool, fast_leave: &[&str]) -> String {
    let ports: Vec<_> = fast_leave.iter().map(|port| format!("\"{port}\"")).collect();
    let fast_leave = match ports.as_slice() {
        [] => String::new(),
        ports => format!("fast_leave = [{}]\n", ports.join(", ")),
    };
    format!("[[bridge]]\nhost = true\nquerier = {querier}\n{fast_leave}")
}

fn gateway(lab: &Lab, querier: bool, more: &str, section: &str) -> Running {
    lab.middle.ip(&format!("link add {BRIDGE} type bridge {}", snooping(querier, more))).unwrap();
    start(lab, "0", &bridge(lab).replace("[[bridge]]\n", section))
}

fn linux(lab: &Lab, querier: bool, fast_leave: &[&str], more: &str) {
    linux_bridge_with(lab, &snooping(querier, more));
    for port in fast_leave {
        lab.middle.command("bridge", &format!("link set dev {port} fastleave on")).unwrap();
    }
}

/// The first question may be asked before the bridge has the link-local address it is to come from.
fn snooping(querier: bool, more: &str) -> String {
    let querier = u8::from(querier);
    format!(
        "mcast_snooping 1 mcast_querier {querier} mcast_query_response_interval {RESPONSE} \
         mcast_startup_query_interval {RESPONSE} {more}"
    )
}

/// Of the kernel that runs.
pub(crate) fn linux_version() -> (u32, u32) {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

/// Waits until it is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
