//! One shadow: how it is made, at the start and again when somebody has removed it.

use std::io;

use super::shadow_bridges::ShadowBridges;
use super::shadows::{ShadowError, refused};
use crate::config::{Config, Shadow as Of};
use crate::dpdk::Tap;
use crate::host::{Kernel, KernelError};
use crate::packet::{MacAddr, PortId};

/// A shadow's place among the ports, its link address, and its interface while there is one.
pub(super) struct Outline {
    pub(super) id: PortId,
    pub(super) mac: MacAddr,
    pub(super) interface: u32,
}

impl Outline {
    /// Makes the interface, or takes one made beforehand: a port of its bridge, or with addresses, and
    /// on.
    pub(super) fn make(
        &mut self,
        kernel: &mut Kernel,
        config: &Config,
        bridges: &mut ShadowBridges,
    ) -> Result<Tap, ShadowError> {
        let settings = &config.ports[self.id.index()];
        let name = settings.name.as_str();
        let tap = Tap::open(name).map_err(|error| no_tap(name, &error))?;
        let interface = kernel.index_of(name).map_err(|error| refused(name, &error))?;
        if let (Some(Of::Port(id)), None) = (settings.shadow, self.routed(config)) {
            be_silent(name);
            bridges.add(kernel, config, id, interface)?;
        }
        self.set_up(kernel, config, interface)?;
        self.interface = interface;
        Ok(tap)
    }

    /// The routed port it stands for.
    pub(super) fn routed(&self, config: &Config) -> Option<PortId> {
        match config.ports[self.id.index()].shadow {
            Some(Of::Port(id)) if config.bridge_of(id).is_none() => Some(id),
            _ => None,
        }
    }

    /// Gives the interface its addresses, or finds that somebody has.
    fn set_up(
        &self,
        kernel: &mut Kernel,
        config: &Config,
        interface: u32,
    ) -> Result<(), ShadowError> {
        let settings = &config.ports[self.id.index()];
        let (name, mtu, mac) = (settings.name.as_str(), settings.mtu, self.mac);
        if let Err(error) = kernel.set_link(interface, mac, mtu) {
            // Made beforehand by somebody with the right to.
            if !kernel.link_is(interface, mac, mtu).is_ok_and(|is_ready| is_ready) {
                return Err(not_ready(name, mac, mtu, &error));
            }
            return Ok(());
        }
        let routed = self.routed(config).map(|port| &config.ports[port.index()]);
        for &address in routed.into_iter().flat_map(|port| &port.addresses) {
            kernel.add_address(interface, address).map_err(|error| refused(name, &error))?;
        }
        Ok(())
    }
}

/// The shadow of a bridged port is no host of its own: the bridge has the addresses. Where this cannot
/// be written, Linux gives it a link-local one, as it does every port of a bridge.
fn be_silent(name: &str) {
    let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1");
}

fn no_tap(name: &str, error: &io::Error) -> ShadowError {
    ShadowError {
        problem: format!("shadow {name}: /dev/net/tun: {error}"),
        remedy: format!(
            "give the gateway CAP_NET_ADMIN and /dev/net/tun, or make the interface beforehand: ip \
             tuntap add {name} mode tap vnet_hdr user USER"
        ),
    }
}

fn not_ready(name: &str, mac: MacAddr, mtu: u16, error: &KernelError) -> ShadowError {
    ShadowError {
        problem: format!("shadow {name}: {error}"),
        remedy: format!(
            "give the gateway CAP_NET_ADMIN, or prepare the interface: ip link set {name} address \
             {mac} mtu {mtu} up"
        ),
    }
}
