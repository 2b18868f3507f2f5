use super::answer::Answerer;
use super::filtering::RuleCounters;
use super::latency::Sampler;
use super::punt::PuntLimits;
use crate::config::{FILTERS_MAX, GroMode};
use crate::counters::WorkerCounters;
use crate::device::Backend;
use crate::egress::{Egress, Inbox};
use crate::fanout::{Emit, Fanout};
use crate::forward::answer::IcmpError;
use crate::forward::{Filters, Forwarder, Tables};
use crate::gro::Saving;
use crate::packet::{
    Answer, Decision, DropReason, FrameInfo, MAX_SEGMENTS, NextHop, PacketBuf, PortId, PortMask,
    SuperPacket,
};
use crate::published::Reader;
use crate::time::Nanos;

/// Everything behind coalescing: a super-packet in, frames in transmit buffers out.
pub struct Path<K: Backend> {
    tables: Reader<Tables>,
    pub(super) forwarder: Forwarder,
    pub(super) fanout: Fanout<K::Buf>,
    pub(super) egress: Egress<K>,
    pub(super) counters: WorkerCounters,
    answerer: Answerer,
    pub(super) pool: K::Pool,
    pub(super) punts: PuntLimits,
    /// Segments of a merged packet are split into this.
    pub(super) split: Vec<K::Buf>,
    /// Fragments of one datagram.
    pub(super) fragments: Vec<K::Buf>,
    /// A segment of a super-packet that goes piecemeal.
    pub(super) piece: Vec<K::Buf>,
    /// A super-packet of one is gathered here.
    single: Vec<K::Buf>,
    /// By slot.
    pub(super) rule_counters: Box<[RuleCounters]>,
    pub(super) latency: Sampler,
}

