use std::collections::BTreeMap;

use super::Observer;
use crate::config;
use crate::control::{HostReport, PoolReport, PortReport};
use crate::counters::PortCounters;
use crate::host::HostCounters;
use crate::packet::DropReason;
use crate::worker::WorkerSnapshot;

/// What only the devices know.
pub trait Devices: Send + Sync {
    /// By port index.
    fn facts(&self) -> Vec<DeviceFacts>;
    /// Name, buffers free now, buffers in all.
    fn pools(&self) -> Vec<(String, usize, usize)>;
    /// Of shadows, in the order of their ports.
    fn shadows(&self) -> Vec<HostCounters> {
        Vec::new()
    }
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
            }
        });
        reports.collect()
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
        let workers = self.collector.snapshots();
        let sum = |of: fn(&WorkerSnapshot) -> u64| workers.iter().map(of).sum::<u64>();
        let stages = [("gro", sum(|w| w.held_in_gro)), ("tx buffers", sum(|w| w.held_in_tx))];
        let mut reports = Vec::new();
        for (name, free, capacity) in self.devices.pools() {
            let mut held: BTreeMap<_, _> =
                stages.iter().map(|&(stage, held)| (stage.to_owned(), held)).collect();
            let known: u64 = held.values().sum();
            // The rest is in the rings of the devices and the caches of the lcores.
            held.insert("devices".to_owned(), ((capacity - free) as u64).saturating_sub(known));
            reports.push(PoolReport { name, capacity: capacity as u64, free: free as u64, held });
        }
        reports
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
