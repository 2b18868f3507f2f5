use std::time::Instant;

use gateway::control::{DropsReport, GroReport, Health, PortReport, TextTable, WorkerReport};

/// What the gateway said at one moment.
pub(super) struct Look {
    pub(super) at: Instant,
    pub(super) ports: Vec<PortReport>,
    pub(super) workers: Vec<WorkerReport>,
    pub(super) gro: Vec<GroReport>,
    pub(super) drops: DropsReport,
    pub(super) health: Health,
}

/// What happened between two looks.
pub(super) struct View {
    pub(super) headline: String,
    pub(super) panels: Vec<Panel>,
}

/// A table with a name.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) head: &'static [&'static str],
    pub(super) rows: Vec<Vec<String>>,
}

impl View {
    /// Rates are per second of the time between the looks; the same look twice has none.
    pub(super) fn between(before: &Look, now: &Look) -> Self {
        let seconds = now.at.saturating_duration_since(before.at).as_secs_f64();
        let rates = Rates { seconds };
        let Health { live, generation, ref problems, .. } = now.health;
        let state = if live { "live".to_owned() } else { problems.join("; ") };
        Self {
            headline: format!("gateway: {state}, configuration {generation}"),
            panels: vec![
                ports(before, now, rates),
                workers(before, now, rates),
                gro(before, now, rates),
                drops(before, now, rates),
            ],
        }
    }

    /// For a terminal that is none.
    pub(super) fn text(&self) -> String {
        let tables = self.panels.iter().filter(|panel| !panel.rows.is_empty()).map(|panel| {
            let mut table = TextTable::new(panel.head);
            panel.rows.iter().for_each(|row| table.row(row.iter().cloned()));
            format!("\n{}\n{}", panel.title, table.render())
        });
        format!("{}\n{}", self.headline, tables.collect::<String>())
    }
}

#[derive(Clone, Copy)]
struct Rates {
    seconds: f64,
}

impl Rates {
    /// Per second, with a unit of a thousand.
    fn of(self, before: u64, now: u64) -> String {
        human(self.per_second(before, now))
    }

    fn per_second(self, before: u64, now: u64) -> f64 {
        let more = now.saturating_sub(before) as f64;
        if self.seconds > 0.0 { more / self.seconds } else { 0.0 }
    }
}

fn human(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.2}G", v / 1e9),
        v if v >= 1e6 => format!("{:.2}M", v / 1e6),
        v if v >= 1e4 => format!("{:.1}k", v / 1e3),
        v => format!("{v:.0}"),
    }
}

fn ports(before: &Look, now: &Look, rates: Rates) -> Panel {
    let rows = now.ports.iter().map(|port| {
        let old = before.ports.iter().find(|old| old.name == port.name).unwrap_or(port);
        let bits = |before: u64, now: u64| human(rates.per_second(before, now) * 8.0);
        vec![
            port.name.clone(),
            port.state().to_owned(),
            port.bridge.clone().unwrap_or_else(|| "routed".to_owned()),
            rates.of(old.rx_packets, port.rx_packets),
            bits(old.rx_bytes, port.rx_bytes),
            rates.of(old.tx_packets, port.tx_packets),
            bits(old.tx_bytes, port.tx_bytes),
            (port.imissed + port.rx_nombuf + port.rx_errors).to_string(),
            (port.tx_full + port.tx_errors).to_string(),
        ]
    });
    Panel {
        title: "ports",
        head: &["PORT", "LINK", "IN", "RX/s", "RX bit/s", "TX/s", "TX bit/s", "RX lost", "TX lost"],
        rows: rows.collect(),
    }
}

fn workers(before: &Look, now: &Look, rates: Rates) -> Panel {
    let rows = now.workers.iter().map(|worker| {
        let old = before.workers.iter().find(|old| old.lcore == worker.lcore).unwrap_or(worker);
        let cycles = worker.cycles_per_packet.map_or("-".to_owned(), |c| format!("{c:.0}"));
        vec![
            worker.lcore.to_string(),
            rates.of(old.polls, worker.polls),
            format!("{:.1}%", busy_between(old, worker) * 100.0),
            rates.of(old.rx, worker.rx),
            rates.of(old.tx, worker.tx),
            rates.of(old.dropped, worker.dropped),
            worker.held.to_string(),
            cycles,
            worker.imbalance.to_string(),
        ]
    });
    Panel {
        title: "workers",
        head: &[
            "LCORE",
            "POLLS/s",
            "BUSY",
            "RX/s",
            "TX/s",
            "DROPS/s",
            "HELD",
            "CYCLES",
            "IMBALANCE",
        ],
        rows: rows.collect(),
    }
}

