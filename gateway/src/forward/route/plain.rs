//! The short way to a decision: of a datagram about which nothing is remarkable only the next hop is
//! asked for, and nothing is said of why there is none.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::address::Address;
use super::plane::Plane;
use crate::ideas;
use crate::packet::{MacAddr, NextHop};
use crate::wire::{Ipv4, Ipv6, Plain, PlainIp};

/// The tables as plain datagrams of one routed port ask them.
pub struct PlainRouter<'a> {
    mac: MacAddr,
    v4: Recent<'a, Ipv4Addr>,
    v6: Recent<'a, Ipv6Addr>,
}

/// All that the next hop of a plain datagram depends on: its source and its destination.
#[derive(Clone, Copy)]
pub enum Question<'p> {
    /// In an IPv4 header.
    V4(&'p Ipv4),
    /// In an IPv6 header.
    V6(&'p Ipv6),
}

/// A header that there are routing tables for.
pub trait Routed: PlainIp {
    /// What to ask them; `None` if this was the last hop.
    fn question(&self) -> Option<Question<'_>>;
}

impl<'a> PlainRouter<'a> {
    pub(super) fn new(mac: MacAddr, v4: &'a Plane<Ipv4Addr>, v6: &'a Plane<Ipv6Addr>) -> Self {
        Self { mac, v4: Recent::new(v4), v6: Recent::new(v6) }
    }

    /// What to ask about a datagram that is plain, if the port routes it at all.
    #[inline]
    pub fn question<'p, Ip: Routed>(&self, headers: &'p Plain<Ip>) -> Option<Question<'p>> {
        if headers.ethernet.dst != self.mac {
            return None;
        }
        headers.ip.question()
    }

    /// Where it goes: if there is a next hop, `decide` says
    /// [`Decision::Route`](crate::packet::Decision::Route) with it.
    #[inline]
    pub fn answer(&mut self, question: Question<'_>) -> Option<&'a NextHop> {
        match question {
            Question::V4(ip) => self.v4.next_hop([ip.src, ip.dst].map(Ipv4Addr::from)),
            Question::V6(ip) => self.v6.next_hop([ip.src, ip.dst].map(Ipv6Addr::from)),
        }
    }
}

impl Routed for Ipv4 {
    #[inline]
    fn question(&self) -> Option<Question<'_>> {
        (self.ttl > 1).then_some(Question::V4(self))
    }
}

impl Routed for Ipv6 {
    #[inline]
    fn question(&self) -> Option<Question<'_>> {
        (self.hop_limit > 1).then_some(Question::V6(self))
    }
}

/// One plane, and what it said last: the next datagram is often between the same two hosts.
struct Recent<'a, A: Address> {
    plane: &'a Plane<A>,
    pair: [A; 2],
    hop: Option<&'a NextHop>,
}

impl<'a, A: Address> Recent<'a, A> {
    fn new(plane: &'a Plane<A>) -> Self {
        // Nobody sends from there, so it is true that there is no next hop.
        Self { plane, pair: [A::UNSPECIFIED; 2], hop: None }
    }

    #[inline]
    fn next_hop(&mut self, pair: [A; 2]) -> Option<&'a NextHop> {
        if !ideas::MEMO || pair != self.pair {
            let [source, destination] = pair;
            (self.pair, self.hop) = (pair, self.plane.plain_route(source, destination));
        }
        self.hop
    }
}
