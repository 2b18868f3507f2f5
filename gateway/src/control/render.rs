//! Reports as text for people.

use std::collections::BTreeMap;

use serde_json::{Error, Value, from_value};

use super::observe::Topic;
use super::report::{
    BurstBucket, ConfigReport, DropsReport, FanoutReport, FdbReport, FibEntry, FilterReport,
    GroReport, Health, HostReport, LatencyReport, MdbEntry, MfibEntry, NeighborEntry, Origin,
    PoolReport, PortReport, TableUse, WorkerReport,
};
use super::table::TextTable;

/// The report on `topic` as text.
///
/// # Errors
/// The report is of another version of the gateway.
pub fn render(topic: Topic, report: Value) -> Result<String, Error> {
    Ok(match topic {
        Topic::Ports => ports(&from_value::<Vec<_>>(report)?),
        Topic::Workers => workers(&from_value::<Vec<_>>(report)?),
        Topic::Gro => gro(&from_value::<Vec<_>>(report)?),
        Topic::Fanout => fanout(&from_value(report)?),
        Topic::Host => host(&from_value::<Vec<HostReport>>(report)?),
        Topic::Drops => drops(&from_value(report)?),
        Topic::Fdb => fdb(&from_value::<Vec<_>>(report)?),
        Topic::Mdb => mdb(&from_value::<Vec<_>>(report)?),
        Topic::Fib => fib(&from_value::<Vec<_>>(report)?),
        Topic::Mfib => mfib(&from_value::<Vec<_>>(report)?),
        Topic::Neighbors => neighbors(&from_value::<Vec<_>>(report)?),
        Topic::Filters => filters(&from_value::<Vec<_>>(report)?),
        Topic::Latency => latency(&from_value::<Vec<_>>(report)?),
        Topic::Pools => pools(&from_value::<Vec<_>>(report)?),
        Topic::Tables => tables(&from_value::<Vec<_>>(report)?),
        Topic::Config => config(&from_value(report)?),
        Topic::Health => health(&from_value(report)?),
    })
}

fn ports(ports: &[PortReport]) -> String {
    let mut setup = TextTable::new(&["PORT", "LINK", "SPEED", "MAC", "IN", "DEVICE"]);
    let mut traffic = TextTable::new(&["PORT", "RX_PACKETS", "RX_BYTES", "TX_PACKETS", "TX_BYTES"]);
    let mut losses = TextTable::new(&[
        "PORT",
        "IMISSED",
        "RX_NOMBUF",
        "RX_ERRORS",
        "TX_ERRORS",
        "TX_FULL",
        "RESETS",
    ]);
    for port in ports {
        let speed = port.speed_mbps.map_or("-".to_owned(), |mbps| format!("{mbps}M"));
        let place = port.bridge.as_deref().unwrap_or("routed");
        let texts = [&port.name, port.state(), &speed, &port.mac, place, &port.device];
        setup.row(texts.map(str::to_owned));
        let counts = [port.rx_packets, port.rx_bytes, port.tx_packets, port.tx_bytes];
        traffic.row(named(&port.name, counts));
        let received = [port.imissed, port.rx_nombuf, port.rx_errors];
        let lost = received.into_iter().chain([port.tx_errors, port.tx_full, port.resets]);
        losses.row([port.name.clone()].into_iter().chain(lost.map(|count| count.to_string())));
    }
    [setup, traffic, losses].map(|table| table.render()).join("\n")
}

