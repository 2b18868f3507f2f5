use super::answer::Answerer;
use super::receiver::Admitted;
use crate::counters::WorkerCounters;
use crate::device::Backend;
use crate::egress::{Egress, Inbox};
use crate::fanout::Fanout;
use crate::forward::{Forwarder, Tables};
use crate::packet::{Answer, Decision, DropReason, FrameInfo, PacketBuf, SuperPacket};
use crate::published::Reader;
use crate::time::Nanos;

/// Everything behind coalescing: a super-packet in, frames in transmit buffers out.
pub struct Path<K: Backend> {
    tables: Reader<Tables>,
    forwarder: Forwarder,
    pub(super) fanout: Fanout<K::Buf>,
    pub(super) egress: Egress<K>,
    pub(super) counters: WorkerCounters,
    answerer: Answerer,
    pool: K::Pool,
    /// A super-packet of one is gathered here.
    single: Vec<K::Buf>,
}

/// Frames taken over from other workers per poll, so that they cannot starve this one's ports.
const TAKE_OVER_LIMIT: usize = 256;

impl<K: Backend> Path<K> {
    /// `pool` is where answers and linearised frames come from.
    pub fn new(
        tables: Reader<Tables>,
        fanout: Fanout<K::Buf>,
        egress: Egress<K>,
        counters: WorkerCounters,
        pool: K::Pool,
    ) -> Self {
        let forwarder = Forwarder::new(tables.value());
        Self {
            tables,
            forwarder,
            fanout,
            egress,
            counters,
            answerer: Answerer::new(),
            pool,
            single: Vec::with_capacity(1),
        }
    }

    /// Whether the control side has published other tables.
    #[inline]
    pub(super) fn tables_are_stale(&self) -> bool {
        self.tables.is_stale()
    }

    /// Decides by the newest tables from now on.
    pub(super) fn adopt_tables(&mut self) {
        self.tables.refresh();
        self.forwarder = Forwarder::new(self.tables.value());
    }

    /// One decision for all segments, then fan-out and egress.
    #[inline]
    pub(super) fn forward(&mut self, packet: SuperPacket<'_, K::Buf>, now: Nanos) {
        let info = *packet.info();
        let segments = packet.segments().len() as u64;
        let Some(first) = packet.segments().first() else { return };
        let decision = self.forwarder.decide(&info, first.head(), now);
        if let Decision::Bridge { ports } | Decision::Multicast { ports } = decision {
            self.counters.replicated += segments * (ports.len() as u64).saturating_sub(1);
        }
        let Self { fanout, egress, counters, .. } = self;
        let emit = &mut |port, frame: Option<<K::Buf as PacketBuf>::Tx>| match frame {
            Some(frame) => egress.push(port, frame, counters),
            None => counters.drop(port, DropReason::ReplicaNoBuffer, 1),
        };
        match decision {
            Decision::Bridge { ports } => fanout.verbatim(packet, ports, emit),
            Decision::Route(hop) => fanout.route(packet, &hop, emit),
            Decision::Multicast { ports } => fanout.multicast(packet, ports, emit),
            Decision::Drop(reason) => self.counters.drop(info.port, reason, segments),
            Decision::Consume => self.counters.local += segments,
            Decision::Answer(answer) => self.answer(&packet, answer, now),
        }
    }

    /// One answer per datagram of the super-packet.
    fn answer(&mut self, packet: &SuperPacket<'_, K::Buf>, answer: Answer, now: Nanos) {
        let info = *packet.info();
        let segments = packet.segments().len() as u64;
        match answer.drop_reason() {
            Some(reason) => self.counters.drop(info.port, reason, segments),
            None => self.counters.local += segments,
        }
        for segment in packet.segments() {
            let Self { answerer, forwarder, pool, egress, counters, .. } = self;
            match answerer.build(answer, segment, &info, forwarder, pool, now) {
                Ok(None) => {}
                Ok(Some((port, frame))) => {
                    counters.originated += 1;
                    egress.push(port, frame.into_tx(), counters);
                }
                Err(port) => {
                    counters.originated += 1;
                    counters.drop(port, DropReason::ReplicaNoBuffer, 1);
                }
            }
        }
    }

    pub(super) fn forward_single(&mut self, packet: K::Buf, info: FrameInfo, now: Nanos) {
        let mut single = std::mem::take(&mut self.single);
        single.push(packet);
        if let Some(packet) = SuperPacket::from_segments(info, &mut single) {
            self.forward(packet, now);
        }
        self.single = single;
    }

    /// Whether learning from this frame would change where held packets go.
    pub(super) fn would_learn(&self, admitted: &Admitted<K::Buf>, now: Nanos) -> bool {
        self.forwarder.would_learn(admitted.info(), admitted.head(), now).is_change()
    }

    pub(super) fn learn(&mut self, admitted: &Admitted<K::Buf>, now: Nanos) {
        self.forwarder.learn(admitted.info(), admitted.head(), now);
    }

    /// Queues what other workers handed in; returns how many frames.
    pub(super) fn take_over(&mut self, inbox: &Inbox<<K::Buf as PacketBuf>::Tx>) -> usize {
        let mut frames = 0;
        while frames < TAKE_OVER_LIMIT {
            let Some((port, frame)) = inbox.take() else { break };
            self.counters.handed_in += 1;
            self.egress.push(port, frame, &mut self.counters);
            frames += 1;
        }
        frames
    }

    /// The packet in one piece.
    pub(super) fn linearise(&mut self, packet: &K::Buf) -> Option<K::Buf> {
        let copy = packet.copy(&self.pool)?;
        self.counters.linearised += 1;
        Some(copy)
    }
}
