//! A gateway that is not there, for tests of the control side.

use std::collections::BTreeMap;

use super::super::capture::{CaptureRequest, Capturing};
use super::super::observe::{Observe, Operate};
use super::super::report::{
    BurstBucket, ConfigReport, DropsReport, FanoutReport, FdbEntry, FdbReport, FibEntry,
    FilterReport, GroReport, Health, HolderReport, HostReport, LatencyBucket, LatencyReport,
    MdbEntry, MfibEntry, NeighborEntry, Origin, PoolReport, PortReport, ReloadReport, TableUse,
    WorkerReport,
};

/// Two ports and one worker, with numbers that can be told apart.
pub(super) struct Sample {
    pub(super) live: bool,
}

fn map(entries: &[(&str, u64)]) -> BTreeMap<String, u64> {
    entries.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

impl Observe for Sample {
    fn ports(&self) -> Vec<PortReport> {
        let port = |name: &str, n: u64| PortReport {
            name: name.into(),
            device: format!("net_null{n}"),
            mac: format!("02:00:00:00:00:0{n}"),
            link: n == 0,
            speed_mbps: Some(10_000),
            bridge: (n == 1).then(|| "br0".into()),
            rx_packets: 100 + n,
            rx_bytes: 6000 + n,
            tx_packets: 200 + n,
            tx_bytes: 12_000 + n,
            imissed: 1 + n,
            rx_nombuf: 2 + n,
            rx_errors: 3 + n,
            tx_errors: 4 + n,
            tx_full: 5 + n,
            hung: false,
            resets: 7 + n,
        };
        vec![port("p0", 0), port("up\"link\\", 1)]
    }

    fn workers(&self) -> Vec<WorkerReport> {
        let bursts = [(Some(0), 7), (Some(1), 5), (Some(3), 3), (None, 1)];
        vec![WorkerReport {
            lcore: 2,
            polls: 1000,
            busy_share: 0.25,
            bursts: bursts.map(|(up_to, bursts)| BurstBucket { up_to, bursts }).to_vec(),
            cycles_per_packet: Some(123.4),
            longest_round_ms: 1.5,
            rx: 201,
            replicated: 3,
            tx: 200,
            dropped: 3,
            held: 1,
            ..WorkerReport::default()
        }]
    }

    fn gro(&self) -> Vec<GroReport> {
        vec![GroReport {
            port: "p0".into(),
            mode: "list".into(),
            datagrams: 100,
            super_packets: 10,
            segments: 95,
            mean_train: 10.5,
            flushes: map(&[("tail", 6), ("end_of_burst", 4), ("evicted", 0)]),
            table_used: 3,
            table_limit: 1024,
            table_peak: 17,
            evictions: 0,
            opt_outs: 2,
            hold_mean_us: 1.25,
            hold_max_us: 9.75,
        }]
    }

    fn fanout(&self) -> FanoutReport {
        FanoutReport {
            replicas: 30,
            shared: 20,
            private_headers: 6,
            whole_copies: 4,
            in_place: 11,
            refused: map(&[("p0", 2)]),
        }
    }

    fn host(&self) -> Vec<HostReport> {
        vec![HostReport { shadow: "gw-p0".into(), up: 5, down: 6, ..HostReport::default() }]
    }

    fn drops(&self) -> DropsReport {
        let by_port = [("p0".to_owned(), map(&[("no_route", 2), ("tx_full", 1)]))];
        DropsReport {
            total: 3,
            by_reason: map(&[("no_route", 2), ("tx_full", 1), ("tagged", 0)]),
            by_port: by_port.into_iter().collect(),
        }
    }

    fn fdb(&self) -> Vec<FdbReport> {
        let (mac, port) = ("02:00:00:00:00:09".into(), "up\"link\\".into());
        let entries = vec![FdbEntry { mac, vlan: 7, port, age_s: 12 }];
        vec![FdbReport { bridge: "br0".into(), used: 1, limit: 16384, entries }]
    }

    fn mdb(&self) -> Vec<MdbEntry> {
        let (bridge, group) = ("br0".into(), "239.1.1.1".into());
        let ports = vec!["p1".into()];
        let (source, listener, origin) = (None, None, Origin::Static);
        vec![MdbEntry { bridge, group, source, ports, listener, origin }]
    }

    fn fib(&self) -> Vec<FibEntry> {
        let entry = |prefix: &str, via: Option<&str>, origin| FibEntry {
            prefix: prefix.into(),
            via: via.map(Into::into),
            port: "p0".into(),
            origin,
        };
        let connected = entry("10.1.0.0/24", None, Origin::Connected);
        vec![connected, entry("0.0.0.0/0", Some("10.1.0.2"), Origin::Static)]
    }

    fn mfib(&self) -> Vec<MfibEntry> {
        let (group, source) = ("239.1.1.1".into(), "any".into());
        let to = vec!["p1".into(), "p2".into()];
        vec![MfibEntry { group, source, from: "p0".into(), to, origin: Origin::Static }]
    }

    fn neighbors(&self) -> Vec<NeighborEntry> {
        let (address, mac) = ("10.1.0.2".into(), "02:00:00:00:00:02".into());
        vec![NeighborEntry { address, mac, port: "p0".into(), origin: Origin::Learned }]
    }

    fn filters(&self) -> Vec<FilterReport> {
        vec![FilterReport {
            rule: 1,
            at: "ingress".into(),
            matches: "proto = \"udp\"".into(),
            action: "drop".into(),
            datagrams: 12,
            bytes: 1200,
            limited: 0,
        }]
    }

    fn latency(&self) -> Vec<LatencyReport> {
        vec![LatencyReport {
            from: "p0".into(),
            to: "p1".into(),
            count: 1000,
            p50_ns: 2500,
            p99_ns: 9000,
            p999_ns: 20_000,
            max_ns: 51_234,
            sum_ns: 3_000_000,
            buckets: vec![
                LatencyBucket { below_ns: Some(4096), samples: 900 },
                LatencyBucket { below_ns: None, samples: 100 },
            ],
        }]
    }

    fn pools(&self) -> Vec<PoolReport> {
        let held = map(&[("devices", 1024), ("gro", 1), ("tx_buffer", 0)]);
        let (stage, port) = ("gro".into(), Some("p0".into()));
        let holders = vec![HolderReport { stage, port, lcore: 2, frames: 1 }];
        let name = "packets".into();
        vec![PoolReport { name, capacity: 16384, free: 15359, cached: 17, held, holders }]
    }

    fn tables(&self) -> Vec<TableUse> {
        vec![TableUse { name: "fdb br0".into(), used: 1, limit: 16384 }]
    }

    fn config(&self) -> ConfigReport {
        ConfigReport {
            generation: 1,
            last_result: "as started".into(),
            last_refused: false,
            file: "gateway.toml".into(),
            toml: "[[port]]\nname = \"p0\"\n".into(),
        }
    }

    fn health(&self) -> Health {
        let problems = if self.live { vec![] } else { vec!["worker 2 does not poll".into()] };
        Health {
            live: self.live,
            ready: self.live,
            generation: 1,
            last_result: "as started".into(),
            problems,
        }
    }
}

impl Operate for Sample {
    fn capture(&self, request: &CaptureRequest) -> Result<Box<dyn Capturing>, String> {
        Err(format!("there is no port `{}`", request.port))
    }

    fn reload(&self) -> ReloadReport {
        ReloadReport { applied: true, generation: 2, ..ReloadReport::default() }
    }
}
