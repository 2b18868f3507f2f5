use super::layers::{Layers, require_transport};
use super::{Frame, ParseError, udp};
use crate::packet::{Coalesce, Network, RxChecksum};
use crate::wire::{Ipv6, Ipv6Ext, WalkEnd, protocol, walk};

/// The IPv6 packet behind `l2_len` bytes (RFC 8200 3, 4).
pub(super) fn read(
    frame: Frame<'_>,
    l2_len: usize,
    checksum: RxChecksum,
) -> Result<Layers, ParseError> {
    let Some(header) = frame.header::<Ipv6>(l2_len)? else {
        return Ok(Layers::broken(l2_len, false));
    };
    let (payload_len, next) = (usize::from(header.payload_len.get()), header.next_header);
    let l4_offset = l2_len + Ipv6::LEN;
    let end = l4_offset + payload_len;
    // A length of 0 with hop-by-hop options announces a jumbogram (RFC 2675 3), longer than any
    // frame here.
    let jumbo = payload_len == 0 && next == protocol::HOP_BY_HOP;
    if header.version() != 6 || end > frame.len() || jumbo {
        return Ok(Layers::broken(l2_len, may_be_udp(next)));
    }
    let (protocol, l4_offset, coalesce) = if next == protocol::UDP {
        let unpadded = end == frame.len();
        (next, l4_offset, udp::coalesce(frame, l4_offset, end, unpadded, checksum)?)
    } else {
        behind_extensions(frame, next, l4_offset, end, checksum)?
    };
    let ip_len = Ipv6::LEN + payload_len;
    Ok(Layers { network: Network::Ipv6, l4_offset, ip_len, protocol, coalesce })
}

/// Protocol and offset of the transport header, or of what cannot be passed, and how GRO treats it.
fn behind_extensions(
    frame: Frame<'_>,
    next: u8,
    offset: usize,
    end: usize,
    checksum: RxChecksum,
) -> Result<(u8, usize, Coalesce), ParseError> {
    let bytes = frame.in_head(offset, end);
    let walk = walk(next, bytes);
    let (protocol, l4_offset) = (walk.protocol, offset + walk.len);
    let unknown = if may_be_udp(protocol) { Coalesce::Fragment } else { Coalesce::Foreign };
    let coalesce = match walk.end {
        WalkEnd::Transport { plain } if protocol == protocol::UDP => {
            let usual = plain & (end == frame.len());
            udp::coalesce(frame, l4_offset, end, usual, checksum)?
        }
        WalkEnd::Transport { .. } | WalkEnd::Fragment { first: true } => {
            require_transport(frame, protocol, l4_offset, end)?;
            unknown
        }
        WalkEnd::Truncated if bytes.len() < end - offset => return Err(ParseError::Split),
        WalkEnd::Truncated | WalkEnd::TooLong | WalkEnd::Fragment { first: false } => unknown,
    };
    Ok((protocol, l4_offset, coalesce))
}

/// Whether a UDP header can be here, or further on.
fn may_be_udp(protocol: u8) -> bool {
    protocol == protocol::UDP || Ipv6Ext::announced_by(protocol)
}
