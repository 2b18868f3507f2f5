//! Seeded runs with every fault: some in every test run, as many as fit in `make soak`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::strategy::ValueTree;

use crate::plan::of_seed;
use crate::run::{Summary, run};

/// Seeds that failed once, or reach what others do not. One a line, with why.
const KEPT: &str = include_str!("seeds.txt");
/// Seeds of the everyday run.
const EVERYDAY: u64 = 250;
/// Simplifications tried of a plan that failed.
const SIMPLER_MAX: usize = 400;

#[derive(Default)]
struct Sum {
    runs: u64,
    received: u64,
    sent: u64,
    steps: BTreeMap<&'static str, u64>,
    drops: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, run: &Summary) {
        self.runs += 1;
        self.received += run.received;
        self.sent += run.sent;
        for (name, count) in &run.steps {
            *self.steps.entry(name).or_default() += count;
        }
        for (name, count) in &run.drops {
            *self.drops.entry(name).or_default() += count;
        }
    }

    fn run(&mut self, seed: u64) {
        match run(&of_seed(seed).current()) {
            Ok(summary) => self.add(&summary),
            Err(error) => panic!("{error}\n{}\nreplay: make soak SEED={seed:#x}", simplest(seed)),
        }
    }
}

/// The simplest plan found that still fails, and why.
fn simplest(seed: u64) -> String {
    let mut tree = of_seed(seed);
    let mut worst = String::new();
    for _ in 0..SIMPLER_MAX {
        let plan = tree.current();
        let more = match run(&plan) {
            Ok(_) => tree.complicate(),
            Err(error) => {
                worst = format!("simplest plan found:\n{plan:#?}\nfails: {error}");
                tree.simplify()
            }
        };
        if !more {
            break;
        }
    }
    worst
}

fn number(text: &str) -> u64 {
    let hex = text.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16));
    hex.unwrap_or_else(|| text.parse()).unwrap_or_else(|_| panic!("no number: {text}"))
}

#[test]
fn kept_seeds() {
    let mut sum = Sum::default();
    let lines = KEPT.lines().filter_map(|line| line.split('#').next()).map(str::trim);
    for seed in lines.filter(|line| !line.is_empty()) {
        sum.run(number(seed));
    }
    assert!(sum.runs > 0, "no seed is kept");
}

/// `SOAK_SEED`: that one run. `SOAK_SECONDS`: as many runs as fit, from `SOAK_FROM` on.
#[test]
#[allow(clippy::disallowed_methods, clippy::disallowed_macros)] // `make soak` asks, and reads
fn soak() {
    let asked = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty()).map(|v| number(&v));
    let mut sum = Sum::default();
    if let Some(seed) = asked("SOAK_SEED") {
        return sum.run(seed);
    }
    let began = Instant::now();
    let from = asked("SOAK_FROM").unwrap_or(0);
    match asked("SOAK_SECONDS").map(Duration::from_secs) {
        None => (from..from + EVERYDAY).for_each(|seed| sum.run(seed)),
        Some(limit) => {
            let is_time = |_: &u64| began.elapsed() < limit;
            (from..).take_while(is_time).for_each(|seed| sum.run(seed));
        }
    }
    println!(
        "{} runs from seed {from:#x}, {} frames received, {} sent, {} s: all as the model owes",
        sum.runs,
        sum.received,
        sum.sent,
        began.elapsed().as_secs()
    );
    println!("steps: {:?}\ndrops: {:?}", sum.steps, sum.drops);
}
