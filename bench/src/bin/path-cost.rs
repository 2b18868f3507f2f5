//! What one worker spends on a packet, over DPDK's own virtual ports: net_pcap replays frames from
//! memory without end, net_null takes what leaves. Prints time-stamp-counter cycles per frame
//! received; callgrind counts instructions of the same window (`--toggle-collect=path_cost::window`).
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use anyhow::{Context, ensure};
use bench::{Case, Topology, open_port, outputs};
use clap::Parser;
use gateway::config;
use gateway::dpdk::{Clock, Device, Dpdk, Eal, EalOptions, Lcore, Opened, Pool, PoolOptions, Port};
use gateway::ideas;
use gateway::packet::MacAddr;
use gateway::runtime::{PortQueues, Totals, assemble};
use gateway::worker::Worker;

/// What one worker spends on a packet.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    case: Case,
    /// How often the worker polls
    #[arg(long, default_value_t = 200_000, overrides_with = "polls")]
    polls: u64,
    /// How often it polls before that; a tenth by default
    #[arg(long, overrides_with = "warm_up")]
    warm_up: Option<u64>,
    /// The CPU it is pinned to
    #[arg(long, default_value_t = 1)]
    lcore: usize,
    /// Hugepages, as in production
    #[arg(long)]
    hugepages: bool,
    /// Buffers come back first in, first out: DPDK's usual pool
    #[arg(long)]
    ring_pool: bool,
    /// Every port has the same address, as gateways have that stand in for one another
    #[arg(long)]
    one_mac: bool,
    /// Write the frames here, for a peer to replay, and end
    #[arg(long)]
    write: Option<std::path::PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(path) = &args.write {
        return args.case.write_pcap(path);
    }
    let dir = tempfile::tempdir()?;
    let input = dir.path().join("in.pcap");
    args.case.write_pcap(&input)?;
    let topology = Topology {
        input: &format!("net_pcap0,rx_pcap={},infinite_rx=1", input.display()),
        outputs: &outputs(&args.case, dir.path())?,
        lcores: &[args.lcore],
        hugepages: args.hugepages,
        max_hold_us: 0,
    };
    let text = topology.write(&args.case);
    let config = config::parse("bench.toml", &text).map_err(|e| anyhow::anyhow!("{e}"))?;
    let devices: Vec<Device> =
        config.ports.iter().map(|port| port.device.parse()).collect::<Result<_, _>>()?;
    let eal = Eal::start(&EalOptions {
        hugepages: args.hugepages,
        memory_mb: config.runtime.memory_mb,
        devices: devices.clone(),
        args: Vec::new(),
    })?;
    let _lcore = Lcore::enter(&eal, args.lcore)?;
    let (buffers, buffer_bytes) = (config.runtime.pool_buffers, config.runtime.buffer_bytes);
    let lifo = !args.ring_pool;
    let pool = Pool::new(&eal, PoolOptions { buffers, buffer_bytes, numa_node: None, lifo })?;
    let (queues, _ports) = open(&args, &eal, &devices, &pool)?;
    let mut assembly = assemble::<Dpdk>(&config, queues, &pool, 1);
    let worker = assembly.workers.first_mut().context("one worker")?;
    measure(&args, worker, Clock::new(&eal))
}

fn measure(args: &Args, worker: &mut Worker<Dpdk>, clock: Clock) -> anyhow::Result<()> {
    poll(worker, clock, args.warm_up.unwrap_or(args.polls / 10));
    let (before, began) = (worker.snapshot(), clock.now());
    window(worker, clock, args.polls);
    let nanos = clock.now().since(began).0;
    let after = worker.snapshot();
    let frames = after.ledger().rx - before.ledger().rx;
    let sent = after.ledger().tx - before.ledger().tx;
    let totals = Totals::of([&after]);
    ensure!(totals.ledger.imbalance() == 0 && totals.ledger.dropped == 0, "{totals}");
    // A burst may be held over the boundary.
    let due = frames * args.case.egress_ports() as u64;
    ensure!(sent.abs_diff(due) <= 256 * 64, "{frames} received, {sent} sent, due {due}");
    let trains = after.gro.first().map_or(0.0, |(_, stats)| stats.mean_train());
    println!(
        "{{\"frames\":{frames},\"sent\":{sent},\"nanos\":{nanos},\"cycles_per_frame\":{:.1},\"mean_train\":{trains:.2},\"without\":\"{}\"}}",
        nanos as f64 * clock.cycles_per_nano() / frames as f64,
        ideas::WITHOUT,
    );
    Ok(())
}

/// What is measured. Kept out of line, so that a profile has a name for it.
#[inline(never)]
fn window(worker: &mut Worker<Dpdk>, clock: Clock, polls: u64) {
    poll(worker, clock, polls);
}

fn poll(worker: &mut Worker<Dpdk>, clock: Clock, polls: u64) {
    for _ in 0..polls {
        worker.poll_once(clock.now());
    }
}

fn open(
    args: &Args,
    eal: &Eal,
    devices: &[Device],
    pool: &Pool,
) -> anyhow::Result<(Vec<PortQueues<Dpdk>>, Vec<Port>)> {
    let mut ports = (Vec::new(), Vec::new());
    for (index, device) in devices.iter().enumerate() {
        let Opened { port, rx, tx, .. } = open_port(eal, device, pool, true)?;
        let mac = MacAddr([2, 0, 0, 0, 0, if args.one_mac { 0 } else { index as u8 }]);
        ports.0.push(PortQueues::new(mac, rx, tx));
        ports.1.push(port);
    }
    Ok(ports)
}
