use ipnet::IpNet;

use crate::packet::{MacAddr, PortId};
use crate::wire::protocol;

/// The most `[[filter]]` there may be: what their counters are sized for.
pub const FILTERS_MAX: usize = 1024;

/// `[[filter]]`: the first whose keys all match decides; without one, a datagram is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Where it looks.
    pub at: Place,
    /// What it looks for.
    pub matches: Match,
    /// What becomes of what matches.
    pub action: Action,
    /// Datagrams per second that may pass; what is beyond is dropped.
    pub rate_pps: Option<u64>,
    /// Bits of frame (without FCS) per second that may pass; what is beyond is dropped.
    pub rate_bps: Option<u64>,
}

/// Where a filter looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At everything received, before anything is decided or learned.
    Ingress,
    /// At what is bridged or routed, once per datagram.
    Forward,
    /// At what is bridged or routed, once per egress port.
    Egress,
    /// At what is for the gateway itself.
    Local,
}

/// What a filter looks for; `None` is anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The port it came from; at egress the port it leaves by.
    pub port: Option<PortId>,
    /// Whom its link address reaches.
    pub cast: Option<Cast>,
    /// Protocol behind all extension headers.
    pub proto: Option<Protocol>,
    /// Source network.
    pub src: Option<IpNet>,
    /// Destination network.
    pub dst: Option<IpNet>,
    /// First and last source port of UDP or TCP.
    pub src_port: Option<(u16, u16)>,
    /// First and last destination port of UDP or TCP.
    pub dst_port: Option<(u16, u16)>,
}

/// Whom a frame is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// One station.
    Unicast,
    /// A group that is not everybody.
    Multicast,
    /// Everybody.
    Broadcast,
}

impl Cast {
    /// Of a frame to this address.
    pub fn of(dst: MacAddr) -> Self {
        match dst {
            MacAddr::BROADCAST => Self::Broadcast,
            dst if dst.is_group() => Self::Multicast,
            _ => Self::Unicast,
        }
    }

    /// In the file and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
        }
    }
}

/// Protocols that have a name in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// ICMP of IPv4.
    Icmp,
    /// ICMPv6.
    Icmpv6,
    /// IGMP.
    Igmp,
}

/// What becomes of what a filter matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Accept,
    /// It goes no further.
    Drop,
    /// It goes on, and a copy of it as it was received leaves by this port.
    Mirror(PortId),
}

impl Place {
    /// In the file and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Forward => "forward",
            Self::Egress => "egress",
            Self::Local => "local",
        }
    }
}

impl Protocol {
    /// In the file and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Icmp => "icmp",
            Self::Icmpv6 => "icmpv6",
            Self::Igmp => "igmp",
        }
    }

    /// IANA's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Udp => protocol::UDP,
            Self::Tcp => protocol::TCP,
            Self::Icmp => protocol::ICMPV4,
            Self::Icmpv6 => protocol::ICMPV6,
            Self::Igmp => protocol::IGMP,
        }
    }

    /// Whether it has ports.
    pub const fn has_ports(self) -> bool {
        matches!(self, Self::Udp | Self::Tcp)
    }
}

impl Action {
    /// In the file and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Drop => "drop",
            Self::Mirror(_) => "mirror",
        }
    }
}
