use super::{DropReason, MacAddr, PortId, PortMask, PuntClass};

/// What becomes of a super-packet: one decision for all its segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Nothing leaves; counted once per datagram.
    Drop(DropReason),
    /// Leaves verbatim by these ports (never empty).
    Bridge {
        /// Egress ports; the ingress port is not among them.
        ports: PortMask,
    },
    /// Leaves verbatim by these ports, and for each listener of a group as a copy to its own address.
    BridgeToListeners {
        /// Egress ports (never empty); those with a listener get copies and not the frame.
        ports: PortMask,
        /// Who listens.
        listeners: ListenerSet,
    },
    /// Leaves verbatim by these ports (perhaps none), and goes to the host's kernel as well: what the
    /// kernel's snooping learns from.
    BridgeAndPunt {
        /// Egress ports; the ingress port is not among them.
        ports: PortMask,
        /// The ingress port's shadow.
        shadow: PortId,
        /// Why the kernel is told.
        class: PuntClass,
    },
    /// Routed to one next hop: addresses rewritten, TTL or hop limit decremented.
    Route(NextHop),
    /// Routed to several ports: TTL or hop limit decremented, the source MAC is that of each egress
    /// port, the destination MAC stays the group's.
    Multicast {
        /// Egress ports (never empty).
        ports: PortMask,
    },
    /// As `Multicast`, by a route that the kernel has too: it may be to hear of the datagram, and
    /// ports may be beyond its reach.
    MulticastWatched {
        /// Egress ports within reach; may be empty.
        ports: PortMask,
        /// The route.
        watch: WatchId,
    },
    /// For the host's kernel: verbatim to the ingress port's shadow, as many as its class may have.
    Punt {
        /// The shadow.
        shadow: PortId,
        /// Why the kernel is asked.
        class: PuntClass,
    },
    /// Consumed; a frame of the gateway's own goes back by the ingress port.
    Answer(Answer),
    /// Consumed without an answer: a neighbour's message about others. Counted as local.
    Consume,
}

/// Who listens to one group in one bridge, by the tables that decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListenerSet(pub u16);

/// A multicast route that the kernel has too, by the tables that decided and of one address family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchId(pub u32);

/// A station that gets its own copies of a group's datagrams, sent to its own address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Where it is.
    pub port: PortId,
    /// Its address.
    pub mac: MacAddr,
}

impl Listener {
    /// Whether it gets what `sender` sent from behind `ingress`: nothing goes back to either.
    pub fn gets(&self, ingress: PortId, sender: MacAddr) -> bool {
        self.port != ingress && self.mac != sender
    }
}

/// Where a routed datagram leaves, and with which addresses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NextHop {
    /// Egress port.
    pub port: PortId,
    /// The neighbour's address.
    pub dst_mac: MacAddr,
    /// The egress port's address.
    pub src_mac: MacAddr,
}

/// What the gateway itself replies to a frame. The frame that caused a reply is counted as local,
/// the one that caused an ICMP error as dropped for its reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// RFC 826: a request for one of the ingress port's addresses.
    ArpReply,
    /// RFC 4861 7.2.4: a solicitation for one of the ingress port's addresses.
    NeighborAdvertisement,
    /// RFC 792 type 11 / RFC 4443 3.3: TTL or hop limit ran out.
    TimeExceeded,
}

impl Answer {
    /// Why the frame itself goes no further; `None` if the gateway was its destination.
    pub const fn drop_reason(self) -> Option<DropReason> {
        match self {
            Self::ArpReply | Self::NeighborAdvertisement => None,
            Self::TimeExceeded => Some(DropReason::TtlExpired),
        }
    }
}
