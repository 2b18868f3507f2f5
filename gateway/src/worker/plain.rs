//! The shortest way: datagrams about which nothing is remarkable, that nothing is held back for, to
//! next hops that their routes name.
//!
//! Those of a burst are looked at, then looked up, then sent on, each step in a loop of its own: what
//! one would wait for, a header or an entry of a table that is in no cache, they wait for together.

use std::vec::Drain;

use arrayvec::ArrayVec;

use super::path::{Outlet, Path};
use crate::device::Backend;
use crate::fanout::{Emit, rewrite_plain};
use crate::forward::{PlainRouter, Question};
use crate::ingress::is_plain;
use crate::packet::{NextHop, PacketBuf, PortId, RxChecksum};
use crate::time::Nanos;
use crate::wire::{Ethernet, Ipv4, Ipv6, Plain, ethertype, view};

/// Datagrams looked at before the first of them is sent on, at most.
const AHEAD: usize = 64;

/// How far to look ahead: as far again as all went well before, so that of a burst of which many have
/// no next hop each is still looked at a few times at most.
pub(super) struct Reach(usize);

impl Reach {
    /// At the start of a burst.
    pub(super) const FULL: Self = Self(AHEAD);

    /// Of so many looked at all, or fewer, had a next hop.
    fn after(&mut self, hops: usize) {
        self.0 = (2 * hops + 1).min(AHEAD);
    }
}

impl<K: Backend> Path<K> {
    /// Routes the plain datagrams at the front of what `port` received: how many there were, and the
    /// packet behind them.
    #[inline]
    pub(super) fn route_plain(
        &mut self,
        packets: &mut Drain<'_, K::Buf>,
        reach: &mut Reach,
        port: PortId,
        now: Nanos,
    ) -> (u32, Option<K::Buf>) {
        let Self { forwarder, fanout, egress, counters, latency, .. } = self;
        let Some(mut router) = forwarder.plain_router(port) else { return (0, packets.next()) };
        let longest = Ethernet::LEN + usize::from(forwarder.smallest_mtu());
        let mut routed = 0;
        loop {
            let mut hops = ArrayVec::new();
            let ahead = packets.as_slice().iter().take(reach.0);
            let looked_at = ahead.len();
            look_up(ahead, &mut router, longest, &mut hops);
            let mut outlet = Outlet { egress: &mut *egress, counters: &mut *counters };
            for hops in hops.chunk_by(|one, other| core::ptr::eq(*one, *other)) {
                let Some(hop) = hops.first() else { continue };
                if latency.is_noting() {
                    latency.note_pair(port, hop.port, now);
                }
                let rewritten = packets.by_ref().take(hops.len()).map(|mut packet| {
                    // There was a question about it, so its headers are all there.
                    rewrite_plain(packet.head_mut(), hop);
                    packet.into_tx()
                });
                outlet.emit_all(hop.port, rewritten);
            }
            routed += hops.len();
            reach.after(hops.len());
            if hops.len() < looked_at || packets.len() == 0 {
                break;
            }
        }
        counters.decided += routed as u64;
        fanout.note_in_place(routed as u64);
        (routed as u32, packets.next())
    }
}

/// The next hops of these packets, up to the first that has none or is not plain.
#[inline]
fn look_up<'a, 'p, B: PacketBuf + 'p>(
    packets: impl Iterator<Item = &'p B>,
    router: &mut PlainRouter<'a>,
    longest: usize,
    hops: &mut ArrayVec<&'a NextHop, AHEAD>,
) {
    let mut questions = ArrayVec::<_, AHEAD>::new();
    questions.extend(packets.map_while(|packet| question(packet, router, longest)));
    hops.extend(questions.iter().map_while(|question| router.answer(*question)));
}

/// What the tables are to be asked about a plain datagram of one piece; `None` for everything else.
#[inline]
fn question<'p, B: PacketBuf>(
    packet: &'p B,
    router: &PlainRouter<'_>,
    longest: usize,
) -> Option<Question<'p>> {
    let frame_len = packet.frame_len();
    let is_bad = packet.rx_checksum() == RxChecksum::Bad;
    let head = packet.head();
    if is_bad | (head.len() != frame_len) | (frame_len > longest) {
        return None;
    }
    if view::<Ethernet>(head, 0)?.ethertype == ethertype::IPV4 {
        let headers: &Plain<Ipv4> = view(head, 0)?;
        router.question(headers).filter(|_| is_plain(headers, frame_len))
    } else {
        let headers: &Plain<Ipv6> = view(head, 0)?;
        router.question(headers).filter(|_| is_plain(headers, frame_len))
    }
}
