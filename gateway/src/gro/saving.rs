use crate::packet::{Decision, PortMask};
use crate::wire::{Ethernet, view};

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
    /// To a station of a bridge, where singles have a short way too: from 17 on.
    pub const BRIDGED: Self = Self(2);
    /// To one port where they have none: to a group's only member, answered, or to the host. From 5 on.
    pub const LONG_WAY: Self = Self(8);
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

    /// Of a train that was decided on so, whose first datagram begins with `head`. A station that is
    /// not known behind the one port that is left passes for a known one.
    #[inline]
    pub fn of(decision: &Decision, head: &[u8]) -> Self {
        match *decision {
            Decision::Route(_) | Decision::Drop(_) => Self::ROUTED,
            Decision::Bridge { ports } if ports.single().is_some() => {
                let is_group =
                    view::<Ethernet>(head, 0).is_some_and(|header| header.dst.is_group());
                if is_group { Self::LONG_WAY } else { Self::BRIDGED }
            }
            Decision::Punt { .. } | Decision::Answer(_) | Decision::Consume => Self::LONG_WAY,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PortId;

    #[test]
    fn a_group_has_no_short_way_even_to_one_port() {
        let decision = Decision::Bridge { ports: PortMask::of(PortId(1)) };
        let frame_to = |octet: u8| [octet; Ethernet::LEN];
        assert_eq!(Saving::of(&decision, &frame_to(2)), Saving::BRIDGED);
        assert_eq!(Saving::of(&decision, &frame_to(1)), Saving::LONG_WAY);
    }
}
