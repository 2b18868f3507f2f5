//! The ports that no `[[port]]` names: the host's ends of what has `host = true`. They stand behind
//! the ports of the file and are members of their bridges like any other.

use super::{Config, GroMode, Port, Shadow};
use crate::packet::{PortId, PortMask};

impl super::Bridge {
    /// Whether the host's kernel tells who listens to what: then each of its ports has a shadow.
    pub fn is_snooped_by_kernel(&self) -> bool {
        self.host && self.snooping
    }
}

/// In front of the name of what is shadowed.
pub(super) const PREFIX: &str = "gw-";

impl Config {
    /// The host's end of a port or bridge.
    pub fn shadow_of(&self, of: Shadow) -> Option<PortId> {
        let index = self.ports.iter().position(|port| port.shadow == Some(of))?;
        Some(PortId(index as u16))
    }

    /// Ports that are the host's ends of others.
    pub fn shadows(&self) -> PortMask {
        let ids = (0..).map(PortId).zip(&self.ports);
        ids.filter(|(_, port)| port.shadow.is_some()).map(|(id, _)| id).collect()
    }

    /// Ports of the file.
    pub fn file_ports(&self) -> usize {
        self.ports.iter().filter(|port| port.shadow.is_none()).count()
    }

    /// The bridge that a port, which is no bridge's shadow, is in.
    pub fn bridge_of(&self, port: PortId) -> Option<usize> {
        self.bridges.iter().position(|bridge| bridge.ports.contains(&port))
    }

    /// Where the host stands among the ports of a bridge: its shadow; the first of its ports'
    /// shadows, for all of them.
    pub fn host_of(&self, bridge: usize) -> Option<PortId> {
        let first = *self.bridges.get(bridge)?.ports.first()?;
        self.shadow_of(Shadow::Bridge(bridge)).or_else(|| self.shadow_of(Shadow::Port(first)))
    }

    /// The interface of the host's kernel that is a bridge's shadow.
    pub fn interface_of(&self, bridge: usize) -> String {
        format!("{PREFIX}{}", self.bridge_name(bridge))
    }

    /// Adds the shadows that `host = true` asks for.
    pub(super) fn add_shadows(&mut self) {
        let of_port = |id: PortId, ports: &[Port]| {
            let port = ports.get(id.index())?;
            Some(shadow(&port.name, port.mtu, Shadow::Port(id)))
        };
        let routed = (0..).map(PortId).zip(&self.ports).filter(|(_, port)| port.host);
        let mut shadows: Vec<_> = routed.filter_map(|(id, _)| of_port(id, &self.ports)).collect();
        for (index, bridge) in self.bridges.iter_mut().enumerate().filter(|(_, b)| b.host) {
            if bridge.is_snooped_by_kernel() {
                shadows.extend(bridge.ports.iter().filter_map(|&id| of_port(id, &self.ports)));
                continue;
            }
            let mtus = bridge.ports.iter().filter_map(|port| self.ports.get(port.index()));
            let mtu = mtus.map(|port| port.mtu).min().unwrap_or(1500);
            bridge.ports.push(PortId((self.ports.len() + shadows.len()) as u16));
            shadows.push(shadow(&bridge.name, mtu, Shadow::Bridge(index)));
        }
        self.ports.append(&mut shadows);
    }
}

fn shadow(name: &str, mtu: u16, of: Shadow) -> Port {
    let name = format!("{PREFIX}{name}");
    Port {
        device: format!("tap {name}"),
        name,
        mac: None,
        mtu,
        addresses: Vec::new(),
        gro: Some(GroMode::Off), // what the kernel sends leaves as it came
        host: false,
        shadow: Some(of),
    }
}
