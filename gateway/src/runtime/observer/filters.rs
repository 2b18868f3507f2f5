use super::Observer;
use crate::config::{Action, Config, Filter};
use crate::control::FilterReport;
use crate::forward::RuleId;
use crate::worker::{RuleCounters, WorkerSnapshot};

impl Observer {
    pub(super) fn filter_reports(&self) -> Vec<FilterReport> {
        let tables = self.running.tables().current();
        let Some(filters) = tables.filters() else { return Vec::new() };
        let (config, workers) = (self.running.config(), self.collector.snapshots());
        let reports = filters.rules().enumerate().map(|(index, (filter, id))| {
            let mut report = FilterReport {
                rule: index as u64 + 1,
                at: filter.at.name().to_owned(),
                matches: matches(filter, &config),
                action: action(filter, &config),
                ..FilterReport::default()
            };
            for hits in workers.iter().filter_map(|worker| hits(worker, id)) {
                report.datagrams += hits.datagrams;
                report.bytes += hits.bytes;
                report.limited += hits.limited;
            }
            report
        });
        reports.collect()
    }
}

/// What a worker counted for this rule, not for one that had its slot before.
fn hits(worker: &WorkerSnapshot, id: RuleId) -> Option<&RuleCounters> {
    worker.rules.get(usize::from(id.slot)).filter(|counters| counters.born == id.born)
}

/// As in the file; empty for a rule that matches everything.
fn matches(filter: &Filter, config: &Config) -> String {
    let matches = &filter.matches;
    let range = |(first, last): (u16, u16)| match first == last {
        true => first.to_string(),
        false => format!("[{first}, {last}]"),
    };
    let keys = [
        ("port", matches.port.map(|port| format!("{:?}", config.port_name(port)))),
        ("cast", matches.cast.map(|cast| format!("{:?}", cast.name()))),
        ("proto", matches.proto.map(|proto| format!("{:?}", proto.name()))),
        ("src", matches.src.map(|net| format!("\"{net}\""))),
        ("dst", matches.dst.map(|net| format!("\"{net}\""))),
        ("src_port", matches.src_port.map(range)),
        ("dst_port", matches.dst_port.map(range)),
    ];
    let there = keys.into_iter().filter_map(|(key, value)| Some(format!("{key} = {}", value?)));
    there.collect::<Vec<_>>().join(", ")
}

fn action(filter: &Filter, config: &Config) -> String {
    let mut text = filter.action.name().to_owned();
    if let Action::Mirror(to) = filter.action {
        text += &format!(" to {}", config.port_name(to));
    }
    let rates = [(filter.rate_pps, "datagrams/s"), (filter.rate_bps, "bit/s")];
    for (rate, unit) in rates.into_iter().filter_map(|(rate, unit)| Some((rate?, unit))) {
        text += &format!(", at most {rate} {unit}");
    }
    text
}
