use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Ethernet, Ipv4, Ipv6, Udp, ethertype};

/// The headers of a datagram without tags, options or extension headers: one length check for all of
/// them.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Plain<Ip: PlainIp> {
    /// The link header.
    pub ethernet: Ethernet,
    /// The network header.
    pub ip: Ip,
    /// The transport header.
    pub udp: Udp,
}

/// What the IP headers of both versions have in common.
pub trait PlainIp: FromBytes + IntoBytes + Immutable + KnownLayout + Unaligned {
    /// The Ethernet type that announces it.
    const ETHERTYPE: u16;

    /// Bytes of header and payload, as it claims.
    fn packet_len(&self) -> usize;
    /// One hop less, of more than one.
    fn hop(&mut self);
}

impl PlainIp for Ipv4 {
    const ETHERTYPE: u16 = ethertype::IPV4;

    #[inline]
    fn packet_len(&self) -> usize {
        usize::from(self.total_len.get())
    }

    #[inline]
    fn hop(&mut self) {
        self.decrement_ttl();
    }
}

impl PlainIp for Ipv6 {
    const ETHERTYPE: u16 = ethertype::IPV6;

    #[inline]
    fn packet_len(&self) -> usize {
        Self::LEN + usize::from(self.payload_len.get())
    }

    #[inline]
    fn hop(&mut self) {
        self.hop_limit = self.hop_limit.wrapping_sub(1);
    }
}
