//! What a router asks of an address of either family.

use core::fmt::Debug;
use core::hash::Hash;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::fib::Route;
use super::skips::Skips;
use super::strides::{Prefixes, Strides};

/// IPv4 or IPv6: the tables and the order of checks are the same for both.
pub(super) trait Address: Copy + Eq + Hash + Debug {
    /// In the order of the wire.
    type Octets: AsRef<[u8]>;
    /// A prefix.
    type Net: Copy + Eq + Hash + Debug;
    /// How routes are looked up.
    type Routes: Prefixes<Route>;

    /// Whether neighbours are put into the routing table as routes of their own. With 32 bits that
    /// costs 1 KiB per 256 addresses; with 128 it would be 1 KiB for one, and 8 while tables are built.
    const HOST_ROUTES: bool;
    /// No host's address.
    const UNSPECIFIED: Self;

    /// All groups, martian destinations and link-local addresses, and no other.
    fn unrouted() -> Vec<Self::Net>;

    fn octets(self) -> Self::Octets;
    /// All bits in one word.
    fn folded(self) -> u32;
    /// A prefix as an address and the number of its bits that count.
    fn split(net: Self::Net) -> (Self, u8);
    /// The prefix with only this address.
    fn host_net(self) -> Self::Net;
    /// The address if it is of this family.
    fn of(address: IpAddr) -> Option<Self>;
    /// The network if it is of this family, and the address it was written with.
    fn net_of(net: IpNet) -> Option<(Self::Net, Self)>;
    /// The address of all hosts of a network, where there is one.
    fn broadcast_of(net: Self::Net) -> Option<Self>;

    /// A group.
    fn is_group(self) -> bool;
    /// A group that no router forwards.
    fn is_link_group(self) -> bool;
    /// A station's address that means something on one link only.
    fn is_link_local(self) -> bool;
    /// No router forwards what comes from here.
    fn is_martian_source(self) -> bool;
    /// No router forwards what goes there.
    fn is_martian_destination(self) -> bool;
}

impl Address for Ipv4Addr {
    type Octets = [u8; 4];
    type Net = Ipv4Net;
    type Routes = Strides<Route>;
    const HOST_ROUTES: bool = true;
    const UNSPECIFIED: Self = Self::UNSPECIFIED;

    fn unrouted() -> Vec<Ipv4Net> {
        let net = |first, len| Ipv4Net::new_assert(Self::new(first, 0, 0, 0), len);
        vec![net(0, 8), net(127, 8), net(224, 4), Self::BROADCAST.into()]
    }

    fn octets(self) -> [u8; 4] {
        Ipv4Addr::octets(&self)
    }

    #[inline]
    fn folded(self) -> u32 {
        self.to_bits()
    }

    fn split(net: Ipv4Net) -> (Self, u8) {
        (net.addr(), net.prefix_len())
    }

    fn host_net(self) -> Ipv4Net {
        Ipv4Net::from(self)
    }

    fn of(address: IpAddr) -> Option<Self> {
        if let IpAddr::V4(address) = address { Some(address) } else { None }
    }

    fn net_of(net: IpNet) -> Option<(Ipv4Net, Self)> {
        if let IpNet::V4(net) = net { Some((net.trunc(), net.addr())) } else { None }
    }

    /// RFC 3021: a point-to-point link has none.
    fn broadcast_of(net: Ipv4Net) -> Option<Self> {
        (net.prefix_len() <= 30).then(|| net.broadcast())
    }

    fn is_group(self) -> bool {
        self.is_multicast()
    }

    /// RFC 5771 4: the local network control block.
    fn is_link_group(self) -> bool {
        matches!(Self::octets(&self), [224, 0, 0, _])
    }

    /// Linux forwards 169.254/16 where there is a route, and clouds build on that.
    fn is_link_local(self) -> bool {
        false
    }

