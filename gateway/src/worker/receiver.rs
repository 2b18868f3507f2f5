use std::sync::Arc;
use std::vec::Drain;

use super::path::Path;
use crate::config::{Gro, GroMode};
use crate::device::{Backend, Cable, RxQueue, Seat};
use crate::gro::{Continuation, FlushReason, GroStats, GroTable, Passed, Unjoined};
use crate::ideas;
use crate::ingress::{self, ParseError};
use crate::packet::{DropReason, FrameInfo, PacketBuf, PortId, Trail};
use crate::time::Nanos;

/// A frame this short is one piece from here on, so that padding can be rewritten in place.
const SHORT_FRAME: usize = 60;

/// Where frames come from.
pub enum Source<K: Backend> {
    /// A receive queue of a port.
    Queue(Seat<K::Rx>),
    /// The host's end of a shadow.
    Cable(Arc<Cable<K::Buf>>),
}

/// One receive queue and what is held of it.
pub struct Receiver<K: Backend> {
    port: PortId,
    source: Source<K>,
    /// `None`: coalescing is off for this port.
    gro: Option<GroTable<K::Buf>>,
    /// The table while coalescing is off: a reload can switch it on.
    spare: Option<GroTable<K::Buf>>,
    /// The form of its super-packets.
    form: GroMode,
}

impl<K: Backend> Receiver<K> {
    /// A queue of `port` that coalesces as `settings` say.
    pub fn new(port: PortId, source: Source<K>, settings: &Gro, seed: u64) -> Self {
        let spare = Some(GroTable::new(settings, seed));
        let mut receiver = Self { port, source, gro: None, spare, form: GroMode::Off };
        receiver.retune(settings);
        receiver
    }

    /// Coalesces as `settings` say from now on, sizes apart. Nothing may be held.
    pub(super) fn retune(&mut self, settings: &Gro) {
        self.form = settings.mode;
        let mut table = self.gro.take().or_else(|| self.spare.take());
        if let Some(table) = &mut table {
            table.retune(settings);
        }
        match self.form {
            GroMode::Off => self.spare = table,
            GroMode::List | GroMode::Merge => self.gro = table,
        }
    }

    /// Gives its queue up or takes a new one, as the control side wants.
    pub(super) fn follow(&mut self) {
        if let Source::Queue(seat) = &mut self.source {
            seat.follow();
        }
    }

    /// The port it receives from.
    pub(super) fn port(&self) -> PortId {
        self.port
    }

    /// Polls the queue once.
    pub(super) fn receive(&mut self, burst: &mut Vec<K::Buf>, path: &mut Path<K>) -> usize {
        let frames = match &mut self.source {
            Source::Queue(seat) => seat.queue().map_or(0, |queue| queue.rx_burst(burst)),
            Source::Cable(cable) => cable.receive(burst),
        };
        path.counters.burst(frames);
        if let Some(capturer) = path.egress.capturer() {
            burst.iter().for_each(|packet| capturer.received(self.port, packet.pieces()));
        }
        if frames > 0 {
            let mut bytes = 0;
            for packet in &mut *burst {
                packet.mark(Trail::received(self.port));
                bytes += packet.frame_len();
            }
            let counters = &mut path.counters.ports[self.port.index()];
            counters.rx_frames += frames as u64;
            counters.rx_bytes += bytes as u64;
        }
        frames
    }

    /// Lets the next datagrams that are like the one before them join that one's aggregate. Most of
    /// a train takes this way; everything else stays in the burst.
    #[inline]
    pub(super) fn join_alike(
        &mut self,
        burst: &mut Drain<'_, K::Buf>,
        path: &mut Path<K>,
        now: Nanos,
    ) {
        let (form, port) = (self.form, self.port);
        let Some(gro) = self.gro.as_mut().filter(|_| ideas::RUNS) else { return };
        let count =
            |previous: &FrameInfo, before: &[u8], next: &[K::Buf], train: &mut Continuation| {
                ingress::count_alike(port, previous, before, next, |id| train.admits(id))
            };
        gro.join_alike(burst, count, now, &mut |train| path.accept(train, form, now));
    }

