//! The configuration: a file parsed once into values that are valid by construction.
//!
//! *Invariant:* whoever holds a [`Config`] need not check it: ports exist, networks do not
//! overlap, limits are in range.
//!
//! ```text
//! text ─ toml ─► tables with places ─ raw ─► typed values ─ check ─► Config ─ write ─► text
//! ```

mod address;
mod check;
mod defaults;
mod device;
mod diff;
mod filter;
mod load;
mod parse;
mod problem;
mod raw;
mod reader;
mod shadow;
mod suggest;
mod write;

use core::net::IpAddr;
use core::time::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use serde::Serialize;

use crate::packet::{MacAddr, PortId, PortMask};

pub use address::is_link_group;
pub use device::Device;
pub use diff::Change;
pub use filter::{Action, Cast, FILTERS_MAX, Filter, Match, Place, Protocol};
pub use load::load;
pub use parse::parse;
pub use problem::{ConfigErrors, Problem};

/// A valid configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Lcores and memory.
    pub runtime: Runtime,
    /// Coalescing.
    pub gro: Gro,
    /// Ports; a [`PortId`] is an index into this list.
    pub ports: Vec<Port>,
    /// Bridges.
    pub bridges: Vec<Bridge>,
    /// Static group membership.
    pub groups: Vec<Group>,
    /// Listeners that get copies of their own.
    pub listeners: Vec<Listener>,
    /// Static unicast routes.
    pub routes: Vec<Route>,
    /// Static neighbours.
    pub neighbors: Vec<Neighbor>,
    /// Static multicast routes.
    pub multicast: Vec<MulticastRoute>,
    /// Filters, in the order in which they are asked.
    pub filters: Vec<Filter>,
    /// Not in the file: what the kernel routes. Shared, for it may be hundreds of thousands.
    pub kernel_routes: Arc<KernelRoutes>,
    /// Not in the file: what the kernel's snooping knows.
    pub snooped: Vec<Snooped>,
    /// Where the control side listens.
    pub control: Control,
}

/// `[runtime]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Runtime {
    /// One worker per lcore (never empty, no duplicates). Default: `[0]`.
    pub lcores: Vec<usize>,
    /// Hugepages; `false` for development and tests. Default: true.
    pub hugepages: bool,
    /// Memory for DPDK in MiB. Default: 1024.
    pub memory_mb: u32,
    /// Passed to `rte_eal_init` as they are.
    pub eal_args: Vec<String>,
    /// Frames per rx burst, 1..=256. Default: 64.
    pub burst: u16,
    /// Buffers in the packet pool, 512..=4194304. Default: 16384.
    pub pool_buffers: u32,
    /// Bytes of frame that fit one buffer, 1600..=16384. Default: 2048.
    pub buffer_bytes: u16,
    /// Descriptors per rx and tx ring, a power of two, 64..=4096. Default: 1024.
    pub ring_descriptors: u16,
    /// Frames a worker may keep for a busy egress port, 64..=65536. Default: 1024.
    pub tx_buffer: u32,
    /// Frames on their way from one worker to another, per pair, 64..=65536. Default: 4096.
    pub handoff: u32,
    /// Addresses a bridge can learn, 64..=1048576. Default: 16384.
    pub fdb_entries: u32,
    /// Microseconds a worker sleeps after 64 polls without a frame; 0 never (poll mode). Default: 0.
    pub idle_sleep_us: u32,
    /// A replica that must be rewritten is a whole copy up to this many bytes of frame, and a
    /// private header in front of shared payload beyond, 0..=16384. Default: 2048.
    pub copy_up_to: u16,
}

/// `[gro]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gro {
    /// Form of super-packets. Default: list.
    pub mode: GroMode,
    /// Datagrams per super-packet, 1..=128. Default: 64.
    pub max_segments: u16,
    /// How long a datagram may be held; zero: never longer than one rx burst. At most 10 ms.
    #[serde(rename = "max_hold_us", serialize_with = "write::micros")]
    pub max_hold: Duration,
    /// Flows that can be held at once, per worker, 64..=65536. Default: 1024.
    pub flows: u32,
    /// Whether a queue whose flows never coalesce skips coalescing for a while. Default: true.
    pub adaptive: bool,
}

impl Gro {
    /// For what `port` receives.
    pub fn of_port(&self, port: &Port) -> Self {
        Self { mode: port.gro.unwrap_or(self.mode), ..*self }
    }
}

/// Form of super-packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GroMode {
    /// No coalescing.
    Off,
    /// Every datagram keeps its own buffer and headers.
    List,
    /// One header, a chain of payload pieces.
    Merge,
}