/// Fragments of 9600 bytes for the least IP MTU of 68 are fewer.
const FRAGMENTS_MAX: usize = 256;
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
        let latency = Sampler::new(counters.ports.len());
        Self {
            tables,
            forwarder,
            fanout,
            egress,
            counters,
            answerer: Answerer::new(),
            pool,
            punts: PuntLimits::default(),
            split: Vec::with_capacity(MAX_SEGMENTS),
            fragments: Vec::with_capacity(FRAGMENTS_MAX),
            piece: Vec::with_capacity(1),
            single: Vec::with_capacity(1),
            latency,
            rule_counters: vec![RuleCounters::default(); FILTERS_MAX].into(),
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

    /// A train from a port that coalesces in this form.
    #[inline]
    pub(super) fn accept(
        &mut self,
        packet: SuperPacket<'_, K::Buf>,
        form: GroMode,
        now: Nanos,
    ) -> Saving {
        if form == GroMode::Merge && packet.segments().len() > 1 {
            self.accept_merging(packet, now)
        } else {
            self.forward(packet, now)
        }
    }

    /// One decision for all segments, then fan-out and egress.
    #[inline]
    pub(super) fn forward(&mut self, packet: SuperPacket<'_, K::Buf>, now: Nanos) -> Saving {
        self.counters.decided += packet.segments().len() as u64;
        if self.forwarder.filters().is_some() {
            return self.forward_filtered(packet, now);
        }
        let Some(first) = packet.segments().first() else { return Saving::ROUTED };
        let decision = self.forwarder.decide(packet.info(), first.head(), now);
        let saving = Saving::of(&decision, first.head());
        self.carry_out(decision, packet, now);
        saving
    }

    #[inline]
    pub(super) fn carry_out(
        &mut self,
        decision: Decision,
        packet: SuperPacket<'_, K::Buf>,
        now: Nanos,
    ) {
        let info = *packet.info();
        let decision = match decision {
            Decision::MulticastWatched { ports, watch } => {
                let Some(decision) = self.attend(&packet, ports, watch) else { return };
                decision
            }
            plain => plain,
        };
        if self.latency.is_noting() {
            let since = Nanos(now.0.saturating_sub(packet.waited().0));
            self.latency.note(info.port, &decision, since);
        }
        if info.link_payload() > u32::from(self.forwarder.smallest_mtu()) {
            return self.carry_out_piecemeal(decision, packet, now);
        }
        let segments = packet.segments().len() as u64;
        match decision {
            Decision::Bridge { ports } => self.bridge(packet, ports),
            Decision::BridgeToListeners { ports, listeners } => {
                self.bridge_to_listeners(packet, ports, listeners);
            }
            Decision::Route(hop) => self.route(packet, &hop),
            Decision::Multicast { ports } | Decision::MulticastWatched { ports, .. } => {
                self.multicast(packet, ports);
            }
            Decision::Drop(reason) => self.drop_all(info.port, &info, reason, packet.segments()),
            Decision::Consume => self.counters.local += segments,
            Decision::Answer(answer) => self.answer(&packet, answer, now),
            Decision::Punt { shadow, class } => self.punt(packet, shadow, class, now),
            Decision::BridgeAndPunt { ports, shadow, class } => {
                self.bridge_and_punt(packet, ports, shadow, class, now);
            }
        }
    }

    #[inline]
    pub(super) fn bridge(&mut self, packet: SuperPacket<'_, K::Buf>, ports: PortMask) {
        self.count_replicas(packet.segments().len(), ports);
        let Self { fanout, egress, counters, .. } = self;
        fanout.verbatim(packet, ports, &mut Outlet { egress, counters });
    }

    #[inline]
    pub(super) fn route(&mut self, packet: SuperPacket<'_, K::Buf>, hop: &NextHop) {
        let Self { fanout, egress, counters, .. } = self;
        fanout.route(packet, hop, &mut Outlet { egress, counters });
    }

    #[inline]
    pub(super) fn multicast(&mut self, packet: SuperPacket<'_, K::Buf>, ports: PortMask) {
        let hosts = ports.and(self.forwarder.shadows());
        if !hosts.is_empty() {
            return self.multicast_with_hosts(packet, ports, hosts);
        }
        self.count_replicas(packet.segments().len(), ports);
        let Self { fanout, egress, counters, .. } = self;
        fanout.multicast(packet, ports, &mut Outlet { egress, counters });
    }

    fn count_replicas(&mut self, segments: usize, ports: PortMask) {
        self.counters.replicated += (segments * ports.len().saturating_sub(1)) as u64;
    }

    /// One answer per datagram of the super-packet.
    pub(super) fn answer(&mut self, packet: &SuperPacket<'_, K::Buf>, answer: Answer, now: Nanos) {
        let info = *packet.info();
        let segments = packet.segments().len() as u64;
        match answer.drop_reason() {
            Some(reason) => self.drop_all(info.port, &info, reason, packet.segments()),
            None => self.counters.local += segments,
        }
        for segment in packet.segments() {
            // The tail is shorter than the first. Bytes behind it has only what came alone.
            let info =
                if segments == 1 { info } else { info.of_segment(segment.frame_len() as u32) };
            let Self { answerer, forwarder, pool, .. } = self;
            let built = answerer.build(answer, segment, &info, forwarder, pool, now);
            self.originate(built);
        }
    }

    /// Counts datagrams that go no further under `port`, and shows them to a capture.
    pub(super) fn drop_all(
        &mut self,
        port: PortId,
        info: &FrameInfo,
        reason: DropReason,
        segments: &[K::Buf],
    ) {
        self.counters.drop(port, reason, segments.len() as u64);
        if let Some(capturer) = self.egress.capturer() {
            for segment in segments {
                capturer.dropped(port, port == info.port, reason, segment.pieces());
            }
        }
    }

    /// Tells a datagram's sender what is wrong with it.
    pub(super) fn report(
        &mut self,
        error: IcmpError,
        packet: &K::Buf,
        info: &FrameInfo,
        now: Nanos,
    ) {
        let Self { answerer, forwarder, pool, .. } = self;
        let built = answerer.build_error(error, packet, info, forwarder, pool, now);
        self.originate(built);
    }

    fn originate(&mut self, built: Result<Option<(PortId, K::Buf)>, PortId>) {
        let (port, frame) = match built {
            Ok(None) => return,
            Ok(Some((port, frame))) => (port, Some(frame.into_tx())),
            Err(port) => (port, None),
        };
        self.counters.originated += 1;
        emit(port, frame, &mut self.egress, &mut self.counters);
    }

    /// A frame that was not held. One that leaves by one port takes the short way there.
    #[inline]
    pub(super) fn forward_single(&mut self, packet: K::Buf, info: &FrameInfo, now: Nanos) {
        self.counters.decided += 1;
        if self.forwarder.filters().is_some() {
            return self.with_single(packet, info, |path, single| {
                path.forward_filtered(single, now);
            });
        }
        let fits = info.link_payload() <= u32::from(self.forwarder.smallest_mtu());
        if !fits || self.latency.is_noting() {
            return self.forward_with_care(packet, info, now);
        }
        let Self { forwarder, fanout, egress, counters, .. } = self;
        let mut outlet = Outlet { egress, counters };
        let decision = forwarder.decide(info, packet.head(), now);
        if let Decision::Bridge { ports } = decision {
            if let Some(port) = ports.single() {
                return fanout.verbatim_one(packet, port, &mut outlet);
            }
        }
        self.with_single(packet, info, |path, single| path.carry_out(decision, single, now));
    }

    /// A frame that was not held, and that may be too big, or is sampled.
    #[inline(never)]
    fn forward_with_care(&mut self, packet: K::Buf, info: &FrameInfo, now: Nanos) {
        let decision = self.forwarder.decide(info, packet.head(), now);
        self.with_single(packet, info, |path, single| path.carry_out(decision, single, now));
    }

    /// A frame as a super-packet of one.
    #[inline(never)]
    fn with_single(
        &mut self,
        packet: K::Buf,
        info: &FrameInfo,
        send: impl FnOnce(&mut Self, SuperPacket<'_, K::Buf>),
    ) {
        let mut single = std::mem::take(&mut self.single);
        single.push(packet);
        if let Some(packet) = SuperPacket::from_segments(*info, &mut single) {
            send(self, packet);
        }
        self.single = single;
    }

    /// Whether learning from this frame would change where held packets go.
    #[inline]
    pub(super) fn would_learn(&self, info: &FrameInfo, head: &[u8], now: Nanos) -> bool {
        self.forwarder.would_learn(info, head, now).is_change() && !self.is_refused(info, head, now)
    }

    pub(super) fn learn(&mut self, info: &FrameInfo, head: &[u8], now: Nanos) {
        self.forwarder.learn(info, head, now);
    }

    /// Slots in use.
    pub(super) fn rule_counters(&self) -> &[RuleCounters] {
        let slots = self.forwarder.filters().map_or(0, Filters::slots);
        self.rule_counters.get(..slots).unwrap_or_default()
    }

    /// A frame that gets no decision.
    #[cold]
    pub(super) fn refuse_frame(&mut self, port: PortId, reason: DropReason, packet: &K::Buf) {
        self.counters.unparsed += 1;
        self.counters.drop(port, reason, 1);
        if let Some(capturer) = self.egress.capturer() {
            capturer.dropped(port, true, reason, packet.pieces());
        }
    }

    /// A poll begins: what was sampled before and has left by now is measured.
    #[inline]
    pub(super) fn begin_poll(&mut self, now: Nanos) {
        let Self { latency, egress, counters, .. } = self;
        egress.begin_poll(now);
        latency.begin_poll(now, counters.busy_polls, |port| {
            (egress.waiting_at(port) > 0).then(|| sent_by(counters, port))
        });
    }

    /// All frames of the poll are in transmit buffers or gone.
    #[inline]
    pub(super) fn end_poll(&mut self) {
        let Self { latency, egress, counters, .. } = self;
        latency.end_poll(|port| sent_by(counters, port) + egress.waiting_at(port));
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

    /// Packets in the vectors that a super-packet passes through: none between two polls.
    pub(super) fn held_in_hand(&self) -> usize {
        self.split.len() + self.fragments.len() + self.piece.len() + self.single.len()
    }

    /// The packet in one piece.
    pub(super) fn linearise(&mut self, packet: &K::Buf) -> Option<K::Buf> {
        let copy = packet.copy(&self.pool)?;
        self.counters.linearised += 1;
        Some(copy)
    }
}

/// Transmit buffers as fan-out sees them.
pub(super) struct Outlet<'a, K: Backend> {
    pub(super) egress: &'a mut Egress<K>,
    pub(super) counters: &'a mut WorkerCounters,
}

impl<K: Backend> Emit<<K::Buf as PacketBuf>::Tx> for Outlet<'_, K> {
    #[inline]
    fn emit(&mut self, port: PortId, frame: Option<<K::Buf as PacketBuf>::Tx>) {
        emit(port, frame, self.egress, self.counters);
    }

    #[inline]
    fn emit_all(
        &mut self,
        port: PortId,
        frames: impl ExactSizeIterator<Item = <K::Buf as PacketBuf>::Tx>,
    ) {
        self.egress.push_all(port, frames, self.counters);
    }
}

/// Queues a replica, or counts the one that could not be made.
#[inline]
pub(super) fn emit<K: Backend>(
    port: PortId,
    frame: Option<<K::Buf as PacketBuf>::Tx>,
    egress: &mut Egress<K>,
    counters: &mut WorkerCounters,
) {
    match frame {
        Some(frame) => egress.push(port, frame, counters),
        None => counters.drop(port, DropReason::ReplicaNoBuffer, 1),
    }
}

fn sent_by(counters: &WorkerCounters, port: PortId) -> u64 {
    counters.ports.get(port.index()).map_or(0, |port| port.tx_frames)
}
