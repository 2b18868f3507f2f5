//! The ports that no `[[port]]` names: the host's ends of what has `host = true`. They stand behind
//! the ports of the file and are members of their bridges like any other.

use super::{Config, GroMode, Port, Shadow};
use crate::packet::{PortId, PortMask};

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

    /// Adds the shadows that `host = true` asks for.
    pub(super) fn add_shadows(&mut self) {
        let ports = self.ports.iter().zip(0..).filter(|(port, _)| port.host);
        let mut shadows: Vec<_> = ports
            .map(|(port, id)| shadow(&port.name, port.mtu, Shadow::Port(PortId(id))))
            .collect();
        for (index, bridge) in self.bridges.iter_mut().enumerate().filter(|(_, b)| b.host) {
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
