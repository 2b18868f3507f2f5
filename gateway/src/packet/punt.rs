/// Why a datagram goes to the host's kernel. Each class has a rate limit of its own, so that a flood
/// of one does not silence another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PuntClass {
    /// ARP and neighbour discovery.
    Neighbor,
    /// IGMP, MLD, PIM.
    Membership,
    /// What keeps routing alive: BGP, OSPF, BFD, VRRP and whatever is sent to link-local groups.
    Routing,
    /// Everything else for an address or a group of the host.
    Local,
    /// The kernel knows, or finds out, what the tables do not: a next hop's link address, a
    /// multicast route, what to tell the sender.
    Unresolved,
}

impl PuntClass {
    /// Number of classes.
    pub const COUNT: usize = 5;
    /// Every class, by index.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Neighbor, Self::Membership, Self::Routing, Self::Local, Self::Unresolved];

    /// Where per-class values are kept.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neighbor => "neighbor",
            Self::Membership => "membership",
            Self::Routing => "routing",
            Self::Local => "local",
            Self::Unresolved => "unresolved",
        }
    }

    /// Whether it goes ahead of bulk traffic where the two share a way.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Neighbor | Self::Membership | Self::Routing)
    }
}
