use super::Emit;
use super::repack::repack;
use super::rewrite::{
    Rewrite, decrement_ttl, group_address, set_destination, set_source, trim_to_ip,
};
use crate::counters::FanoutCounters;
use crate::ideas;
use crate::packet::{
    BufPool, FrameInfo, Listener, MAX_SEGMENTS, MacAddr, NextHop, PacketBuf, PortId, PortMask,
    SharedBuf, SuperPacket,
};

/// What fan-out must know of an egress port.
#[derive(Clone, Copy, Debug)]
pub struct FanoutPort {
    /// Its address.
    pub mac: MacAddr,
    /// The most pieces a frame may have there.
    pub max_pieces: usize,
}

/// Makes replicas. Every function emits once for each segment and egress port, in segment order per
/// port: a frame, or `None` where the pool was dry.
pub struct Fanout<B: PacketBuf> {
    pool: B::Pool,
    ports: Vec<FanoutPort>,
    /// For each port those with its address, itself among them: what is rewritten alike.
    alike: Vec<PortMask>,
    /// Frames up to this length are copied whole rather than given a private header.
    copy_up_to: usize,
    counters: FanoutCounters,
    /// A train while it is copied, its copies for one port, and a train while it is shared.
    originals: Vec<B>,
    copies: Vec<B>,
    shared: Vec<B::Shared>,
}

impl<B: PacketBuf> Fanout<B> {
    /// `ports` by port index; frames of up to `copy_up_to` bytes are copied whole.
    pub fn new(pool: B::Pool, ports: Vec<FanoutPort>, copy_up_to: usize) -> Self {
        let alike = |port: &FanoutPort| {
            let same = ports.iter().zip(0..).filter(|(other, _)| other.mac == port.mac);
            same.map(|(_, index)| PortId(index)).collect()
        };
        Self {
            alike: ports.iter().map(alike).collect(),
            pool,
            ports,
            copy_up_to,
            counters: FanoutCounters::default(),
            originals: Vec::with_capacity(MAX_SEGMENTS),
            copies: Vec::with_capacity(MAX_SEGMENTS),
            shared: Vec::with_capacity(MAX_SEGMENTS),
        }
    }

    /// How replicas were made so far.
    pub fn counters(&self) -> FanoutCounters {
        self.counters
    }

    /// Every segment, unchanged, by every port.
    #[inline]
    pub fn verbatim(
        &mut self,
        packet: SuperPacket<'_, B>,
        ports: PortMask,
        emit: &mut impl Emit<B::Tx>,
    ) {
        let mut rest = ports;
        let Some(last) = rest.next() else { return };
        if rest.is_empty() {
            let fits = self.all_fit(packet.segments(), last);
            return self.hand_over(packet.into_segments(), fits, last, emit);
        }
        let mut shared = std::mem::take(&mut self.shared);
        shared.extend(packet.into_segments().map(B::share));
        for port in rest {
            self.refer_to(&shared, port, emit);
        }
        let (count, handed) = (shared.len(), self.hand_on(&mut shared, last, emit));
        self.counters.shared += handed as u64;
        self.counters.whole_copies += (count - handed) as u64;
        self.shared = shared;
    }

    /// Every segment to one next hop.
    #[inline]
    pub fn route(
        &mut self,
        packet: SuperPacket<'_, B>,
        hop: &NextHop,
        emit: &mut impl Emit<B::Tx>,
    ) {
        let rewrite = Rewrite::new(packet.info(), hop);
        self.counters.in_place += packet.segments().len() as u64;
        let fits = self.all_fit(packet.segments(), hop.port);
        let rewritten = packet.into_segments().map(|mut segment| {
            rewrite.apply(&mut segment);
            segment
        });
        self.hand_over(rewritten, fits, hop.port, emit);
    }

    /// Counts datagrams that the caller has rewritten ([`rewrite_plain`](super::rewrite_plain)).
    pub fn note_in_place(&mut self, datagrams: u64) {
        self.counters.in_place += datagrams;
    }

    /// [`verbatim`](Self::verbatim) for one frame and one port.
    #[inline]
    pub fn verbatim_one(&mut self, packet: B, port: PortId, emit: &mut impl Emit<B::Tx>) {
        // Every port takes one piece.
        let frame =
            if packet.piece_count() == 1 { Some(packet.into_tx()) } else { self.fit(packet, port) };
        emit.emit(port, frame);
    }

    /// A copy of one segment for a listener, to its own address.
    pub fn to_listener(&mut self, segment: &B, listener: &Listener) -> Option<B::Tx> {
        let max_pieces = self.max_pieces(listener.port);
        let copy = segment.copy(&self.pool).or_else(|| repack(segment.pieces(), &self.pool));
        let mut copy = copy.filter(|copy| copy.piece_count() <= max_pieces)?;
        set_destination(copy.head_mut(), listener.mac);
        self.counters.whole_copies += 1;
        Some(copy.into_tx())
    }

