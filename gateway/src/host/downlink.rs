//! From the kernel to workers: a frame as it is, its checksum completed where the kernel left that
//! to us, a super-packet as its datagrams. A request that makes no sense is dropped and counted.

use super::pump::ShadowCounters;
use super::vnet::VnetHeader;
use crate::device::Cable;
use crate::gso::resegment;
use crate::ingress;
use crate::packet::{
    BufPool, Geometry, IdStep, MAX_SEGMENTS, Merged, PacketBuf, PortId, RxChecksum,
};
use crate::wire::checksum::checksum;

/// The largest frame a TAP hands over: 64 KiB of IP packet, Ethernet and tags, the virtio header.
pub(super) const FRAME_MAX: usize = 65_535 + 22 + VnetHeader::LEN;

/// Why a frame of the kernel's did not go down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// A checksum or segmentation request outside of the frame, or of no datagrams.
    BadRequest,
    /// The pool is dry, or the frame is longer than a buffer.
    NoBuffer,
}

/// One frame with its virtio header, as read.
pub(super) fn send_down<B: PacketBuf>(
    frame: &mut [u8],
    cable: &Cable<B>,
    pool: &B::Pool,
    split: &mut Vec<B>,
    counters: &ShadowCounters,
) {
    match datagrams(frame, pool, split) {
        Ok(lost) => counters.lost_down(lost as u64),
        Err(Refused::BadRequest) => counters.bad_request(),
        Err(Refused::NoBuffer) => counters.lost_down(1),
    }
    for packet in split.drain(..) {
        counters.sent_down(cable.put(packet).is_ok());
    }
}

/// Puts what the frame is into `out`; returns how many datagrams had no buffer.
fn datagrams<B: PacketBuf>(
    frame: &mut [u8],
    pool: &B::Pool,
    out: &mut Vec<B>,
) -> Result<usize, Refused> {
    let (header, _) = VnetHeader::split(frame).ok_or(Refused::BadRequest)?;
    let frame = frame.get_mut(VnetHeader::LEN..).ok_or(Refused::BadRequest)?;
    match header.gso_type {
        VnetHeader::GSO_NONE => {
            if header.flags & VnetHeader::NEEDS_CHECKSUM != 0 {
                complete_checksum(frame, &header).ok_or(Refused::BadRequest)?;
            }
            out.push(pool.alloc_from(frame).ok_or(Refused::NoBuffer)?);
            Ok(0)
        }
        VnetHeader::GSO_UDP_L4 => split(frame, &header, pool, out),
        _ => Err(Refused::BadRequest),
    }
}

/// RFC 1071: what stands in the field is part of the sum.
fn complete_checksum(frame: &mut [u8], header: &VnetHeader) -> Option<()> {
    let start = usize::from(header.checksum_start);
    let field = start + usize::from(header.checksum_offset);
    let sum = match checksum(frame.get(start..)?) {
        0 => 0xffff, // RFC 768; in TCP both zeros are one number
        sum => sum,
    };
    frame.get_mut(field..field + 2)?.copy_from_slice(&sum.to_be_bytes());
    Some(())
}

fn split<B: PacketBuf>(
    frame: &[u8],
    header: &VnetHeader,
    pool: &B::Pool,
    out: &mut Vec<B>,
) -> Result<usize, Refused> {
    let info = ingress::parse(PortId(0), frame, frame.len(), RxChecksum::Unknown)
        .map_err(|_| Refused::BadRequest)?;
    let (headers, gso_size) = (usize::from(info.l4_offset) + 8, usize::from(header.gso_size));
    let starts_at_udp = header.checksum_start == info.l4_offset && header.checksum_offset == 6;
    let whole = usize::from(info.l2_len) + info.ip_len as usize;
    if header.flags & VnetHeader::NEEDS_CHECKSUM == 0 || !starts_at_udp || whole != frame.len() {
        return Err(Refused::BadRequest);
    }
    let payload = frame.len().checked_sub(headers).ok_or(Refused::BadRequest)?;
    let segments = payload.checked_div(gso_size).ok_or(Refused::BadRequest)?
        + usize::from(payload % gso_size != 0);
    if !(1..=MAX_SEGMENTS).contains(&segments) {
        return Err(Refused::BadRequest);
    }
    let geometry = Geometry {
        gso_size: header.gso_size,
        segments: segments as u16,
        id_step: IdStep::Increment, // as Linux' own segmentation (inet_gso_segment)
        udp_checksum: true,
    };
    let packet = in_pieces(frame, headers, gso_size, pool).ok_or(Refused::NoBuffer)?;
    resegment(Merged::new(packet, info, geometry), pool, out).map_err(|_| Refused::BadRequest)
}

/// A buffer for each datagram's payload, the headers in front of the first.
fn in_pieces<B: PacketBuf>(
    frame: &[u8],
    headers: usize,
    gso_size: usize,
    pool: &B::Pool,
) -> Option<B> {
    let first = frame.len().min(headers + gso_size);
    let mut packet = pool.alloc_from(frame.get(..first)?)?;
    // from the back: `chain` never has far to the end
    let mut behind: Option<B> = None;
    for payload in frame.get(first..)?.chunks(gso_size).rev() {
        let mut piece = pool.alloc_from(payload)?;
        if let Some(behind) = behind {
            piece.chain(behind);
        }
        behind = Some(piece);
    }
    if let Some(behind) = behind {
        packet.chain(behind);
    }
    Some(packet)
}
