//! Multicast to unicast: each listener's own copy of every datagram, then the group's frames for the
//! ports without a listener.

use super::path::{Path, emit};
use crate::device::Backend;
use crate::packet::{DropReason, ListenerSet, MacAddr, PacketBuf, PortMask, SuperPacket};

impl<K: Backend> Path<K> {
    /// `packet` is one datagram, or fits every port.
    #[cold]
    pub(super) fn bridge_to_listeners(
        &mut self,
        packet: SuperPacket<'_, K::Buf>,
        ports: PortMask,
        listeners: ListenerSet,
    ) {
        let (info, segments) = (*packet.info(), packet.segments().len() as u64);
        let sender = packet.segments().first().and_then(|first| first.head().get(6..12));
        let sender = MacAddr(sender.and_then(|mac| mac.try_into().ok()).unwrap_or_default());
        let Self { forwarder, fanout, egress, counters, .. } = self;
        let all = forwarder.listeners(listeners);
        let theirs: PortMask = all.iter().map(|listener| listener.port).collect();
        let rest = ports.and_not(theirs);
        let mut copies = 0;
        for segment in packet.segments() {
            let len = info.of_segment(segment.frame_len() as u32).link_payload();
            let open = all.iter().filter(|listener| ports.contains(listener.port));
            for listener in open.filter(|listener| listener.gets(info.port, sender)) {
                copies += 1;
                if len > forwarder.mtu(listener.port).into() {
                    counters.drop(listener.port, DropReason::TooBig, 1);
                } else {
                    emit(listener.port, fanout.to_listener(segment, listener), egress, counters);
                }
            }
        }
        // One outcome of each segment is the segment's own, the others are replicas'.
        match (rest.is_empty(), copies) {
            (false, _) => {
                counters.replicated += copies;
                self.bridge_what_fits(packet, rest);
            }
            (true, 0) => counters.drop(info.port, DropReason::NoEgress, segments),
            (true, _) => counters.replicated += copies - segments,
        }
    }
}