fn workers(workers: &[WorkerReport]) -> String {
    let mut time =
        TextTable::new(&["LCORE", "POLLS", "BUSY", "CYCLES/PACKET", "LONGEST", "STALLS", "HELD"]);
    let mut law = TextTable::new(&[
        "LCORE",
        "RX",
        "ORIGINATED",
        "REPLICATED",
        "HANDED_IN",
        "TX",
        "LOCAL",
        "DROPPED",
        "HANDED_OUT",
        "HELD",
        "IMBALANCE",
    ]);
    for w in workers {
        let cycles = w.cycles_per_packet.map_or("-".to_owned(), |cycles| format!("{cycles:.0}"));
        let busy = format!("{:.1}%", w.busy_share * 100.0);
        let (polls, stalls) = (w.polls.to_string(), w.stalls.to_string());
        let longest = format!("{:.1}ms", w.longest_round_ms);
        time.row([w.lcore.to_string(), polls, busy, cycles, longest, stalls, w.held.to_string()]);
        let into = [w.rx, w.originated, w.replicated, w.handed_in];
        let out = [w.tx, w.local, w.dropped, w.handed_out, w.held];
        let counts = into.into_iter().chain(out).map(|count| count.to_string());
        law.row([w.lcore.to_string()].into_iter().chain(counts).chain([w.imbalance.to_string()]));
    }
    [time.render(), bursts(workers), law.render()].join("\n")
}

/// A row of bursts by size for every worker.
fn bursts(workers: &[WorkerReport]) -> String {
    let sizes = workers.first().map_or(&[][..], |worker| &worker.bursts);
    let labels: Vec<_> = (0..sizes.len()).map(|at| bucket_label(sizes, at)).collect();
    let head: Vec<_> =
        ["LCORE", "BURSTS OF"].into_iter().chain(labels.iter().map(String::as_str)).collect();
    let mut table = TextTable::new(&head);
    for worker in workers {
        let counts = worker.bursts.iter().map(|bucket| bucket.bursts.to_string());
        table.row([worker.lcore.to_string(), String::new()].into_iter().chain(counts));
    }
    table.render()
}

fn bucket_label(buckets: &[BurstBucket], at: usize) -> String {
    let below = at.checked_sub(1).and_then(|before| buckets[before].up_to);
    let first = below.map_or(0, |last| last + 1);
    match buckets[at].up_to {
        Some(last) if last == first => last.to_string(),
        Some(last) => format!("{first}-{last}"),
        None => format!("{first}+"),
    }
}

fn gro(ports: &[GroReport]) -> String {
    let mut trains = TextTable::new(&[
        "PORT",
        "MODE",
        "DATAGRAMS",
        "SUPER_PACKETS",
        "SEGMENTS",
        "MEAN_TRAIN",
        "HOLD_MEAN",
        "HOLD_MAX",
    ]);
    let mut table =
        TextTable::new(&["PORT", "TABLE_USED", "PEAK", "LIMIT", "EVICTIONS", "OPT_OUTS"]);
    let mut flushes = TextTable::new(&["PORT", "FLUSH_REASON", "SUPER_PACKETS"]);
    for gro in ports {
        let counts = [gro.datagrams, gro.super_packets, gro.segments].map(|n| n.to_string());
        let mean = format!("{:.1}", gro.mean_train);
        let hold = [gro.hold_mean_us, gro.hold_max_us].map(|us| format!("{us:.1}us"));
        let first = [gro.port.clone(), gro.mode.clone()];
        trains.row(first.into_iter().chain(counts).chain([mean]).chain(hold));
        let sizes = [gro.table_used, gro.table_peak, gro.table_limit, gro.evictions, gro.opt_outs];
        table.row(named(&gro.port, sizes));
        for (reason, count) in gro.flushes.iter().filter(|(_, count)| **count > 0) {
            flushes.row([gro.port.clone(), reason.clone(), count.to_string()]);
        }
    }
    [trains, table, flushes].map(|table| table.render()).join("\n")
}

fn host(shadows: &[HostReport]) -> String {
    let mut up = TextTable::new(&["SHADOW", "UP", "SUPER_PACKETS", "IN_SUPER_PACKETS", "REFUSED"]);
    let mut down = TextTable::new(&["SHADOW", "DOWN", "NO_BUFFER", "FULL", "BAD_REQUESTS"]);
    for host in shadows {
        let counts = [host.up, host.up_super_packets, host.up_in_super_packets, host.up_refused];
        up.row(named(&host.shadow, counts));
        let counts = [host.down, host.down_no_buffer, host.down_full, host.down_bad_requests];
        down.row(named(&host.shadow, counts));
    }
    [up, down].map(|table| table.render()).join("\n")
}

