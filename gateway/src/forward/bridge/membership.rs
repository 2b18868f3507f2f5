//! IGMP, MLD, PIM and multicast router discovery on their way through a bridge that the kernel
//! snoops: what Linux judges before it learns from them (net/ipv4/igmp.c `ip_mc_check_igmp`,
//! net/ipv6/mcast_snoop.c `ipv6_mc_check_mld`), so that both drop the same ones.

use crate::packet::{FrameInfo, Network};
use crate::wire::{Icmpv6, Igmp, Ipv4, Ipv6, Membership, Mld, protocol, view};

/// Who waits for a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Message {
    /// Routers alone: were others to hear it, hosts would keep their own reports to themselves
    /// (RFC 4541 2.1.1 (1)).
    Report,
    /// Everybody: queries, and what is sent to a group of routers and snoopers.
    Other,
    /// Nobody.
    Malformed,
}

/// `None`: not such a message.
#[inline]
pub(super) fn read(info: &FrameInfo, head: &[u8]) -> Option<Message> {
    match (info.network, info.protocol) {
        (Network::Ipv4, protocol::IGMP) => Some(igmp(info, head)),
        (Network::Ipv6, protocol::ICMPV6) => mld(info, head),
        (Network::Ipv4 | Network::Ipv6, protocol::PIM) => Some(Message::Other),
        _ => None,
    }
}

#[cold]
fn igmp(info: &FrameInfo, head: &[u8]) -> Message {
    let Some(ip) = view::<Ipv4>(head, info.l2_len.into()) else { return Message::Malformed };
    // In pieces: longer than any of them has a reason to be. The kernel looks at it.
    let Some(message) = message(info, head) else { return Message::Other };
    match Igmp::read(message) {
        Some(Membership::Report { .. }) => Message::Report,
        // RFC 3376 4.1.12
        Some(Membership::Query { group: [0, 0, 0, 0], .. }) if ip.dst != [224, 0, 0, 1] => {
            Message::Malformed
        }
        Some(_) => Message::Other,
        None if message.first().is_some_and(|&kind| !Igmp::is_kind(kind)) => Message::Other,
        None => Message::Malformed,
    }
}

#[cold]
fn mld(info: &FrameInfo, head: &[u8]) -> Option<Message> {
    let kind = view::<Icmpv6>(head, info.l4_offset.into())?.kind;
    if !Mld::is_kind(kind) {
        // Multicast router discovery (RFC 4286).
        return matches!(kind, 151..=153).then_some(Message::Other);
    }
    let ip = view::<Ipv6>(head, info.l2_len.into())?;
    let Some(message) = message(info, head) else { return Some(Message::Other) };
    Some(match Mld::read(message, ip.src, ip.dst) {
        Some(Membership::Report { .. }) => Message::Report,
        Some(Membership::Query { group, .. }) if !asks_rightly(ip, group) => Message::Malformed,
        Some(_) => Message::Other,
        None => Message::Malformed,
    })
}

/// RFC 3810 5.1.14, 5.1.15: from a link-local address; to all nodes if it is about every group.
fn asks_rightly(ip: &Ipv6, group: [u8; 16]) -> bool {
    const ALL_NODES: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let link_local = ip.src[0] == 0xfe && ip.src[1] & 0xc0 == 0x80;
    link_local && (group != [0; 16] || ip.dst == ALL_NODES)
}

/// The whole message, if it lies in the head piece.
fn message<'h>(info: &FrameInfo, head: &'h [u8]) -> Option<&'h [u8]> {
    head.get(usize::from(info.l4_offset)..usize::from(info.l2_len) + info.ip_len as usize)
}
