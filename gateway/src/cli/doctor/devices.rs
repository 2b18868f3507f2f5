//! What a port's device needs.

use std::path::Path;

use gateway::config::{Config, Device, Port};

use super::Finding;
use super::system::{Capability, System};

/// Kernel drivers that hand a device to DPDK; the last two keep it and share it.
const DPDK_DRIVERS: &[&str] = &["vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core", "mlx4_core"];
/// IFF_UP (netdevice(7)).
const INTERFACE_UP: u64 = 1;

/// Only PCI devices need one.
pub(super) fn iommu(system: &System, config: Option<&Config>) -> Option<Finding> {
    let what = "IOMMU";
    let pci = |port: &Port| Device::parse(&port.device).and_then(|d| d.pci_address()).is_some();
    if config.is_some_and(|config| !config.ports.iter().any(pci)) {
        return None;
    }
    let groups = system.list("/sys/kernel/iommu_groups").len();
    if groups > 0 {
        return Some(Finding::ok(what, format!("on, {groups} groups")));
    }
    let unsafe_mode = system.text("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
    if unsafe_mode.as_deref() == Some("Y") {
        let mend = "add intel_iommu=on iommu=pt (AMD: iommu=pt) to the kernel's command line";
        return Some(Finding::advice(what, "off; vfio works without protection", mend));
    }
    let mend = "add intel_iommu=on iommu=pt (AMD: iommu=pt) to the kernel's command line; in a \
                virtual machine without one: \
                modprobe vfio enable_unsafe_noiommu_mode=1";
    Some(Finding::bad(what, "off: vfio-pci will not work", mend))
}

pub(super) fn port(system: &System, port: &Port) -> Vec<Finding> {
    let what = format!("port {}", port.name);
    // A valid configuration has no other devices.
    let Some(device) = Device::parse(&port.device) else { return Vec::new() };
    if let Some(address) = device.pci_address() {
        return vec![pci(system, &what, &address)];
    }
    let mut findings = Vec::new();
    if let Some(name) = device.interface() {
        findings.push(interface(system, &what, name));
    }
    findings.extend(rights(system, &what, &device));
    if let Some(file) = device.argument("rx_pcap") {
        findings.push(match system.has(file) {
            true => Finding::ok(&what, format!("{file} is there")),
            false => Finding::bad(&what, format!("{file} is not there"), "correct rx_pcap"),
        });
    }
    if findings.is_empty() {
        findings.push(Finding::ok(&what, format!("{} needs nothing here", device.name)));
    }
    findings
}

fn pci(system: &System, what: &str, address: &str) -> Finding {
    let folder = format!("/sys/bus/pci/devices/{address}");
    if !system.has(&folder) {
        return Finding::bad(what, format!("there is no device {address}"), "lspci -D -d ::0200");
    }
    let driver = system.link_name(Path::new(&folder).join("driver"));
    let node = system.text(format!("{folder}/numa_node")).unwrap_or("-1".to_owned());
    let name = driver.as_deref().unwrap_or("no driver");
    if driver.as_deref().is_some_and(|driver| DPDK_DRIVERS.contains(&driver)) {
        return Finding::ok(what, format!("{address} is bound to {name}, NUMA node {node}"));
    }
    let mend = format!(
        "modprobe vfio-pci && driverctl set-override {address} vfio-pci (or dpdk-devbind.py)"
    );
    Finding::bad(what, format!("{address} is bound to {name}, not to DPDK"), mend)
}

fn interface(system: &System, what: &str, name: &str) -> Finding {
    let folder = format!("/sys/class/net/{name}");
    if !system.has(&folder) {
        return Finding::bad(what, format!("there is no interface {name}"), "ip link show");
    }
    let flags = system.text(format!("{folder}/flags")).unwrap_or_default();
    let flags = u64::from_str_radix(flags.trim_start_matches("0x"), 16).unwrap_or(0);
    if flags & INTERFACE_UP == 0 {
        let mend = format!("ip link set {name} up");
        return Finding::bad(what, format!("interface {name} is down"), mend);
    }
    match system.text(format!("{folder}/carrier")).as_deref() {
        Some("0") => {
            let mend = format!("ip link show {name}: look at the cable or the peer");
            Finding::advice(what, format!("interface {name} is up but has no carrier"), mend)
        }
        _ => Finding::ok(what, format!("interface {name} is up")),
    }
}

/// Rights of the process that opens the device.
fn rights(system: &System, what: &str, device: &Device<'_>) -> Option<Finding> {
    let (capability, name) = match device {
        d if d.is("net_af_packet") => (Capability::NetRaw, "CAP_NET_RAW"),
        d if d.is("net_af_xdp") || d.is("net_tap") => (Capability::NetAdmin, "CAP_NET_ADMIN"),
        _ => return None,
    };
    if device.is("net_tap") && !system.has("/dev/net/tun") {
        return Some(Finding::bad(what, "there is no /dev/net/tun", "modprobe tun"));
    }
    if system.may(capability) {
        return None;
    }
    let mend = format!("run as root, or as a service with AmbientCapabilities={name}");
    Some(Finding::bad(what, format!("{} needs {name}", device.name), mend))
}