    /// RFC 1812 5.3.7: "this network", loopback, groups, class E and broadcast.
    fn is_martian_source(self) -> bool {
        matches!(Self::octets(&self)[0], 0 | 127 | 224..)
    }

    fn is_martian_destination(self) -> bool {
        matches!(Self::octets(&self)[0], 0 | 127) || self.is_broadcast()
    }
}

impl Address for Ipv6Addr {
    type Octets = [u8; 16];
    type Net = Ipv6Net;
    type Routes = Skips<Route>;
    const HOST_ROUTES: bool = false;
    const UNSPECIFIED: Self = Self::UNSPECIFIED;

    fn unrouted() -> Vec<Ipv6Net> {
        let net = |first, len| Ipv6Net::new_assert(Self::new(first, 0, 0, 0, 0, 0, 0, 0), len);
        vec![net(0xff00, 8), net(0xfe80, 10), Self::UNSPECIFIED.into(), Self::LOCALHOST.into()]
    }

    fn octets(self) -> [u8; 16] {
        Ipv6Addr::octets(&self)
    }

    #[inline]
    fn folded(self) -> u32 {
        let half = (self.to_bits() >> 64) as u64 ^ self.to_bits() as u64;
        (half >> 32) as u32 ^ half as u32
    }

    fn split(net: Ipv6Net) -> (Self, u8) {
        (net.addr(), net.prefix_len())
    }

    fn host_net(self) -> Ipv6Net {
        Ipv6Net::from(self)
    }

    fn of(address: IpAddr) -> Option<Self> {
        if let IpAddr::V6(address) = address { Some(address) } else { None }
    }

    fn net_of(net: IpNet) -> Option<(Ipv6Net, Self)> {
        if let IpNet::V6(net) = net { Some((net.trunc(), net.addr())) } else { None }
    }

    fn broadcast_of(_: Ipv6Net) -> Option<Self> {
        None
    }

    fn is_group(self) -> bool {
        self.is_multicast()
    }

    /// Scope 2 or less whatever the flags, so ff12:: too (RFC 4291 2.7).
    fn is_link_group(self) -> bool {
        matches!(Self::octets(&self), [0xff, scope, ..] if scope & 0x0f <= 2)
    }

    fn is_link_local(self) -> bool {
        self.is_unicast_link_local()
    }

    /// Groups, `::`, `::1`, and IPv4-mapped addresses, which Linux (ip6_rcv_core) refuses too.
    fn is_martian_source(self) -> bool {
        self.is_multicast() || self.is_martian_destination() || self.to_ipv4_mapped().is_some()
    }

    fn is_martian_destination(self) -> bool {
        self.is_unspecified() || self.is_loopback()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn has_route(address: impl Address) -> bool {
        !(address.is_group() || address.is_martian_destination() || address.is_link_local())
    }

    proptest! {
        /// The tables leave out what the checks refuse, and nothing else.
        #[test]
        fn unrouted_is_what_the_checks_refuse(
            first in prop_oneof![Just(0), Just(127), Just(169), 223..=u8::MAX, any::<u8>()],
            rest in prop_oneof![Just([255; 3]), Just([0; 3]), any::<[u8; 3]>()],
            high in prop_oneof![Just(0), Just(0xfe80), Just(0xfebf), Just(0xfec0), 0xfe00..=u16::MAX, any::<u16>()],
            low in prop_oneof![0..3_u128, any::<u128>()],
        ) {
            let v4 = Ipv4Addr::new(first, rest[0], rest[1], rest[2]);
            let unrouted = Ipv4Addr::unrouted().iter().any(|net| net.contains(&v4));
            prop_assert_eq!(has_route(v4), !unrouted, "{}", v4);
            let v6 = Ipv6Addr::from_bits(u128::from(high) << 112 | low >> 16);
            let unrouted = Ipv6Addr::unrouted().iter().any(|net| net.contains(&v6));
            prop_assert_eq!(has_route(v6), !unrouted, "{}", v6);
        }
    }
}
