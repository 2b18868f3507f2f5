//! Why a super-packet left the table. Every one that leaves is counted under exactly one name.

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a super-packet left the table.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum FlushReason { $($(#[$doc])* $variant,)* }

        impl FlushReason {
            /// All reasons, in declaration order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in counters and `gateway show gro`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    // ── the train is complete ──
    /// A shorter datagram was added: it is the tail.
    Tail = "tail",
    /// `max_segments` reached.
    MaxSegments = "max_segments",
    /// Another datagram of this size would reach 64 KiB.
    MaxBytes = "max_bytes",
    /// The rx burst ended and `max_hold` is zero.
    EndOfBurst = "end_of_burst",
    /// Held for `max_hold`.
    Expired = "expired",
    // ── a datagram of the flow cannot join ──
    /// Its payload is longer than the train's.
    Longer = "longer",
    /// TTL or hop limit differs.
    HopLimit = "hop_limit",
    /// TOS or traffic class differs, ECN included.
    TrafficClass = "traffic_class",
    /// IPv4 flags differ.
    DontFragment = "dont_fragment",
    /// The IPv4 identification neither stays nor counts up as before.
    Identification = "identification",
    /// IPv6 flow label differs.
    FlowLabel = "flow_label",
    /// IPv6 extension headers differ.
    ExtensionHeaders = "extension_headers",
    /// VLAN priority or drop eligibility differs.
    Priority = "priority",
    /// Padded, empty, zero or bad checksum, IPv4 options: it goes alone.
    LoneDatagram = "lone_datagram",
    /// A fragment between the same addresses.
    Fragment = "fragment",
    // ── the gateway needs it to leave ──
    /// Its place in the table was needed.
    Evicted = "evicted",
    /// A forwarding table is about to change.
    TablesChanged = "tables_changed",
    /// Coalescing is skipped for a while on this port.
    OptOut = "opt_out",
    /// The worker ends.
    Shutdown = "shutdown",
    // ── never held ──
    /// A datagram that may not be coalesced.
    PassedLone = "passed_lone",
    /// A fragment.
    PassedFragment = "passed_fragment",
    /// Not UDP.
    PassedForeign = "passed_foreign",
    /// Coalescing is being skipped on its port.
    PassedOptOut = "passed_opt_out",
}

impl FlushReason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The index into tables of reasons.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether the packet went through without being held.
    pub const fn is_pass(self) -> bool {
        matches!(
            self,
            Self::PassedLone | Self::PassedFragment | Self::PassedForeign | Self::PassedOptOut
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case() {
        let mut names: Vec<_> = FlushReason::ALL.iter().map(|r| r.name()).collect();
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FlushReason::COUNT);
    }
}
