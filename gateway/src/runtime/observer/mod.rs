//! The running gateway as the control side sees it: answers [`Observe`] from copies that workers
//! leave between two polls.
//!
//! *Invariant:* asking makes no worker wait. A worker that does not answer in time is reported as
//! not polling, with its last known numbers.

mod collect;
mod dataplane;
mod filters;
mod ports;
mod tables;

use std::sync::atomic::{AtomicBool, Ordering};

pub use collect::Collector;
pub use ports::{DeviceFacts, Devices, PoolUse};

use super::Running;
use crate::control::{
    ConfigReport, DropsReport, FanoutReport, FdbReport, FibEntry, FilterReport, GroReport, Health,
    HostReport, LatencyReport, MdbEntry, MfibEntry, NeighborEntry, Observe, Operate, PoolReport,
    PortReport, ReloadReport, TableUse, WorkerReport,
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
        devices: Box<dyn Devices>,
        clock: impl Ticker + 'static,
    ) -> Self {
        let clock = Box::new(clock);
        Self { running, collector, devices, clock, ready: AtomicBool::new(false) }
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

    /// Not measured yet.
    fn latency(&self) -> Vec<LatencyReport> {
        Vec::new()
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
        let problems: Vec<_> = problems.collect();
        let live = problems.is_empty();
        Health {
            live,
            ready: live && self.ready.load(Ordering::Relaxed),
            generation: self.running.generation(),
            last_result: self.running.last().text().to_owned(),
            problems,
        }
    }
}

impl Operate for Observer {
    fn reload(&self) -> ReloadReport {
        self.running.reload()
    }
}