    /// What the frame is. What is wrong, [`make_whole`](Self::make_whole) mends, where it can.
    #[inline]
    pub(super) fn parse(&self, packet: &K::Buf) -> Result<FrameInfo, ParseError> {
        let (head, frame_len) = (packet.head(), packet.frame_len());
        if packet.piece_count() > 1 && head.len() < SHORT_FRAME {
            return Err(ParseError::Split);
        }
        ingress::parse(self.port, head, frame_len, packet.rx_checksum())
    }

    /// A frame whose headers are spread over pieces, copied into one. `None`: it is refused.
    #[cold]
    pub(super) fn make_whole(
        &self,
        packet: &K::Buf,
        error: ParseError,
        path: &mut Path<K>,
    ) -> Option<(K::Buf, FrameInfo)> {
        let whole = match error {
            ParseError::Split => path.linearise(packet).ok_or(DropReason::NoBuffer),
            ParseError::Runt => Err(DropReason::RuntFrame),
        };
        let parsed = whole.and_then(|whole| {
            let info = self.parse(&whole).map_err(|_| DropReason::RuntFrame)?;
            Ok((whole, info))
        });
        parsed.map_err(|reason| path.refuse_frame(self.port, reason, packet)).ok()
    }

    /// Whether coalescing concerns none of the next frames, whatever they are: they go on alone, and
    /// nothing is in their way. The caller says what they were ([`note`](Self::note)).
    #[inline]
    pub(super) fn lets_all_pass(&self, frames: usize) -> bool {
        self.gro.as_ref().is_none_or(|gro| gro.lets_all_pass(self.port, frames))
    }

    /// What the frames were that passed so.
    pub(super) fn note(&mut self, passed: &Passed) {
        if let Some(gro) = &mut self.gro {
            gro.note(self.port, passed);
        }
    }

    /// Whether coalescing does not concern the frame: it goes on alone, and nothing is in its way.
    #[inline]
    pub(super) fn lets_pass(&mut self, info: &FrameInfo) -> bool {
        self.gro.as_mut().is_none_or(|gro| gro.lets_pass(info))
    }

    /// Lets a frame join its flow's aggregate. What comes back starts something new.
    #[inline]
    pub(super) fn join(
        &mut self,
        packet: K::Buf,
        info: &FrameInfo,
        path: &mut Path<K>,
        now: Nanos,
    ) -> Option<Unjoined<K::Buf>> {
        let form = self.form;
        let Some(gro) = &mut self.gro else {
            path.forward_single(packet, info, now);
            return None;
        };
        gro.join(packet, info, now, &mut |train| path.accept(train, form, now)).err()
    }

    /// Opens an aggregate with it, or sends it on alone.
    #[inline]
    pub(super) fn settle(&mut self, unjoined: Unjoined<K::Buf>, path: &mut Path<K>, now: Nanos) {
        let form = self.form;
        if let Some(gro) = &mut self.gro {
            gro.settle(unjoined, now, &mut |train| path.accept(train, form, now));
        }
    }

    /// After the last frame of a burst, and after an empty one.
    pub(super) fn end_burst(&mut self, path: &mut Path<K>, now: Nanos) {
        let form = self.form;
        let Some(gro) = &mut self.gro else { return };
        gro.end_burst(now, &mut |train| path.accept(train, form, now));
    }

    /// Lets everything held go.
    pub(super) fn flush(&mut self, reason: FlushReason, path: &mut Path<K>, now: Nanos) {
        let form = self.form;
        if let Some(gro) = &mut self.gro {
            gro.flush_all(reason, now, &mut |train| path.accept(train, form, now));
        }
    }

    /// Datagrams held.
    pub(super) fn held(&self) -> u64 {
        self.gro.as_ref().map_or(0, |gro| gro.held() as u64)
    }

    pub(super) fn gro_stats(&self) -> Option<(PortId, GroStats)> {
        self.gro.as_ref().map(|gro| (self.port, *gro.stats()))
    }
}
