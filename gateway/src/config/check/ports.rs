//! `[[port]]`: names and devices.

use std::collections::HashMap;

use toml::Spanned;

use super::super::Port;
use super::super::device::Device;
use super::super::problem::{Problem, Problems};
use super::super::raw::{RawPort, Text};

/// Longest name, bytes.
const NAME_BYTES: usize = 32;

pub(super) fn check(ports: &[RawPort], problems: &mut Problems) {
    let mut devices: HashMap<String, &Text> = HashMap::new();
    let mut interfaces: HashMap<&str, &Text> = HashMap::new();
    for device in ports.iter().filter_map(|port| port.device.as_ref()) {
        let Some(known) = Device::parse(device.get_ref()) else {
            problems.push(bad_device(device));
            continue;
        };
        if let Some(first) = devices.insert(known.identity(), device) {
            problems.push(twice(device, first, &format!("device {}", known.identity())).hint(
                "each port needs a device of its own; virtual ones are numbered: net_pcap0, net_pcap1",
            ));
        } else if let Some(interface) = known.packet_socket() {
            if let Some(first) = interfaces.insert(interface, device) {
                problems.push(
                    twice(device, first, &format!("interface {interface}"))
                        .hint("both would receive every frame: give each port an interface"),
                );
            }
        }
    }
}

/// A port once everything is known to be right.
pub(super) fn port(raw: RawPort) -> Option<Port> {
    Some(Port {
        name: raw.name?.into_inner(),
        device: raw.device?.into_inner(),
        mac: raw.mac,
        mtu: raw.mtu,
        addresses: raw.addresses.into_iter().map(Spanned::into_inner).collect(),
        gro: raw.gro,
        host: raw.host.is_some(),
        shadow: None,
    })
}

/// Notes a name that would be unreadable in tables, metrics and commands.
pub(super) fn check_name(name: &Text, problems: &mut Problems) {
    let text = name.get_ref();
    let readable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > NAME_BYTES || !readable {
        problems.push(
            Problem::new(name.span(), "this cannot be a name")
                .label(format!("needs 1 to {NAME_BYTES} letters, digits or signs, no spaces"))
                .hint("write name = \"p0\""),
        );
    }
}

fn twice(again: &Text, first: &Text, what: &str) -> Problem {
    Problem::new(again.span(), format!("{what} is used twice"))
        .label("again here")
        .related(first.span(), "first here")
}

fn bad_device(device: &Text) -> Problem {
    let text = device.get_ref();
    let problem = Problem::new(device.span(), "this is not a device")
        .label("neither a PCI address nor a DPDK virtual device");
    let interface = !text.is_empty()
        && text.len() < 16
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if interface {
        problem
            .hint(format!("for a kernel interface write device = \"net_af_packet0,iface={text}\""))
    } else {
        problem.hint("write device = \"0000:03:00.0\" or \"net_pcap0,rx_pcap=in.pcap\"")
    }
}
