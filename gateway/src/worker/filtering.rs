//! What `[[filter]]` says of a super-packet: once for all its datagrams, at each place it passes.
//!
//! Order: ingress, decision, forward or local, egress per port. A copy of a mirror is the datagram
//! as it was received and passes no further filter. Frames of the gateway's own pass none.

use super::path::{Path, emit};
use crate::config::{Action, Place};
use crate::device::Backend;
use crate::forward::{FilterKey, Filters, Limiter, RuleId};
use crate::gro::Saving;
use crate::packet::{
    Answer, Coalesce, Decision, DropReason, FrameInfo, PacketBuf, PortId, PortMask, PuntClass,
    SuperPacket,
};
use crate::time::Nanos;

/// Hits of one rule, counted by one worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RuleCounters {
    /// Of the rule that was hit last in this slot ([`RuleId`]).
    pub born: u32,
    /// Datagrams that matched.
    pub datagrams: u64,
    /// Their frames' bytes, without FCS.
    pub bytes: u64,
    /// Datagrams beyond the rate, which were dropped.
    pub limited: u64,
}

/// What a rule does to a super-packet.
enum Outcome {
    Passes,
    Mirrored(PortId),
    Dropped(DropReason),
}

impl<K: Backend> Path<K> {
    /// [`forward`](Self::forward) where there are filters.
    #[inline(never)]
    pub(super) fn forward_filtered(
        &mut self,
        packet: SuperPacket<'_, K::Buf>,
        now: Nanos,
    ) -> Saving {
        let Some(first) = packet.segments().first() else { return Saving::ROUTED };
        let (info, key) = (*packet.info(), FilterKey::of(packet.info(), first.head()));
        let decision = self.forwarder.decide(&info, first.head(), now);
        let rules = self.forwarder.filters().map_or(0, Filters::count);
        let saving = Saving::of(&decision, first.head()).with_rules(rules);
        if !self.admits(Place::Ingress, &key, info.port, &packet, now) {
            return saving;
        }
        let place = match decision {
            Decision::Bridge { .. }
            | Decision::BridgeToListeners { .. }
            | Decision::BridgeAndPunt { .. }
            | Decision::Route(_)
            | Decision::Multicast { .. }
            | Decision::MulticastWatched { .. } => Place::Forward,
            // The kernel forwards it, or says why not.
            Decision::Punt { class: PuntClass::Unresolved, .. } => Place::Forward,
            Decision::Punt { .. } | Decision::Consume | Decision::Drop(DropReason::NoHost) => {
                Place::Local
            }
            Decision::Answer(Answer::ArpReply | Answer::NeighborAdvertisement) => Place::Local,
            Decision::Answer(Answer::TimeExceeded) | Decision::Drop(_) => {
                self.carry_out(decision, packet, now);
                return saving;
            }
        };
        if !self.admits(place, &key, info.port, &packet, now) {
            return saving;
        }
        if let Some(decision) = self.leave(decision, &key, &packet, now) {
            self.carry_out(decision, packet, now);
        }
        saving
    }

    /// The decision without the ports that egress filters close; `None` if none is left.
    fn leave(
        &mut self,
        decision: Decision,
        key: &FilterKey,
        packet: &SuperPacket<'_, K::Buf>,
        now: Nanos,
    ) -> Option<Decision> {
        if !self.forwarder.filters().is_some_and(|filters| filters.has(Place::Egress)) {
            return Some(decision);
        }
        let ports = match decision {
            Decision::Bridge { ports }
            | Decision::BridgeToListeners { ports, .. }
            | Decision::BridgeAndPunt { ports, .. }
            | Decision::Multicast { ports } => ports,
            Decision::MulticastWatched { ports, .. } if ports.is_empty() => return Some(decision),
            Decision::MulticastWatched { ports, .. } => ports,
            Decision::Route(hop) => PortMask::of(hop.port),
            Decision::Drop(_) | Decision::Answer(_) | Decision::Punt { .. } | Decision::Consume => {
                return Some(decision);
            }
        };
        let open: PortMask = ports
            .filter(|&port| self.admits(Place::Egress, &key.at_port(port), port, packet, now))
            .collect();
        // Every port has an outcome; those that stay open are counted where replicas are made.
        let closed = ports.len() - open.len();
        let segments = packet.segments().len() as u64;
        let is_last = open.is_empty() && !matches!(decision, Decision::BridgeAndPunt { .. });
        self.counters.replicated += segments * closed.saturating_sub(usize::from(is_last)) as u64;
        match decision {
            Decision::BridgeAndPunt { shadow, class, .. } => {
                Some(Decision::BridgeAndPunt { ports: open, shadow, class })
            }
            _ if open.is_empty() => None,
            Decision::Bridge { .. } => Some(Decision::Bridge { ports: open }),
            Decision::BridgeToListeners { listeners, .. } => {
                Some(Decision::BridgeToListeners { ports: open, listeners })
            }
            Decision::Multicast { .. } => Some(Decision::Multicast { ports: open }),
            Decision::MulticastWatched { watch, .. } => {
                Some(Decision::MulticastWatched { ports: open, watch })
            }
            other => Some(other),
        }
    }

