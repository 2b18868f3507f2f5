//! Multicast routes that the kernel has too (ADR 15): which ports a datagram reaches, and what the
//! kernel hears of it.
//!
//! *Invariant:* what goes up has one hop left, so the kernel counts it, gives it to its own programs
//! and forwards it to nobody: the data path has.

use super::path::{Path, emit};
use crate::device::Backend;
use crate::fanout::set_last_hop;
use crate::packet::{
    Decision, DropReason, FrameInfo, Network, PacketBuf, PortId, PortMask, SuperPacket, WatchId,
};
use crate::wire::{Ipv4, Ipv6, view};

impl<K: Backend> Path<K> {
    /// What is left to do, as for any other multicast route; `None`: every port has its outcome.
    #[cold]
    pub(super) fn attend(
        &mut self,
        packet: &SuperPacket<'_, K::Buf>,
        ports: PortMask,
        watch: WatchId,
    ) -> Option<Decision> {
        let (info, segments) = (*packet.info(), packet.segments());
        let first = segments.first()?;
        let hosts = ports.and(self.forwarder.shadows());
        let others = ports.and_not(hosts);
        let mut beyond = PortMask::EMPTY;
        let mut told = None;
        if let Some(watch) = self.forwarder.watch(info.network, watch) {
            beyond = watch.beyond(hops_left(first.head(), &info));
            // Members on the host get all of them, and the kernel counts those.
            told = (hosts.is_empty() && watch.take_due()).then(|| watch.shadow());
        }
        if let Some(shadow) = told {
            self.counters.replicated += 1;
            self.send_up(first, &info, shadow);
        }
        for host in hosts {
            segments.iter().for_each(|segment| self.send_up(segment, &info, host));
        }
        for port in beyond {
            self.drop_all(port, &info, DropReason::TtlThreshold, segments);
        }
        let settled = hosts.len() + beyond.len();
        if settled == 0 && others.is_empty() {
            return Some(Decision::Drop(DropReason::NoEgress));
        }
        self.counters.replicated +=
            (segments.len() * (settled - usize::from(others.is_empty()))) as u64;
        (!others.is_empty()).then_some(Decision::Multicast { ports: others })
    }

    fn send_up(&mut self, segment: &K::Buf, info: &FrameInfo, shadow: PortId) {
        let copy = segment.copy(&self.pool).map(|mut copy| {
            set_last_hop(copy.head_mut(), info);
            copy.into_tx()
        });
        emit(shadow, copy, &mut self.egress, &mut self.counters);
    }
}

/// TTL or hop limit.
fn hops_left(head: &[u8], info: &FrameInfo) -> u8 {
    let l2_len = usize::from(info.l2_len);
    let hops = match info.network {
        Network::Ipv4 => view::<Ipv4>(head, l2_len).map(|ip| ip.ttl),
        Network::Ipv6 => view::<Ipv6>(head, l2_len).map(|ip| ip.hop_limit),
        Network::Arp | Network::Other | Network::Broken(_) => None,
    };
    hops.unwrap_or(0)
}
