//! What an address may be used for.

use core::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// Why no single station can have this address; `None` if one can (RFC 6890).
pub(super) fn not_a_station(address: IpAddr) -> Option<&'static str> {
    if address.is_multicast() {
        return Some("a multicast address");
    }
    if address.is_unspecified() {
        return Some("the unspecified address");
    }
    if address.is_loopback() {
        return Some("a loopback address");
    }
    match address {
        IpAddr::V4(v4) if v4 == Ipv4Addr::BROADCAST => Some("the broadcast address"),
        IpAddr::V4(v4) if v4.octets()[0] == 0 => Some("an address of \"this network\", 0.0.0.0/8"),
        IpAddr::V4(v4) if v4.octets()[0] >= 240 => Some("a reserved address, 240.0.0.0/4"),
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Some("an IPv4-mapped address"),
        _ => None,
    }
}

/// Why no station of the network can have this address. IPv4 keeps the first and the last address
/// for the network (RFC 1122 3.3.6), except for point-to-point links (RFC 3021).
pub(super) fn not_in_network(network: IpNet, address: IpAddr) -> Option<&'static str> {
    if let Some(why) = not_a_station(address) {
        return Some(why);
    }
    let IpNet::V4(net) = network else { return None };
    if net.prefix_len() >= 31 {
        return None;
    }
    if address == IpAddr::V4(net.network()) {
        Some("the address of the network itself")
    } else if address == IpAddr::V4(net.broadcast()) {
        Some("the broadcast address of the network")
    } else {
        None
    }
}

/// fe80::/10: on every link there is one (RFC 4291 2.5.6).
pub(super) fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80)
}

/// 224.0.0.0/24 and ff00::/16 to ff02::/16: bridges flood them always, whatever the membership.
pub(super) fn is_always_flooded(group: IpAddr) -> bool {
    match group {
        IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => (0xff00..=0xff02).contains(&v6.segments()[0]),
    }
}

/// Groups that no router forwards: 224.0.0.0/24 (RFC 5771) and IPv6 scopes up to link-local
/// (RFC 7346).
pub fn is_link_group(group: IpAddr) -> bool {
    match group {
        IpAddr::V4(_) => is_always_flooded(group),
        IpAddr::V6(v6) => v6.segments()[0] & 0x000f <= 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn stations() {
        for good in ["10.1.0.1", "192.0.2.255", "2001:db8::1", "fe80::1", "239.0.0.1"] {
            assert_eq!(not_a_station(ip(good)).is_none(), good != "239.0.0.1", "{good}");
        }
        for bad in ["0.0.0.0", "0.1.2.3", "127.0.0.1", "240.0.0.1", "255.255.255.255", "ff02::1"] {
            assert!(not_a_station(ip(bad)).is_some(), "{bad}");
        }
        for bad in ["::", "::1", "::ffff:10.1.0.1"] {
            assert!(not_a_station(ip(bad)).is_some(), "{bad}");
        }
    }

    #[test]
    fn first_and_last_address_of_an_ipv4_network() {
        let net: IpNet = "10.1.0.9/24".parse().unwrap();
        assert!(not_in_network(net, ip("10.1.0.0")).is_some());
        assert!(not_in_network(net, ip("10.1.0.255")).is_some());
        assert!(not_in_network(net, ip("10.1.0.254")).is_none());
        let link: IpNet = "10.1.0.0/31".parse().unwrap();
        assert!(not_in_network(link, ip("10.1.0.0")).is_none());
        let six: IpNet = "2001:db8::/64".parse().unwrap();
        assert!(not_in_network(six, ip("2001:db8::")).is_none());
    }

    #[test]
    fn group_scopes() {
        assert!(is_always_flooded(ip("224.0.0.251")) && is_always_flooded(ip("ff02::fb")));
        assert!(!is_always_flooded(ip("224.0.1.0")) && !is_always_flooded(ip("ff12::1")));
        assert!(is_link_group(ip("ff12::1")) && !is_link_group(ip("ff35::1")));
    }
}
