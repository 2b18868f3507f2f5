//! Added delay and highest rate of a forwarder between two memif pairs: this process sends on one
//! CPU, the forwarder polls on another. Prints one line of JSON.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use bench::load::{Generator, Trial};
use bench::machine::Machine;
use bench::peers::{PeerSetup, Who, examples};
use bench::program::{Program, Window};
use bench::search::Search;
use bench::{Case, Topology};
use clap::{Parser, ValueEnum};
use gateway::demo::namespace::Namespace;
use gateway::dpdk::{Device, Eal, EalOptions, Lcore};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;

/// Points of the curve.
const QUANTILES: [f64; 12] =
    [0.0, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999];

/// Added delay, or with --loss the highest rate.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    case: Case,
    /// Who forwards
    #[arg(long, value_enum, default_value = "gateway")]
    who: Forwarder,
    /// Frames per second; of a search the most that is offered
    #[arg(long, default_value_t = 100_000.0)]
    rate: f64,
    /// How long a trial is
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How long the gateway may hold a datagram
    #[arg(long, default_value_t = 0)]
    hold_us: u32,
    /// Search the highest rate with at most this share lost: 0 is the NDR
    #[arg(long)]
    loss: Option<f64>,
    /// Ends the search: what is left of the range over its top
    #[arg(long, default_value_t = 0.02)]
    resolution: f64,
    /// Write the delays here, as HdrHistogram's interval log
    #[arg(long)]
    hlog: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Forwarder {
    Gateway,
    TestpmdIo,
    TestpmdMacswap,
    L3fwdLpm,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    ensure!(
        args.case.egress_ports() == 1 && !args.case.v6 && !args.case.vlan,
        "plain IPv4, one way"
    );
    let machine = Machine::here()?;
    let dir = tempfile::tempdir()?;
    let memif = |n: usize, role: &str| {
        format!(
            "net_memif{n},role={role},id={n},socket-abstract=no,socket={}",
            dir.path().join("memif").display()
        )
    };
    let mine = [memif(0, "server"), memif(1, "server")];
    let devices: Vec<Device> = mine.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let eal = Eal::start(&EalOptions {
        hugepages: false,
        memory_mb: 128,
        devices,
        args: vec![format!("--file-prefix=delay-{}", std::process::id())],
    })?;
    let mut generator = Generator::open(&eal, [&mine[0], &mine[1]], args.case.frames()?)?;
    let theirs = [memif(0, "client"), memif(1, "client")];
    let program = start(&args, &machine, dir.path(), &theirs)?;
    generator.await_links()?;
    let lcore = Lcore::enter(&eal, machine.pollers[0])?;
    let train = args.case.train;
    // Caches and learned things; what is lost here is not counted.
    generator.trial(&lcore, args.rate.min(20_000.0), Duration::from_millis(300), train)?;
    let report = match args.loss {
        Some(loss) => search(&args, &mut generator, &lcore, loss)?,
        None => measure(&args, &mut generator, &lcore, &program)?,
    };
    drop(lcore);
    program.stop()?;
    println!("{report}");
    Ok(())
}

fn start(
    args: &Args,
    machine: &Machine,
    folder: &Path,
    devices: &[String; 2],
) -> anyhow::Result<Program> {
    let lcore = machine.pollers[machine.pollers.len() - 1];
    let who = match args.who {
        Forwarder::Gateway => {
            let topology = Topology {
                input: &devices[0],
                outputs: &devices[1..],
                lcores: &[lcore],
                hugepages: false,
                max_hold_us: args.hold_us,
            };
            let inside = Namespace::new("delay")?;
            return Program::gateway(&inside, folder, &topology.write(&args.case));
        }
        Forwarder::TestpmdIo => Who::TestpmdIo,
        Forwarder::TestpmdMacswap => Who::TestpmdMacswap,
        Forwarder::L3fwdLpm => Who::L3fwdLpm,
    };
    let prefix = format!("delay-peer-{}", std::process::id());
    let setup = PeerSetup {
        examples: &fs::canonicalize(examples()).context("scripts/peers.sh was not run")?,
        prefix: &prefix,
        devices,
        lcore,
        other: machine.pollers[0],
        workers: 1,
        hugepages: false,
    };
    Program::peer(&who.command(&setup), &prefix, 1)
}

fn measure(
    args: &Args,
    generator: &mut Generator,
    lcore: &Lcore,
    program: &Program,
) -> anyhow::Result<serde_json::Value> {
    let before = program.read()?;
    let duration = Duration::from_secs_f64(args.seconds);
    let trial = generator.trial(lcore, args.rate, duration, args.case.train)?;
    let window = Window::between(&before, &program.read()?, 1);
    if let Some(path) = &args.hlog {
        write_log(path, &trial.delays, duration)?;
    }
    Ok(report(args, &trial, window.share))
}

fn report(args: &Args, trial: &Trial, forwarder_share: f64) -> serde_json::Value {
    let at = |quantile| trial.delays.value_at_quantile(quantile);
    let curve = QUANTILES.map(|quantile| (1.0 / (1.0 - quantile), at(quantile)));
    serde_json::json!({
        "case": args.case,
        "rate": args.rate,
        "hold_us": args.hold_us,
        "offered": trial.loss.offered,
        "carried": trial.loss.carried,
        "not_taken": trial.not_taken,
        "p50_ns": at(0.5),
        "p99_ns": at(0.99),
        "p999_ns": at(0.999),
        "max_ns": trial.delays.max(),
        "curve": curve,
        "generator_share": trial.share,
        "forwarder_share": forwarder_share,
    })
}

fn search(
    args: &Args,
    generator: &mut Generator,
    lcore: &Lcore,
    loss: f64,
) -> anyhow::Result<serde_json::Value> {
    let search =
        Search { range: (args.rate / 100.0, args.rate), loss, resolution: args.resolution };
    let duration = Duration::from_secs_f64(args.seconds);
    let found = search.run(|rate| {
        Ok::<_, anyhow::Error>(generator.trial(lcore, rate, duration, args.case.train)?.loss)
    })?;
    Ok(serde_json::json!({
        "case": args.case,
        "loss": loss,
        "rate": found.rate,
        "trials": found.trials,
        "at_top": found.at_top,
    }))
}

/// HdrHistogram's log of one interval, which its plotter and HistogramLogProcessor read.
fn write_log(path: &Path, delays: &Histogram<u64>, duration: Duration) -> anyhow::Result<()> {
    let mut file = File::create(path).context(path.display().to_string())?;
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("nanoseconds from when a datagram was due until it was received")
        .with_start_time(SystemTime::now())
        .with_max_value_divisor(1000.0)
        .begin_log_with(&mut file, &mut serializer)?;
    log.write_histogram(delays, Duration::ZERO, duration, None)
        .map_err(|error| anyhow::anyhow!("{}: {error:?}", path.display()))
}
