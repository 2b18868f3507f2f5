use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::observe::Observe;
use super::report::{LatencyReport, WorkerReport};

/// The reports as OpenMetrics; numbers are pulled when they are asked for.
pub(super) struct Metrics {
    registry: Registry,
}

impl Metrics {
    pub(super) fn new(observe: Arc<dyn Observe>) -> Self {
        let mut registry = Registry::with_prefix("gateway");
        registry.register_collector(Box::new(Pull(observe)));
        Self { registry }
    }

    pub(super) fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

struct Pull(Arc<dyn Observe>);

impl fmt::Debug for Pull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pull")
    }
}

impl Collector for Pull {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        let observe = self.0.as_ref();
        ports(&mut families, observe)?;
        workers(&mut families, &observe.workers())?;
        gro(&mut families, observe)?;
        fanout(&mut families, observe)?;
        host(&mut families, observe)?;
        drops(&mut families, observe)?;
        filters(&mut families, observe)?;
        sizes(&mut families, observe)?;
        latency(&mut families, observe)?;
        state(&mut families, observe)
    }
}

/// Labels of one sample.
type Labels = Vec<(&'static str, String)>;

/// Writes one metric family after the other.
struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    fn counter(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            match labels.is_empty() {
                true => family.encode_counter::<NoLabelSet, _, u64>(&value, None)?,
                false => {
                    let mut sample = family.encode_family(&labels)?;
                    sample.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
                }
            }
        }
        Ok(())
    }

    fn gauge<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        samples: impl IntoIterator<Item = (Labels, V)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in samples {
            match labels.is_empty() {
                true => family.encode_gauge(&value)?,
                false => family.encode_family(&labels)?.encode_gauge(&value)?,
            }
        }
        Ok(())
    }
}

fn ports(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let ports = observe.ports();
    let of = |value: fn(&super::PortReport) -> u64| {
        ports.iter().map(move |port| (vec![("port", port.name.clone())], value(port)))
    };
    families.counter("port_rx_packets", "Frames received", of(|p| p.rx_packets))?;
    families.counter("port_rx_bytes", "Bytes received, without FCS", of(|p| p.rx_bytes))?;
    families.counter("port_tx_packets", "Frames the device accepted", of(|p| p.tx_packets))?;
    families.counter("port_tx_bytes", "Bytes the device accepted", of(|p| p.tx_bytes))?;
    families.counter("port_imissed", "Frames lost to a full receive queue", of(|p| p.imissed))?;
    families.counter("port_rx_nombuf", "Frames lost to a dry pool", of(|p| p.rx_nombuf))?;
    families.counter("port_rx_errors", "Broken frames received", of(|p| p.rx_errors))?;
    families.counter("port_tx_errors", "Frames the device failed to send", of(|p| p.tx_errors))?;
    families.counter("port_tx_full", "Frames lost to a full transmit buffer", of(|p| p.tx_full))?;
    families.counter("port_resets", "Times a hung port was restarted", of(|p| p.resets))?;
    families.gauge("port_hung", "Whether it takes nothing", None, of(|p| u64::from(p.hung)))?;
    families.gauge("port_up", "Whether the link is up", None, of(|p| u64::from(p.link)))
}

fn workers(families: &mut Families<'_>, workers: &[WorkerReport]) -> fmt::Result {
    let of = |value: fn(&WorkerReport) -> u64| workers.iter().map(move |w| (lcore(w), value(w)));
    families.counter("worker_polls", "Polls", of(|w| w.polls))?;
    families.counter("worker_stalls", "Times a worker did not poll", of(|w| w.stalls))?;
    let longest = workers.iter().map(|w| (lcore(w), w.longest_round_ms / 1000.0));
    families.gauge(
        "worker_longest_round",
        "From one poll to the next",
        Some(&Unit::Seconds),
        longest,
    )?;
    families.counter("worker_rx_packets", "Frames received", of(|w| w.rx))?;
    families.counter("worker_tx_packets", "Frames transmitted", of(|w| w.tx))?;
    families.counter("worker_local", "Datagrams consumed by the gateway", of(|w| w.local))?;
    families.counter("worker_originated", "Frames of the gateway's own", of(|w| w.originated))?;
    families.counter("worker_replicated", "Copies beyond the first", of(|w| w.replicated))?;
    families.counter("worker_handed_in", "Frames from other workers", of(|w| w.handed_in))?;
    families.counter("worker_handed_out", "Frames to other workers", of(|w| w.handed_out))?;
    families.counter("worker_dropped", "Datagrams dropped", of(|w| w.dropped))?;
    families.gauge("worker_held", "Datagrams held now", None, of(|w| w.held))?;
    let imbalance = workers.iter().map(|w| (lcore(w), w.imbalance));
    families.gauge("worker_imbalance", "0 while the conservation law holds", None, imbalance)?;
    let busy = workers.iter().map(|w| (lcore(w), w.busy_share));
    families.gauge(
        "worker_busy",
        "Share of polls that found a frame",
        Some(&Unit::Ratios),
        busy,
    )?;
    let cycles = workers.iter().filter_map(|w| Some((lcore(w), w.cycles_per_packet?)));
    families.gauge("worker_cycles_per_packet", "TSC cycles", None, cycles)?;
    bursts(families, workers)
}

