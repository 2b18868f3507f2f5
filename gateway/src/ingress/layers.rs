use super::{Frame, ParseError};
use crate::packet::{Coalesce, Malformed, Network};
use crate::wire::protocol;

/// Bytes of the longest transport header asked for, see [`transport_len`].
pub(super) const MAX_TRANSPORT_LEN: usize = 128;

/// What is behind the Ethernet header; the fields are those of `FrameInfo`.
#[derive(Clone, Copy)]
pub(super) struct Layers {
    pub(super) network: Network,
    pub(super) l4_offset: usize,
    pub(super) ip_len: usize,
    pub(super) protocol: u8,
    pub(super) coalesce: Coalesce,
}

impl Layers {
    /// No IP, or none that can be told.
    #[inline]
    pub(super) fn foreign(network: Network, l2_len: usize) -> Self {
        Self { network, l4_offset: l2_len, ip_len: 0, protocol: 0, coalesce: Coalesce::Foreign }
    }

    /// An IP header with impossible version or lengths. Its addresses are where they always are,
    /// so what may be UDP keeps its place among all UDP between them.
    #[cold]
    pub(super) fn broken(l2_len: usize, may_be_udp: bool) -> Self {
        let coalesce = if may_be_udp { Coalesce::Fragment } else { Coalesce::Foreign };
        Self { coalesce, ..Self::foreign(Network::Broken(Malformed::IpHeader), l2_len) }
    }
}

/// Makes sure that the transport header at `offset` is in the head piece, as far as the IP packet,
/// which ends at `end`, has one.
pub(super) fn require_transport(
    frame: Frame<'_>,
    protocol: u8,
    offset: usize,
    end: usize,
) -> Result<(), ParseError> {
    frame.bytes(offset, end.min(offset + transport_len(protocol))).map(|_| ())
}

/// Bytes later rooms may view in place at the transport header of a protocol.
const fn transport_len(protocol: u8) -> usize {
    match protocol {
        protocol::UDP | protocol::ICMPV4 | protocol::IGMP => 8,
        protocol::TCP => 20,
        // A neighbor solicitation with every option in use.
        protocol::ICMPV6 => MAX_TRANSPORT_LEN,
        _ => 0,
    }
}
