//! One point of the ladder: what arrives, what becomes of it, and how the gateway is set.

use clap::{Args, ValueEnum};
use serde::Serialize;

/// A point of the ladder. As arguments of a program, and as they are written into results.
#[derive(Args, Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// What becomes of the frames
    #[arg(long, value_enum, default_value = "route")]
    pub path: Journey,
    /// Datagrams of one flow in a row
    #[arg(long, default_value_t = 1)]
    pub train: usize,
    /// Instead of equal trains: QUIC bulk with short tails, RTP, DNS and IPTV together
    #[arg(long)]
    pub mix: bool,
    /// Bytes of UDP payload
    #[arg(long, default_value_t = 22)]
    pub payload: usize,
    /// IPv6 instead of IPv4
    #[arg(long)]
    pub v6: bool,
    /// A VLAN tag in every frame (bridged only)
    #[arg(long)]
    pub vlan: bool,
    /// Flows that take turns, train by train
    #[arg(long, default_value_t = 512)]
    pub flows: usize,
    /// Different frames; replayed without end
    #[arg(long, default_value_t = 512)]
    pub frames: usize,
    /// Egress ports of a replicated frame
    #[arg(long, default_value_t = 1)]
    pub copies: usize,
    /// Routes in the table; the flows go to all of them in turn
    #[arg(long, default_value_t = 1)]
    pub routes: usize,
    /// Multicast groups with a route each; the flows go to all of them in turn
    #[arg(long, default_value_t = 1)]
    pub groups: usize,
    /// Filter rules that are asked and do not match
    #[arg(long, default_value_t = 0)]
    pub filters: usize,
    /// Form of super-packets
    #[arg(long, value_enum, default_value = "list")]
    pub gro: Form,
    /// Whether a port whose flows never coalesce gives up coalescing for a while
    #[arg(long)]
    pub adaptive: bool,
    /// Bytes of frame up to which a rewritten replica is a whole copy
    #[arg(long, default_value_t = 2048)]
    pub copy_up_to: u16,
}

/// What becomes of the frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Journey {
    /// Unicast, routed to one next hop
    Route,
    /// Multicast, routed to `copies` ports
    Multicast,
    /// An unknown group in a bridge of `copies` other ports
    Flood,
    /// Unicast in a bridge, to a station that was learned
    Station,
}

/// Forms of super-packets, `[gro] mode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// No coalescing
    Off,
    /// Buffers side by side
    List,
    /// One chain under one header
    Merge,
}

impl Case {
    /// IPv4, routed, 64-byte frames, one by one, list form, default settings otherwise.
    pub fn new(path: Journey) -> Self {
        Self {
            path,
            train: 1,
            mix: false,
            payload: 22,
            v6: false,
            vlan: false,
            flows: 512,
            frames: 512,
            copies: 1,
            routes: 1,
            groups: 1,
            filters: 0,
            gro: Form::List,
            adaptive: true,
            copy_up_to: 2048,
        }
    }

    /// Ports that frames leave by.
    pub fn egress_ports(&self) -> usize {
        if self.is_replicated() { self.copies } else { 1 }
    }

    /// How datagrams are coalesced, in words; adaptive, where anything is, is the default.
    pub fn form(&self) -> String {
        let gathers_all = self.gro != Form::Off && !self.adaptive;
        format!("{}{}", self.gro.name(), if gathers_all { ", not adaptive" } else { "" })
    }

    /// Whether a frame leaves by `copies` ports.
    pub fn is_replicated(&self) -> bool {
        matches!(self.path, Journey::Multicast | Journey::Flood)
    }
}

impl Form {
    /// As in the gateway's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::List => "list",
            Self::Merge => "merge",
        }
    }
}
