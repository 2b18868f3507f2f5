use super::key::{AddressPair, Hashes, KeyHasher, OrderKey};
use super::opt_out::OptOut;
use super::store::Store;
use super::train::{Candidate, Continuation};
use super::{FlushReason, GroStats, Passed, Saving};
use crate::config;
use crate::packet::{Coalesce, FrameInfo, PacketBuf, PortId, SuperPacket};
use crate::time::Nanos;

/// The trains one worker holds. All storage is allocated by [`new`](Self::new); when it is full,
/// the oldest train in the way is flushed.
///
/// Packets come in order of arrival: [`join`](Self::join), then [`settle`](Self::settle) for what
/// comes back, before the next one is offered. If a forwarding table changes in between,
/// [`flush_all`](Self::flush_all) comes first. Every burst, empty or not, is closed by
/// [`end_burst`](Self::end_burst). A sink says what was saved by handing it a train.
pub struct GroTable<B: PacketBuf> {
    store: Store<B>,
    hasher: KeyHasher,
    opt_out: OptOut,
    max_segments: usize,
    max_hold: Nanos,
    /// The train last joined or started: most often the next datagram's.
    recent: u32,
    /// The candidate last offered, for the [`Unjoined`] with this ticket.
    offered: Option<Offered>,
    ticket: u64,
    /// Storage for super-packets of one.
    alone: Vec<B>,
    stats: GroStats,
}

/// A packet that could not join a train, on its way to [`GroTable::settle`].
#[must_use = "it is freed unless it is settled"]
pub struct Unjoined<B: PacketBuf> {
    packet: B,
    info: FrameInfo,
    verdict: Verdict,
    ticket: u64,
}

/// What must happen to a packet that could not join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// Starts a train.
    Start,
    /// Starts a train when the one of its key, which it cannot join, has left.
    Replace(u32, FlushReason),
    /// Goes alone behind the train of its key.
    Alone,
    /// Goes alone behind all trains of its addresses.
    Fragment,
    /// Goes alone; nothing can be in its way.
    Pass(FlushReason),
}

/// What was found out about a candidate.
#[derive(Clone, Copy)]
struct Offered {
    candidate: Candidate,
    hashes: Hashes,
}

impl<B: PacketBuf> Unjoined<B> {
    /// The packet.
    pub fn packet(&self) -> &B {
        &self.packet
    }

    /// What ingress found out about it.
    pub fn info(&self) -> &FrameInfo {
        &self.info
    }

    /// The packet, if it is not to be settled after all.
    pub fn into_packet(self) -> B {
        self.packet
    }
}

impl<B: PacketBuf> GroTable<B> {
    /// An empty table. `hash_seed` should be random: it keeps senders from choosing which flows
    /// share a bucket.
    pub fn new(settings: &config::Gro, hash_seed: u64) -> Self {
        let max_segments = usize::from(settings.max_segments.max(1));
        Self {
            store: Store::new(settings.flows.max(1) as usize, max_segments),
            hasher: KeyHasher::new(hash_seed),
            opt_out: OptOut::new(settings.adaptive),
            max_segments,
            max_hold: Nanos(settings.max_hold.as_nanos() as u64),
            recent: 0,
            offered: None,
            ticket: 0,
            alone: Vec::with_capacity(1),
            stats: GroStats::default(),
        }
    }

    /// Holds as long, and opts out as these settings say from now on; sizes stay. Nothing may be
    /// held: see [`flush_all`](Self::flush_all).
    pub fn retune(&mut self, settings: &config::Gro) {
        self.max_hold = Nanos(settings.max_hold.as_nanos() as u64);
        self.opt_out.enable(settings.adaptive);
    }

    /// Datagrams held.
    pub fn held(&self) -> usize {
        self.stats.held as usize
    }

    /// What the table has done so far.
    pub fn stats(&self) -> &GroStats {
        &self.stats
    }

    /// Whether the next packets of a port go alone, whatever they are, and nothing held is in their
    /// way. The caller sends them on without [`join`](Self::join) and [notes](Self::note) them.
    #[inline]
    pub fn lets_all_pass(&self, port: PortId, packets: usize) -> bool {
        self.stats.held == 0 && self.opt_out.skips_all(port, packets)
    }

    /// Counts packets of a port that passed so.
    pub fn note(&mut self, port: PortId, passed: &Passed) {
        self.opt_out.skip(port, passed.of(Coalesce::Candidate));
        for (kind, reason) in [
            (Coalesce::Candidate, FlushReason::PassedOptOut),
            (Coalesce::Alone, FlushReason::PassedLone),
            (Coalesce::Fragment, FlushReason::PassedFragment),
            (Coalesce::Foreign, FlushReason::PassedForeign),
        ] {
            self.stats.record_passed(reason, passed.of(kind).into());
        }
    }

