use std::collections::BTreeMap;

use super::Observer;
use crate::config::GroMode;
use crate::control::{BurstBucket, DropsReport, FanoutReport, GroReport, WorkerReport};
use crate::gro::{FlushReason, GroStats};
use crate::packet::{DropReason, PortId};
use crate::worker::WorkerSnapshot;

impl Observer {
    pub(super) fn worker_reports(&self) -> Vec<WorkerReport> {
        let config = self.running.config();
        let workers = self.collector.snapshots();
        let lcores = config.runtime.lcores.iter();
        lcores
            .zip(workers)
            .zip(self.collector.stalls())
            .map(|((&lcore, worker), stalls)| WorkerReport {
                cycles_per_packet: self.cycles_per_packet(&worker),
                stalls,
                ..worker_report(lcore, &worker)
            })
            .collect()
    }

    fn cycles_per_packet(&self, worker: &WorkerSnapshot) -> Option<f64> {
        let ledger = worker.ledger();
        let frames = ledger.rx + ledger.handed_in;
        let per_nano = self.clock.cycles_per_nano()?;
        (frames > 0).then(|| worker.busy.0 as f64 * per_nano / frames as f64)
    }

    pub(super) fn gro_reports(&self) -> Vec<GroReport> {
        let config = self.running.config();
        let workers = self.collector.snapshots();
        let reports = config.ports.iter().enumerate().map(|(index, port)| {
            let id = PortId(index as u16);
            let tables = workers.iter().flat_map(|worker| &worker.gro);
            let tables: Vec<_> =
                tables.filter(|(port, _)| *port == id).map(|(_, stats)| stats).collect();
            let limit = u64::from(config.gro.flows) * tables.len() as u64;
            let mode = mode_name(port.gro.unwrap_or(config.gro.mode));
            gro_report(port.name.clone(), mode, &tables, limit)
        });
        reports.collect()
    }

    pub(super) fn fanout_report(&self) -> FanoutReport {
        let config = self.running.config();
        let workers = self.collector.snapshots();
        let mut report = FanoutReport::default();
        for worker in &workers {
            report.replicas += worker.counters.replicated;
            report.shared += worker.fanout.shared;
            report.private_headers += worker.fanout.private_headers;
            report.whole_copies += worker.fanout.whole_copies;
            report.in_place += worker.fanout.in_place;
        }
        let refused = [
            DropReason::ReplicaNoBuffer,
            DropReason::TxFull,
            DropReason::LinkDown,
            DropReason::PortReset,
            DropReason::HandoffFull,
        ];
        for (port, counters) in config.ports.iter().zip(self.port_counters(&workers)) {
            let count: u64 = refused.iter().map(|reason| counters.drops[reason.index()]).sum();
            report.refused.insert(port.name.clone(), count);
        }
        report
    }

    pub(super) fn drops_report(&self) -> DropsReport {
        let config = self.running.config();
        let counters = self.port_counters(&self.collector.snapshots());
        let mut report = DropsReport::default();
        for &reason in DropReason::ALL {
            let count = counters.iter().map(|port| port.drops[reason.index()]).sum();
            report.total += count;
            report.by_reason.insert(reason.name().to_owned(), count);
        }
        for (port, counters) in config.ports.iter().zip(&counters) {
            let reasons = DropReason::ALL.iter().map(|r| (r.name(), counters.drops[r.index()]));
            let reasons: BTreeMap<_, _> = reasons
                .filter(|&(_, count)| count > 0)
                .map(|(name, count)| (name.to_owned(), count))
                .collect();
            if !reasons.is_empty() {
                report.by_port.insert(port.name.clone(), reasons);
            }
        }
        report
    }
}

fn worker_report(lcore: usize, worker: &WorkerSnapshot) -> WorkerReport {
    let ledger = worker.ledger();
    let counters = &worker.counters;
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    WorkerReport {
        lcore,
        polls: counters.polls,
        busy_share: share(counters.busy_polls, counters.polls),
        bursts: bursts(&counters.bursts),
        cycles_per_packet: None,
        stalls: 0,
        longest_round_ms: counters.longest_round.0 as f64 / 1e6,
        rx: ledger.rx,
        originated: ledger.originated,
        replicated: ledger.replicated,
        handed_in: ledger.handed_in,
        tx: ledger.tx,
        local: ledger.local,
        dropped: ledger.dropped,
        handed_out: ledger.handed_out,
        held: ledger.held,
        imbalance: i64::try_from(ledger.imbalance()).unwrap_or(i64::MAX),
    }
}

/// 0, 1, 2–3, 4–7, … and the rest.
fn bursts(buckets: &[u64]) -> Vec<BurstBucket> {
    let last = buckets.len() - 1;
    let bucket = |(index, &bursts): (usize, &u64)| BurstBucket {
        up_to: (index < last).then(|| (1 << index) - 1),
        bursts,
    };
    buckets.iter().enumerate().map(bucket).collect()
}

const fn mode_name(mode: GroMode) -> &'static str {
    match mode {
        GroMode::Off => "off",
        GroMode::List => "list",
        GroMode::Merge => "merge",
    }
}

fn gro_report(port: String, mode: &str, tables: &[&GroStats], limit: u64) -> GroReport {
    let sum = |of: fn(&GroStats) -> u64| tables.iter().map(|stats| of(stats)).sum::<u64>();
    let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let trains = sum(GroStats::trains);
    let flushes = FlushReason::ALL.iter().map(|&reason| {
        (reason.name().to_owned(), tables.iter().map(|stats| stats.flushed(reason)).sum())
    });
    GroReport {
        port,
        mode: mode.to_owned(),
        datagrams: sum(|s| s.packets),
        super_packets: sum(|s| s.super_packets),
        segments: sum(|s| s.coalesced),
        mean_train: ratio(sum(|s| s.released), trains),
        flushes: flushes.collect(),
        table_used: sum(|s| s.flows),
        table_limit: limit,
        table_peak: sum(|s| s.flows_peak),
        evictions: sum(GroStats::evictions),
        opt_outs: sum(|s| s.opt_outs),
        hold_mean_us: ratio(sum(|s| s.hold_nanos), trains) / 1000.0,
        hold_max_us: tables.iter().map(|s| s.hold_nanos_max).max().unwrap_or(0) as f64 / 1000.0,
    }
}
