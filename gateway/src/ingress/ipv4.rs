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
    let valid = Sum::new().bytes(frame.bytes(l2_len, l4_offset)?).is_valid();
    let network = if valid { Network::Ipv4 } else { Network::Broken(Malformed::IpChecksum) };
    // Only a first fragment has a transport header.
    if header.fragment_offset() == 0 {
        require_transport(frame, header.protocol, l4_offset, end)?;
    }
    let coalesce = match (header.protocol, header.is_fragment()) {
        (protocol::UDP, false) => {
            // The reserved bit is nothing that a flow has in common: it goes alone.
            let usual = (header_len == Ipv4::LEN)
                & valid
                & (end == frame.len())
                & (header.flags_offset.get() & Ipv4::RESERVED == 0);
            udp::coalesce(frame, l4_offset, end, usual, checksum)?
        }
        (protocol::UDP, true) => Coalesce::Fragment,
        _ => Coalesce::Foreign,
    };
    Ok(Layers { network, l4_offset, ip_len, protocol: header.protocol, coalesce })
}
