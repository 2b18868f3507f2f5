//! The running gateway as the control side sees it: answers [`Observe`] from copies that workers
//! leave between two polls.
//!
//! *Invariant:* asking makes no worker wait. A worker that does not answer in time is reported as
//! not polling, with its last known numbers.

mod collect;
mod dataplane;
mod filters;
mod latency;
mod ports;
mod tables;

use std::sync::atomic::{AtomicBool, Ordering};

pub use collect::Collector;
pub use ports::{DeviceFacts, Devices, PoolUse};

use super::capture::Captures;
use super::{Running, Taps, Watchdog};
use crate::config::Port;
use crate::control::{
    CaptureRequest, Capturing, ConfigReport, DropsReport, FanoutReport, FdbReport, FibEntry,
    FilterReport, GroReport, Health, HostReport, LatencyReport, MdbEntry, MfibEntry, NeighborEntry,
    Observe, Operate, PoolReport, PortReport, ReloadReport, TableUse, WorkerReport,
};
use crate::packet::PortId;
use crate::time::Nanos;

/// The clock that workers are given.
pub trait Ticker: Send + Sync {
    /// Now.
    fn now(&self) -> Nanos;
    /// Cycles of the time-stamp counter in a nanosecond; `None` without such a counter.
    fn cycles_per_nano(&self) -> Option<f64>;
}

/// A running gateway, observed.
pub struct Observer {
    running: Running,
    collector: Collector,
    captures: Captures,
    devices: Box<dyn Devices>,
    clock: Box<dyn Ticker>,
    /// Set once all workers poll, cleared when they are told to stop.
    ready: AtomicBool,
}

impl Observer {
    /// Of a gateway.
    pub fn new(
        running: Running,
        collector: Collector,
        taps: Taps,
        devices: Box<dyn Devices>,
        clock: impl Ticker + 'static,
    ) -> Self {
        let clock = Box::new(clock);
        let captures = Captures::new(taps);
        Self { running, collector, captures, devices, clock, ready: AtomicBool::new(false) }
    }

    /// Who notices when a worker does not come round, and counts it for the reports.
    pub fn watchdog(&self) -> Watchdog {
        self.collector.watchdog(self.clock.now())
    }

    /// The configuration that runs.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Says whether traffic may be sent to it.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Ports keep their names while the gateway runs.
    fn port_name(&self, port: PortId) -> String {
        self.running.config().port_name(port).to_owned()
    }

    fn port_names(&self, ports: &[PortId]) -> Vec<String> {
        ports.iter().map(|&port| self.port_name(port)).collect()
    }
}

impl Observe for Observer {
    fn ports(&self) -> Vec<PortReport> {
        self.port_reports()
    }

    fn workers(&self) -> Vec<WorkerReport> {
        self.worker_reports()
    }

    fn gro(&self) -> Vec<GroReport> {
        self.gro_reports()
    }

    fn fanout(&self) -> FanoutReport {
        self.fanout_report()
    }

    fn host(&self) -> Vec<HostReport> {
        self.host_reports()
    }

    fn drops(&self) -> DropsReport {
        self.drops_report()
    }

    fn fdb(&self) -> Vec<FdbReport> {
        self.fdb_reports()
    }

    fn mdb(&self) -> Vec<MdbEntry> {
        self.mdb_entries()
    }

    fn fib(&self) -> Vec<FibEntry> {
        self.fib_entries()
    }

    fn mfib(&self) -> Vec<MfibEntry> {
        self.mfib_entries()
    }

    fn neighbors(&self) -> Vec<NeighborEntry> {
        self.neighbor_entries()
    }

    fn filters(&self) -> Vec<FilterReport> {
        self.filter_reports()
    }

    fn latency(&self) -> Vec<LatencyReport> {
        self.latency_reports()
    }

    fn pools(&self) -> Vec<PoolReport> {
        self.pool_reports()
    }

    fn tables(&self) -> Vec<TableUse> {
        self.table_uses()
    }

    fn config(&self) -> ConfigReport {
        ConfigReport {
            generation: self.running.generation(),
            last_result: self.running.last().text().to_owned(),
            last_refused: self.running.last().is_refused(),
            file: self.running.file().display().to_string(),
            toml: self.running.config().to_toml(),
        }
    }

    fn health(&self) -> Health {
        let config = self.running.config();
        let problems = self.collector.stalled().into_iter().map(|index| {
            let lcore = config.runtime.lcores.get(index).copied().unwrap_or(index);
            format!("the worker on lcore {lcore} does not poll")
        });
        let mut problems: Vec<_> = problems.collect();
        let live = problems.is_empty();
        // The others go on: no reason to end the gateway.
        problems.extend(self.hung_ports());
        Health {
            live,
            ready: live && self.ready.load(Ordering::Relaxed),
            generation: self.running.generation(),
            last_result: self.running.last().text().to_owned(),
            problems,
        }
    }
}

/// Ethernet with two tags.
const LINK_HEADERS: u16 = 22;

impl Operate for Observer {
    fn capture(&self, request: &CaptureRequest) -> Result<Box<dyn Capturing>, String> {
        let config = self.running.config();
        let wanted = |port: &Port| port.name == request.port;
        let Some(index) = config.ports.iter().position(wanted) else {
            let ports: Vec<_> = config.ports.iter().map(|port| port.name.as_str()).collect();
            return Err(format!(
                "there is no port `{}`: the ports are {}",
                request.port,
                ports.join(", ")
            ));
        };
        let mtu = config.ports.iter().map(|port| port.mtu).max().unwrap_or(0);
        let snap = config.runtime.buffer_bytes.max(mtu.saturating_add(LINK_HEADERS)).into();
        let port = PortId(index as u16);
        match self.captures.start(port, request.drops, snap, self.clock.now()) {
            Some(capture) => Ok(Box::new(capture)),
            None => Err("a capture is running already, and there is one at a time".to_owned()),
        }
    }

    fn reload(&self) -> ReloadReport {
        self.running.reload()
    }
}
