//! The snapshot a worker decides by: built by the control side, immutable but for the stations that
//! bridges learn. A new configuration is a new snapshot.

use std::sync::Arc;

use super::bridge::{Bridge, Fdb, Listeners};
use super::filter::Filters;
use super::route::{Interface, Router, Watch};
use crate::config::{Config, Gro, Shadow};
use crate::packet::{Listener, MacAddr, PortId, PortMask};

/// What the configuration does not know about a port.
#[derive(Clone, Copy, Debug)]
pub struct PortFacts {
    /// The link address of the device.
    pub mac: MacAddr,
}

/// All tables of the room.
pub struct Tables {
    /// By port.
    pub(super) roles: Box<[Role]>,
    pub(super) bridges: Box<[Bridge]>,
    /// By [`ListenerSet`](crate::packet::ListenerSet).
    pub(super) listeners: Box<[Box<[Listener]>]>,
    pub(super) router: Router,
    /// IP MTU by port.
    pub(super) mtus: Box<[u16]>,
    pub(super) smallest_mtu: u16,
    /// Link address by port.
    pub(super) macs: Box<[MacAddr]>,
    /// Ports that are the host's ends of others.
    pub(super) shadows: PortMask,
    /// Coalescing by port: it travels in the same snapshot, so that a worker takes a whole reload
    /// over between the same two polls.
    coalescing: Box<[Gro]>,
    filters: Option<Box<Filters>>,
    /// One more than the snapshot this one was rebuilt from.
    generation: u32,
}

/// What a port belongs to.
pub(super) enum Role {
    /// The bridge with this index.
    Bridged(usize),
    /// The router.
    Routed(Interface),
    /// The host's end of this routed port: what comes from the kernel leaves there as it is.
    Shadow(PortId),
    /// The host's end of a port of this bridge: likewise, but its stations are learned.
    BridgedShadow {
        /// The port.
        of: PortId,
        /// Its bridge.
        bridge: usize,
    },
}

impl Tables {
    /// The tables of a configuration. `facts` has one entry for each of its ports. `seed` should
    /// be random and stay the same while the program runs: it keeps strangers from choosing
    /// addresses that collide, and flows on their paths across snapshots.
    pub fn build(config: &Config, facts: &[PortFacts], seed: u64) -> Self {
        Self::build_with(config, facts, seed, None, |index| {
            Arc::new(Fdb::new(config.runtime.fdb_entries, config.bridges[index].ageing, seed))
        })
    }

    /// Like [`build`](Self::build), for a running gateway: a bridge of `previous` that has the same
    /// ports and ageing time in the new configuration keeps what it has learned, an equal filter what
    /// it has counted; unicast tables that are the same are shared.
    pub fn rebuild(config: &Config, facts: &[PortFacts], seed: u64, previous: &Self) -> Self {
        Self::build_with(config, facts, seed, Some(previous), |index| {
            let ports = config.bridges[index].ports.iter().copied().collect();
            let (limit, ageing) = (config.runtime.fdb_entries, config.bridges[index].ageing);
            let same = previous.bridges.iter().find(|bridge| bridge.ports() == ports);
            match same.map(Bridge::fdb).filter(|known| known.is_for(limit, ageing)) {
                Some(known) => Arc::clone(known),
                None => Arc::new(Fdb::new(limit, ageing, seed)),
            }
        })
    }

    /// How what `port` receives is coalesced; `None` if there is no such port.
    pub fn coalescing(&self, port: PortId) -> Option<&Gro> {
        self.coalescing.get(port.index())
    }

    /// `[[filter]]`; `None` if there are none.
    #[inline]
    pub fn filters(&self) -> Option<&Filters> {
        self.filters.as_deref()
    }

    /// Multicast routes that the kernel has too.
    pub fn watches(&self) -> impl Iterator<Item = &Watch> {
        self.router.watches()
    }

    /// The bridges, in the order of the file.
    pub fn bridges(&self) -> &[Bridge] {
        &self.bridges
    }

    /// The link of `port` is down: whoever was heard there may come back elsewhere, as with Linux
    /// (`br_stp_disable_port`). Shared by all snapshots, so workers must take theirs anew.
    pub fn forget_stations(&self, port: PortId) {
        if let Role::Bridged(index) = self.roles[port.index()] {
            self.bridges[index].fdb().flush(port);
        }
    }

    fn build_with(
        config: &Config,
        facts: &[PortFacts],
        seed: u64,
        previous: Option<&Self>,
        fdb: impl Fn(usize) -> Arc<Fdb>,
    ) -> Self {
        assert_eq!(config.ports.len(), facts.len(), "one entry of facts for each port");
        let macs: Vec<_> = facts.iter().map(|facts| facts.mac).collect();
        let addresses: Vec<_> =
            config.ports.iter().flat_map(|port| &port.addresses).copied().collect();
        let routed = config.ports.iter().zip(&macs).zip(0..);
        let mut roles: Box<[Role]> = routed
            .map(|((port, mac), index)| match port.shadow {
                Some(Shadow::Port(of)) => match config.bridge_of(of) {
                    Some(bridge) => Role::BridgedShadow { of, bridge },
                    None => Role::Shadow(of),
                },
                _ => {
                    let shadow = config.shadow_of(Shadow::Port(PortId(index)));
                    Role::Routed(Interface::new(*mac, &port.addresses, &addresses, shadow))
                }
            })
            .collect();
        for (index, bridge) in config.bridges.iter().enumerate() {
            for port in &bridge.ports {
                roles[port.index()] = Role::Bridged(index);
            }
        }
        let mut listeners = Vec::new();
        let bridges = (0..config.bridges.len()).map(|index| {
            let own = config.listeners.iter().filter(|listener| listener.bridge == index);
            Bridge::new(config, index, Listeners::new(own, &mut listeners), fdb(index))
        });
        let bridges = bridges.collect();
        let mtus: Box<[u16]> = config.ports.iter().map(|port| port.mtu).collect();
        let smallest_mtu = mtus.iter().copied().min().unwrap_or(u16::MAX);
        let old_router = previous.map(|previous| &previous.router);
        let router = Router::build(config, &macs, seed, old_router);
        let coalescing = config.ports.iter().map(|port| config.gro.of_port(port)).collect();
        let generation = previous.map_or(0, |previous| previous.generation) + 1;
        let old_filters = previous.and_then(Self::filters);
        let filters = Filters::build(&config.filters, old_filters, generation);
        let (macs, listeners, shadows) = (macs.into(), listeners.into(), config.shadows());
        Self {
            roles,
            bridges,
            listeners,
            router,
            mtus,
            smallest_mtu,
            macs,
            shadows,
            coalescing,
            filters,
            generation,
        }
    }
}
