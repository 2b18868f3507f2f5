//! Neighbours: the next hop that an address on a port is.
//! *Size:* as many entries as the snapshot was built from.

use super::address::Address;
use crate::forward::Map;
use crate::packet::{NextHop, PortId};

/// The neighbours of one address family.
pub(super) struct Neighbors<A: Address>(Map<(PortId, A), NextHop>);

impl<A: Address> Neighbors<A> {
    pub(super) fn new() -> Self {
        Self(Map::default())
    }

    /// Adds a neighbour; the last entry of an address counts.
    pub(super) fn insert(&mut self, address: A, hop: NextHop) {
        self.0.insert((hop.port, address), hop);
    }

    /// How it is reached.
    #[inline(never)]
    pub(super) fn lookup(&self, port: PortId, address: A) -> Option<&NextHop> {
        self.0.get(&(port, address))
    }
}