    /// Whether the packet goes alone and nothing held is in its way. It is counted as gone, and
    /// the caller sends it on without [`join`](Self::join): the short way of what is not coalesced.
    #[inline]
    pub fn lets_pass(&mut self, info: &FrameInfo) -> bool {
        let reason = match info.coalesce {
            Coalesce::Candidate if self.opt_out.skips(info.port) => FlushReason::PassedOptOut,
            Coalesce::Foreign => FlushReason::PassedForeign,
            Coalesce::Alone if self.stats.held == 0 => FlushReason::PassedLone,
            Coalesce::Fragment if self.stats.held == 0 => FlushReason::PassedFragment,
            Coalesce::Candidate | Coalesce::Alone | Coalesce::Fragment => return false,
        };
        self.stats.packets += 1;
        self.stats.record(reason, 1);
        true
    }

    /// Adds a datagram to the held train of its flow if every rule allows; a train that is thereby
    /// complete goes into `sink`. Gives back every other packet, for [`settle`](Self::settle).
    #[inline]
    pub fn join(
        &mut self,
        packet: B,
        info: &FrameInfo,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) -> Result<(), Unjoined<B>> {
        self.ticket += 1;
        let verdict = match info.coalesce {
            Coalesce::Candidate if self.opt_out.skips(info.port) => {
                Verdict::Pass(FlushReason::PassedOptOut)
            }
            Coalesce::Candidate => match Candidate::read(packet.head(), info) {
                Some(candidate) => return self.offer(packet, info, candidate, now, sink),
                None => Verdict::Fragment,
            },
            Coalesce::Alone => Verdict::Alone,
            Coalesce::Fragment => Verdict::Fragment,
            Coalesce::Foreign => Verdict::Pass(FlushReason::PassedForeign),
        };
        Err(Unjoined { packet, info: *info, verdict, ticket: self.ticket })
    }

    /// [`join`](Self::join) for as many of the next packets as are like the datagram that last
    /// joined or started a train, all but identification and checksums: their train needs no looking
    /// for. `count` says how many are, and that the train admits; it is told what is known of that
    /// datagram, and its head piece. The packets that joined are taken out of `packets`.
    #[inline]
    pub fn join_alike(
        &mut self,
        packets: &mut std::vec::Drain<'_, B>,
        count: impl Fn(&FrameInfo, &[u8], &[B], &mut Continuation) -> usize,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) {
        let max_segments = self.max_segments;
        let train = self.store.train_mut(self.recent);
        let Some(run) = train.run(packets.as_slice(), max_segments, count) else { return };
        let completion = train.extend(&run, packets, max_segments);
        self.ticket += 1;
        self.joined(run.datagrams);
        if let Some(reason) = completion {
            self.flush(self.recent, reason, now, sink);
        }
    }

    /// Flushes whatever the packet would overtake, then lets it start a train, or hands it on as a
    /// super-packet of one.
    pub fn settle(
        &mut self,
        unjoined: Unjoined<B>,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) {
        let Unjoined { packet, info, verdict, ticket } = unjoined;
        match verdict {
            Verdict::Start | Verdict::Replace(..) => {
                let offered = self.offered.as_ref().filter(|_| ticket == self.ticket);
                let Some(&Offered { ref candidate, hashes }) = offered else {
                    // another packet was offered since: look again
                    return match self.join(packet, &info, now, sink) {
                        Ok(()) => {}
                        Err(unjoined) => self.settle(unjoined, now, sink),
                    };
                };
                match verdict {
                    Verdict::Replace(train, reason)
                        if self.store.train(train).has_key(&candidate.key) =>
                    {
                        self.flush(train, reason, now, sink);
                    }
                    _ => {}
                }
                self.start(packet, &info, hashes, now, sink);
            }
            Verdict::Alone => {
                self.clear_way_of_lone(packet.head(), &info, now, sink);
                self.pass(packet, &info, FlushReason::PassedLone, sink);
            }
            Verdict::Fragment => {
                self.clear_way_of_fragment(packet.head(), &info, now, sink);
                self.pass(packet, &info, FlushReason::PassedFragment, sink);
            }
            Verdict::Pass(reason) => self.pass(packet, &info, reason, sink),
        }
    }

    /// Closes an rx burst: flushes every train when `max_hold` is zero, else those held that long.
    pub fn end_burst(&mut self, now: Nanos, sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving) {
        if self.max_hold == Nanos(0) {
            return self.flush_all(FlushReason::EndOfBurst, now, sink);
        }
        while let Some(train) = self.store.oldest() {
            let since = self.store.train(train).since().unwrap_or_default();
            if now.since(since) < self.max_hold {
                break;
            }
            self.flush(train, FlushReason::Expired, now, sink);
        }
    }

