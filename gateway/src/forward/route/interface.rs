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
    /// What errors come from.
    errors_v4: Option<Ipv4Addr>,
    errors_v6: Ipv6Addr,
}

impl Interface {
    /// `gateway` are the addresses of all ports, in the order of the file.
    pub(in crate::forward) fn new(
        mac: MacAddr,
        addresses: &[IpNet],
        gateway: &[IpNet],
        shadow: Option<PortId>,
    ) -> Self {
        let (mut v4, mut v6) = (Vec::new(), vec![link_local(mac)]);
        for address in addresses {
            match address.addr() {
                IpAddr::V4(address) => v4.push(address),
                IpAddr::V6(address) => v6.push(address),
            }
        }
        let (mut errors_v4, mut errors_v6) = (None, None);
        for address in addresses.iter().chain(gateway) {
            match address.addr() {
                IpAddr::V4(address) => errors_v4 = errors_v4.or(Some(address)),
                IpAddr::V6(address) => errors_v6 = errors_v6.or(Some(address)),
            }
        }
        Self { mac, shadow, v4, errors_v6: errors_v6.unwrap_or(v6[0]), v6, errors_v4 }
    }

    /// Its link address.
    #[inline]
    pub fn mac(&self) -> MacAddr {
        self.mac
    }

    pub(super) fn shadow(&self) -> Option<PortId> {
        self.shadow
    }

    /// The address that errors about datagrams of this family come from: one of its own that others
    /// can reach, else another port's (RFC 1812 4.3.2.4, RFC 4443 2.2 (d)).
    pub fn source_address(&self, network: Network) -> Option<IpAddr> {
        match network {
            Network::Ipv4 => self.errors_v4.map(IpAddr::V4),
            Network::Ipv6 => Some(IpAddr::V6(self.errors_v6)),
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
        let interface = Interface::new(mac, &addresses, &addresses, None);
        assert_eq!(interface.v4(), ["10.1.0.1".parse::<Ipv4Addr>().unwrap()]);
        let expected = ["fe80::5054:ff:fe12:3456", "2001:db8::1"].map(|a| a.parse().unwrap());
        assert_eq!(interface.v6(), expected as [Ipv6Addr; 2]);
    }

    #[test]
    fn errors_come_from_an_address_of_the_gateway() {
        let (own, others) = (["10.1.0.1/24"], ["2001:db8::1/64", "10.2.0.1/24"]);
        let (own, others) = (own.map(|a| a.parse().unwrap()), others.map(|a| a.parse().unwrap()));
        let source = |own: &[IpNet], others: &[IpNet], network| {
            let interface = Interface::new(MacAddr([2, 0, 0, 0, 0, 1]), own, others, None);
            interface.source_address(network).map(|address| address.to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(source(&own, &others, Network::Ipv4), some("10.1.0.1"));
        assert_eq!(source(&own, &others, Network::Ipv6), some("2001:db8::1"));
        assert_eq!(source(&[], &others, Network::Ipv4), some("10.2.0.1"));
        assert_eq!(source(&[], &[], Network::Ipv4), None);
        assert_eq!(source(&[], &[], Network::Ipv6), some("fe80::ff:fe00:1"));
    }
}
