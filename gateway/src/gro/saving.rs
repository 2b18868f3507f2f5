use crate::packet::{Decision, PortMask};

/// What a train saves with each datagram behind its first, because one decision is for all.
///
/// In parts of what gathering costs a train, which is [`GATHERING`]: a datagram on its own passes for
/// so much less than one that is held alone. Measured where the ports cost least (bench/RESULTS.md,
/// *What a train saves*); what a datagram costs beside its decision and its replicas is the same
/// either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Saving(u16);

/// What a train costs that a datagram on its own does not.
const GATHERING: i64 = 32;

impl Saving {
    /// Rewritten to one next hop, where a single has a short way: trains pay from 33 on.
    pub const ROUTED: Self = Self(1);
    /// Verbatim to one port of a bridge, where most singles have a short way: from 17 on.
    pub const BRIDGED: Self = Self(2);
    /// Answered, or to the host: from 5 on.
    pub const TO_HOST: Self = Self(8);
    /// One system call and one way through the host's kernel for all: from 2 on.
    pub const DELIVERED: Self = Self(512);

    /// Replicas of all are made and queued together: from 3 on with up to three ports, from 2 on with
    /// more.
    pub fn replicated(ports: PortMask) -> Self {
        Self(8 * ports.len().max(2) as u16)
    }

    /// As well, a train that filters were asked about: singles then have no short way, and all rules
    /// may be asked for each. From 2 on with ten rules.
    #[must_use]
    pub fn with_rules(self, rules: usize) -> Self {
        Self(self.0 + 24 + (rules * 4 / 5) as u16)
    }

    /// Of a train that was decided on so.
    #[inline]
    pub fn of(decision: &Decision) -> Self {
        match *decision {
            Decision::Route(_) | Decision::Drop(_) => Self::ROUTED,
            Decision::Bridge { ports } if ports.single().is_some() => Self::BRIDGED,
            Decision::Punt { .. } | Decision::Answer(_) | Decision::Consume => Self::TO_HOST,
            Decision::Bridge { ports }
            | Decision::BridgeToListeners { ports, .. }
            | Decision::BridgeAndPunt { ports, .. }
            | Decision::Multicast { ports }
            | Decision::MulticastWatched { ports, .. } => Self::replicated(ports),
        }
    }

    /// Of all datagrams of a train, what gathering cost taken off.
    #[inline]
    pub(super) fn of_train(self, datagrams: usize) -> i64 {
        (datagrams as i64 - 1) * i64::from(self.0) - GATHERING
    }
}
