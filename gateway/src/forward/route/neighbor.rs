//! Neighbours: the next hop that an address on a port is.
//! *Size:* as many entries as the snapshot was built from.

use super::address::Address;
use crate::config::Config;
use crate::forward::Map;
use crate::packet::{MacAddr, NextHop, PortId};

/// The neighbours of one address family.
pub(super) struct Neighbors<A: Address>(Map<(PortId, A), NextHop>);

impl<A: Address> Neighbors<A> {
    /// Those of a configuration; `macs` are the ports' link addresses. The last entry of an address
    /// counts.
    pub(super) fn build(config: &Config, macs: &[MacAddr]) -> Self {
        let mut all = Map::default();
        for neighbor in &config.neighbors {
            let (port, dst_mac) = (neighbor.port, neighbor.mac);
            let found = (A::of(neighbor.address), macs.get(port.index()));
            if let (Some(address), Some(&src_mac)) = found {
                all.insert((port, address), NextHop { port, dst_mac, src_mac });
            }
        }
        Self(all)
    }

    /// How it is reached.
    #[inline(never)]
    pub(super) fn lookup(&self, port: PortId, address: A) -> Option<&NextHop> {
        self.0.get(&(port, address))
    }
}
