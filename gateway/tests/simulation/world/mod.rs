//! What a gateway is configured as, in plain values: the model reads these, the gateway their text.

mod strategy;
mod text;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) use strategy::{settings, worlds};

pub(crate) type Mac = [u8; 6];

/// What can be changed while a gateway runs.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) ports: Vec<Port>,
    pub(crate) snooping: bool,
    pub(crate) groups: Vec<Group>,
    pub(crate) routes: Vec<Route>,
    pub(crate) multicast: Vec<Multicast>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Port {
    /// `None`: routed.
    pub(crate) bridge: Option<usize>,
    pub(crate) mtu: u16,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) bridge: usize,
    pub(crate) group: IpAddr,
    pub(crate) ports: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) net: IpAddr,
    pub(crate) len: u8,
    pub(crate) port: usize,
    pub(crate) host: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Multicast {
    pub(crate) group: IpAddr,
    pub(crate) source: Option<IpAddr>,
    pub(crate) from: usize,
    pub(crate) to: Vec<usize>,
}

/// What needs a restart.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) workers: usize,
    pub(crate) mode: &'static str,
    pub(crate) max_segments: u16,
    pub(crate) max_hold_us: u64,
    pub(crate) adaptive: bool,
    pub(crate) burst: u16,
    pub(crate) tx_buffer: u32,
    pub(crate) handoff: u32,
    pub(crate) copy_up_to: u16,
    /// A transmit queue of every port for every worker, else one for all.
    pub(crate) queue_each: bool,
    /// Per port: its own mode, and the pieces its frames may have.
    pub(crate) ports: Vec<(Option<&'static str>, usize)>,
}

/// Hosts 2 and 3 of every port are known neighbours, host 4 is not.
pub(crate) const KNOWN_HOSTS: [u8; 2] = [2, 3];

/// How long a bridge remembers, in seconds.
pub(crate) const AGEING_S: u64 = 1;

impl World {
    pub(crate) fn is_routed(&self, port: usize) -> bool {
        self.ports[port].bridge.is_none()
    }

    pub(crate) fn members(&self, bridge: usize) -> Vec<usize> {
        (0..self.ports.len()).filter(|&port| self.ports[port].bridge == Some(bridge)).collect()
    }

    pub(crate) fn routed(&self) -> Vec<usize> {
        (0..self.ports.len()).filter(|&port| self.is_routed(port)).collect()
    }
}

/// The last ports have one address, as what stands in for one another has.
pub(crate) fn port_mac(port: usize) -> Mac {
    [2, 0, 0, 0, 0, port.min(3) as u8]
}

pub(crate) fn host_mac(port: usize, host: u8) -> Mac {
    [2, 0, 0, 1, port as u8, host]
}

/// Of a host on the network of a port; host 1 is the gateway.
pub(crate) fn host_v4(port: usize, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, port as u8, 0, host)
}

pub(crate) fn host_v6(port: usize, host: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, port as u16, 0, 0, 0, 0, host.into())
}

/// The link address of a group (RFC 1112 6.4, RFC 2464 7).
pub(crate) fn group_mac(group: IpAddr) -> Mac {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            [1, 0, 0x5e, b & 0x7f, c, d]
        }
        IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            [0x33, 0x33, a, b, c, d]
        }
    }
}
