//! What a running gateway tells of itself. Counts are since start unless they say "now".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A port.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PortReport {
    /// Name in the file.
    pub name: String,
    /// Device in the file.
    pub device: String,
    /// Ethernet address it sends from.
    pub mac: String,
    /// Whether the link is up, now.
    pub link: bool,
    /// Megabits per second, where the device knows.
    pub speed_mbps: Option<u32>,
    /// The bridge it is in; routed without.
    pub bridge: Option<String>,
    /// Frames received by workers.
    pub rx_packets: u64,
    /// Bytes received by workers, without FCS.
    pub rx_bytes: u64,
    /// Frames the device accepted.
    pub tx_packets: u64,
    /// Bytes the device accepted, without FCS.
    pub tx_bytes: u64,
    /// Frames the device dropped because its receive queue was full (rte_eth_stats.imissed).
    pub imissed: u64,
    /// Frames the device dropped because the pool was dry (rte_eth_stats.rx_nombuf).
    pub rx_nombuf: u64,
    /// Broken frames received (rte_eth_stats.ierrors).
    pub rx_errors: u64,
    /// Frames the device failed to send (rte_eth_stats.oerrors).
    pub tx_errors: u64,
    /// Frames dropped because the port's transmit buffer was full.
    pub tx_full: u64,
    /// Whether a transmit queue of the port takes nothing, or the port is being restarted, now.
    pub hung: bool,
    /// How often the port was restarted because of that.
    pub resets: u64,
}

impl PortReport {
    /// What to say of its link.
    pub const fn state(&self) -> &'static str {
        match (self.hung, self.link) {
            (true, _) => "hung",
            (false, true) => "up",
            (false, false) => "down",
        }
    }
}

/// A worker. The conservation law: `rx + originated + replicated + handed_in` is `tx + local +
/// dropped + handed_out + held`, and `imbalance` what is missing.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct WorkerReport {
    /// The lcore it is pinned to.
    pub lcore: usize,
    /// Calls of `poll_once`.
    pub polls: u64,
    /// Share of polls that found a frame, 0 to 1.
    pub busy_share: f64,
    /// Receive bursts by size.
    pub bursts: Vec<BurstBucket>,
    /// TSC cycles per packet in busy polls; `None` before the first packet.
    pub cycles_per_packet: Option<f64>,
    /// Times the watchdog found it not polling.
    pub stalls: u64,
    /// The longest time from one poll to the next, milliseconds.
    pub longest_round_ms: f64,
    /// Frames received.
    pub rx: u64,
    /// Frames of the gateway's own.
    pub originated: u64,
    /// Copies beyond the first.
    pub replicated: u64,
    /// Frames taken from other workers.
    pub handed_in: u64,
    /// Frames transmitted.
    pub tx: u64,
    /// Datagrams consumed by the gateway.
    pub local: u64,
    /// Drops of all reasons.
    pub dropped: u64,
    /// Frames given to other workers.
    pub handed_out: u64,
    /// Datagrams held now.
    pub held: u64,
    /// Zero while the law holds.
    pub imbalance: i64,
}

/// Receive bursts of about one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BurstBucket {
    /// The largest size counted here, frames; `None`: no limit. Ascending.
    pub up_to: Option<u64>,
    /// How many bursts.
    pub bursts: u64,
}

/// Coalescing of what one port receives, over all workers.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct GroReport {
    /// The port.
    pub port: String,
    /// "off", "list" or "merge".
    pub mode: String,
    /// Datagrams offered.
    pub datagrams: u64,
    /// Super-packets handed on, those of one included.
    pub super_packets: u64,
    /// Datagrams that left in a super-packet of two or more, and were split from it again.
    pub segments: u64,
    /// Datagrams per super-packet, over those that could be coalesced.
    pub mean_train: f64,
    /// Super-packets by the reason they left for.
    pub flushes: BTreeMap<String, u64>,
    /// Flows held now.
    pub table_used: u64,
    /// Flows that can be held.
    pub table_limit: u64,
    /// Most flows ever held at once.
    pub table_peak: u64,
    /// Trains flushed because the table had no place left.
    pub evictions: u64,
    /// How often coalescing was skipped for a while, because no flow coalesced.
    pub opt_outs: u64,
    /// Mean time a train was held, microseconds.
    pub hold_mean_us: f64,
    /// Longest time a train was held, microseconds.
    pub hold_max_us: f64,
}

