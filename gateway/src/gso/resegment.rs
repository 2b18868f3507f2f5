use super::headers::Headers;
use super::plan::{GeometryError, Plan};
use crate::packet::{BufPool, Merged, PacketBuf};
use crate::wire::checksum::Sum;

/// Splits a merged packet into its datagrams, in order, and puts them into `out`, which must have
/// room for all (it does not grow). Returns how many were lost because the pool was dry or a
/// datagram did not fit one buffer.
///
/// Where a segment begins with a piece it stays in place and gets its headers in front; else, and
/// where other packets show the piece, it is copied into a buffer of the pool.
pub fn resegment<B: PacketBuf>(
    merged: Merged<B>,
    pool: &B::Pool,
    out: &mut Vec<B>,
) -> Result<usize, GeometryError> {
    let plan = Plan::new(&merged)?;
    if out.capacity() - out.len() < plan.segments {
        return Err(GeometryError::SegmentCount);
    }
    let (mut packet, info, geometry) = merged.into_parts();
    let headers = packet.head().get(..plan.headers_len).unwrap_or_default();
    let mut headers = Headers::new(headers, &info, &geometry).ok_or(GeometryError::SplitHeaders)?;
    let _in_head = packet.trim_front(plan.headers_len);
    let before = out.len();
    let mut rest = Rest::InPlace(packet);
    for number in 0..plan.segments {
        let (segment, behind) = rest.segment(&mut headers, number, plan.payload_of(number), pool);
        out.extend(segment);
        rest = behind;
    }
    Ok(plan.segments - (out.len() - before))
}

/// Payloads not yet made into segments.
enum Rest<B: PacketBuf> {
    /// They begin with this packet.
    InPlace(B),
    /// They begin at an offset of a packet that stays as it is.
    Copied(B, usize),
    /// No more.
    Nothing,
}

impl<B: PacketBuf> Rest<B> {
    /// The next segment, unless it is lost, and what is left behind it.
    fn segment(
        self,
        headers: &mut Headers,
        number: usize,
        len: usize,
        pool: &B::Pool,
    ) -> (Option<B>, Self) {
        match self {
            Self::InPlace(packet) => match cut(packet, len) {
                Ok((mut payload, behind)) => {
                    let headers = headers.of_segment(number, len, folded_sum(&payload, 0, len));
                    let segment = match payload.prepend(headers.len()) {
                        Some(room) => {
                            room.copy_from_slice(headers);
                            Some(payload)
                        }
                        None => copied(&payload, 0, len, headers, pool),
                    };
                    (segment, behind.map_or(Self::Nothing, Self::InPlace))
                }
                Err(packet) => Self::Copied(packet, 0).segment(headers, number, len, pool),
            },
            Self::Copied(packet, offset) => {
                let headers = headers.of_segment(number, len, folded_sum(&packet, offset, len));
                let segment = copied(&packet, offset, len, headers, pool);
                (segment, Self::Copied(packet, offset + len))
            }
            Self::Nothing => (None, Self::Nothing),
        }
    }
}

/// Cuts a packet in two behind its first `len` bytes; gives it back if there is no border between
/// pieces, or if the piece behind it cannot be a head.
fn cut<B: PacketBuf>(mut packet: B, len: usize) -> Result<(B, Option<B>), B> {
    if packet.frame_len() == len {
        return Ok((packet, None));
    }
    let Some(pieces) = pieces_of(&packet, len) else { return Err(packet) };
    let Some(mut behind) = packet.detach() else { return Err(packet) };
    for _ in 1..pieces {
        let Some(rest) = behind.detach() else {
            packet.chain(behind);
            return Err(packet);
        };
        packet.chain(behind);
        behind = rest;
    }
    Ok((packet, Some(behind)))
}

/// How many pieces the first `len` bytes are; `None` if they end inside one.
fn pieces_of<B: PacketBuf>(packet: &B, len: usize) -> Option<usize> {
    let mut bytes = 0;
    for (number, piece) in packet.pieces().enumerate() {
        bytes += piece.len();
        if bytes >= len {
            return (bytes == len).then_some(number + 1);
        }
    }
    None
}

/// A datagram of these headers and `len` bytes from `offset` on, in a fresh buffer.
fn copied<B: PacketBuf>(
    packet: &B,
    offset: usize,
    len: usize,
    headers: &[u8],
    pool: &B::Pool,
) -> Option<B> {
    let mut copy = pool.alloc()?;
    let (front, payload) = copy.append(headers.len() + len)?.split_at_mut(headers.len());
    front.copy_from_slice(headers);
    packet.read(offset, payload);
    Some(copy)
}

/// Sum of `len` bytes from `offset` on as one 16-bit word, its first byte the high one.
fn folded_sum<B: PacketBuf>(packet: &B, mut offset: usize, mut len: usize) -> u16 {
    let mut sum = Sum::new();
    for piece in packet.pieces() {
        let bytes = piece.get(offset..).unwrap_or_default();
        offset = offset.saturating_sub(piece.len());
        let bytes = bytes.get(..len).unwrap_or(bytes);
        len -= bytes.len();
        sum = sum.bytes(bytes);
        if len == 0 {
            break;
        }
    }
    !sum.checksum()
}
