use super::layers::{Layers, require_transport};
use super::{Frame, ParseError, udp};
use crate::packet::{Coalesce, Malformed, Network, RxChecksum};
use crate::wire::checksum::Sum;
use crate::wire::{Ipv4, protocol};

/// The IPv4 packet behind `l2_len` bytes (RFC 791 3.1, checks as in RFC 1812 5.2.2).
pub(super) fn read(
    frame: Frame<'_>,
    l2_len: usize,
    checksum: RxChecksum,
) -> Result<Layers, ParseError> {
    let Some(header) = frame.header::<Ipv4>(l2_len)? else {
        return Ok(Layers::broken(l2_len, false));
    };
    let (header_len, ip_len) = (header.header_len(), usize::from(header.total_len.get()));
    let (l4_offset, end) = (l2_len + header_len, l2_len + ip_len);
    if header.version() != 4 || header_len < Ipv4::LEN || ip_len < header_len || end > frame.len() {
        return Ok(Layers::broken(l2_len, header.protocol == protocol::UDP));
    }
    let valid = if header_len == Ipv4::LEN {
        header.checksum_is_valid()
    } else {
        Sum::new().bytes(frame.bytes(l2_len, l4_offset)?).is_valid()
    };
    let coalesce = if header.protocol == protocol::UDP && !header.is_fragment() {
        // The reserved bit is nothing that a flow has in common: it goes alone.
        let usual = (header_len == Ipv4::LEN)
            & valid
            & (end == frame.len())
            & (header.flags_offset.get() & Ipv4::RESERVED == 0);
        udp::coalesce(frame, l4_offset, end, usual, checksum)?
    } else {
        not_whole_udp(frame, header, l4_offset, end)?
    };
    let network = if valid { Network::Ipv4 } else { Network::Broken(Malformed::IpChecksum) };
    Ok(Layers { network, l4_offset, ip_len, protocol: header.protocol, coalesce })
}

/// A fragment, or another protocol. Only a first fragment has a transport header.
#[inline(never)]
fn not_whole_udp(
    frame: Frame<'_>,
    header: &Ipv4,
    l4_offset: usize,
    end: usize,
) -> Result<Coalesce, ParseError> {
    if header.fragment_offset() == 0 {
        require_transport(frame, header.protocol, l4_offset, end)?;
    }
    Ok(if header.protocol == protocol::UDP { Coalesce::Fragment } else { Coalesce::Foreign })
}
