use core::fmt;
use std::collections::BTreeMap;

use super::Totals;
use crate::config::{Config, Device};
use crate::counters::Stage;
use crate::packet::{BufPool, Last, Missing, PortId, Trail};
use crate::worker::WorkerSnapshot;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What all workers did.
    pub totals: Totals,
    /// Whether every buffer came back.
    pub pool: PoolBalance,
    /// What did not balance, and who holds it: a line each.
    pub faults: Vec<String>,
}

/// A pool after everything that could hold its buffers is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolBalance {
    /// Buffers that are back.
    pub free: usize,
    /// Buffers that drivers keep when they close, as they always do.
    pub kept: usize,
    /// Buffers in all.
    pub capacity: usize,
}

impl PoolBalance {
    /// Whether no buffer is missing but those that drivers keep.
    pub const fn is_full(&self) -> bool {
        self.free + self.kept == self.capacity
    }
}

impl Outcome {
    /// Of workers that have stopped, in the order of their lcores, and of a pool that nobody uses
    /// any more.
    pub fn of(config: &Config, workers: &[WorkerSnapshot], pool: &impl BufPool) -> Self {
        let (free, capacity) = (pool.available(), pool.capacity());
        let mut faults = stages(config, workers);
        let missing = if free == capacity { Vec::new() } else { pool.missing() };
        let rings = rings(config);
        // With a queue pair for each worker; more than fits is nobody's custom.
        let most = config.runtime.lcores.len() * rings.iter().sum::<usize>();
        let excused = |buffer: &Missing| capacity - free <= most && is_kept(&rings, buffer);
        let (kept, lost) = missing.into_iter().partition::<Vec<_>, _>(excused);
        faults.extend(trails(config, lost));
        let pool = PoolBalance { free, kept: kept.len(), capacity };
        Self { totals: Totals::of(workers), pool, faults }
    }

    /// Whether the conservation law holds, in every stage, and the pool is full.
    pub fn is_balanced(&self) -> bool {
        self.totals.balance() && self.faults.is_empty() && self.pool.is_full()
    }
}

/// The stages that lost something or still hold it.
fn stages(config: &Config, workers: &[WorkerSnapshot]) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, worker) in workers.iter().enumerate() {
        let lcore = config.runtime.lcores.get(index).copied().unwrap_or(index);
        for off in worker.imbalances() {
            let place = place(config, off.stage, off.port);
            faults.push(match off.missing {
                1.. => format!("{place}, lcore {lcore}: {} frame(s) lost", off.missing),
                _ => format!("{place}, lcore {lcore}: {} frame(s) too many", -off.missing),
            });
        }
        for held in worker.holdings().filter(|held| held.count > 0) {
            let place = place(config, held.stage, held.port);
            faults.push(format!("{place}, lcore {lcore}: {} frame(s) still held", held.count));
        }
    }
    let sum = |of: fn(&WorkerSnapshot) -> u64| workers.iter().map(of).map(i128::from).sum::<i128>();
    let lost = sum(|w| w.counters.handed_out) - sum(|w| w.counters.handed_in + w.inbox);
    if lost != 0 {
        faults.push(format!("stage handoff: {lost} frame(s) lost between workers"));
    }
    faults
}

/// The buffers that did not come back, by what was last done with them.
fn trails(config: &Config, missing: Vec<Missing>) -> Vec<String> {
    let mut by_trail = BTreeMap::<Trail, Vec<Missing>>::new();
    for buffer in missing {
        by_trail.entry(buffer.trail).or_default().push(buffer);
    }
    let lines = by_trail.into_iter().map(|(trail, buffers)| {
        let last = match trail.last() {
            Last::Unseen => "never seen by a worker: in a device".to_owned(),
            Last::Received(port) => format!("last received from port {}", name(config, port)),
            Last::Made => "last made for a replica or an answer".to_owned(),
            Last::Queued(port) => format!("last queued for port {}", name(config, port)),
        };
        let example = buffers.first().map(|buffer| format!("; one: {buffer}")).unwrap_or_default();
        format!("{} buffer(s) {last}{example}", buffers.len())
    });
    lines.collect()
}

/// By port, how many buffers its driver can have kept of each queue pair.
fn rings(config: &Config) -> Vec<usize> {
    let devices = config.ports.iter().map(|port| Device::parse(&port.device));
    devices.map(|device| device.map_or(0, |device| device.buffers_kept())).collect()
}

/// Whether the buffer can be in a ring of a driver that frees none when it closes: given to it to
/// send, or taken by it to receive into. The latter may have a mark of when it was last in use here, but
/// is empty again, which no buffer that a worker lost is.
fn is_kept(rings: &[usize], buffer: &Missing) -> bool {
    let is_empty = buffer.references == 1 && buffer.frame_len == 0;
    match buffer.trail.last() {
        Last::Queued(port) if rings.get(port.index()).is_some_and(|&kept| kept > 0) => true,
        last => (is_empty || last == Last::Unseen) && rings.iter().any(|&kept| kept > 0),
    }
}

fn place(config: &Config, stage: Stage, port: Option<PortId>) -> String {
    match port {
        Some(port) => format!("stage {stage} of port {}", name(config, port)),
        None => format!("stage {stage}"),
    }
}

fn name(config: &Config, port: PortId) -> &str {
    config.ports.get(port.index()).map_or("?", |port| &port.name)
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PoolBalance { free, kept, capacity } = self.pool;
        writeln!(f, "{}", self.totals)?;
        write!(f, "pool: {free} of {capacity} buffers free")?;
        if kept > 0 {
            write!(f, ", {kept} kept by net_af_xdp, which frees none when it closes")?;
        }
        if !self.pool.is_full() {
            write!(f, ": {} MISSING", capacity as i128 - (free + kept) as i128)?;
        }
        self.faults.iter().try_for_each(|fault| write!(f, "\n  UNBALANCED: {fault}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// net_af_xdp's receive rings are filled with what the pool has, also what was here before.
    #[test]
    fn what_a_driver_took_to_receive_into_is_no_loss_of_ours() {
        let buffer = |trail, frame_len| Missing { trail, references: 1, frame_len, start: [0; 14] };
        let (keeps, none) = ([4096, 0], [0, 0]);
        for trail in [Trail::received(PortId(1)), Trail::MADE, Trail::queued(PortId(1))] {
            assert!(is_kept(&keeps, &buffer(trail, 0)), "{trail:?}");
            assert!(!is_kept(&keeps, &buffer(trail, 60)), "{trail:?}");
            assert!(!is_kept(&none, &buffer(trail, 0)), "{trail:?}");
        }
        assert!(is_kept(&keeps, &buffer(Trail::queued(PortId(0)), 60)));
    }
}
