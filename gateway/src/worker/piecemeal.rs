//! Super-packets of which a datagram may be too big for a port: the IP MTU is tested per datagram and
//! port, so that none is refused because of its neighbour.
//!
//! A router fragments IPv4 without DF and tells the sender of anything else (RFC 1812 4.2.2.7,
//! RFC 8201); a bridge can only drop (IEEE 802.1Q 6.5.8).

use super::path::{Path, emit};
use crate::device::Backend;
use crate::fanout::{decrement_ttl, group_address, set_addresses, set_source, trim_to_ip};
use crate::forward::answer::IcmpError;
use crate::gso::{FragmentError, fragment};
use crate::packet::{
    Decision, DropReason, FrameInfo, Network, NextHop, PacketBuf, PortId, PortMask, SuperPacket,
};
use crate::time::Nanos;
use crate::wire::{Ipv4, view};

impl<K: Backend> Path<K> {
    #[cold]
    pub(super) fn carry_out_piecemeal(
        &mut self,
        decision: Decision,
        packet: SuperPacket<'_, K::Buf>,
        now: Nanos,
    ) {
        let info = *packet.info();
        let alone = packet.segments().len() == 1;
        let mut one = Vec::new();
        std::mem::swap(&mut one, &mut self.piece);
        for segment in packet.into_segments() {
            let info = if alone { info } else { info.of_segment(segment.frame_len() as u32) };
            match decision {
                Decision::Route(hop) if info.ip_len > self.mtu(hop.port) => {
                    self.route_too_big(segment, &info, &hop, now);
                    continue;
                }
                _ => one.push(segment),
            }
            let Some(packet) = SuperPacket::from_segments(info, &mut one) else { continue };
            match decision {
                Decision::Bridge { ports } => self.bridge_what_fits(packet, ports),
                Decision::BridgeToListeners { ports, listeners } => {
                    self.bridge_to_listeners(packet, ports, listeners);
                }
                Decision::Route(hop) => self.route(packet, &hop),
                // Watched ones have become plain ones in `carry_out`.
                Decision::Multicast { ports } | Decision::MulticastWatched { ports, .. } => {
                    self.multicast_what_fits(packet, ports, now);
                }
                Decision::Drop(reason) => {
                    self.drop_all(info.port, &info, reason, packet.segments());
                }
                Decision::Consume => self.counters.local += 1,
                Decision::Answer(answer) => self.answer(&packet, answer, now),
                Decision::Punt { shadow, class } => self.punt(packet, shadow, class, now),
                Decision::BridgeAndPunt { ports, shadow, class } => {
                    self.bridge_and_punt(packet, ports, shadow, class, now);
                }
            }
        }
        self.piece = one;
    }

    /// `packet` is one datagram, or fits every port.
    pub(super) fn bridge_what_fits(&mut self, packet: SuperPacket<'_, K::Buf>, ports: PortMask) {
        let len = packet.info().link_payload();
        let fits: PortMask = ports.filter(|&port| len <= self.mtu(port)).collect();
        let refused = ports.and_not(fits);
        for port in refused {
            self.drop_all(port, packet.info(), DropReason::TooBig, packet.segments());
        }
        // Every port has an outcome, and `bridge` counts those it makes replicas for.
        self.counters.replicated +=
            refused.len().saturating_sub(usize::from(fits.is_empty())) as u64;
        if !fits.is_empty() {
            self.bridge(packet, fits);
        }
    }

    fn multicast_what_fits(
        &mut self,
        packet: SuperPacket<'_, K::Buf>,
        ports: PortMask,
        now: Nanos,
    ) {
        let info = *packet.info();
        let fits: PortMask = ports.filter(|&port| info.ip_len <= self.mtu(port)).collect();
        let refused = ports.and_not(fits);
        self.counters.replicated +=
            refused.len().saturating_sub(usize::from(fits.is_empty())) as u64;
        for port in refused {
            let Some(segment) = packet.segments().first() else { return };
            if !may_fragment(segment, &info) {
                self.refuse(segment, &info, port, now);
                continue;
            }
            let Some(mut copy) = segment.copy(&self.pool) else {
                self.counters.drop(port, DropReason::ReplicaNoBuffer, 1);
                continue;
            };
            trim_to_ip(&mut copy, &info);
            decrement_ttl(copy.head_mut(), &info);
            let src_mac = self.forwarder.mac(port);
            match group_address(copy.head(), &info) {
                Some(dst_mac) => {
                    set_addresses(copy.head_mut(), &NextHop { port, dst_mac, src_mac });
                }
                None => set_source(copy.head_mut(), src_mac),
            }
            self.send_fragments(&copy, &info, port);
        }
        if !fits.is_empty() {
            self.multicast(packet, fits);
        }
    }

    fn route_too_big(&mut self, mut segment: K::Buf, info: &FrameInfo, hop: &NextHop, now: Nanos) {
        if !may_fragment(&segment, info) {
            return self.refuse(&segment, info, hop.port, now);
        }
        trim_to_ip(&mut segment, info);
        decrement_ttl(segment.head_mut(), info);
        set_addresses(segment.head_mut(), hop);
        self.send_fragments(&segment, info, hop.port);
    }

    fn refuse(&mut self, segment: &K::Buf, info: &FrameInfo, port: PortId, now: Nanos) {
        let mtu = self.forwarder.mtu(port);
        self.drop_all(port, info, DropReason::TooBig, std::slice::from_ref(segment));
        self.report(IcmpError::TooBig { mtu }, segment, info, now);
    }

    /// All fragments, or none of them and a drop.
    fn send_fragments(&mut self, packet: &K::Buf, info: &FrameInfo, port: PortId) {
        let mut fragments = std::mem::take(&mut self.fragments);
        let mtu = self.mtu(port) as usize;
        match fragment(packet, info, mtu, &self.pool, &mut fragments) {
            Ok(()) => {
                self.counters.replicated += (fragments.len() as u64).saturating_sub(1);
                for fragment in fragments.drain(..) {
                    emit(port, Some(fragment.into_tx()), &mut self.egress, &mut self.counters);
                }
            }
            Err(FragmentError::NoBuffer) => {
                self.counters.drop(port, DropReason::ReplicaNoBuffer, 1);
            }
            Err(_) => self.counters.drop(port, DropReason::TooBig, 1),
        }
        self.fragments = fragments;
    }

    fn mtu(&self, port: PortId) -> u32 {
        self.forwarder.mtu(port).into()
    }
}

/// IPv4 without DF.
fn may_fragment<B: PacketBuf>(packet: &B, info: &FrameInfo) -> bool {
    info.network == Network::Ipv4
        && view::<Ipv4>(packet.head(), info.l2_len.into()).is_some_and(|ip| !ip.dont_fragment())
}
