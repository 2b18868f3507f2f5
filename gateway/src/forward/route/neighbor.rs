//! Neighbours: the link address behind an address on a port.
//! *Size:* as many entries as the snapshot was built from.

use super::address::Address;
use crate::forward::Map;
use crate::packet::{MacAddr, PortId};

/// The neighbours of one address family.
pub(super) struct Neighbors<A: Address>(Map<(PortId, A), MacAddr>);

impl<A: Address> Neighbors<A> {
    pub(super) fn new() -> Self {
        Self(Map::default())
    }

    /// Adds a neighbour; the last entry of an address counts.
    pub(super) fn insert(&mut self, port: PortId, address: A, mac: MacAddr) {
        self.0.insert((port, address), mac);
    }

    /// Its link address.
    pub(super) fn lookup(&self, port: PortId, address: A) -> Option<MacAddr> {
        self.0.get(&(port, address)).copied()
    }
}
