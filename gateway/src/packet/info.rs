use super::{DropReason, PortId};

/// What ingress found out about one frame. All offsets are bytes from the start of the frame, and
/// every offset lies inside the head piece: later rooms view headers in place without checking.
///
/// For a super-packet it is the first segment's; all segments have equal offsets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameInfo {
    /// Where the frame came in.
    pub port: PortId,
    /// Bytes in the frame, padding included.
    pub frame_len: u32,
    /// Ethernet header and VLAN tags: 14, 18 or 22.
    pub l2_len: u8,
    /// VLAN tags: 0, 1 or 2. A third tag is payload of unknown type.
    pub tags: u8,
    /// VLAN id of the outer tag, 0 without a tag (learning is per VLAN).
    pub vlan: u16,
    /// The type behind the tags, host order.
    pub ethertype: u16,
    /// What is behind the Ethernet header.
    pub network: Network,
    /// Offset of the transport header: behind the IPv4 options or IPv6 extension headers. Equal to
    /// `l2_len` without an IP header whose lengths are right (`network` is IPv4, IPv6, or broken by
    /// its checksum alone), and so are `ip_len` and `protocol` 0.
    pub l4_offset: u16,
    /// Bytes of the IP packet, its header included, Ethernet padding excluded. 0 if not IP.
    pub ip_len: u32,
    /// The transport protocol behind all extension headers (IANA number), or the extension header
    /// that could not be passed. 0 if not IP.
    pub protocol: u8,
    /// How GRO treats it.
    pub coalesce: Coalesce,
}

impl FrameInfo {
    /// Bytes behind the IP packet: Ethernet padding or a trailer. 0 if not IP.
    #[inline]
    pub fn trailing(&self) -> u32 {
        if self.ip_len == 0 { 0 } else { self.frame_len - u32::from(self.l2_len) - self.ip_len }
    }

    /// Bytes behind the Ethernet header and tags, padding included.
    #[inline]
    pub fn link_payload(&self) -> u32 {
        self.frame_len.saturating_sub(self.l2_len.into())
    }

    /// Of another segment of the super-packet whose first segment this is. Datagrams of a
    /// super-packet have no trailing bytes.
    #[must_use]
    pub fn of_segment(&self, frame_len: u32) -> Self {
        Self { frame_len, ip_len: frame_len.saturating_sub(self.l2_len.into()), ..*self }
    }

    /// Bytes of UDP payload of a [`Coalesce::Candidate`].
    #[inline]
    pub fn udp_payload(&self) -> u32 {
        self.ip_len + u32::from(self.l2_len) - u32::from(self.l4_offset) - 8
    }
}

/// The network layer of a frame. Only a router asks; a bridge forwards all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// A valid IPv4 header, checksum included; options possible.
    Ipv4,
    /// A valid IPv6 header, extension headers possible.
    Ipv6,
    /// A valid ARP message for IPv4 over Ethernet (28 bytes, RFC 826).
    Arp,
    /// Another Ethernet type.
    Other,
    /// Announced as IPv4, IPv6 or ARP, but broken.
    Broken(Malformed),
}

/// What is broken in a frame that has a valid Ethernet header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// Version, header length or total length are impossible (RFC 791, RFC 8200).
    IpHeader,
    /// The IPv4 header checksum is wrong.
    IpChecksum,
    /// Not ARP for IPv4 over Ethernet, or cut short.
    Arp,
}

impl Malformed {
    /// The drop reason on a routed port.
    pub const fn drop_reason(self) -> DropReason {
        match self {
            Self::IpHeader => DropReason::BadIpHeader,
            Self::IpChecksum => DropReason::BadIpChecksum,
            Self::Arp => DropReason::BadNeighborMessage,
        }
    }
}

/// How GRO treats a frame (semantics: *Coalescing*).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coalesce {
    /// A UDP datagram that may be part of a super-packet.
    Candidate,
    /// UDP with readable addresses and ports that goes alone, and ends its flow's aggregate: IPv4
    /// options or reserved bit, bad header checksum, IPv6 extension headers other than hop-by-hop
    /// options, routing and destination options, bad or zero UDP checksum, a UDP length that does
    /// not match, an empty datagram, Ethernet padding. The UDP header is at `l4_offset`.
    Alone,
    /// A fragment of UDP, or what may be UDP, but its ports cannot be read: ends every aggregate of
    /// its source and destination. Those are at their place behind `l2_len`; `ethertype` tells the
    /// version, for `network` may be broken.
    Fragment,
    /// Not UDP, or nothing that can be told: no aggregate is in its way.
    Foreign,
}
