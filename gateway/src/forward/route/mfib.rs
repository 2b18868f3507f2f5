//! Multicast routes: (source, group) before (any, group), each with the port it must come from.
//! *Size:* as many routes as the snapshot was built from.

use super::address::Address;
use super::watch::Watch;
use crate::config::MulticastRoute;
use crate::forward::Map;
use crate::packet::{DropReason, PortId, PortMask, WatchId};

/// The multicast routes of one address family.
pub(super) struct Mfib<A: Address> {
    of_source: Map<(A, A), Paths>,
    of_any: Map<A, Paths>,
    /// By [`WatchId`].
    watches: Vec<Watch>,
}

/// What leads on from one ingress port.
pub(super) struct Path {
    from: PortId,
    /// Egress ports.
    pub(super) to: PortMask,
    /// With more hops left than this a datagram leaves by all of them, and nothing else is to be
    /// thought of.
    pub(super) scope: u8,
    /// If the kernel has the route too.
    pub(super) watch: Option<WatchId>,
}

impl<A: Address> Mfib<A> {
    pub(super) fn new() -> Self {
        Self { of_source: Map::default(), of_any: Map::default(), watches: Vec::new() }
    }

    /// Adds a route; those of one source, group and ingress add up. `shadows` are the host's ends.
    pub(super) fn insert(&mut self, route: &MulticastRoute, shadows: PortMask) {
        let Some(group) = A::of(route.group) else { return };
        let paths = match route.source.and_then(A::of) {
            Some(source) => self.of_source.entry((source, group)).or_default(),
            None => self.of_any.entry(group).or_default(),
        };
        let path = paths.at(route.from);
        path.to = path.to.or(route.to.iter().copied().collect()).without(route.from);
        if let Some(entry) = &route.kernel {
            let watch = Watch::new(entry, route.from);
            path.scope = path.scope.max(watch.highest());
            path.watch = Some(WatchId(self.watches.len() as u32));
            self.watches.push(watch);
        }
        // What goes up is what the kernel would forward a second time.
        if path.watch.is_some() && !path.to.and(shadows).is_empty() {
            path.scope = u8::MAX;
        }
    }

    /// Where a datagram that came in on `ingress` leaves.
    #[inline]
    pub(super) fn lookup(&self, source: A, group: A, ingress: PortId) -> Result<&Path, DropReason> {
        let paths = self.of_source.get(&(source, group)).or_else(|| self.of_any.get(&group));
        let path = paths.ok_or(DropReason::NoMulticastRoute)?.from(ingress);
        path.ok_or(DropReason::WrongIngress)
    }

    #[inline]
    pub(super) fn watch(&self, id: WatchId) -> Option<&Watch> {
        self.watches.get(id.0 as usize)
    }

    pub(super) fn watches(&self) -> &[Watch] {
        &self.watches
    }
}

/// A path for each accepted ingress port, mostly one.
#[derive(Default)]
struct Paths(Vec<Path>);

impl Paths {
    fn at(&mut self, from: PortId) -> &mut Path {
        let known = self.0.iter().position(|path| path.from == from);
        let index = known.unwrap_or(self.0.len());
        if known.is_none() {
            self.0.push(Path { from, to: PortMask::EMPTY, scope: 1, watch: None });
        }
        &mut self.0[index]
    }

    #[inline]
    fn from(&self, ingress: PortId) -> Option<&Path> {
        self.0.iter().find(|path| path.from == ingress)
    }
}