/// The share of the polls between two looks that found a frame; over all when there were none.
fn busy_between(old: &WorkerReport, now: &WorkerReport) -> f64 {
    let busy = |worker: &WorkerReport| worker.busy_share * worker.polls as f64;
    match now.polls.saturating_sub(old.polls) {
        0 => now.busy_share,
        polls => ((busy(now) - busy(old)) / polls as f64).clamp(0.0, 1.0),
    }
}

fn gro(before: &Look, now: &Look, rates: Rates) -> Panel {
    let rows = now.gro.iter().filter(|gro| gro.mode != "off").map(|gro| {
        let old = before.gro.iter().find(|old| old.port == gro.port).unwrap_or(gro);
        vec![
            gro.port.clone(),
            gro.mode.clone(),
            rates.of(old.datagrams, gro.datagrams),
            rates.of(old.super_packets, gro.super_packets),
            format!("{:.1}", gro.mean_train),
            format!("{}/{}", gro.table_used, gro.table_limit),
            gro.evictions.to_string(),
            gro.opt_outs.to_string(),
        ]
    });
    Panel {
        title: "gro",
        head: &["PORT", "MODE", "IN/s", "OUT/s", "MEAN", "FLOWS", "EVICTED", "OPT_OUTS"],
        rows: rows.collect(),
    }
}

/// Reasons that have counted anything, the liveliest first.
fn drops(before: &Look, now: &Look, rates: Rates) -> Panel {
    let old = |reason: &String| before.drops.by_reason.get(reason).copied().unwrap_or(0);
    let mut seen: Vec<_> = now.drops.by_reason.iter().filter(|(_, count)| **count > 0).collect();
    seen.sort_by_key(|(reason, count)| std::cmp::Reverse(**count - old(reason).min(**count)));
    let rows = seen.into_iter().map(|(reason, count)| {
        vec![reason.clone(), rates.of(old(reason), *count), count.to_string()]
    });
    Panel { title: "drops", head: &["REASON", "/s", "TOTAL"], rows: rows.collect() }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    /// A look `seconds` after the first, by when `seconds` thousand frames came.
    pub(in crate::cli::top) fn look(first: Instant, seconds: u64) -> Look {
        let rx_packets = seconds * 20_000;
        let port = PortReport {
            name: "p0".into(),
            link: true,
            rx_packets,
            rx_bytes: rx_packets * 125,
            ..PortReport::default()
        };
        let polls = 100 + seconds * 100;
        let busy_share = if seconds == 0 { 0.0 } else { 0.25 };
        let worker = WorkerReport { lcore: 3, polls, busy_share, ..WorkerReport::default() };
        let by_reason = BTreeMap::from([("no_route".to_owned(), seconds), ("tagged".into(), 0)]);
        Look {
            at: first + Duration::from_secs(seconds),
            ports: vec![port],
            workers: vec![worker],
            gro: Vec::new(),
            drops: DropsReport { total: seconds, by_reason, ..DropsReport::default() },
            health: Health { live: true, generation: 1, ..Health::default() },
        }
    }

    #[test]
    fn rates_are_per_second_of_what_lies_between() {
        let first = Instant::now();
        let text = View::between(&look(first, 0), &look(first, 2)).text();
        let lines: Vec<Vec<_>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0].join(" "), "gateway: live, configuration 1");
        assert_eq!(lines[4], ["p0", "up", "routed", "20.0k", "20.00M", "0", "0", "0", "0"]);
        // 75 of 200 polls were busy.
        assert_eq!(lines[8], ["3", "100", "37.5%", "0", "0", "0", "0", "-", "0"]);
        assert_eq!(lines[12..], [["no_route", "1", "2"]]);
        assert!(!text.contains("gro"), "{text}");
    }

    #[test]
    fn the_same_look_twice_has_no_rates() {
        let look = look(Instant::now(), 3);
        let text = View::between(&look, &look).text();
        assert!(text.contains(" 0 ") && !text.contains("inf") && !text.contains("NaN"), "{text}");
    }
}
