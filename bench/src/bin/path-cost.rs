//! What one worker spends on a packet, over DPDK's own virtual ports: net_pcap replays frames from
//! memory without end, net_null takes what leaves. Prints time-stamp-counter cycles per frame
//! received; run under callgrind with two numbers of polls, the difference is instructions.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::fs::File;
use std::path::Path;

use anyhow::{Context, ensure};
use bench::Shape;
use clap::{Parser, ValueEnum};
use gateway::config;
use gateway::dpdk::{
    Clock, Device, Dpdk, Eal, EalOptions, Lcore, Opened, Pool, PoolOptions, Port, PortOptions,
};
use gateway::runtime::{PortQueues, Totals, assemble};
use gateway::worker::Worker;
use pcap_file::pcap::{PcapPacket, PcapWriter};

/// What one worker spends on a packet.
#[derive(Parser)]
struct Args {
    /// What becomes of the frames.
    #[arg(long, value_enum, default_value = "route")]
    path: Kind,
    /// Datagrams of one flow in a row.
    #[arg(long, default_value_t = 1)]
    train: usize,
    /// Bytes of UDP payload.
    #[arg(long, default_value_t = 22)]
    payload: usize,
    /// Egress ports of a replicated frame.
    #[arg(long, default_value_t = 3)]
    copies: usize,
    /// off, list or merge.
    #[arg(long, default_value = "list")]
    gro: String,
    /// Bytes of frame up to which a routed replica is a whole copy.
    #[arg(long, default_value_t = 2048)]
    copy_up_to: u16,
    /// Whether a queue that never coalesces gives up coalescing for a while.
    #[arg(long)]
    adaptive: bool,
    /// How often the worker polls.
    #[arg(long, default_value_t = 200_000)]
    polls: u64,
    /// The CPU it is pinned to.
    #[arg(long, default_value_t = 1)]
    lcore: usize,
    /// Hugepages, as in production.
    #[arg(long)]
    hugepages: bool,
    /// Write the frames here, for a peer to replay.
    #[arg(long)]
    write: Option<std::path::PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// IPv4 unicast to one next hop.
    Route,
    /// IPv4 multicast to `copies` ports.
    Multicast,
    /// A flooded group in a bridge of `copies` other ports.
    Bridge,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(path) = &args.write {
        return write_frames(&args, path);
    }
    let dir = tempfile::tempdir()?;
    let pcap = dir.path().join("in.pcap");
    write_frames(&args, &pcap)?;
    let text = configuration(&args, &pcap);
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
    let options = PoolOptions { buffers: 16384, buffer_bytes: 2048, numa_node: None };
    let pool = Pool::new(&eal, options)?;
    let (queues, _ports) = open(&eal, &devices, &pool)?;
    let mut assembly = assemble::<Dpdk>(&config, queues, &pool, 1);
    let worker = assembly.workers.first_mut().context("one worker")?;
    measure(&args, worker, Clock::new(&eal))
}

fn measure(args: &Args, worker: &mut Worker<Dpdk>, clock: Clock) -> anyhow::Result<()> {
    poll(worker, clock, args.polls / 10);
    let (before, began) = (worker.snapshot(), clock.now());
    poll(worker, clock, args.polls);
    let nanos = clock.now().since(began).0;
    let after = worker.snapshot();
    let frames = after.ledger().rx - before.ledger().rx;
    let totals = Totals::of([&after]);
    ensure!(totals.ledger.imbalance() == 0 && totals.ledger.dropped == 0, "{totals}");
    let trains = after.gro.first().map_or(0.0, |(_, stats)| stats.mean_train());
    println!(
        "{{\"frames\":{frames},\"sent\":{},\"nanos\":{nanos},\"cycles_per_frame\":{:.1},\"mean_train\":{trains:.2}}}",
        after.ledger().tx - before.ledger().tx,
        nanos as f64 * clock.cycles_per_nano() / frames as f64,
    );
    Ok(())
}

/// Kept out of line, so that a profile has a name for it.
#[inline(never)]
fn poll(worker: &mut Worker<Dpdk>, clock: Clock, polls: u64) {
    for _ in 0..polls {
        worker.poll_once(clock.now());
    }
}

fn open(
    eal: &Eal,
    devices: &[Device],
    pool: &Pool,
) -> anyhow::Result<(Vec<PortQueues<Dpdk>>, Vec<Port>)> {
    let mut ports = (Vec::new(), Vec::new());
    for (index, device) in devices.iter().enumerate() {
        let options = PortOptions {
            mac: None,
            mtu: 1500,
            rx_queues: 1,
            tx_queues: 1,
            descriptors: 1024,
            promiscuous: true,
            multi_segment: true,
        };
        let Opened { port, rx, tx, .. } = Port::open(eal, device, pool, &options)?;
        let mac = gateway::packet::MacAddr([2, 0, 0, 0, 0, index as u8]);
        ports.0.push(PortQueues::new(mac, rx, tx));
        ports.1.push(port);
    }
    Ok(ports)
}

/// 512 frames: whole bursts, whole trains.
fn write_frames(args: &Args, path: &Path) -> anyhow::Result<()> {
    let dst = if args.path == Kind::Route { [10, 1, 0, 2] } else { [239, 1, 1, 1] };
    let shape = Shape { burst: 512, train: args.train, payload: args.payload, dst };
    let mut writer = PcapWriter::new(File::create(path)?)?;
    for frame in shape.frames() {
        writer.write_packet(&PcapPacket::new(Default::default(), frame.len() as u32, &frame))?;
    }
    Ok(())
}

fn configuration(args: &Args, pcap: &Path) -> String {
    let copies = if args.path == Kind::Route { 1 } else { args.copies };
    let mut text = format!(
        "[runtime]\nlcores = [{}]\nhugepages = {}\nmemory_mb = 512\ncopy_up_to = {}\n\
         [gro]\nmode = \"{}\"\nadaptive = {}\n\
         [[port]]\nname = \"in\"\ndevice = \"net_pcap0,rx_pcap={},infinite_rx=1\"\n",
        args.lcore,
        args.hugepages,
        args.copy_up_to,
        args.gro,
        args.adaptive,
        pcap.display()
    );
    let routed = args.path != Kind::Bridge;
    let address = |n: usize| {
        if routed { format!("addresses = [\"10.{n}.0.1/24\"]\n") } else { String::new() }
    };
    text += &address(0);
    for n in 1..=copies {
        text += &format!("[[port]]\nname = \"out{n}\"\ndevice = \"net_null{n},no-rx=1\"\n");
        text += &address(n);
    }
    let outs: Vec<_> = (1..=copies).map(|n| format!("\"out{n}\"")).collect();
    let outs = outs.join(", ");
    match args.path {
        Kind::Route => {
            text += "[[neighbor]]\naddress = \"10.1.0.2\"\nmac = \"02:00:00:00:02:01\"\n\
                     port = \"out1\"\n";
        }
        Kind::Multicast => {
            text +=
                &format!("[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"in\"\nto = [{outs}]\n");
        }
        Kind::Bridge => text += &format!("[[bridge]]\nname = \"br0\"\nports = [\"in\", {outs}]\n"),
    }
    text
}
