//! From the list form to the merge form. It gives up the headers of all datagrams but the first, so
//! they must be such that `gso` restores them to the byte.

use crate::packet::{
    FrameInfo, Geometry, IdStep, MAX_SEGMENTS, Merged, Network, PacketBuf, RxChecksum, SuperPacket,
};
use crate::wire::{Ipv4, Ipv6, Udp, view};

/// Merges a train of the table's into one packet, or gives it back when it has to stay a list: a
/// single datagram, or one with a checksum that a splitter would not restore.
///
/// `udp_checksum_is_valid` is asked where the port's word is not enough.
pub fn merge<B: PacketBuf>(
    list: SuperPacket<'_, B>,
    udp_checksum_is_valid: impl Fn(&FrameInfo, &B) -> bool,
) -> Result<Merged<B>, SuperPacket<'_, B>> {
    let Some(geometry) = geometry(&list) else { return Err(list) };
    let info = *list.info();
    let is_restorable = |segment: &B| {
        has_plain_headers(&info, segment)
            && (is_verified(&info, segment)
                || udp_checksum_is_valid(&info_of(&info, segment), segment))
    };
    if !list.segments().iter().all(is_restorable) {
        return Err(list);
    }
    let (mut packet, others) = list.split_first()?;
    // from the back: `chain` never has far to the end
    let payloads = others.rev().fold(None, |behind: Option<B>, mut segment| {
        let _in_head = segment.trim_front(headers_len(&info));
        if let Some(behind) = behind {
            segment.chain(behind);
        }
        Some(segment)
    });
    if let Some(payloads) = payloads {
        packet.chain(payloads);
    }
    Ok(Merged::new(packet, info, geometry))
}

/// What the first two datagrams show; the rules of the table make it hold for all.
fn geometry<B: PacketBuf>(list: &SuperPacket<'_, B>) -> Option<Geometry> {
    let [first, second, ..] = list.segments() else { return None };
    let info = list.info();
    let count = list.segments().len();
    let step = identification(info, second).wrapping_sub(identification(info, first));
    (count <= MAX_SEGMENTS).then_some(Geometry {
        gso_size: u16::try_from(info.udp_payload()).ok()?,
        segments: count as u16,
        id_step: if step == 0 { IdStep::Constant } else { IdStep::Increment },
        udp_checksum: true,
    })
}

/// 0 for IPv6.
fn identification<B: PacketBuf>(info: &FrameInfo, segment: &B) -> u16 {
    match info.network {
        Network::Ipv4 => {
            view::<Ipv4>(segment.head(), info.l2_len.into()).map_or(0, |ip| ip.id.get())
        }
        _ => 0,
    }
}

/// Whether the headers are in the head piece, and the IPv4 checksum is the one of its two values
/// for zero that is computed (RFC 1624 3: 0xFFFF is valid as well, but nobody would restore it).
fn has_plain_headers<B: PacketBuf>(info: &FrameInfo, segment: &B) -> bool {
    let head = segment.head();
    let is_computed = info.network != Network::Ipv4
        || view::<Ipv4>(head, info.l2_len.into()).is_some_and(|ip| ip.checksum != 0xffff);
    head.len() >= headers_len(info) && is_computed
}

/// Whether the port has verified the UDP checksum. Its word counts without extension headers only:
/// some of them change the addresses it covers (RFC 8200 8.1, RFC 6275 11.3.1).
fn is_verified<B: PacketBuf>(info: &FrameInfo, segment: &B) -> bool {
    let extensions = info.network == Network::Ipv6
        && usize::from(info.l4_offset) != usize::from(info.l2_len) + Ipv6::LEN;
    segment.rx_checksum() == RxChecksum::Good && !extensions
}

/// The segment's own lengths; it has no trailing bytes.
fn info_of<B: PacketBuf>(first: &FrameInfo, segment: &B) -> FrameInfo {
    let frame_len = segment.frame_len() as u32;
    let ip_len = frame_len.saturating_sub(first.l2_len.into());
    FrameInfo { frame_len, ip_len, ..*first }
}

fn headers_len(info: &FrameInfo) -> usize {
    usize::from(info.l4_offset) + Udp::LEN
}
