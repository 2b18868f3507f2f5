use super::{Frame, ParseError};
use crate::packet::{Coalesce, FrameInfo, RxChecksum};
use crate::wire::checksum::{Sum, pseudo_v4, pseudo_v6};
use crate::wire::{Ipv4, Ipv6, Udp, ethertype, protocol, view};

/// How GRO treats the UDP datagram at `offset` of an IP packet that ends at `end`; `usual` if
/// nothing before it keeps it alone.
///
/// A zero checksum goes alone, so no aggregate can mix it with others. A checksum the port did not
/// verify is trusted here: in list form nobody rewrites it, merge form asks
/// [`udp_checksum_is_valid`].
#[inline]
pub(super) fn coalesce(
    frame: Frame<'_>,
    offset: usize,
    end: usize,
    usual: bool,
    checksum: RxChecksum,
) -> Result<Coalesce, ParseError> {
    let len = end - offset;
    if len < Udp::LEN {
        return Ok(Coalesce::Fragment);
    }
    let Some(udp) = frame.header::<Udp>(offset)? else { return Ok(Coalesce::Fragment) };
    let whole = usual
        & (len > Udp::LEN)
        & (usize::from(udp.len.get()) == len)
        & (udp.checksum != 0)
        & (checksum != RxChecksum::Bad);
    Ok(if whole { Coalesce::Candidate } else { Coalesce::Alone })
}

/// Whether the UDP checksum of a [`Coalesce::Candidate`] is right. `pieces` are those of the frame.
///
/// `false` too for what cannot be told: no checksum (0), or an IPv6 routing header that hides the
/// final destination (RFC 8200 8.1).
pub fn udp_checksum_is_valid<'a>(
    info: &FrameInfo,
    mut pieces: impl Iterator<Item = &'a [u8]>,
) -> bool {
    let (l2_len, mut skip) = (usize::from(info.l2_len), usize::from(info.l4_offset));
    let Some(mut left) = (l2_len + info.ip_len as usize).checked_sub(skip) else { return false };
    let Some(head) = pieces.next() else { return false };
    let Some(mut sum) = pseudo_header(info, head, left) else { return false };
    let has_checksum = view::<Udp>(head, skip).is_some_and(|udp| udp.checksum != 0);
    for piece in core::iter::once(head).chain(pieces) {
        let bytes = piece.get(skip..).unwrap_or(&[]);
        skip = skip.saturating_sub(piece.len());
        let bytes = bytes.get(..left).unwrap_or(bytes);
        sum = sum.bytes(bytes);
        left -= bytes.len();
    }
    has_checksum && left == 0 && sum.is_valid()
}

fn pseudo_header(info: &FrameInfo, head: &[u8], len: usize) -> Option<Sum> {
    let offset = usize::from(info.l2_len);
    match info.ethertype {
        ethertype::IPV4 => {
            let ip: &Ipv4 = view(head, offset)?;
            Some(pseudo_v4(ip.src, ip.dst, protocol::UDP, u16::try_from(len).ok()?))
        }
        ethertype::IPV6 => {
            let ip: &Ipv6 = view(head, offset)?;
            Some(pseudo_v6(ip.src, ip.dst, protocol::UDP, u32::try_from(len).ok()?))
        }
        _ => None,
    }
}
