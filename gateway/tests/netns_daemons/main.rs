//! Real programs around a running gateway and in charge of it: FRR, smcroute, dnsmasq, ngtcp2, the
//! kernel's TCP and VXLAN. Every scenario also runs through Linux in the gateway's place: when that
//! fails, the failure says nothing about the gateway.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // hosts, not the path

mod bgp;
mod daemon;
mod dns;
#[path = "../support/middle.rs"]
mod middle;
mod multicast;
#[path = "../support/netns.rs"]
mod netns;
mod pim;
mod quic;
#[path = "../support/running.rs"]
mod running;
#[path = "../support/shadowed.rs"]
mod shadowed;
mod tcp;
mod vxlan;

use std::net::IpAddr;

use gateway::demo::topology::{Lab, port_name};
use running::Running;

/// What forwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Gateway,
    Linux,
}

/// A laboratory and what forwards in its middle.
struct Middle {
    lab: Lab,
    gateway: Option<Running>,
}

impl Middle {
    /// Host N is `10.78.N.2` and `fd78:N::2` behind `10.78.N.1` and `fd78:N::1`, N = 1…
    fn router(by: By, hosts: u8) -> Option<Self> {
        Self::router_with(by, hosts, "")
    }

    /// With `more` in the gateway's file.
    fn router_with(by: By, hosts: u8, more: &str) -> Option<Self> {
        let mut lab = netns::lab()?;
        netns::plug_routed(&mut lab, hosts);
        let gateway = match by {
            By::Gateway => Some(shadowed::start_router(&lab, more)),
            By::Linux => {
                middle::linux_router(&lab);
                None
            }
        };
        for (host, net) in lab.hosts.iter().zip(1..) {
            for own in [format!("10.78.{net}.1"), format!("fd78:{net}::1")] {
                netns::ping(host, own.parse().unwrap()).unwrap();
            }
        }
        Some(Self { lab, gateway })
    }

    /// Host N is `10.78.0.N` and `fd78::N`, N = 1…
    fn bridge(by: By, hosts: u8) -> Option<Self> {
        Self::bridge_with(by, hosts, "")
    }

    /// With `more` in the gateway's file.
    fn bridge_with(by: By, hosts: u8, more: &str) -> Option<Self> {
        let mut lab = netns::lab()?;
        netns::plug_lan(&mut lab, hosts);
        let gateway = match by {
            By::Gateway => Some(running::start(&lab, "0", &(running::bridge(&lab) + more))),
            By::Linux => {
                middle::linux_bridge(&lab);
                None
            }
        };
        Some(Self { lab, gateway })
    }

    /// What the kernel in the middle calls port `index`.
    fn interface(&self, index: usize) -> String {
        let port = port_name(index);
        if self.gateway.is_some() { format!("gw-{port}") } else { port }
    }

    fn addresses(&self, host: usize) -> Vec<IpAddr> {
        self.lab.hosts[host].addresses.iter().map(ipnet::IpNet::addr).collect()
    }

    fn end(self) {
        if let Some(gateway) = self.gateway {
            gateway.stop_clean();
        }
    }
}

/// A test of each scenario through the gateway and through Linux.
macro_rules! through_both {
    ($($scenario:ident)*) => {
        mod through_the_gateway {
            $(#[test] fn $scenario() { super::$scenario(crate::By::Gateway); })*
        }
        mod through_linux {
            $(#[test] fn $scenario() { super::$scenario(crate::By::Linux); })*
        }
    };
}
use through_both;