    /// Every segment to every port, to the group's address and from that port's.
    #[inline]
    pub fn multicast(
        &mut self,
        packet: SuperPacket<'_, B>,
        ports: PortMask,
        emit: &mut impl Emit<B::Tx>,
    ) {
        let info = *packet.info();
        let header_len = usize::from(info.l4_offset);
        let first = packet.segments().first();
        let group = first.and_then(|first| group_address(first.head(), &info));
        let mut segments = std::mem::take(&mut self.originals);
        // The same for every port, so done once, before anything is shared.
        segments.extend(packet.into_segments().map(|mut segment| {
            edit_in_place(&mut segment, &info);
            if let Some(group) = group {
                set_destination(segment.head_mut(), group);
            }
            segment
        }));
        let longest = segments.first().map_or(0, PacketBuf::frame_len);
        if longest <= self.copy_up_to || ports.into_iter().any(|port| self.max_pieces(port) == 1) {
            self.copies(&mut segments, ports, emit);
        } else {
            for segment in segments.drain(..) {
                self.private_headers(segment, header_len, ports, emit);
            }
        }
        self.originals = segments;
    }

    /// Whole copies for each port but the last, which gets the originals; for ports alike one.
    fn copies(&mut self, originals: &mut Vec<B>, ports: PortMask, emit: &mut impl Emit<B::Tx>) {
        let mut rest = ports;
        let Some((last, others)) = self.next_alike(&mut rest) else { return originals.clear() };
        while let Some((port, others)) = self.next_alike(&mut rest) {
            self.copies_for(originals, port, others, emit);
        }
        let (mac, fits) = (self.mac(last), self.all_fit(originals, last));
        self.counters.in_place += originals.len() as u64;
        let rewritten = originals.drain(..).map(|mut segment| {
            set_source(segment.head_mut(), mac);
            segment
        });
        if others.is_empty() {
            self.hand_over(rewritten, fits, last, emit);
        } else {
            self.hand_round(rewritten, last, others, emit);
        }
    }

    fn copies_for(
        &mut self,
        originals: &[B],
        port: PortId,
        others: PortMask,
        emit: &mut impl Emit<B::Tx>,
    ) {
        let mac = self.mac(port);
        let mut copies = std::mem::take(&mut self.copies);
        self.pool.alloc_many(originals.len(), &mut copies);
        let mut made = 0;
        for (original, copy) in originals.iter().zip(&mut copies) {
            made += usize::from(original.copy_into(copy));
            set_source(copy.head_mut(), mac);
        }
        self.counters.whole_copies += made as u64;
        if made < originals.len() {
            self.counters.shared += (made * others.len()) as u64;
            emit_what_there_is(copies.drain(..), originals.len(), others.with(port), emit);
        } else if others.is_empty() {
            emit.emit_all(port, copies.drain(..).map(B::into_tx));
        } else {
            self.hand_round(copies.drain(..), port, others, emit);
        }
        self.copies = copies;
    }

    /// Rewritten packets that nobody shares yet to one port, and as references to others.
    #[inline(never)]
    fn hand_round(
        &mut self,
        packets: impl Iterator<Item = B>,
        port: PortId,
        others: PortMask,
        emit: &mut impl Emit<B::Tx>,
    ) {
        let mut shared = std::mem::take(&mut self.shared);
        shared.extend(packets.map(B::share));
        for other in others {
            self.refer_to(&shared, other, emit);
        }
        self.hand_on(&mut shared, port, emit);
        self.shared = shared;
    }

    /// One private header per address in front of the shared payload.
    fn private_headers(
        &mut self,
        original: B,
        header_len: usize,
        ports: PortMask,
        emit: &mut impl Emit<B::Tx>,
    ) {
        let (shared, mut rest) = (original.share(), ports);
        while let Some((port, others)) = self.next_alike(&mut rest) {
            if !others.is_empty() {
                self.header_for_all(&shared, header_len, port, others, emit);
                continue;
            }
            let replica = shared.with_private_header(header_len, &self.pool).and_then(|mut r| {
                set_source(r.head_mut(), self.mac(port));
                self.counters.private_headers += 1;
                self.fit(r, port)
            });
            emit.emit(port, replica);
        }
    }

    /// One private header for a port and others alike.
    #[inline(never)]
    fn header_for_all(
        &mut self,
        shared: &B::Shared,
        header_len: usize,
        port: PortId,
        others: PortMask,
        emit: &mut impl Emit<B::Tx>,
    ) {
        let Some(mut replica) = shared.with_private_header(header_len, &self.pool) else {
            return others.with(port).into_iter().for_each(|port| emit.emit(port, None));
        };
        set_source(replica.head_mut(), self.mac(port));
        self.counters.private_headers += 1;
        self.hand_round(core::iter::once(replica), port, others, emit);
    }

