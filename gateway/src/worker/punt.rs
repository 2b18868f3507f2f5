//! Datagrams for the host's kernel: as they are, to the shadow of the port they came by, each class
//! within its limit.

use super::path::{Path, emit};
use crate::device::Backend;
use crate::forward::rate::TokenBucket;
use crate::packet::{DropReason, PacketBuf, PortId, PortMask, PuntClass, SuperPacket};
use crate::time::Nanos;

/// How many datagrams of each class one worker may give to the kernel.
#[derive(Clone, Debug)]
pub(super) struct PuntLimits([Option<TokenBucket>; PuntClass::COUNT]);

impl PuntLimits {
    fn allow(&mut self, class: PuntClass, now: Nanos) -> bool {
        self.0[class.index()].as_mut().is_none_or(|bucket| bucket.take(now))
    }
}

impl Default for PuntLimits {
    /// What a kernel takes without noticing, and daemons need: the control plane policing of
    /// switches has the same classes. Local traffic is limited by the cable alone.
    fn default() -> Self {
        let limits = PuntClass::ALL.map(|class| match class {
            PuntClass::Neighbor | PuntClass::Membership => Some(TokenBucket::new(2_000, 500)),
            PuntClass::Routing => Some(TokenBucket::new(10_000, 2_000)),
            PuntClass::Local => None,
            PuntClass::Unresolved => Some(TokenBucket::new(1_000, 100)),
        });
        Self(limits)
    }
}

impl<K: Backend> Path<K> {
    #[cold]
    pub(super) fn punt(
        &mut self,
        packet: SuperPacket<'_, K::Buf>,
        shadow: PortId,
        class: PuntClass,
        now: Nanos,
    ) {
        let port = packet.info().port;
        for segment in packet.into_segments() {
            let Self { punts, egress, counters, .. } = self;
            if !punts.allow(class, now) {
                counters.drop(port, DropReason::PuntLimited, 1);
            } else if class.is_urgent() {
                egress.push_urgent(shadow, segment.into_tx(), counters);
            } else {
                egress.push(shadow, segment.into_tx(), counters);
            }
        }
    }

    /// What the kernel's snooping learns from is a copy of what is bridged.
    #[cold]
    pub(super) fn bridge_and_punt(
        &mut self,
        packet: SuperPacket<'_, K::Buf>,
        ports: PortMask,
        shadow: PortId,
        class: PuntClass,
        now: Nanos,
    ) {
        if ports.is_empty() {
            return self.punt(packet, shadow, class, now);
        }
        for segment in packet.segments() {
            let Self { punts, egress, counters, pool, .. } = self;
            counters.replicated += 1;
            if !punts.allow(class, now) {
                counters.drop(packet.info().port, DropReason::PuntLimited, 1);
                continue;
            }
            match segment.copy(pool) {
                Some(copy) => egress.push_urgent(shadow, copy.into_tx(), counters),
                None => counters.drop(shadow, DropReason::ReplicaNoBuffer, 1),
            }
        }
        self.bridge_what_fits(packet, ports);
    }

    /// What members of a group on the host get is a copy of what came.
    #[cold]
    pub(super) fn multicast_with_hosts(
        &mut self,
        packet: SuperPacket<'_, K::Buf>,
        ports: PortMask,
        hosts: PortMask,
    ) {
        let others = ports.and_not(hosts);
        if others.is_empty() {
            return self.bridge(packet, hosts);
        }
        for segment in packet.segments() {
            for host in hosts {
                let copy = segment.copy(&self.pool).map(PacketBuf::into_tx);
                self.counters.replicated += 1;
                emit(host, copy, &mut self.egress, &mut self.counters);
            }
        }
        self.multicast(packet, others);
    }
}