fn fanout(fanout: &FanoutReport) -> String {
    let mut table = TextTable::new(&["FRAMES", "COUNT"]);
    let ways = [
        ("replicas", fanout.replicas),
        ("shared", fanout.shared),
        ("private headers", fanout.private_headers),
        ("whole copies", fanout.whole_copies),
        ("in place", fanout.in_place),
    ];
    for (way, count) in ways {
        table.row([way.to_owned(), count.to_string()]);
    }
    table.render() + "\n" + &counts(["REFUSED BY", "REPLICAS"], &fanout.refused)
}

fn drops(drops: &DropsReport) -> String {
    let seen = drops.by_reason.iter().filter(|(_, count)| **count > 0);
    let mut reasons = TextTable::new(&["REASON", "DROPS"]);
    for (reason, count) in seen {
        reasons.row([reason.clone(), count.to_string()]);
    }
    reasons.row(["total".to_owned(), drops.total.to_string()]);
    let mut by_port = TextTable::new(&["PORT", "REASON", "DROPS"]);
    for (port, reasons) in &drops.by_port {
        for (reason, count) in reasons {
            by_port.row([port.clone(), reason.clone(), count.to_string()]);
        }
    }
    reasons.render() + "\n" + &by_port.render()
}

fn fdb(bridges: &[FdbReport]) -> String {
    let mut sizes = TextTable::new(&["BRIDGE", "USED", "LIMIT"]);
    let mut entries = TextTable::new(&["BRIDGE", "MAC", "VLAN", "PORT", "AGE"]);
    for bridge in bridges {
        sizes.row(named(&bridge.bridge, [bridge.used, bridge.limit]));
        for entry in &bridge.entries {
            let (vlan, age) = (entry.vlan.to_string(), format!("{}s", entry.age_s));
            let (mac, port) = (entry.mac.clone(), entry.port.clone());
            entries.row([bridge.bridge.clone(), mac, vlan, port, age]);
        }
    }
    sizes.render() + "\n" + &entries.render()
}

fn mdb(entries: &[MdbEntry]) -> String {
    let mut table = TextTable::new(&["BRIDGE", "GROUP", "SOURCE", "PORTS", "LISTENER", "FROM"]);
    for entry in entries {
        let (bridge, group) = (entry.bridge.clone(), entry.group.clone());
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (source, listener) = (or_none(&entry.source), or_none(&entry.listener));
        table.row([bridge, group, source, entry.ports.join(" "), listener, origin(entry.origin)]);
    }
    table.render()
}

fn fib(entries: &[FibEntry]) -> String {
    let mut table = TextTable::new(&["PREFIX", "VIA", "PORT", "FROM"]);
    for entry in entries {
        let via = entry.via.clone().unwrap_or("-".to_owned());
        table.row([entry.prefix.clone(), via, entry.port.clone(), origin(entry.origin)]);
    }
    table.render()
}

fn mfib(entries: &[MfibEntry]) -> String {
    let mut table = TextTable::new(&["GROUP", "SOURCE", "INGRESS", "EGRESS", "FROM"]);
    for entry in entries {
        let stream = [entry.group.clone(), entry.source.clone(), entry.from.clone()];
        table.row(stream.into_iter().chain([entry.to.join(" "), origin(entry.origin)]));
    }
    table.render()
}

fn neighbors(entries: &[NeighborEntry]) -> String {
    let mut table = TextTable::new(&["ADDRESS", "MAC", "PORT", "FROM"]);
    for entry in entries {
        let (address, mac) = (entry.address.clone(), entry.mac.clone());
        table.row([address, mac, entry.port.clone(), origin(entry.origin)]);
    }
    table.render()
}

