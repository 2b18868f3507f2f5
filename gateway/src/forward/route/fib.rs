//! Longest-prefix match: what is done with a destination.
//!
//! As in Linux the addresses of the gateway, and the broadcast addresses of its networks, are
//! routes to itself; a connected network beats a configured route with the same prefix. Next hops
//! are resolved when the table is built, so a lookup ends with the frame's new addresses; known IPv4
//! neighbours are routes too.
//! *Size:* as many routes as the snapshot was built from, and a route for each IPv4 neighbour.

use core::hash::BuildHasher;

use foldhash::quality::FixedState;

use super::address::Address;
use super::rib::Rib;
use super::strides::Prefixes;
use crate::packet::{NextHop, PortId};

/// What is done with a destination.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Route {
    /// An address of the gateway.
    Local,
    /// All hosts of a connected network.
    Broadcast,
    /// The destination itself is the next hop.
    Connected(PortId),
    /// One next hop.
    Via(NextHop),
    /// Several next hops of equal cost; a flow keeps one. At least two.
    Balanced(Box<[NextHop]>),
    /// No next hop's link address is known.
    Unresolved,
}

impl Route {
    /// By the next hops whose link addresses are known; the others get no share of the flows.
    pub(super) fn via(hops: &[NextHop]) -> Self {
        match *hops {
            [] => Self::Unresolved,
            [hop] => Self::Via(hop),
            _ => Self::Balanced(hops.into()),
        }
    }
}

/// The routes of one address family.
pub(super) struct Fib<A: Address> {
    routes: A::Routes,
    balance: FixedState,
}

impl<A: Address> Fib<A> {
    /// `seed` differs from gateway to gateway: in a row of them, each balances anew.
    pub(super) fn new(rib: Rib<A>, seed: u64) -> Self {
        Self { routes: rib.into_routes(), balance: FixedState::with_seed(seed) }
    }

    /// The route of the longest prefix with `destination` in it.
    #[inline]
    pub(super) fn lookup(&self, destination: A) -> Option<&Route> {
        self.routes.lookup(destination.octets().as_ref())
    }

    /// The next hop for all datagrams from `source` to `destination`. Ports play no part, because
    /// only first fragments have them; nor does the protocol, which an IPv6 fragment can hide
    /// behind an extension header: a flow and its fragments stay together, as in Linux
    /// (fib_multipath_hash_policy 0).
    #[inline(never)]
    pub(super) fn balance<'a>(
        &self,
        hops: &'a [NextHop],
        source: A,
        destination: A,
    ) -> Option<&'a NextHop> {
        let hash = self.balance.hash_one((source, destination)) >> 32;
        // RFC 2992: equal regions of the hash's range move fewer flows when a path goes than the
        // remainder of a division would.
        let region = (hash * hops.len() as u64) >> 32;
        hops.get(region as usize)
    }
}