fn bursts(families: &mut Families<'_>, workers: &[WorkerReport]) -> fmt::Result {
    let help = "Receive bursts by frames";
    let kind = MetricType::Histogram;
    let mut family = families.0.encode_descriptor("worker_burst_frames", help, None, kind)?;
    for worker in workers {
        let buckets: Vec<(f64, u64)> = worker
            .bursts
            .iter()
            .map(|bucket| (bucket.up_to.map_or(f64::INFINITY, |up_to| up_to as f64), bucket.bursts))
            .collect();
        let count = buckets.iter().map(|(_, bursts)| bursts).sum();
        family.encode_family(&lcore(worker))?.encode_histogram::<NoLabelSet>(
            worker.rx as f64,
            count,
            &buckets,
            None,
        )?;
    }
    Ok(())
}

fn gro(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let gro = observe.gro();
    let port = |report: &super::GroReport| vec![("port", report.port.clone())];
    let of = |value: fn(&super::GroReport) -> u64| gro.iter().map(move |g| (port(g), value(g)));
    families.counter("gro_datagrams", "Datagrams offered", of(|g| g.datagrams))?;
    families.counter("gro_super_packets", "Super-packets handed on", of(|g| g.super_packets))?;
    families.counter("gso_segments", "Datagrams split from super-packets", of(|g| g.segments))?;
    families.counter("gro_evictions", "Trains flushed for their place", of(|g| g.evictions))?;
    families.counter("gro_opt_outs", "Times coalescing was skipped", of(|g| g.opt_outs))?;
    families.gauge("gro_table_used", "Flows held now", None, of(|g| g.table_used))?;
    families.gauge("gro_table_peak", "Most flows held", None, of(|g| g.table_peak))?;
    families.gauge("gro_table_limit", "Flows that can be held", None, of(|g| g.table_limit))?;
    let mean = gro.iter().map(|g| (port(g), g.mean_train));
    families.gauge("gro_mean_train", "Datagrams per super-packet", None, mean)?;
    let hold = gro.iter().map(|g| (port(g), g.hold_max_us / 1e6));
    families.gauge("gro_hold_max", "Longest time held", Some(&Unit::Seconds), hold)?;
    let flushes = gro.iter().flat_map(|g| {
        let sample = move |(reason, count): (&String, &u64)| {
            (vec![("port", g.port.clone()), ("reason", reason.clone())], *count)
        };
        g.flushes.iter().map(sample)
    });
    families.counter("gro_flushes", "Super-packets by the reason they left for", flushes)
}

fn host(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let shadows = observe.host();
    let of = |value: fn(&super::HostReport) -> u64| {
        shadows.iter().map(move |host| (vec![("shadow", host.shadow.clone())], value(host)))
    };
    families.counter("host_up", "Datagrams the kernel took", of(|h| h.up))?;
    families.counter(
        "host_up_super_packets",
        "Super-packets it took",
        of(|h| h.up_super_packets),
    )?;
    families.counter("host_up_refused", "Datagrams the kernel refused", of(|h| h.up_refused))?;
    families.counter("host_down", "Datagrams of the kernel", of(|h| h.down))?;
    let lost = of(|h| h.down_no_buffer + h.down_full + h.down_bad_requests);
    families.counter("host_down_lost", "Datagrams of the kernel that went nowhere", lost)
}

fn fanout(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let fanout = observe.fanout();
    let ways = [
        ("shared", fanout.shared),
        ("private_header", fanout.private_headers),
        ("whole_copy", fanout.whole_copies),
        ("in_place", fanout.in_place),
    ];
    let ways = ways.map(|(way, count)| (vec![("way", way.to_owned())], count));
    families.counter("fanout_frames", "Frames by how they were made", ways)?;
    let replicas = [(Labels::new(), fanout.replicas)];
    families.counter("fanout_replicas", "Copies beyond the first", replicas)?;
    let refused = fanout.refused.iter().map(|(p, count)| (vec![("port", p.clone())], *count));
    families.counter("fanout_refused", "Replicas dropped, by egress port", refused)
}

