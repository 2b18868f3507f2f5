//! The host as a member of a bridge whose ports have shadows each: it stands behind all of them.
//!
//! *Invariant:* a frame goes up by the shadow of the port it came from and by no other, so the
//! kernel's bridge sees it where it was received.

use crate::config::{Config, Shadow};
use crate::packet::{PortId, PortMask};

/// The shadows of one bridge.
pub(super) struct Shadows {
    /// Stands for the host in masks, and in the FDB for the stations there.
    host: PortId,
    /// By port of the gateway; its own place where there is none.
    of: Box<[PortId]>,
}

impl Shadows {
    /// `None`: the ports of this bridge have none.
    pub(super) fn new(config: &Config, bridge: usize) -> Option<Self> {
        let ports = &config.bridges.get(bridge)?.ports;
        let shadow = |id| config.shadow_of(Shadow::Port(id)).filter(|_| ports.contains(&id));
        let host = shadow(*ports.first()?)?;
        let ids = (0..config.ports.len()).map(|id| PortId(id as u16));
        Some(Self { host, of: ids.map(|id| shadow(id).unwrap_or(id)).collect() })
    }

    /// The host's place among the ports.
    #[inline]
    pub(super) fn host(&self) -> PortId {
        self.host
    }

    /// The way up from a port.
    #[inline]
    pub(super) fn of(&self, port: PortId) -> PortId {
        self.of.get(port.index()).copied().unwrap_or(port)
    }

    /// `ports` with the way up from `ingress` in the host's place.
    #[inline]
    pub(super) fn towards(&self, ports: PortMask, ingress: PortId) -> PortMask {
        if ports.contains(self.host) {
            ports.without(self.host).with(self.of(ingress))
        } else {
            ports
        }
    }
}
