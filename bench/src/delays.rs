//! The ladder's part about delay: the `delay` program at some loads and holds, and what it said.

use core::fmt::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::plan::Size;
use crate::plot::{Curve, Figure};
use crate::program::sibling;
use crate::report::QUIET;

/// One measurement to make.
#[derive(Clone, Debug)]
pub struct Load {
    /// Name of the row.
    pub label: String,
    /// Of the logs.
    pub file: String,
    /// Arguments of `delay`.
    arguments: Vec<String>,
}

/// What `delay` said.
#[derive(Clone, Debug, Deserialize)]
pub struct Delay {
    offered: u64,
    carried: u64,
    p50_ns: u64,
    p99_ns: u64,
    p999_ns: u64,
    max_ns: u64,
    curve: Vec<(f64, f64)>,
    generator_share: f64,
    forwarder_share: f64,
}

/// The measurements of a size.
pub fn loads(size: Size) -> Vec<Load> {
    let (rates, holds): (&[u32], &[u32]) = match size {
        Size::Short => (&[100_000], &[0, 100]),
        Size::Middle => (&[20_000, 200_000], &[0, 100]),
        Size::Full => (&[20_000, 100_000, 400_000], &[0, 20, 100, 500]),
    };
    let mut loads = Vec::new();
    for &rate in rates {
        loads.push(load("testpmd io", rate, 1, &["--who", "testpmd-io"]));
        loads.push(load("gateway, off", rate, 1, &["--gro", "off"]));
        for hold in holds {
            for train in [1, 16] {
                let name = format!("gateway, list, hold {hold} µs");
                loads.push(load(&name, rate, train, &["--hold-us", &hold.to_string()]));
            }
        }
    }
    loads
}

fn load(name: &str, rate: u32, train: u32, more: &[&str]) -> Load {
    let shape = if train == 1 { "single".into() } else { format!("trains of {train}") };
    let label = format!("{name}, {shape}, {rate}/s");
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let file = label.replace('µ', "u").chars().map(plain).collect();
    let mut arguments: Vec<_> =
        ["--rate", &rate.to_string(), "--train", &train.to_string()].map(String::from).into();
    arguments.extend(more.iter().map(ToString::to_string));
    Load { label, file, arguments }
}

impl Load {
    /// Measures; the log goes into `folder`.
    ///
    /// # Errors
    /// What `delay` said instead.
    pub fn run(&self, seconds: f64, folder: &Path) -> anyhow::Result<Delay> {
        let log = folder.join(format!("delay-{}.hlog", self.file));
        let mut delay = Command::new(sibling("delay")?);
        delay.args(&self.arguments).args(["--seconds", &seconds.to_string(), "--hlog"]).arg(&log);
        said_by(&mut delay)
    }
}

/// What the `delay` program prints.
pub(crate) fn said_by<T: DeserializeOwned>(delay: &mut Command) -> anyhow::Result<T> {
    let output = delay.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "delay: {said}");
    serde_json::from_slice(&output.stdout).context("what delay printed")
}

/// The table.
pub fn table(rows: &[(Load, Delay)]) -> String {
    let mut text = String::from(
        "### Added delay, 64 B, µs\n\nOpen loop over two memif pairs, from when a datagram was due until it was \
         back, on both ways the generator's own\npolling included; testpmd io is what the ports alone cost. \
         Logs: target/bench/delay-*.hlog.\n\n| | p50 | p99 | p99.9 | max | lost | |\n|---|---|---|---|---|---|---|\n",
    );
    for (load, delay) in rows {
        let micros = |nanos: u64| nanos as f64 / 1000.0;
        let quiet = delay.generator_share.min(delay.forwarder_share) >= QUIET;
        let company = if quiet { "" } else { "in company: not to be trusted" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {:.1} | {:.1} | {} of {} | {company} |",
            load.label,
            micros(delay.p50_ns),
            micros(delay.p99_ns),
            micros(delay.p999_ns),
            micros(delay.max_ns),
            delay.offered - delay.carried,
            delay.offered,
        );
    }
    text
}

/// Delay against how rare it is: 10 is the slowest tenth, 1000 the slowest thousandth.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(rows: &[(Load, Delay)], path: &Path) -> anyhow::Result<()> {
    let curve = |(load, delay): &(Load, Delay)| -> Curve {
        let points = delay.curve.iter().map(|&(rarity, nanos)| (rarity, nanos / 1000.0));
        (load.label.clone(), points.collect())
    };
    let curves = rows.iter().map(curve).collect();
    Figure { title: "Added delay", x: "one datagram in", y: "microseconds", curves }.draw(path)
}
