//! Hugepages and locked memory.

use gateway::config::{Config, Device};

use super::Finding;
use super::system::{Capability, System};

const POOLS: &str = "/sys/kernel/mm/hugepages";

/// Pages of one size.
struct Pages {
    kib: u64,
    all: u64,
    free: u64,
}

pub(super) fn hugepages(system: &System, config: Option<&Config>) -> Vec<Finding> {
    let what = "hugepages";
    if config.is_some_and(|config| !config.runtime.hugepages) {
        return vec![Finding::ok(what, "not needed: hugepages = false")];
    }
    let needed_mb = config.map_or(1024, |config| u64::from(config.runtime.memory_mb));
    let pools = pools(system);
    let free_mb = pools.iter().map(|pages| pages.free * pages.kib).sum::<u64>() / 1024;
    let there: Vec<_> = pools
        .iter()
        .filter(|pages| pages.all > 0)
        .map(|pages| format!("{} of {} x {} free", pages.free, pages.all, size(pages.kib)))
        .collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    let found = format!("{there}; memory_mb = {needed_mb}");
    if pools.is_empty() {
        let mend = "use a kernel with hugetlbfs, or set hugepages = false";
        return vec![Finding::bad(what, "this kernel has no hugepages", mend)];
    }
    if free_mb < needed_mb {
        let mend = reserve(system, needed_mb);
        return vec![Finding::bad(what, found, mend)];
    }
    let mut findings = vec![Finding::ok(what, found)];
    findings.extend(nodes(system, config));
    findings
}

/// Memory that devices reach by DMA is locked (vfio); a user without the right has a limit.
pub(super) fn locked(system: &System, config: Option<&Config>) -> Option<Finding> {
    let what = "locked memory";
    let config = config?;
    let pci = |port: &gateway::config::Port| {
        Device::parse(&port.device).is_some_and(|device| device.pci_address().is_some())
    };
    if !config.ports.iter().any(pci) {
        return None;
    }
    let limits = system.text("/proc/self/limits").unwrap_or_default();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"));
    let limit = limit.and_then(|line| line.split_whitespace().next()).unwrap_or("unknown");
    let needed = u64::from(config.runtime.memory_mb) << 20;
    let enough = limit == "unlimited" || limit.parse::<u64>().is_ok_and(|bytes| bytes >= needed);
    if system.may(Capability::IpcLock) {
        return Some(Finding::ok(what, "this user has no limit"));
    }
    if enough {
        return Some(Finding::ok(what, format!("limit {limit}")));
    }
    let mend = "run as a service with LimitMEMLOCK=infinity, or ulimit -l unlimited, or as root";
    Some(Finding::bad(what, format!("limit {limit} bytes, needed {needed}"), mend))
}

/// A node without pages of its own takes another's, and every access crosses.
fn nodes(system: &System, config: Option<&Config>) -> Vec<Finding> {
    let lcores = config.map(|config| config.runtime.lcores.as_slice()).unwrap_or_default();
    let used = |node: &u64| {
        let cpus = system.numbers(format!("/sys/devices/system/node/node{node}/cpulist"));
        lcores.iter().any(|lcore| cpus.contains(lcore))
    };
    let nodes = system.list("/sys/devices/system/node");
    let nodes = nodes.iter().filter_map(|name| name.strip_prefix("node")?.parse::<u64>().ok());
    let empty = |node: &u64| {
        let pools = format!("/sys/devices/system/node/node{node}/hugepages");
        let sizes = system.list(&pools);
        sizes
            .iter()
            .all(|size| system.number(format!("{pools}/{size}/free_hugepages")).unwrap_or(0) == 0)
    };
    let poor: Vec<u64> = nodes.filter(used).filter(empty).collect();
    poor.into_iter()
        .map(|node| {
            let mend = format!(
                "echo 512 > /sys/devices/system/node/node{node}/hugepages/hugepages-2048kB/nr_hugepages"
            );
            Finding::advice("NUMA", format!("node {node} has workers but no free hugepages"), mend)
        })
        .collect()
}

fn pools(system: &System) -> Vec<Pages> {
    let names = system.list(POOLS);
    let pages = |name: &String| {
        let kib = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
        let count = |file| system.number(format!("{POOLS}/{name}/{file}")).unwrap_or(0);
        Some(Pages { kib, all: count("nr_hugepages"), free: count("free_hugepages") })
    };
    names.iter().filter_map(pages).collect()
}

/// Reserves 2 MiB pages on top of those in use.
fn reserve(system: &System, needed_mb: u64) -> String {
    let small = format!("{POOLS}/hugepages-2048kB");
    let count = |file| system.number(format!("{small}/{file}")).unwrap_or(0);
    let in_use = count("nr_hugepages").saturating_sub(count("free_hugepages"));
    let pages = needed_mb.div_ceil(2) + in_use;
    format!("sysctl -w vm.nr_hugepages={pages}, or set hugepages = false for development")
}

fn size(kib: u64) -> String {
    match kib >= 1 << 20 {
        true => format!("{} GiB", kib >> 20),
        false => format!("{} MiB", kib >> 10),
    }
}
