//! Why a datagram did not leave. Every drop has one of these names and is counted; a name that no
//! test provokes is a failing test.

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a datagram (or one replica of it) did not leave.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum DropReason { $($(#[$doc])* $variant,)* }

        impl DropReason {
            /// All reasons, in declaration order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in counters, captures and `gateway show drops`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    // ── ingress ──
    /// Shorter than an Ethernet header.
    RuntFrame = "runt_frame",
    /// Ethernet length/type or VLAN tags could not be read on a routed port.
    BadEthernet = "bad_ethernet",
    /// No buffer to make the headers contiguous, or to answer from.
    NoBuffer = "no_buffer",
    /// A merged super-packet whose segments do not make up its payload.
    BadSuperPacket = "bad_super_packet",
    // ── bridge ──
    /// 01:80:C2:00:00:0X is for this link only (IEEE 802.1D 7.12.6).
    LinkReserved = "link_reserved",
    /// The source address is a group or zero.
    BadSourceMac = "bad_source_mac",
    /// The destination is on the port the frame came from.
    SamePort = "same_port",
    /// No other port in the bridge, or none of the group's.
    NoEgress = "no_egress",
    /// An IGMP or MLD message that is malformed, in a bridge that the kernel snoops.
    BadMembership = "bad_membership",
    // ── router ──
    /// Addressed to another station.
    OtherMac = "other_mac",
    /// A tagged frame on an untagged routed port.
    Tagged = "tagged",
    /// Neither IPv4, IPv6 nor ARP.
    UnknownEthertype = "unknown_ethertype",
    /// IP version, header length or total length are impossible.
    BadIpHeader = "bad_ip_header",
    /// The IPv4 header checksum is wrong.
    BadIpChecksum = "bad_ip_checksum",
    /// A source address that may not be routed, or one of our own.
    MartianSource = "martian_source",
    /// A destination address that may not be routed.
    MartianDestination = "martian_destination",
    /// Link address is a group and network address is not, or the other way round.
    AddressKindMismatch = "address_kind_mismatch",
    /// 224.0.0.0/24, ff01::/16, ff02::/16 and link-local addresses stay on their link.
    LinkLocal = "link_local",
    /// No route to the destination.
    NoRoute = "no_route",
    /// The next hop's link address is not known.
    NoNeighbor = "no_neighbor",
    /// TTL or hop limit ran out.
    TtlExpired = "ttl_expired",
    /// Not enough hops left for one port of a multicast route.
    TtlThreshold = "ttl_threshold",
    /// No multicast route for the source and group.
    NoMulticastRoute = "no_multicast_route",
    /// A multicast route exists, but from another port.
    WrongIngress = "wrong_ingress",
    /// For the gateway's own address, and there is no host behind it.
    NoHost = "no_host",
    /// A malformed or unwanted ARP or neighbour discovery message.
    BadNeighborMessage = "bad_neighbor_message",
    // ── filters ──
    /// A `[[filter]]` drops it.
    Filtered = "filtered",
    /// Beyond the rate of a `[[filter]]`.
    RateLimited = "rate_limited",
    // ── egress ──
    /// Longer than the egress port's IP MTU, and may not be fragmented.
    TooBig = "too_big",
    /// The transmit buffer of the egress port is full.
    TxFull = "tx_full",
    /// The egress port is down.
    LinkDown = "link_down",
    /// The egress port is being restarted, as its transmit queue hung.
    PortReset = "port_reset",
    /// No buffer for this replica.
    ReplicaNoBuffer = "replica_no_buffer",
    /// The buffer between two workers is full.
    HandoffFull = "handoff_full",
    /// The host's kernel is asked too often for this kind of datagram.
    PuntLimited = "punt_limited",
    /// The host's kernel takes less than is for it.
    HostFull = "host_full",
    /// Still in a transmit buffer when the gateway ended.
    Shutdown = "shutdown",
}

impl DropReason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Those of frames that have been queued for a port.
    pub const IN_EGRESS: &[Self] = &[
        Self::TxFull,
        Self::LinkDown,
        Self::PortReset,
        Self::HandoffFull,
        Self::HostFull,
        Self::Shutdown,
    ];

    /// The index into tables of reasons.
    pub const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case() {
        let mut names: Vec<_> = DropReason::ALL.iter().map(|r| r.name()).collect();
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DropReason::COUNT);
    }
}
