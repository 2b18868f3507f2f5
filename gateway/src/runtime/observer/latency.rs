use super::Observer;
use crate::control::{LatencyBucket, LatencyReport};
use crate::counters::Latency;

impl Observer {
    pub(super) fn latency_reports(&self) -> Vec<LatencyReport> {
        let mut pairs: Vec<Latency> = Vec::new();
        for measured in self.collector.snapshots().iter().flat_map(|worker| &worker.latency) {
            let same = |pair: &&mut Latency| (pair.from, pair.to) == (measured.from, measured.to);
            match pairs.iter_mut().find(same) {
                Some(pair) => pair.add(measured),
                None => pairs.push(measured.clone()),
            }
        }
        pairs.sort_by_key(|pair| (pair.from, pair.to));
        pairs.iter().map(|pair| self.latency_report(pair)).collect()
    }

    fn latency_report(&self, pair: &Latency) -> LatencyReport {
        let bucket = |(below_ns, samples)| LatencyBucket { below_ns, samples };
        LatencyReport {
            from: self.port_name(pair.from),
            to: self.port_name(pair.to),
            count: pair.count(),
            sum_ns: pair.sum(),
            p50_ns: pair.quantile(0.5),
            p99_ns: pair.quantile(0.99),
            p999_ns: pair.quantile(0.999),
            max_ns: pair.max(),
            buckets: pair.powers().map(bucket).collect(),
        }
    }
}