    /// Flushes every train, in order of first arrival.
    pub fn flush_all(
        &mut self,
        reason: FlushReason,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) {
        while let Some(train) = self.store.oldest() {
            self.flush(train, reason, now, sink);
        }
    }

    #[inline]
    fn offer(
        &mut self,
        packet: B,
        info: &FrameInfo,
        candidate: Candidate,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) -> Result<(), Unjoined<B>> {
        let hashes = self.hasher.hashes(&candidate.key);
        let (packet, verdict) = match self.store.find(&candidate.key, hashes.key) {
            None => (packet, Verdict::Start),
            Some(train) => {
                let added =
                    self.store.train_mut(train).add(packet, info, &candidate, self.max_segments);
                match added {
                    Ok(completion) => {
                        self.recent = train;
                        self.joined(1);
                        if let Some(reason) = completion {
                            self.flush(train, reason, now, sink);
                        }
                        return Ok(());
                    }
                    Err((packet, reason)) => (packet, Verdict::Replace(train, reason)),
                }
            }
        };
        self.offered = Some(Offered { candidate, hashes });
        Err(Unjoined { packet, info: *info, verdict, ticket: self.ticket })
    }

    #[inline]
    fn joined(&mut self, datagrams: usize) {
        self.stats.held += datagrams as u64;
        self.stats.packets += datagrams as u64;
    }

    /// Starts a train with the candidate offered last. None of its key is held.
    fn start(
        &mut self,
        packet: B,
        info: &FrameInfo,
        hashes: Hashes,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) {
        if self.opt_out.gives_up(info.port) {
            self.stats.opt_outs += 1;
            self.flush_all(FlushReason::OptOut, now, sink);
            return self.pass(packet, info, FlushReason::PassedOptOut, sink);
        }
        while let Some(train) = self.store.in_the_way(hashes.key) {
            self.flush(train, FlushReason::Evicted, now, sink);
        }
        let (Some(train), Some(offered)) = (self.store.enter(hashes), &self.offered) else {
            // a train of one, held for no time; nothing is in the way
            self.stats.record_hold(0, 1);
            self.opt_out.left(info.port, 1, Saving::ROUTED);
            return self.pass(packet, info, FlushReason::Evicted, sink);
        };
        self.store.train_mut(train).start(packet, info, &offered.candidate, now);
        self.recent = train;
        self.stats.held += 1;
        self.stats.packets += 1;
        self.stats.record_flows(self.store.len());
        if let Some(reason) = self.store.train(train).completion(self.max_segments) {
            self.flush(train, reason, now, sink);
        }
    }

    /// Flushes the train of the packet's key.
    fn clear_way_of_lone(
        &mut self,
        head: &[u8],
        info: &FrameInfo,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) {
        if self.stats.held == 0 {
            return;
        }
        let Some(key) = OrderKey::read(head, info) else {
            return self.clear_way_of_fragment(head, info, now, sink);
        };
        let hashes = self.hasher.hashes(&key);
        if let Some(train) = self.store.find(&key, hashes.key) {
            self.flush(train, FlushReason::LoneDatagram, now, sink);
        }
    }

    /// Flushes every train of the packet's addresses.
    fn clear_way_of_fragment(
        &mut self,
        head: &[u8],
        info: &FrameInfo,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) {
        if self.stats.held == 0 {
            return;
        }
        let Some(addresses) = AddressPair::read(head, info) else { return };
        let pair_hash = self.hasher.pair_hash(&addresses);
        while let Some(train) = self.store.find_pair(&addresses, pair_hash) {
            self.flush(train, FlushReason::Fragment, now, sink);
        }
    }

    #[inline]
    fn flush(
        &mut self,
        train: u32,
        reason: FlushReason,
        now: Nanos,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) {
        if let Some((super_packet, since)) = self.store.train_mut(train).end() {
            let datagrams = super_packet.segments().len();
            self.stats.held -= datagrams as u64;
            self.stats.record(reason, datagrams);
            let waited = now.since(since);
            self.stats.record_hold(waited.0, datagrams);
            let port = super_packet.info().port;
            let saving = sink(super_packet.after(waited));
            self.opt_out.left(port, datagrams, saving);
        }
        self.store.leave(train);
        self.stats.record_flows(self.store.len());
    }

    /// Hands a packet on as a super-packet of one.
    #[inline]
    fn pass(
        &mut self,
        packet: B,
        info: &FrameInfo,
        reason: FlushReason,
        sink: &mut impl FnMut(SuperPacket<'_, B>) -> Saving,
    ) {
        self.stats.packets += 1;
        self.stats.record(reason, 1);
        self.alone.push(packet);
        if let Some(super_packet) = SuperPacket::from_segments(*info, &mut self.alone) {
            sink(super_packet);
        }
    }
}