/// `[[port]]`
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Unique name.
    pub name: String,
    /// PCI address or DPDK virtual device string.
    pub device: String,
    /// Overrides the device's address.
    pub mac: Option<MacAddr>,
    /// IP MTU in bytes, 68..=9600. Default: 1500.
    pub mtu: u16,
    /// Addresses of a routed port; a port without any and in no bridge is routed too.
    pub addresses: Vec<IpNet>,
    /// Overrides `[gro] mode` for what this port receives.
    pub gro: Option<GroMode>,
    /// TAP shadow in the kernel.
    pub host: bool,
    /// Not in the file: the host's end of a port or bridge.
    pub shadow: Option<Shadow>,
}

/// What a shadow is the host's end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shadow {
    /// A routed port with `host = true`, or a port of a bridge that the kernel snoops.
    Port(PortId),
    /// The bridge with this index.
    Bridge(usize),
}

/// `[[bridge]]`
#[derive(Clone, Debug, PartialEq)]
pub struct Bridge {
    /// Unique name.
    pub name: String,
    /// Member ports; each is in one bridge only.
    pub ports: Vec<PortId>,
    /// Multicast to members only. Default: true.
    pub snooping: bool,
    /// How long a learned address lives without traffic, 1 s..=1000000 s. Default: 300 s.
    pub ageing: Duration,
    /// The host is a member.
    pub host: bool,
    /// The kernel's snooping asks for members itself. Default: false.
    pub querier: bool,
    /// Ports on which one leave is believed at once.
    pub fast_leave: Vec<PortId>,
    /// Groups the kernel's snooping learns before it gives up; 0: as many as its bridge is set to.
    pub max_groups: u32,
    /// Groups it believes one port; 0: any number.
    pub max_groups_per_port: u32,
}

/// What the kernel's snooping knows of one bridge. The host stands among the ports as
/// [`Config::host_of`] says.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Snooped {
    /// Index into [`Config::bridges`].
    pub bridge: usize,
    /// Of IPv4 and IPv6.
    pub families: [SnoopedFamily; 2],
    /// Members.
    pub groups: Vec<SnoopedGroup>,
}

/// One family of a bridge that the kernel snoops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SnoopedFamily {
    /// Somebody asks, so that whoever listens has said so.
    pub has_querier: bool,
    /// Where routers are.
    pub routers: PortMask,
}

/// The members of a group, or of one of its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnoopedGroup {
    /// A multicast address.
    pub group: IpAddr,
    /// `None`: any source that has no entry of its own.
    pub source: Option<IpAddr>,
    /// Where members are.
    pub ports: PortMask,
}

/// `[[group]]`: static membership in a bridge.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Index into [`Config::bridges`].
    pub bridge: usize,
    /// A multicast address.
    pub group: IpAddr,
    /// Members, all in the bridge.
    pub ports: Vec<PortId>,
}

/// `[[listener]]`: a station that gets a group's datagrams in frames to its own address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Index into [`Config::bridges`].
    pub bridge: usize,
    /// A multicast address.
    pub group: IpAddr,
    /// Where it is; in the bridge, and no port of a [`Group`] of the same address.
    pub port: PortId,
    /// Its link address.
    pub mac: MacAddr,
}

/// `[[route]]`; several with one prefix are equal-cost paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Destination network, host bits zero.
    pub prefix: IpNet,
    /// Next hop, inside a network of `port`.
    pub via: IpAddr,
    /// The port whose network has `via`.
    pub port: PortId,
}

/// Routes of the kernel; one of the file, or a port's own network, with the same prefix counts more.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KernelRoutes {
    /// Over next hops; several with one prefix are equal-cost paths.
    pub routed: Vec<Route>,
    /// Networks reached without a next hop.
    pub on_link: Vec<(IpNet, PortId)>,
    /// Destinations that the kernel has to settle itself.
    pub own: Vec<IpNet>,
}

/// `[[neighbor]]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// Network address.
    pub address: IpAddr,
    /// Link address.
    pub mac: MacAddr,
    /// Where it is.
    pub port: PortId,
}

/// `[[multicast]]`
#[derive(Clone, Debug, PartialEq)]
pub struct MulticastRoute {
    /// A multicast address.
    pub group: IpAddr,
    /// A unicast address of the same family; `None` for any source.
    pub source: Option<IpAddr>,
    /// The only ingress accepted.
    pub from: PortId,
    /// Egress ports, without `from`.
    pub to: Vec<PortId>,
    /// Not in the file: the kernel has this route too.
    pub kernel: Option<KernelEntry>,
}

/// What the kernel's multicast forwarding cache says of a route beside its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelEntry {
    /// Ports that take only what has more hops left than this, where that is more than one.
    pub thresholds: Vec<(PortId, u8)>,
    /// The host's end of the ingress port: there the kernel hears of traffic.
    pub shadow: PortId,
}

/// `[control]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Control {
    /// Control socket. Default: /run/gateway/gateway.sock
    pub socket: PathBuf,
    /// Metrics, health and status page; off when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<SocketAddr>,
}
