//! One frame as a description, and the trains that real senders send.

mod build;
mod strategy;

use core::net::IpAddr;

pub(crate) use build::{Frame, ones_complement};
pub(crate) use strategy::train;

/// Groups that traffic is for; the last two never leave their link, and always flood in a bridge.
pub(crate) const GROUPS: [&str; 6] =
    ["239.1.1.1", "239.129.1.1", "ff3e::1", "ff3e::2", "224.0.0.251", "ff02::fb"];

#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) ingress: usize,
    /// The sender's number on the network of the ingress port.
    pub(crate) host: u8,
    /// The sender has the link address of one that lives on the next port.
    pub(crate) moved: bool,
    pub(crate) v6: bool,
    pub(crate) to: To,
    pub(crate) link: Link,
    /// `Some`: one of the addresses that nobody may send from.
    pub(crate) strange_source: Option<u8>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) flow: u16,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    pub(crate) label: u32,
    pub(crate) id: u16,
    pub(crate) df: bool,
    pub(crate) payload: usize,
    pub(crate) kind: Kind,
    pub(crate) oddity: Oddity,
    /// Lengths of the first pieces; the rest is the last one.
    pub(crate) pieces: Vec<usize>,
    /// The port says that the transport checksum is right, where it is.
    pub(crate) verified: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum To {
    /// A host on the network of the port so much further.
    Host { port: usize, host: u8 },
    /// Behind one of the routes, or of none.
    Far(u8),
    /// One of [`GROUPS`], of the packet's family.
    Group(u8),
    /// The gateway's address on a port so much further.
    Own(usize),
    /// All hosts of a network.
    Broadcast(usize),
    /// Where nobody may send to.
    Strange(u8),
}

/// The destination link address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link {
    /// As the destination asks.
    Right,
    Broadcast,
    /// Of a group that is not the destination's.
    OtherGroup,
    /// 01:80:c2:00:00:0e
    Reserved,
    /// Of a station nobody has.
    Nobody,
    /// The source is a group.
    GroupSource,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    pub(crate) kind: u16,
    pub(crate) id: u16,
    pub(crate) priority: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Udp,
    Tcp,
    Echo,
    IcmpError,
    Membership,
    Experimental,
    /// Who has the gateway's address on the ingress port (or not), from the packet's host.
    Ask {
        ours: bool,
        operation: u16,
        probe: bool,
    },
    /// An Ethernet type that is neither IP nor ARP.
    Other(u16),
}

/// What makes a datagram unlike its neighbours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Oddity {
    None,
    Padding(usize),
    ZeroChecksum,
    BadChecksum,
    /// The payload is such that the checksum comes out as 0, which is sent as 0xffff.
    AllOnes,
    BadIpChecksum,
    UdpLength(i16),
    FirstFragment,
    LaterFragment(u16),
    /// IPv4 options or IPv6 extension headers.
    Extension(u8),
    Reserved,
    Truncated(usize),
}

/// Datagrams one after the other: alike but for the identification, and the last one's length.
#[derive(Clone, Debug)]
pub(crate) struct Train {
    pub(crate) first: Packet,
    pub(crate) count: usize,
    pub(crate) tail: Option<usize>,
    pub(crate) id_step: u16,
    /// In turn of so many flows.
    pub(crate) flows: u16,
    /// Each is so much longer than the one before, so that none joins another.
    pub(crate) growth: usize,
    /// One in the middle is unlike the others.
    pub(crate) odd: Option<(usize, Oddity)>,
}

impl Train {
    /// Its frames; `serial` counts all frames of a run, so that no two are equal.
    pub(crate) fn frames(&self, ports: &[bool], serial: &mut u32) -> Vec<Frame> {
        (0..self.count)
            .map(|n| {
                let mut packet = self.first.clone();
                packet.id = packet.id.wrapping_add(self.id_step.wrapping_mul(n as u16));
                packet.flow += n as u16 % self.flows;
                packet.payload += n * self.growth;
                if let (Some(tail), true) = (self.tail, n + 1 == self.count) {
                    packet.payload = tail;
                }
                match self.odd {
                    Some((odd, oddity)) if odd % self.count == n => packet.oddity = oddity,
                    _ => {}
                }
                *serial += 1;
                packet.build(ports, *serial)
            })
            .collect()
    }
}

pub(crate) fn groups_of(v6: bool) -> Vec<IpAddr> {
    let all = GROUPS.iter().map(|group| group.parse::<IpAddr>().unwrap());
    all.filter(|group| group.is_ipv6() == v6).collect()
}
