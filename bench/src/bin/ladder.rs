//! `make bench`: the gateway beside its peers on the same virtual ports, in turn, within a time
//! limit. Writes every run to target/bench/results.jsonl, a dated section into bench/RESULTS.md and
//! the curves into bench/plots.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bench::delays::{self, Delay, Load};
use bench::machine::{Machine, load};
use bench::outcome::{Run, Spread, row};
use bench::peers::Who;
use bench::plan::{Group, Rung, Size, plan};
use bench::plot::{Curve, Figure};
use bench::rates::{self, Quest, Rate};
use bench::report::{QUIET, Section, insert};
use bench::runner::Runner;
use bench::veth::{self, Passage};
use clap::Parser;

/// The gateway beside its peers.
#[derive(Parser)]
struct Args {
    /// How much
    #[arg(long, value_enum, default_value = "short")]
    size: Size,
    /// Turns of every program
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// What is counted of a turn, milliseconds
    #[arg(long, default_value_t = 400)]
    window_ms: u64,
    /// How long delay is measured at each load, seconds
    #[arg(long, default_value_t = 2.0)]
    delay_s: f64,
    /// How long a trial of a search for the highest rate is, seconds
    #[arg(long, default_value_t = 0.5)]
    trial_s: f64,
    /// No turn begins after so many minutes
    #[arg(long, default_value_t = 7.0)]
    minutes: f64,
    /// Only groups whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Hugepages, as in production
    #[arg(long)]
    hugepages: bool,
    /// Where results go
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// The file that gets a dated section; none without
    #[arg(long)]
    results: Option<PathBuf>,
    /// Where curves go
    #[arg(long, default_value = "target/bench")]
    plots: PathBuf,
    /// The date in the heading
    #[arg(long, default_value = "undated")]
    date: String,
    /// What was typed, for the section
    #[arg(long, default_value = "ladder")]
    command: String,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let machine = Machine::here()?;
    let mut groups = plan(args.size);
    groups.retain(|group| group.name.contains(&args.only));
    fs::create_dir_all(&args.out)?;
    fs::create_dir_all(&args.plots)?;
    let window = Duration::from_millis(args.window_ms);
    let runner = Runner::new(machine, window, args.hugepages)?;
    let (busy, began) = (load(), Instant::now());
    let (runs, failed) = climb(&args, &runner, &groups, began)?;
    let delays = delays(&args);
    let rates = rates(&args);
    let passages = passages(&args, &runner)?;
    let section = Section {
        heading: format!(
            "{}, ladder ({}{})",
            args.date,
            format!("{:?}", args.size).to_lowercase(),
            if args.hugepages { ", hugepages" } else { "" }
        ),
        machine: &runner.machine,
        notes: notes(&args, &busy, began),
        groups: &groups,
        runs: &runs,
        more: [
            (!delays.is_empty()).then(|| delays::table(&delays)),
            (!rates.is_empty()).then(|| rates::table(&rates)),
            (!passages.is_empty()).then(|| veth::table(&passages)),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    let text = section.render();
    println!("{text}");
    draw(&groups, &runs, &args.plots)?;
    delays::draw(&delays, &args.plots.join("delay.svg"))?;
    if let Some(file) = &args.results {
        insert(file, &text)?;
    }
    // A peer that is not here, or does not do it, is a row that is missing; ours must work.
    ensure!(failed.is_empty(), "runs of the gateway failed: {}", failed.join("; "));
    Ok(())
}

/// Round by round over all groups, so that a time limit cuts turns and not groups.
fn climb(
    args: &Args,
    runner: &Runner,
    groups: &[Group],
    began: Instant,
) -> anyhow::Result<(Vec<Run>, Vec<String>)> {
    let path = args.out.join("results.jsonl");
    let mut file = File::create(&path).context(path.display().to_string())?;
    let limit = Duration::from_secs_f64(60.0 * args.minutes);
    let (mut runs, mut failed) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        for group in groups {
            for rung in &group.rungs {
                if began.elapsed() > limit {
                    eprintln!("ladder: the time is up in round {} of {}", round + 1, args.rounds);
                    return Ok((runs, failed));
                }
                match quietly(runner, group.name, rung, round) {
                    Ok(run) => {
                        eprintln!(
                            "ladder: {round} {:<16} {:<48} {:7.1} cycles, {:3.0} % of its core",
                            run.group,
                            run.label,
                            run.cycles,
                            100.0 * run.share
                        );
                        writeln!(file, "{}", serde_json::to_string(&run)?)?;
                        runs.push(run);
                    }
                    Err(error) => {
                        eprintln!("ladder: {}: {error:#}", rung.label);
                        if rung.who == Who::Gateway {
                            failed.push(rung.label.clone());
                        }
                    }
                }
            }
        }
    }
    Ok((runs, failed))
}

/// At some loads and holds, once each: a histogram has its own spread.
fn delays(args: &Args) -> Vec<(Load, Delay)> {
    let mut rows = Vec::new();
    for load in delays::loads(args.size) {
        if !"delay".contains(&args.only) {
            continue;
        }
        match load.run(args.delay_s, &args.out) {
            Ok(delay) => rows.push((load, delay)),
            Err(error) => eprintln!("ladder: {}: {error:#}", load.label),
        }
    }
    rows
}

/// The highest rates, once each.
fn rates(args: &Args) -> Vec<(Quest, Rate)> {
    let mut rows = Vec::new();
    for quest in rates::quests(args.size) {
        if !"rates".contains(&args.only) {
            continue;
        }
        match quest.run(args.trial_s) {
            Ok(rate) => {
                eprintln!("ladder: {}: {rate:?}", quest.label());
                rows.push((quest, rate));
            }
            Err(error) => eprintln!("ladder: {}: {error:#}", quest.label()),
        }
    }
    rows
}

/// Kernel interfaces, in turn.
fn passages(args: &Args, runner: &Runner) -> anyhow::Result<Vec<Passage>> {
    let mut runs = Vec::new();
    if !"veth".contains(&args.only) {
        return Ok(runs);
    }
    let path = args.out.join("veth.jsonl");
    let mut file = File::create(&path).context(path.display().to_string())?;
    for round in 0..args.rounds.min(3) {
        for (middle, case) in veth::passages(args.size) {
            match veth::pass(middle, &case, round, &runner.machine.pollers, runner.window) {
                Ok(run) => {
                    writeln!(file, "{}", serde_json::to_string(&run)?)?;
                    runs.push(run);
                }
                Err(error) => eprintln!("ladder: {middle:?}: {error:#}"),
            }
        }
    }
    Ok(runs)
}

/// Once more where the core was shared; after that it stays as it is, and the table says so.
fn quietly(runner: &Runner, group: &'static str, rung: &Rung, round: usize) -> anyhow::Result<Run> {
    let run = runner.run(group, rung, round)?;
    if run.share >= QUIET {
        return Ok(run);
    }
    let again = runner.run(group, rung, round)?;
    Ok(if again.share > run.share { again } else { run })
}

fn notes(args: &Args, busy: &str, began: Instant) -> Vec<String> {
    vec![
        format!(
            "`{}`: {:.0} s; load average {busy} before, {} after. Programs in turn, up to {} turns of {} ms \
             each after a warm-up of half of it;",
            args.command,
            began.elapsed().as_secs_f64(),
            load(),
            args.rounds,
            args.window_ms
        ),
        "cycles are the CPU time of the polling threads (schedstat) by the time-stamp counter's rate, per frame \
         received. `net_pcap` replays from"
            .into(),
        format!(
            "memory (`infinite_rx=1`) into `net_null`, {}. The gateway is `gateway run`, peers are testpmd of \
             Debian's dpdk-dev and",
            if args.hugepages { "hugepages" } else { "ordinary pages (`--no-huge`)" }
        ),
        "DPDK's examples built by scripts/peers.sh on the same libdpdk. A ratio is of two runs of one round.".into(),
    ]
}

/// A curve per form, from groups with an axis.
fn draw(groups: &[Group], runs: &[Run], folder: &Path) -> anyhow::Result<()> {
    for group in groups {
        let Some(axis) = group.axis else { continue };
        let mut curves: Vec<Curve> = Vec::new();
        for rung in &group.rungs {
            let cycles = row(runs, group.name, &rung.label).into_iter().map(|run| run.cycles);
            let Some(spread) = Spread::of(cycles) else { continue };
            let per_copy = rung.case.egress_ports() as f64;
            let name = curve_name(rung);
            let point = (rung.x, spread.median / per_copy);
            match curves.iter_mut().find(|(known, _)| *known == name) {
                Some((_, points)) => points.push(point),
                None => curves.push((name, vec![point])),
            }
        }
        for (_, points) in &mut curves {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let y = if group.name == "fanout" { "cycles per copy" } else { "cycles per frame" };
        let figure = Figure { title: group.title, x: axis, y, curves };
        figure.draw(&folder.join(format!("{}.svg", group.name)))?;
    }
    Ok(())
}

/// What rungs of one curve have in common.
fn curve_name(rung: &Rung) -> String {
    let who = match rung.who {
        Who::Gateway => format!("gateway, {}", rung.case.form()),
        peer => peer.to_string(),
    };
    let bytes = rung.case.payload + 42;
    let shape = if rung.case.train > 1 { "trains" } else { "single" };
    match rung.case.egress_ports() {
        1 if rung.case.frames > 512 => format!("{who}, {shape}"),
        1 => who,
        _ => format!("{who}, {bytes} B"),
    }
}
