use std::collections::BTreeMap;

use super::Observer;
use crate::config;
use crate::control::{HolderReport, HostReport, PoolReport, PortReport};
use crate::counters::{PortCounters, Stage};
use crate::host::HostCounters;
use crate::packet::DropReason;
use crate::worker::WorkerSnapshot;

/// What only the devices know.
pub trait Devices: Send + Sync {
    /// By port index.
    fn facts(&self) -> Vec<DeviceFacts>;
    /// Packet pools.
    fn pools(&self) -> Vec<PoolUse>;
    /// Of shadows, in the order of their ports.
    fn shadows(&self) -> Vec<HostCounters> {
        Vec::new()
    }
}

/// A packet pool now.
#[derive(Clone, Debug, Default)]
pub struct PoolUse {
    /// Its name.
    pub name: String,
    /// Buffers in all.
    pub capacity: usize,
    /// Buffers that could be allocated.
    pub free: usize,
    /// Those of them in caches of lcores.
    pub cached: usize,
    /// The most that devices can hold: what is out beyond that and is in no stage is lost.
    pub in_devices_at_most: usize,
}

/// What a device knows of a port.
#[derive(Clone, Debug, Default)]
pub struct DeviceFacts {
    /// The address it sends from.
    pub mac: String,
    /// Whether the link is up.
    pub link: bool,
    /// Megabits per second, where the device knows.
    pub speed_mbps: Option<u32>,
    /// Frames dropped because the receive queue was full.
    pub missed: u64,
    /// Frames dropped because the pool was dry.
    pub no_buffer: u64,
    /// Broken frames received.
    pub rx_errors: u64,
    /// Frames the device failed to send.
    pub tx_errors: u64,
    /// Whether a transmit queue takes nothing, or the device is being restarted.
    pub hung: bool,
    /// How often it was restarted for that.
    pub resets: u64,
}

impl Observer {
    pub(super) fn port_reports(&self) -> Vec<PortReport> {
        let config = self.running.config();
        let counters = self.port_counters(&self.collector.snapshots());
        let mut facts = self.devices.facts().into_iter();
        let ports = config.ports.iter().zip(counters);
        let reports = ports.map(|(port, counters)| {
            let facts = facts.next().unwrap_or_default();
            PortReport {
                name: port.name.clone(),
                device: port.device.clone(),
                mac: facts.mac,
                link: facts.link,
                speed_mbps: facts.speed_mbps,
                bridge: self.bridge_of(&port.name),
                rx_packets: counters.rx_frames,
                rx_bytes: counters.rx_bytes,
                tx_packets: counters.tx_frames,
                tx_bytes: counters.tx_bytes,
                imissed: facts.missed,
                rx_nombuf: facts.no_buffer,
                rx_errors: facts.rx_errors,
                tx_errors: facts.tx_errors,
                tx_full: counters.drops[DropReason::TxFull.index()],
                hung: facts.hung,
                resets: facts.resets,
            }
        });
        reports.collect()
    }

    /// Ports that do not send, a line each.
    pub(super) fn hung_ports(&self) -> Vec<String> {
        let config = self.running.config();
        let ports = config.ports.iter().zip(self.devices.facts());
        let hung = ports.filter(|(_, facts)| facts.hung);
        hung.map(|(port, _)| format!("port {}: its transmit queue hangs", port.name)).collect()
    }

    pub(super) fn host_reports(&self) -> Vec<HostReport> {
        let config = self.running.config();
        let shadows = config.ports.iter().filter(|port| port.shadow.is_some());
        let report = |(port, counters): (&config::Port, HostCounters)| HostReport {
            shadow: port.name.clone(),
            up: counters.up,
            up_super_packets: counters.up_super_packets,
            up_in_super_packets: counters.up_in_super_packets,
            up_refused: counters.up_refused,
            down: counters.down,
            down_no_buffer: counters.down_no_buffer,
            down_full: counters.down_full,
            down_bad_requests: counters.down_bad_requests,
        };
        shadows.zip(self.devices.shadows()).map(report).collect()
    }

    pub(super) fn pool_reports(&self) -> Vec<PoolReport> {
        let holders = self.holders();
        let in_stage = |stage: &Stage| {
            let holders = holders.iter().filter(|holder| holder.stage == stage.name());
            (stage.name().to_owned(), holders.map(|holder| holder.frames).sum())
        };
        let pools = self.devices.pools().into_iter().map(|pool| {
            let PoolUse { name, capacity, free, cached, in_devices_at_most } = pool;
            let mut held: BTreeMap<_, u64> = Stage::ALL.iter().map(in_stage).collect();
            let rest = ((capacity - free) as u64).saturating_sub(held.values().sum());
            let devices = rest.min(in_devices_at_most as u64);
            held.insert("devices".to_owned(), devices);
            held.insert("unaccounted".to_owned(), rest - devices);
            let (capacity, free, cached) = (capacity as u64, free as u64, cached as u64);
            PoolReport { name, capacity, free, cached, held, holders: holders.clone() }
        });
        pools.collect()
    }

    fn holders(&self) -> Vec<HolderReport> {
        let workers = self.collector.snapshots();
        let config = self.running.config();
        let lcores = config.runtime.lcores.iter().zip(&workers);
        let holders = lcores.flat_map(|(&lcore, worker)| {
            let holdings = worker.holdings().filter(|holding| holding.count > 0);
            holdings.map(move |holding| HolderReport {
                stage: holding.stage.name().to_owned(),
                port: holding.port.map(|port| self.port_name(port)),
                lcore,
                frames: holding.count,
            })
        });
        holders.collect()
    }

    /// Over all workers, by port.
    pub(super) fn port_counters(&self, workers: &[WorkerSnapshot]) -> Vec<PortCounters> {
        let config = self.running.config();
        let mut sums = vec![PortCounters::default(); config.ports.len()];
        for worker in workers {
            for (sum, counters) in sums.iter_mut().zip(&worker.counters.ports) {
                sum.add(counters);
            }
        }
        sums
    }

    fn bridge_of(&self, port: &str) -> Option<String> {
        let config = self.running.config();
        let id = config.ports.iter().position(|p| p.name == port)?;
        let bridge = config.bridges.iter().find(|b| b.ports.iter().any(|p| p.index() == id));
        bridge.map(|bridge| bridge.name.clone())
    }
}
