//! `[[port]]`: names and devices.

use std::collections::HashMap;

use toml::Spanned;

use super::super::Port;
use super::super::problem::{Problem, Problems};
use super::super::raw::{RawPort, Text};

/// Longest name, bytes.
const NAME_BYTES: usize = 32;
/// RTE_DEV_NAME_MAX_LEN is 64 with its zero byte (rte_dev.h).
const DEVICE_NAME_BYTES: usize = 63;

pub(super) fn check(ports: &[RawPort], problems: &mut Problems) {
    let mut devices: HashMap<String, &Text> = HashMap::new();
    let mut interfaces: HashMap<&str, &Text> = HashMap::new();
    for device in ports.iter().filter_map(|port| port.device.as_ref()) {
        let Some(identity) = identity(device.get_ref()) else {
            problems.push(bad_device(device));
            continue;
        };
        if let Some(first) = devices.insert(identity.clone(), device) {
            problems.push(twice(device, first, &format!("device {identity}")).hint(
                "each port needs a device of its own; virtual ones are numbered: net_pcap0, net_pcap1",
            ));
        } else if let Some(interface) = packet_socket_interface(device.get_ref()) {
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
        host: raw.host,
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

/// What makes two device strings the same device: the PCI address in full, or the name of the
/// virtual device. `None` if it is neither.
fn identity(device: &str) -> Option<String> {
    let name = device.split(',').next().unwrap_or(device);
    if device.chars().any(char::is_control) || name.len() > DEVICE_NAME_BYTES {
        return None;
    }
    pci_address(name).or_else(|| is_virtual(name).then(|| name.to_owned()))
}

/// `0000:03:00.0`, or `03:00.0` in domain 0 (rte_pci_addr_parse).
fn pci_address(name: &str) -> Option<String> {
    let (rest, function) = name.rsplit_once('.')?;
    let (rest, slot) = rest.rsplit_once(':')?;
    let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0", rest));
    let hex = |text: &str, digits: usize, last: u32| {
        let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u32::from_str_radix(text, 16).ok()?;
        (all && text.len() <= digits && value <= last).then_some(value)
    };
    let (domain, bus) = (hex(domain, 8, u32::MAX)?, hex(bus, 2, 0xff)?);
    let (slot, function) = (hex(slot, 2, 0x1f)?, hex(function, 1, 7)?);
    Some(format!("{domain:04x}:{bus:02x}:{slot:02x}.{function}"))
}

/// A driver's name, as `net_pcap0`: drivers register as `net_*`, with aliases `eth_*` and
/// `virtio_user` (RTE_PMD_REGISTER_VDEV, RTE_PMD_REGISTER_ALIAS).
fn is_virtual(name: &str) -> bool {
    let driver = ["net_", "eth_", "virtio_user"].iter().find_map(|kind| name.strip_prefix(kind));
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    driver.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(word))
}

/// The interface behind a packet socket (net_af_packet's argument `iface`).
fn packet_socket_interface(device: &str) -> Option<&str> {
    let arguments = device.strip_prefix("net_af_packet").or(device.strip_prefix("eth_af_packet"))?;
    arguments.split(',').find_map(|argument| argument.strip_prefix("iface="))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_device_has_one_identity() {
        for same in ["0000:03:00.0", "03:00.0", "0000:03:00.0,max_rx=1", "0:3:0.0"] {
            assert_eq!(identity(same).as_deref(), Some("0000:03:00.0"), "{same}");
        }
        assert_eq!(identity("0000:AF:1F.7").as_deref(), Some("0000:af:1f.7"));
        assert_eq!(identity("net_pcap0,rx_pcap=a b.pcap").as_deref(), Some("net_pcap0"));
        assert_eq!(identity("virtio_user0,path=/dev/vhost-net").as_deref(), Some("virtio_user0"));
        for none in
            ["", "eth0", "0000:03:20.0", "0000:03:00.8", "net_", "net_ pcap", "03:00", "+3:00.0"]
        {
            assert_eq!(identity(none), None, "{none}");
        }
    }

    #[test]
    fn interface_of_a_packet_socket() {
        assert_eq!(packet_socket_interface("net_af_packet1,iface=eth1,qpairs=2"), Some("eth1"));
        assert_eq!(packet_socket_interface("net_af_xdp0,iface=eth1"), None);
    }
}