/// Replication, over all workers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FanoutReport {
    /// Copies beyond the first that decisions asked for.
    pub replicas: u64,
    /// References to unchanged bytes.
    pub shared: u64,
    /// Private headers in front of shared payload.
    pub private_headers: u64,
    /// Whole copies.
    pub whole_copies: u64,
    /// Originals rewritten in place.
    pub in_place: u64,
    /// Replicas dropped, by egress port.
    pub refused: BTreeMap<String, u64>,
}

/// What went through a shadow: datagrams.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HostReport {
    /// Its name, as a port and as an interface.
    pub shadow: String,
    /// Taken by the kernel.
    pub up: u64,
    /// Super-packets taken by the kernel.
    pub up_super_packets: u64,
    /// Datagrams in them.
    pub up_in_super_packets: u64,
    /// Refused by the kernel: the interface is down, or out of memory.
    pub up_refused: u64,
    /// From the kernel to workers.
    pub down: u64,
    /// Lost for want of a buffer.
    pub down_no_buffer: u64,
    /// Lost because workers took too little.
    pub down_full: u64,
    /// Checksum or segmentation requests of the kernel that make no sense.
    pub down_bad_requests: u64,
}

/// Drops. Both maps add up to the total.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DropsReport {
    /// All drops.
    pub total: u64,
    /// Every reason there is, zeros included.
    pub by_reason: BTreeMap<String, u64>,
    /// By port, then by reason, without zeros. A drop counts under the ingress port until an
    /// egress port is decided, under that one from then on.
    pub by_port: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What one bridge has learned, now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FdbReport {
    /// The bridge.
    pub bridge: String,
    /// Addresses in the table.
    pub used: u64,
    /// Addresses it can hold.
    pub limit: u64,
    /// The addresses.
    pub entries: Vec<FdbEntry>,
}

/// A station in a bridge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FdbEntry {
    /// Its address.
    pub mac: String,
    /// Its VLAN; 0 untagged.
    pub vlan: u16,
    /// Where it is.
    pub port: String,
    /// Seconds since it was heard.
    pub age_s: u64,
}

/// Where an entry comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An address of the port.
    Connected,
    /// The configuration file.
    Static,
    /// Learned from traffic.
    Learned,
    /// Mirrored from the kernel.
    Kernel,
}

/// Members of a group in a bridge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MdbEntry {
    /// The bridge.
    pub bridge: String,
    /// The group.
    pub group: String,
    /// The source the members of this entry want; `None`: any that has no entry.
    pub source: Option<String>,
    /// Its members.
    pub ports: Vec<String>,
    /// The station there that gets copies of its own, to this address.
    pub listener: Option<String>,
    /// Who says so.
    pub origin: Origin,
}

/// A unicast route; equal-cost paths are several entries.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FibEntry {
    /// Destination network.
    pub prefix: String,
    /// Next hop; `None` if directly connected.
    pub via: Option<String>,
    /// Egress port.
    pub port: String,
    /// Who says so.
    pub origin: Origin,
}

/// A multicast route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MfibEntry {
    /// The group.
    pub group: String,
    /// The sender, or "any".
    pub source: String,
    /// The only ingress accepted.
    pub from: String,
    /// Egress ports.
    pub to: Vec<String>,
    /// Who says so.
    pub origin: Origin,
}

