//! A laboratory: hosts, each in a namespace of its own, plugged into the ports of one namespace in
//! the middle, where the gateway runs (or, in the tests' own tests, a Linux bridge or router).
//!
//! *Invariant:* the middle's kernel has no address on any port and IPv6 off, so whatever answers
//! or forwards there is the gateway.

use std::net::IpAddr;

use anyhow::Result;
use ipnet::IpNet;

use super::namespace::{End, Namespace, cable};
use crate::packet::MacAddr;

/// The one interface of every host.
pub const INTERFACE: &str = "eth0";

/// A kernel host.
#[derive(Clone, Debug)]
pub struct Host {
    /// In messages and reports.
    pub name: String,
    /// Where it lives.
    pub namespace: Namespace,
    /// Its link address.
    pub mac: MacAddr,
    /// Its addresses.
    pub addresses: Vec<IpNet>,
}

impl Host {
    /// Its first address of the family of `like`.
    pub fn address_like(&self, like: IpAddr) -> Option<IpAddr> {
        self.addresses.iter().map(IpNet::addr).find(|a| a.is_ipv4() == like.is_ipv4())
    }
}

/// Hosts around the middle; host N is on port N, an interface called `pN`.
#[derive(Debug)]
pub struct Lab {
    /// Where the gateway runs.
    pub middle: Namespace,
    /// By port.
    pub hosts: Vec<Host>,
}

impl Lab {
    /// A laboratory without hosts.
    ///
    /// # Errors
    /// When namespaces cannot be made here.
    pub fn new() -> Result<Self> {
        let middle = Namespace::new("middle")?;
        middle.sysctl("ipv6/conf/default/disable_ipv6", "1")?;
        Ok(Self { middle, hosts: Vec::new() })
    }

    /// Plugs a host into the next port and gives it its addresses, and default routes through
    /// `gateways`; returns its index.
    ///
    /// # Errors
    /// The failed command.
    pub fn plug(&mut self, name: &str, addresses: &[IpNet], gateways: &[IpAddr]) -> Result<usize> {
        let index = self.hosts.len();
        let namespace = Namespace::new(name)?;
        let mac = host_mac(index);
        cable(
            End { namespace: &namespace, interface: INTERFACE, mac: Some(mac) },
            End { namespace: &self.middle, interface: &port_name(index), mac: None },
        )?;
        for address in addresses {
            namespace.ip(&format!("address add {address} dev {INTERFACE}"))?;
        }
        for gateway in gateways {
            namespace.ip(&format!("route add default via {gateway} dev {INTERFACE}"))?;
        }
        let addresses = addresses.to_vec();
        self.hosts.push(Host { name: name.to_owned(), namespace, mac, addresses });
        Ok(index)
    }

    /// The kernel's own account of what it dropped for a bad UDP or IP checksum, over all hosts.
    ///
    /// # Errors
    /// When /proc/net/snmp cannot be read.
    pub fn checksum_errors(&self) -> Result<u64> {
        self.hosts.iter().map(checksum_errors).sum()
    }
}

/// The interface, and the gateway's name, of port `index`.
pub fn port_name(index: usize) -> String {
    format!("p{index}")
}

/// The link address of the host on port `index`.
pub fn host_mac(index: usize) -> MacAddr {
    MacAddr([0x02, 0, 0, 0, 0x77, index as u8])
}

fn checksum_errors(host: &Host) -> Result<u64> {
    host.namespace.enter(|| {
        // thread-self: /proc/net is the process's own namespace, not the thread's.
        let v4 = std::fs::read_to_string("/proc/thread-self/net/snmp")?;
        let v6 = std::fs::read_to_string("/proc/thread-self/net/snmp6")?;
        Ok(column(&v4, "Udp:", "InCsumErrors") + row(&v6, "Udp6InCsumErrors"))
    })
}

/// The value under `name` in the two lines that begin with `table`.
fn column(text: &str, table: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter(|line| line.starts_with(table));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return 0 };
    names
        .split_whitespace()
        .zip(values.split_whitespace())
        .find(|&(found, _)| found == name)
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0)
}

/// The value in the line that begins with `name`.
fn row(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_tables_are_read_by_name() {
        let snmp = "Ip: A B\nIp: 1 2\nUdp: InDatagrams InCsumErrors\nUdp: 9 4\n";
        assert_eq!(column(snmp, "Udp:", "InCsumErrors"), 4);
        assert_eq!(column(snmp, "Udp:", "NoSuch"), 0);
        assert_eq!(row("Ip6A 1\nUdp6InCsumErrors      3\n", "Udp6InCsumErrors"), 3);
    }
}
