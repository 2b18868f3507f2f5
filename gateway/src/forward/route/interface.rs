//! A routed port as its neighbours see it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::packet::{MacAddr, Network, PortId};

/// A routed port's own addresses.
pub struct Interface {
    mac: MacAddr,
    /// Where the host's kernel hears what is for the gateway; `None`: nobody listens.
    shadow: Option<PortId>,
    v4: Vec<Ipv4Addr>,
    /// The link-local one first.
    v6: Vec<Ipv6Addr>,
}

impl Interface {
    pub(in crate::forward) fn new(
        mac: MacAddr,
        addresses: &[IpNet],
        shadow: Option<PortId>,
    ) -> Self {
        let mut interface = Self { mac, shadow, v4: Vec::new(), v6: vec![link_local(mac)] };
        for address in addresses {
            match address.addr() {
                IpAddr::V4(address) => interface.v4.push(address),
                IpAddr::V6(address) => interface.v6.push(address),
            }
        }
        interface
    }

    /// Its link address.
    pub fn mac(&self) -> MacAddr {
        self.mac
    }

    pub(super) fn shadow(&self) -> Option<PortId> {
        self.shadow
    }

    /// The address that errors about datagrams of this family come from: one that others can
    /// reach, if there is one.
    pub fn source_address(&self, network: Network) -> Option<IpAddr> {
        match network {
            Network::Ipv4 => self.v4.first().copied().map(IpAddr::V4),
            Network::Ipv6 => self.v6.get(1).or(self.v6.first()).copied().map(IpAddr::V6),
            Network::Arp | Network::Other | Network::Broken(_) => None,
        }
    }

    /// Its IPv4 addresses, in the order of the file.
    pub fn v4(&self) -> &[Ipv4Addr] {
        &self.v4
    }

    /// Its IPv6 addresses: the link-local one, then those of the file in order.
    pub fn v6(&self) -> &[Ipv6Addr] {
        &self.v6
    }
}

/// The address a station gives itself: fe80::/64 and the modified EUI-64 (RFC 4291 2.5.1, RFC 2464 5).
fn link_local(mac: MacAddr) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.0;
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_link_local_address_of_its_mac() {
        let mac = MacAddr([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
        let addresses = ["10.1.0.1/24", "2001:db8::1/64"].map(|a| a.parse().unwrap());
        let interface = Interface::new(mac, &addresses, None);
        assert_eq!(interface.v4(), ["10.1.0.1".parse::<Ipv4Addr>().unwrap()]);
        let expected = ["fe80::5054:ff:fe12:3456", "2001:db8::1"].map(|a| a.parse().unwrap());
        assert_eq!(interface.v6(), expected as [Ipv6Addr; 2]);
    }
}