    /// The next of these ports, and others of the rest with its address, if that is of use.
    #[inline]
    fn next_alike(&self, rest: &mut PortMask) -> Option<(PortId, PortMask)> {
        let port = rest.next()?;
        let alike = if ideas::EQUAL { self.alike.get(port.index()) } else { None };
        let others = alike.map_or(PortMask::EMPTY, |alike| alike.and(*rest));
        *rest = rest.and_not(others);
        Some((port, others))
    }

    /// References to a train for one port.
    fn refer_to(&mut self, shared: &[B::Shared], port: PortId, emit: &mut impl Emit<B::Tx>) {
        let most = self.max_pieces(port);
        if shared.iter().all(|segment| segment.piece_count() <= most) {
            self.counters.shared += shared.len() as u64;
            return emit.emit_all(port, shared.iter().map(|segment| segment.clone().into_tx()));
        }
        for segment in shared {
            let replica = self.fit_shared(segment.clone(), port);
            emit.emit(port, replica);
        }
    }

    /// References that nobody needs any more, to one port; returns how many left as they are.
    fn hand_on(
        &self,
        shared: &mut Vec<B::Shared>,
        port: PortId,
        emit: &mut impl Emit<B::Tx>,
    ) -> usize {
        let most = self.max_pieces(port);
        let fit = shared.iter().filter(|segment| segment.piece_count() <= most).count();
        if fit == shared.len() {
            emit.emit_all(port, shared.drain(..).map(B::Shared::into_tx));
        }
        for segment in shared.drain(..) {
            let frame = if segment.piece_count() <= most {
                Some(segment.into_tx())
            } else {
                self.repacked(segment.pieces(), port)
            };
            emit.emit(port, frame);
        }
        fit
    }

    /// Packets that nobody shares to one port; `fit` if it takes all their pieces.
    #[inline]
    fn hand_over(
        &self,
        packets: impl ExactSizeIterator<Item = B>,
        fit: bool,
        port: PortId,
        emit: &mut impl Emit<B::Tx>,
    ) {
        if fit {
            return emit.emit_all(port, packets.map(B::into_tx));
        }
        for packet in packets {
            emit.emit(port, self.fit(packet, port));
        }
    }

    #[inline]
    fn all_fit(&self, segments: &[B], port: PortId) -> bool {
        let most = self.max_pieces(port);
        segments.iter().all(|segment| segment.piece_count() <= most)
    }

    /// A packet with no more pieces than the port takes.
    #[inline]
    fn fit(&self, packet: B, port: PortId) -> Option<B::Tx> {
        if packet.piece_count() <= self.max_pieces(port) {
            return Some(packet.into_tx());
        }
        self.repacked(packet.pieces(), port)
    }

    #[inline]
    fn fit_shared(&mut self, packet: B::Shared, port: PortId) -> Option<B::Tx> {
        if packet.piece_count() <= self.max_pieces(port) {
            self.counters.shared += 1;
            return Some(packet.into_tx());
        }
        self.counters.whole_copies += 1;
        self.repacked(packet.pieces(), port)
    }

    fn repacked<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>, port: PortId) -> Option<B::Tx> {
        let packet: B = repack(pieces, &self.pool)?;
        (packet.piece_count() <= self.max_pieces(port)).then(|| packet.into_tx())
    }

    fn max_pieces(&self, port: PortId) -> usize {
        self.ports.get(port.index()).map_or(1, |p| p.max_pieces)
    }

    fn mac(&self, port: PortId) -> MacAddr {
        self.ports.get(port.index()).map_or(MacAddr::default(), |p| p.mac)
    }
}

/// Copies of which some could not be made: those are empty or missing.
#[cold]
fn emit_what_there_is<B: PacketBuf>(
    copies: impl Iterator<Item = B>,
    wanted: usize,
    ports: PortMask,
    emit: &mut impl Emit<B::Tx>,
) {
    let there = copies.map(|copy| (copy.frame_len() > 0).then(|| copy.share()));
    for copy in there.chain(core::iter::repeat_with(|| None)).take(wanted) {
        for port in ports {
            emit.emit(port, copy.as_ref().map(|copy| copy.clone().into_tx()));
        }
    }
}

/// What a router does to every datagram, wherever it goes.
#[inline]
fn edit_in_place<B: PacketBuf>(segment: &mut B, info: &FrameInfo) {
    trim_to_ip(segment, info);
    decrement_ttl(segment.head_mut(), info);
}