    /// Whether the super-packet passes `place`; if not it is counted under `port`.
    fn admits(
        &mut self,
        place: Place,
        key: &FilterKey,
        port: PortId,
        packet: &SuperPacket<'_, K::Buf>,
        now: Nanos,
    ) -> bool {
        match self.judge(place, key, packet.segments(), now) {
            Outcome::Passes => true,
            Outcome::Mirrored(to) => {
                let l2_len = usize::from(packet.info().l2_len);
                packet.segments().iter().for_each(|segment| self.mirror(segment, l2_len, to));
                true
            }
            Outcome::Dropped(reason) => {
                self.drop_all(port, packet.info(), reason, packet.segments());
                false
            }
        }
    }

    fn judge(&mut self, place: Place, key: &FilterKey, segments: &[K::Buf], now: Nanos) -> Outcome {
        let Self { forwarder, rule_counters, .. } = self;
        let rule = forwarder.filters().and_then(|filters| filters.find(place, key));
        let Some(rule) = rule else { return Outcome::Passes };
        let bytes: usize = segments.iter().map(PacketBuf::frame_len).sum();
        // A rule with a rate sees one datagram at a time: see `goes_alone`.
        let within = rule.limiter().is_none_or(|limiter| limiter.take(bytes, now));
        if let Some(counters) = counters_of(rule_counters, rule.id()) {
            counters.datagrams += segments.len() as u64;
            counters.bytes += bytes as u64;
            counters.limited += if within { 0 } else { segments.len() as u64 };
        }
        match rule.action() {
            _ if !within => Outcome::Dropped(DropReason::RateLimited),
            Action::Accept => Outcome::Passes,
            Action::Drop => Outcome::Dropped(DropReason::Filtered),
            Action::Mirror(to) => Outcome::Mirrored(to),
        }
    }

    /// A copy of the whole frame leaves by `to`.
    fn mirror(&mut self, segment: &K::Buf, l2_len: usize, to: PortId) {
        self.counters.replicated += 1;
        if segment.frame_len() > l2_len + usize::from(self.forwarder.mtu(to)) {
            return self.counters.drop(to, DropReason::TooBig, 1);
        }
        let copy = segment.copy(&self.pool).map(PacketBuf::into_tx);
        emit(to, copy, &mut self.egress, &mut self.counters);
    }

    /// What a rate may limit goes one by one, in order of arrival: which datagrams pass must not
    /// depend on how they would have been gathered.
    #[inline(never)]
    pub(super) fn goes_alone(&self, info: &mut FrameInfo, head: &[u8]) {
        let Some(filters) = self.forwarder.filters() else { return };
        if info.coalesce == Coalesce::Candidate
            && filters.has_limits()
            && filters.may_limit(&FilterKey::of(info, head))
        {
            info.coalesce = Coalesce::Alone;
        }
    }

    /// Whether a bridge should not learn from a frame: it will be dropped at ingress. What a rate
    /// limits goes alone, so the tokens seen here are those it will find.
    pub(super) fn is_refused(&self, info: &FrameInfo, head: &[u8], now: Nanos) -> bool {
        let Some(filters) = self.forwarder.filters() else { return false };
        let rule = filters.find(Place::Ingress, &FilterKey::of(info, head));
        rule.is_some_and(|rule| {
            let within = |limiter: &Limiter| limiter.has(info.frame_len as usize, now);
            rule.action() == Action::Drop || !rule.limiter().is_none_or(within)
        })
    }
}

fn counters_of(counters: &mut [RuleCounters], id: RuleId) -> Option<&mut RuleCounters> {
    let counters = counters.get_mut(usize::from(id.slot))?;
    if counters.born != id.born {
        *counters = RuleCounters { born: id.born, ..RuleCounters::default() };
    }
    Some(counters)
}