fn latency(pairs: &[LatencyReport]) -> String {
    let mut table = TextTable::new(&["FROM", "TO", "COUNT", "P50", "P99", "P99.9", "MAX"]);
    for pair in pairs {
        let times = [pair.p50_ns, pair.p99_ns, pair.p999_ns, pair.max_ns];
        let times = times.map(|nanos| format!("{:.1}us", nanos as f64 / 1e3));
        let ends = [pair.from.clone(), pair.to.clone(), pair.count.to_string()];
        table.row(ends.into_iter().chain(times));
    }
    table.render()
}

fn filters(filters: &[FilterReport]) -> String {
    let head = ["RULE", "AT", "ACTION", "DATAGRAMS", "BYTES", "LIMITED", "MATCH"];
    let mut table = TextTable::new(&head);
    for filter in filters {
        let FilterReport { rule, at, matches, action, datagrams, bytes, limited } = filter;
        let counts = [datagrams, bytes, limited].map(u64::to_string);
        let before = [rule.to_string(), at.clone(), action.clone()];
        table.row(before.into_iter().chain(counts).chain([matches.clone()]));
    }
    table.render()
}

fn pools(pools: &[PoolReport]) -> String {
    let mut table = TextTable::new(&["POOL", "CAPACITY", "FREE", "CACHED", "HELD BY"]);
    let mut holders = TextTable::new(&["POOL", "STAGE", "PORT", "LCORE", "FRAMES"]);
    for pool in pools {
        let held = pool.held.iter().filter(|(_, count)| **count > 0);
        let held: Vec<_> = held.map(|(stage, count)| format!("{stage} {count}")).collect();
        let counts = named(&pool.name, [pool.capacity, pool.free, pool.cached]);
        table.row(counts.into_iter().chain([held.join(", ")]));
        for holder in &pool.holders {
            let port = holder.port.clone().unwrap_or("-".to_owned());
            let numbers = [holder.lcore.to_string(), holder.frames.to_string()];
            let first = [pool.name.clone(), holder.stage.clone(), port];
            holders.row(first.into_iter().chain(numbers));
        }
    }
    table.render() + "\n" + &holders.render()
}

fn tables(tables: &[TableUse]) -> String {
    let mut text = TextTable::new(&["TABLE", "USED", "LIMIT"]);
    for table in tables {
        text.row(named(&table.name, [table.used, table.limit]));
    }
    text.render()
}

/// A file again, with what is not in it as comments.
fn config(config: &ConfigReport) -> String {
    let ConfigReport { generation, last_result, file, toml, .. } = config;
    format!("# {file}, generation {generation}: {last_result}\n{toml}")
}

fn health(health: &Health) -> String {
    let yes = |flag: bool| if flag { "yes" } else { "no" };
    let state = format!(
        "live    {}\nready   {}\nconfig  generation {}, {}\n",
        yes(health.live),
        yes(health.ready),
        health.generation,
        health.last_result
    );
    let problems = health.problems.iter().map(|problem| format!("- {problem}\n"));
    state + &problems.collect::<String>()
}

fn counts(head: [&str; 2], counts: &BTreeMap<String, u64>) -> String {
    let mut table = TextTable::new(&head);
    for (name, count) in counts.iter().filter(|(_, count)| **count > 0) {
        table.row([name.clone(), count.to_string()]);
    }
    table.render()
}

/// A row of a name and counts.
fn named<const N: usize>(name: &str, counts: [u64; N]) -> Vec<String> {
    [name.to_owned()].into_iter().chain(counts.map(|count| count.to_string())).collect()
}

fn origin(origin: Origin) -> String {
    let name = match origin {
        Origin::Connected => "connected",
        Origin::Static => "static",
        Origin::Learned => "learned",
        Origin::Kernel => "kernel",
    };
    name.to_owned()
}
