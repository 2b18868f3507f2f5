//! The shortest way: datagrams about which nothing is remarkable, that nothing is held back for, to
//! next hops that their routes name or to stations that their bridge knows.
//!
//! Those of a burst are looked at, then looked up, then sent on, each step in a loop of its own: what
//! one would wait for, a header or an entry of a table that is in no cache, they wait for together.

mod bridged;
mod routed;

use std::vec::Drain;

use arrayvec::ArrayVec;

use super::latency::Sampler;
use super::path::{Outlet, Path};
use crate::device::Backend;
use crate::fanout::Emit;
use crate::forward::PlainWay;
use crate::ideas;
use crate::packet::{PacketBuf, PortId, RxChecksum};
use crate::time::Nanos;

/// Datagrams looked at before the first of them is sent on, at most.
const AHEAD: usize = if ideas::STEPS { 64 } else { 1 };

/// How far to look ahead: as far again as all went well before, so that of a burst of which many take
/// the long way each is still looked at a few times at most.
pub(super) struct Reach(usize);

impl Reach {
    /// At the start of a burst.
    pub(super) const FULL: Self = Self(AHEAD);

    /// Of so many looked at all, or fewer, had a way.
    fn after(&mut self, ways: usize) {
        self.0 = (2 * ways + 1).min(AHEAD);
    }
}

/// What plain datagrams are asked, and what is done with the answer.
trait Way {
    /// All that the answer depends on.
    type Question<'p>: Copy;
    /// Where to.
    type Hop: Copy;

    /// What to ask about a frame in one piece; `None` if it may not be plain.
    fn question<'p>(&self, frame: &'p [u8]) -> Option<Self::Question<'p>>;
    /// `None`: that takes the long way.
    fn answer(&mut self, question: Self::Question<'_>) -> Option<Self::Hop>;
    /// Whether both are one way.
    fn is_same(one: Self::Hop, other: Self::Hop) -> bool;
    /// Where it leaves.
    fn port(hop: Self::Hop) -> PortId;
    /// What becomes of a frame that there was a question about.
    fn rewrite(frame: &mut [u8], hop: Self::Hop);
}

impl<K: Backend> Path<K> {
    /// Sends on the plain datagrams at the front of what `port` received: how many there were, and
    /// the packet behind them.
    #[inline]
    pub(super) fn pass_plain(
        &mut self,
        packets: &mut Drain<'_, K::Buf>,
        reach: &mut Reach,
        port: PortId,
        now: Nanos,
    ) -> (u32, Option<K::Buf>) {
        let Self { forwarder, fanout, egress, counters, latency, .. } = self;
        let mtu = forwarder.smallest_mtu().into();
        let mut noted = Noted { latency, from: port, now };
        let mut outlet = Outlet { egress, counters };
        let passed = match forwarder.plain(port, now).filter(|_| ideas::PLAIN) {
            Some(PlainWay::Routed(router)) => {
                let mut way = routed::Routed::new(router, mtu);
                let passed = pass(&mut way, packets, reach, &mut noted, &mut outlet);
                fanout.note_in_place(passed);
                passed
            }
            Some(PlainWay::Bridged(bridge)) => {
                let mut way = bridged::Bridged::new(bridge, mtu);
                pass(&mut way, packets, reach, &mut noted, &mut outlet)
            }
            None => 0,
        };
        counters.decided += passed;
        (passed as u32, packets.next())
    }
}

/// Of what arrived together, for the samples of latency.
struct Noted<'a> {
    latency: &'a mut Sampler,
    from: PortId,
    now: Nanos,
}

/// How many had a way, all of them at the front.
#[inline]
fn pass<W: Way, K: Backend>(
    way: &mut W,
    packets: &mut Drain<'_, K::Buf>,
    reach: &mut Reach,
    noted: &mut Noted<'_>,
    outlet: &mut Outlet<'_, K>,
) -> u64 {
    let mut passed = 0;
    loop {
        let mut hops = ArrayVec::new();
        let ahead = packets.as_slice();
        let ahead = &ahead[..ahead.len().min(reach.0)];
        let looked_at = ahead.len();
        look_up(ahead, way, &mut hops);
        for hops in hops.chunk_by(|one, other| W::is_same(*one, *other)) {
            let Some(&hop) = hops.first() else { continue };
            let port = W::port(hop);
            if noted.latency.is_noting() {
                noted.latency.note_pair(noted.from, port, noted.now);
            }
            let rewritten = packets.by_ref().take(hops.len()).map(|mut packet| {
                W::rewrite(packet.head_mut(), hop);
                packet.into_tx()
            });
            outlet.emit_all(port, rewritten);
        }
        passed += hops.len() as u64;
        reach.after(hops.len());
        if hops.len() < looked_at || packets.len() == 0 {
            return passed;
        }
    }
}

/// The ways of these packets, up to the first that has none or is not plain.
#[inline]
fn look_up<W: Way, B: PacketBuf>(packets: &[B], way: &mut W, hops: &mut ArrayVec<W::Hop, AHEAD>) {
    let mut questions = ArrayVec::<_, AHEAD>::new();
    questions.extend(packets.iter().enumerate().map_while(|(index, packet)| {
        if ideas::PREFETCH != 0 {
            packets.get(index + ideas::PREFETCH).into_iter().for_each(B::prefetch);
        }
        way.question(whole(packet)?)
    }));
    hops.extend(questions.iter().map_while(|question| way.answer(*question)));
}

/// A frame in one piece, of which the device did not say that its checksum is wrong.
#[inline]
fn whole<B: PacketBuf>(packet: &B) -> Option<&[u8]> {
    let is_bad = packet.rx_checksum() == RxChecksum::Bad;
    let head = packet.head();
    let is_whole = !is_bad & (head.len() == packet.frame_len());
    is_whole.then_some(head)
}
