//! Multicast routes: (source, group) before (any, group), each with the port it must come from.
//! *Size:* as many routes as the snapshot was built from.

use super::address::Address;
use crate::forward::Map;
use crate::packet::{DropReason, PortId, PortMask};

/// The multicast routes of one address family.
pub(super) struct Mfib<A: Address> {
    of_source: Map<(A, A), Paths>,
    of_any: Map<A, Paths>,
}

impl<A: Address> Mfib<A> {
    pub(super) fn new() -> Self {
        Self { of_source: Map::default(), of_any: Map::default() }
    }

    /// Adds a route; those of one source, group and ingress add up.
    pub(super) fn insert(&mut self, source: Option<A>, group: A, from: PortId, to: PortMask) {
        let paths = match source {
            Some(source) => self.of_source.entry((source, group)).or_default(),
            None => self.of_any.entry(group).or_default(),
        };
        paths.add(from, to.without(from));
    }

    /// Where a datagram that came in on `ingress` leaves.
    pub(super) fn lookup(
        &self,
        source: A,
        group: A,
        ingress: PortId,
    ) -> Result<PortMask, DropReason> {
        let paths = self.of_source.get(&(source, group)).or_else(|| self.of_any.get(&group));
        let to = paths.ok_or(DropReason::NoMulticastRoute)?.from(ingress);
        to.ok_or(DropReason::WrongIngress)
    }
}

/// Egress ports for each accepted ingress port, mostly one.
#[derive(Default)]
struct Paths(Vec<(PortId, PortMask)>);

impl Paths {
    fn add(&mut self, from: PortId, to: PortMask) {
        match self.0.iter_mut().find(|path| path.0 == from) {
            Some(path) => path.1 = path.1.or(to),
            None => self.0.push((from, to)),
        }
    }

    fn from(&self, ingress: PortId) -> Option<PortMask> {
        self.0.iter().find(|path| path.0 == ingress).map(|path| path.1)
    }
}
