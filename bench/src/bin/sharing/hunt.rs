use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use bench::frames::write_pcap;
use bench::machine::Machine;
use bench::program::Program;
use bench::sharing::{Line, Lines, Places, Stepper, Verdict};
use bench::{Case, Form, Journey, Topology, outputs};
use clap::Parser;
use gateway::demo::namespace::Namespace;

/// Which cache lines two workers share.
#[derive(Parser)]
struct Args {
    /// Instructions of each worker, per case
    #[arg(long, default_value_t = 250_000)]
    instructions: u64,
    /// Instructions of one worker before it is the other's turn
    #[arg(long, default_value_t = 2000)]
    turn: u64,
    /// Only cases whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Every line by itself
    #[arg(long)]
    lines: bool,
}

/// Before the first step; long enough to tell who polls, too.
const WARM_UP: Duration = Duration::from_millis(300);

/// Ways of true sharing that are shown.
const COMMON_SHOWN: usize = 6;

/// A case, and whether its egress ports have one queue for two workers.
type Named = (&'static str, Case, bool);

fn cases() -> [Named; 5] {
    let route = Case::new(Journey::Route);
    let trains = Case { train: 16, adaptive: false, ..route.clone() };
    let copies = Case { copies: 3, ..Case::new(Journey::Multicast) };
    [
        ("routed, single", Case { gro: Form::Off, ..route }, false),
        ("routed, trains of 16", trains.clone(), false),
        ("multicast 1 to 3, trains of 16", Case { train: 16, ..copies.clone() }, false),
        ("multicast 1 to 3, handed over", Case { train: 16, ..copies }, true),
        ("bridged to a station", Case { path: Journey::Station, ..trains }, true),
    ]
}

pub(super) fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let (folder, inside) = (tempfile::tempdir()?, Namespace::new("sharing")?);
    let mut apart = 0;
    for (name, case, handed_over) in cases() {
        if name.contains(&args.only) {
            let file = configuration(&case, handed_over, folder.path())?;
            let program = Program::gateway(&inside, folder.path(), &file).context(name)?;
            apart += hunt(&args, name, &program).context(name)?;
        }
    }
    println!("{apart} line(s) of the gateway's own falsely shared");
    Ok(if apart == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn configuration(case: &Case, handed_over: bool, folder: &Path) -> anyhow::Result<String> {
    let (input, silence) = (folder.join("in.pcap"), folder.join("silence.pcap"));
    case.write_pcap(&input)?;
    write_pcap(&silence, &[])?;
    let input = input.display();
    let mut outputs = outputs(case, folder)?;
    if handed_over && case.path != Journey::Station {
        // As many transmit queues as receive queues, and all is dropped there.
        let port = |n| format!("net_pcap{n},rx_pcap={}", silence.display());
        outputs = (1..=case.egress_ports()).map(port).collect();
    }
    let machine = Machine::here()?;
    let topology = Topology {
        input: &format!("net_pcap0,rx_pcap={input},rx_pcap={input},infinite_rx=1"),
        outputs: &outputs,
        lcores: &machine.pollers[machine.pollers.len() - 2..],
        hugepages: false,
        max_hold_us: 0,
    };
    Ok(topology.write(case))
}

/// Returns how many lines are falsely shared by the gateway's own doing.
fn hunt(args: &Args, name: &str, program: &Program) -> anyhow::Result<usize> {
    program.await_frames()?;
    let before = program.read()?;
    thread::sleep(WARM_UP);
    let workers = program.read()?.pollers_since(&before, 2);
    let mut lines = Lines::default();
    let mut stepper = Stepper::stop(program.pid(), &workers)?;
    stepper.run(args.instructions, args.turn, &mut lines)?;
    let mut places = Places::of(program.pid())?;
    drop(stepper);
    let shared = lines.shared();
    places.learn(&shared.iter().flat_map(|(_, _, line)| line.instructions()).collect())?;
    println!("\n## {name}: {} lines touched, {} shared", lines.len(), shared.len());
    report(args, &places, &shared);
    Ok(shared.iter().filter(|(_, verdict, line)| is_ours(&places, *verdict, line)).count())
}

/// False sharing first, then what moves most; of true sharing the rest in one line.
fn report(args: &Args, places: &Places, shared: &[(u64, Verdict, &Line)]) {
    let mut groups: BTreeMap<Group, (usize, u64)> = BTreeMap::new();
    for &(at, verdict, line) in shared {
        let group = Group::of(places, at, verdict, line, args.lines);
        let (count, moves) = groups.entry(group).or_default();
        (*count, *moves) = (*count + 1, *moves + line.moves);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|&(Group { verdict, .. }, (_, moves))| (verdict, u64::MAX - moves));
    let apart = groups.partition_point(|(group, _)| group.verdict == Verdict::Apart);
    let shown = if args.lines { groups.len() } else { groups.len().min(apart + COMMON_SHOWN) };
    for (group, (count, moves)) in &groups[..shown] {
        println!("{count:5} line(s) {moves:6} moves  {:?} in {}", group.verdict, group.region);
        for (thread, sources) in group.sources.iter().enumerate() {
            let sources: Vec<_> = sources.iter().map(String::as_str).collect();
            println!("      worker {thread}: {}", sources.join(" "));
        }
    }
    let rest = &groups[shown..];
    if !rest.is_empty() {
        let sum = rest.iter().fold((0, 0), |sum, (_, (n, moves))| (sum.0 + n, sum.1 + moves));
        println!("{:5} line(s) {:6} moves  Common, in {} more ways", sum.0, sum.1, rest.len());
    }
}

/// Lines of which the same is to be said.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    verdict: Verdict,
    region: String,
    sources: Vec<BTreeSet<String>>,
}

impl Group {
    fn of(places: &Places, at: u64, verdict: Verdict, line: &Line, alone: bool) -> Self {
        let region = places.region(at);
        let region = if alone { format!("{region} at {at:#x}") } else { region };
        let source = |at: &u64| {
            let source = places.source(*at);
            if alone { source } else { source.split(':').next().unwrap_or_default().to_owned() }
        };
        let sources = line.uses.iter().map(|used| used.by.iter().map(source).collect()).collect();
        Self { verdict, region, sources }
    }
}

/// Falsely shared, and not only among drivers.
fn is_ours(places: &Places, verdict: Verdict, line: &Line) -> bool {
    verdict == Verdict::Apart && line.instructions().any(|at| places.is_executable(at))
}
