use super::Way;
use crate::fanout::rewrite_plain;
use crate::forward::{PlainRouter, Question};
use crate::ingress::is_plain;
use crate::packet::{NextHop, PortId};
use crate::wire::{Ethernet, Ipv4, Ipv6, Plain, ethertype, view};

/// Through the router: to a next hop.
pub(super) struct Routed<'a> {
    router: PlainRouter<'a>,
    longest: usize,
}

impl<'a> Routed<'a> {
    /// For IP packets of up to `mtu` bytes.
    pub(super) fn new(router: PlainRouter<'a>, mtu: usize) -> Self {
        Self { router, longest: Ethernet::LEN + mtu }
    }
}

impl<'a> Way for Routed<'a> {
    type Question<'p> = Question<'p>;
    type Hop = &'a NextHop;

    #[inline]
    fn question<'p>(&self, frame: &'p [u8]) -> Option<Question<'p>> {
        if frame.len() > self.longest {
            return None;
        }
        if view::<Ethernet>(frame, 0)?.ethertype == ethertype::IPV4 {
            let headers: &Plain<Ipv4> = view(frame, 0)?;
            self.router.question(headers).filter(|_| is_plain(headers, frame.len()))
        } else {
            let headers: &Plain<Ipv6> = view(frame, 0)?;
            self.router.question(headers).filter(|_| is_plain(headers, frame.len()))
        }
    }

    #[inline]
    fn answer(&mut self, question: Question<'_>) -> Option<&'a NextHop> {
        self.router.answer(question)
    }

    #[inline]
    fn is_same(one: &'a NextHop, other: &'a NextHop) -> bool {
        core::ptr::eq(one, other)
    }

    #[inline]
    fn port(hop: &'a NextHop) -> PortId {
        hop.port
    }

    #[inline]
    fn rewrite(frame: &mut [u8], hop: &'a NextHop) {
        rewrite_plain(frame, hop);
    }
}
