//! Who is where in the demonstration, what they send each other, and the gateway's configuration
//! for it. The same plan runs on kernel hosts and on hosts in memory.
//!
//! ```text
//!   bridge br0, 10.77.0.0/24 fd77::/64          routed, 10.77.N.0/24 fd77:N::/64
//!   p0 sender  p1 anna  p2 bert  p3 cleo        p5 origin  p6 dora  p7 emil
//!   p4 outsider (member of no group)            p8 stranger (member of no group)
//! ```

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::exchange::Stream;
use super::topology::{host_mac, port_name};
use super::traffic::StreamId;
use crate::packet::MacAddr;

/// Ports in the bridge: the first of all.
const BRIDGED: usize = 5;
/// The names of all hosts, by port.
const NAMES: [&str; 9] =
    ["sender", "anna", "bert", "cleo", "outsider", "origin", "dora", "emil", "stranger"];
/// Where every receiver listens.
const PORT: u16 = 7077;

/// A host of the plan; its index is its port.
#[derive(Clone, Debug)]
pub struct PlannedHost {
    /// In reports.
    pub name: &'static str,
    /// Link address.
    pub mac: MacAddr,
    /// One IPv4 and one IPv6 address.
    pub addresses: [IpNet; 2],
    /// The gateway's addresses in the same networks; none in the bridge.
    pub gateways: Vec<IpAddr>,
}

/// The hosts, by port.
pub fn hosts() -> Vec<PlannedHost> {
    NAMES.iter().enumerate().map(|(port, name)| host(port, name)).collect()
}

/// The streams: multicast and unicast, IPv4 and IPv6, bridged and routed.
pub fn streams() -> Vec<Stream> {
    let all = [
        ("bridged multicast IPv4", 0, "239.77.1.1", &[1, 2, 3][..]),
        ("bridged multicast IPv6", 0, "ff3e::77:1", &[1, 2, 3]),
        ("bridged unicast IPv4", 0, "10.77.0.2", &[1]),
        ("bridged unicast IPv6", 0, "fd77::3", &[2]),
        ("routed multicast IPv4", 5, "239.77.2.1", &[6, 7]),
        ("routed multicast IPv6", 5, "ff3e::77:2", &[6, 7]),
        ("routed unicast IPv4", 5, "10.77.7.2", &[6]),
        ("routed unicast IPv6", 5, "fd77:8::2", &[7]),
    ];
    let stream = |(index, (label, from, to, receivers)): (usize, (&str, _, &str, &[usize]))| {
        let address: IpAddr = to.parse().expect("an address of the plan");
        Stream {
            id: StreamId(index as u16 + 1),
            label: label.to_owned(),
            from,
            destination: SocketAddr::new(address, PORT),
            receivers: receivers.to_vec(),
        }
    };
    all.into_iter().enumerate().map(stream).collect()
}

/// The gateway's configuration without `[runtime]` and `[control]`; `device` names the device of a
/// port.
pub fn configuration(device: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for (port, host) in hosts().iter().enumerate() {
        let (name, device) = (port_name(port), device(port));
        let _ = writeln!(text, "[[port]]\nname = \"{name}\"\ndevice = \"{device}\"");
        if port >= BRIDGED {
            let own: Vec<_> = host
                .addresses
                .iter()
                .zip(&host.gateways)
                .map(|(network, own)| format!("\"{own}/{}\"", network.prefix_len()))
                .collect();
            let _ = writeln!(text, "addresses = [{}]", own.join(", "));
        }
    }
    let members = quoted(0..BRIDGED);
    let _ = writeln!(text, "[[bridge]]\nname = \"br0\"\nports = [{members}]");
    for stream in streams().iter().filter(|s| s.destination.ip().is_multicast()) {
        let (group, to) = (stream.destination.ip(), quoted(stream.receivers.iter().copied()));
        let _ = if stream.from < BRIDGED {
            writeln!(text, "[[group]]\nbridge = \"br0\"\ngroup = \"{group}\"\nports = [{to}]")
        } else {
            let from = port_name(stream.from);
            writeln!(
                text,
                "[[multicast]]\ngroup = \"{group}\"\nsource = \"any\"\nfrom = \"{from}\"\nto = [{to}]"
            )
        };
    }
    for (port, host) in hosts().iter().enumerate().skip(BRIDGED) {
        for address in host.addresses {
            let (address, mac, name) = (address.addr(), host.mac, port_name(port));
            let _ = writeln!(
                text,
                "[[neighbor]]\naddress = \"{address}\"\nmac = \"{mac}\"\nport = \"{name}\""
            );
        }
    }
    text
}

fn host(port: usize, name: &'static str) -> PlannedHost {
    let (addresses, gateways) = if port < BRIDGED {
        let host = port + 1;
        ([format!("10.77.0.{host}/24"), format!("fd77::{host}/64")], vec![])
    } else {
        let net = port + 1;
        (
            [format!("10.77.{net}.2/24"), format!("fd77:{net}::2/64")],
            vec![format!("10.77.{net}.1"), format!("fd77:{net}::1")],
        )
    };
    PlannedHost {
        name,
        mac: host_mac(port),
        addresses: addresses.map(|a| a.parse().expect("a network of the plan")),
        gateways: gateways.iter().map(|a| a.parse().expect("an address of the plan")).collect(),
    }
}

fn quoted(ports: impl Iterator<Item = usize>) -> String {
    ports.map(|port| format!("\"{}\"", port_name(port))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PortId;

    #[test]
    fn unicast_goes_to_its_receiver_and_streams_are_told_apart() {
        let (hosts, streams) = (hosts(), streams());
        let mut ids: Vec<_> = streams.iter().map(|s| s.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), streams.len());
        for stream in streams.iter().filter(|s| !s.destination.ip().is_multicast()) {
            let [receiver] = stream.receivers[..] else { panic!("{stream:?}") };
            let address = stream.destination.ip();
            assert!(hosts[receiver].addresses.iter().any(|a| a.addr() == address), "{stream:?}");
        }
    }

    #[test]
    fn the_configuration_is_valid() {
        let text = configuration(|port| format!("net_null{port}"));
        let config = crate::config::parse("demo.toml", &text).unwrap_or_else(|errors| {
            panic!("{}", errors.render(false));
        });
        assert_eq!((config.ports.len(), config.bridges[0].ports.len()), (9, 5));
        assert_eq!((config.groups.len(), config.multicast.len()), (2, 2));
        assert_eq!(config.multicast[0].to, [PortId(6), PortId(7)]);
    }
}