fn drops(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let drops = observe.drops();
    let by_reason = drops.by_reason.iter().map(|(r, count)| (vec![("reason", r.clone())], *count));
    families.counter("drops", "Drops by reason", by_reason)?;
    let by_port = drops.by_port.iter().flat_map(|(port, reasons)| {
        let labels = move |r: &String| vec![("port", port.clone()), ("reason", r.clone())];
        reasons.iter().map(move |(reason, count)| (labels(reason), *count))
    });
    families.counter("port_drops", "Drops by port and reason", by_port)
}

fn filters(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let filters = observe.filters();
    let of = |value: fn(&super::FilterReport) -> u64| {
        filters.iter().map(move |filter| {
            let rule = ("rule", filter.rule.to_string());
            let (at, action) = (("at", filter.at.clone()), ("action", filter.action.clone()));
            (vec![rule, at, action], value(filter))
        })
    };
    families.counter("filter_datagrams", "Datagrams a filter matched", of(|f| f.datagrams))?;
    families.counter("filter_bytes", "Their bytes, without FCS", of(|f| f.bytes))?;
    families.counter("filter_limited", "Of them dropped beyond the rate", of(|f| f.limited))
}

fn sizes(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let pools = observe.pools();
    let pool = |report: &super::PoolReport| vec![("pool", report.name.clone())];
    let free = pools.iter().map(|p| (pool(p), p.free));
    families.gauge("pool_free", "Buffers that could be allocated", None, free)?;
    let capacity = pools.iter().map(|p| (pool(p), p.capacity));
    families.gauge("pool_capacity", "Buffers in all", None, capacity)?;
    let cached = pools.iter().map(|p| (pool(p), p.cached));
    families.gauge("pool_cached", "Free buffers in lcores' caches", None, cached)?;
    let held = pools.iter().flat_map(|p| {
        let labels = move |s: &String| vec![("pool", p.name.clone()), ("stage", s.clone())];
        p.held.iter().map(move |(stage, count)| (labels(stage), *count))
    });
    families.gauge("pool_held", "Buffers by the stage that holds them", None, held)?;
    let tables = observe.tables();
    let table = |report: &super::TableUse| vec![("table", report.name.clone())];
    let used = tables.iter().map(|t| (table(t), t.used));
    families.gauge("table_used", "Entries in a table", None, used)?;
    let limit = tables.iter().map(|t| (table(t), t.limit));
    families.gauge("table_limit", "Entries it can hold", None, limit)
}

fn latency(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let pairs = observe.latency();
    let labels = |pair: &LatencyReport| -> Labels {
        vec![("from", pair.from.clone()), ("to", pair.to.clone())]
    };
    let (help, unit) = ("Sampled time from receive to transmit burst", Some(&Unit::Seconds));
    let mut family = families.0.encode_descriptor("latency", help, unit, MetricType::Histogram)?;
    for pair in &pairs {
        let below = |nanos: Option<u64>| nanos.map_or(f64::INFINITY, |nanos| nanos as f64 / 1e9);
        let buckets: Vec<_> =
            pair.buckets.iter().map(|bucket| (below(bucket.below_ns), bucket.samples)).collect();
        let sum = pair.sum_ns as f64 / 1e9;
        let labels = labels(pair);
        let mut sample = family.encode_family(&labels)?;
        sample.encode_histogram::<NoLabelSet>(sum, pair.count, &buckets, None)?;
    }
    let longest = pairs.iter().map(|pair| (labels(pair), pair.max_ns as f64 / 1e9));
    families.gauge("latency_max", "Longest of them", unit, longest)
}

fn state(families: &mut Families<'_>, observe: &dyn Observe) -> fmt::Result {
    let health = observe.health();
    let one = |value: u64| [(Labels::new(), value)];
    families.gauge("live", "Whether every worker polls", None, one(health.live.into()))?;
    families.gauge("ready", "Whether it does its work", None, one(health.ready.into()))?;
    let config = observe.config();
    let generation = one(config.generation);
    families.gauge("config_generation", "One more with every reload applied", None, generation)?;
    let help = "0 after a reload that was refused";
    families.gauge("config_last_reload_successful", help, None, one((!config.last_refused).into()))
}

fn lcore(worker: &WorkerReport) -> Labels {
    vec![("lcore", worker.lcore.to_string())]
}