/// A neighbor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NeighborEntry {
    /// Network address.
    pub address: String,
    /// Link address.
    pub mac: String,
    /// Where it is.
    pub port: String,
    /// Who says so.
    pub origin: Origin,
}

/// How long datagrams stay, for one pair of ports, sampled: from the begin of the poll that received
/// the first of a train to the begin of the poll after the egress port took the last. Nanoseconds,
/// exact to 6 per cent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LatencyReport {
    /// Ingress port.
    pub from: String,
    /// Egress port.
    pub to: String,
    /// Samples: polls measured.
    pub count: u64,
    /// All of them added up.
    pub sum_ns: u64,
    /// Median.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// Longest.
    pub max_ns: u64,
    /// Samples by powers of two.
    pub buckets: Vec<LatencyBucket>,
}

/// Samples of about one time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LatencyBucket {
    /// Below this time, and not below the bucket before; `None`: no limit. Ascending.
    pub below_ns: Option<u64>,
    /// How many samples.
    pub samples: u64,
}

/// A `[[filter]]` and what it has met since it was put in force.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FilterReport {
    /// Its place in the file, from 1: the first that matches decides.
    pub rule: u64,
    /// Where it looks.
    pub at: String,
    /// What it looks for, as in the file.
    pub matches: String,
    /// What becomes of what it finds.
    pub action: String,
    /// Datagrams that matched.
    pub datagrams: u64,
    /// Bytes of their frames, without FCS.
    pub bytes: u64,
    /// Of them dropped, because they were beyond the rate.
    pub limited: u64,
}

/// A packet pool, now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PoolReport {
    /// Its name.
    pub name: String,
    /// Buffers in all.
    pub capacity: u64,
    /// Buffers that could be allocated.
    pub free: u64,
    /// Those of them in the caches of lcores.
    pub cached: u64,
    /// Buffers out of the pool, by stage. One that several ports hold counts for each of them.
    pub held: BTreeMap<String, u64>,
    /// The same by port and worker, without zeros.
    pub holders: Vec<HolderReport>,
}

/// What one stage of one worker holds, now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HolderReport {
    /// The stage.
    pub stage: String,
    /// The port it is from (gro) or for; `None`: of no one port.
    pub port: Option<String>,
    /// The lcore of the worker.
    pub lcore: usize,
    /// Frames.
    pub frames: u64,
}

/// How full a table of fixed size is, now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableUse {
    /// Its name.
    pub name: String,
    /// Entries in it.
    pub used: u64,
    /// Entries it can hold.
    pub limit: u64,
}

/// The configuration that runs.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ConfigReport {
    /// 1 at start, one more with every change.
    pub generation: u64,
    /// What became of the last reload.
    pub last_result: String,
    /// Whether that was a refusal: what runs is not what the file says.
    pub last_refused: bool,
    /// Where it was read from.
    pub file: String,
    /// As a file, every default filled in.
    pub toml: String,
}

/// Whether the gateway does its work, now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Health {
    /// Every worker polls. If not, restart the gateway.
    pub live: bool,
    /// Live, started, not ending. If not, send it no traffic.
    pub ready: bool,
    /// Of the configuration that runs.
    pub generation: u64,
    /// What became of the last reload.
    pub last_result: String,
    /// What is wrong, one line each.
    pub problems: Vec<String>,
}

/// What became of a reload.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ReloadReport {
    /// The file that was read.
    pub file: String,
    /// Whether the gateway now runs what the file says.
    pub applied: bool,
    /// Of the configuration that runs now.
    pub generation: u64,
    /// The same in words.
    pub result: String,
    /// What the file changes.
    pub changes: Vec<ChangeReport>,
    /// What is wrong with the file, as `gateway check` prints it.
    pub errors: Option<String>,
}

/// One difference between the file and what ran.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeReport {
    /// As an operator reads it.
    pub change: String,
    /// Why it needs a restart, if it does.
    pub restart: Option<String>,
}
