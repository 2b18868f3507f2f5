//! Neighbour discovery on a routed port (RFC 4861): solicitations for its addresses are answered,
//! other messages heard. Absent: learning from them; router advertisements.

use core::net::Ipv6Addr;

use super::address::Address;
use super::interface::Interface;
use crate::packet::{Answer, Decision, DropReason, FrameInfo};
use crate::wire::{Icmpv6, Ipv6, NeighborMessage, checksum, protocol, source_link_address};
use crate::wire::{options_are_valid, view};

/// What becomes of a packet that may be neighbour discovery; `None`: it is not, or not for this
/// link.
pub(super) fn decide(
    header: &Ipv6,
    info: &FrameInfo,
    head: &[u8],
    interface: &Interface,
) -> Option<Result<Decision, DropReason>> {
    let offset = usize::from(info.l4_offset);
    // RFC 6980: not in fragments. Nobody sends it behind other extension headers either.
    let bare = header.next_header == protocol::ICMPV6;
    if !bare || !is_neighbor_discovery(view::<Icmpv6>(head, offset)?.kind) {
        return None;
    }
    let destination = Ipv6Addr::from(header.dst);
    if !destination.is_link_group() && !interface.v6().contains(&destination) {
        return None;
    }
    let end = usize::from(info.l2_len) + info.ip_len as usize;
    let decision = match head.get(offset..end) {
        Some(message) if is_valid(header, message) => decide_valid(header, message, interface),
        _ => None,
    };
    Some(decision.ok_or(DropReason::BadNeighborMessage))
}

/// Router solicitation 133 to redirect 137 (RFC 4861 4).
fn is_neighbor_discovery(kind: u8) -> bool {
    (133..=Icmpv6::REDIRECT).contains(&kind)
}

/// What RFC 4861 6.1, 7.1 and 8.1 ask of every message: hop limit 255 (no router was between),
/// checksum, code 0. And no source that none can have.
fn is_valid(header: &Ipv6, message: &[u8]) -> bool {
    let sum = checksum::pseudo_v6(header.src, header.dst, protocol::ICMPV6, message.len() as u32);
    let source = Ipv6Addr::from(header.src);
    header.hop_limit == 255
        && sum.bytes(message).is_valid()
        && view::<Icmpv6>(message, 0).is_some_and(|m| m.code == 0)
        && (source.is_unspecified() || !source.is_martian_source())
}

/// `None` if the message breaks the rules of its type.
fn decide_valid(header: &Ipv6, message: &[u8], interface: &Interface) -> Option<Decision> {
    if view::<Icmpv6>(message, 0)?.kind != Icmpv6::NEIGHBOR_SOLICITATION {
        return Some(Decision::Consume);
    }
    let solicitation: &NeighborMessage = view(message, 0)?;
    let options = message.get(NeighborMessage::LEN..)?;
    let target = Ipv6Addr::from(solicitation.target);
    let source = Ipv6Addr::from(header.src);
    // RFC 4861 7.1.1. A solicitation from one of our own addresses is a loop.
    let is_probe = source.is_unspecified();
    let probe_is_valid =
        is_solicited_node(Ipv6Addr::from(header.dst)) && source_link_address(options).is_none();
    let source_is_valid = if is_probe { probe_is_valid } else { !interface.v6().contains(&source) };
    if target.is_group() || !options_are_valid(options) || !source_is_valid {
        return None;
    }
    let ours = interface.v6().contains(&target);
    Some(if ours { Decision::Answer(Answer::NeighborAdvertisement) } else { Decision::Consume })
}

/// ff02::1:ff00:0/104 (RFC 4291 2.7.1).
fn is_solicited_node(group: Ipv6Addr) -> bool {
    matches!(group.segments(), [0xff02, 0, 0, 0, 0, 1, last, _] if last >= 0xff00)
}
