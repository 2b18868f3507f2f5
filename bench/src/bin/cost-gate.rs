//! `make cost`: instructions per frame, of path-cost's window under callgrind, against
//! bench/budget.txt. Ends with 1 when a case left its budget. With `--case` the figure of one case.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::{fs, thread};

use anyhow::{Context, ensure};
use bench::budget::{Budget, Row, TOLERANCE};
use bench::count::per_frame;
use clap::Parser;

/// Instructions per frame against the budget.
#[derive(Parser)]
struct Args {
    /// The budget
    #[arg(long, default_value = "bench/budget.txt")]
    budget: PathBuf,
    /// Take the measured figures over where they moved, for this reason
    #[arg(long)]
    bless: Option<String>,
    /// Only cases whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Instead of the budget a case of these arguments of path-cost: prints its figure
    #[arg(long, allow_hyphen_values = true)]
    case: Option<String>,
    /// The path-cost to count; the one beside this program by default
    #[arg(long)]
    program: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let program = match &args.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("path-cost"),
    };
    if let Some(case) = &args.case {
        println!("{:.1}", per_frame(&program, case)?);
        return Ok(ExitCode::SUCCESS);
    }
    let text = fs::read_to_string(&args.budget).context(args.budget.display().to_string())?;
    let mut budget = Budget::parse(&text).context(args.budget.display().to_string())?;
    budget.rows.retain(|row| row.name.contains(&args.only));
    let kind = kind()?;
    let measured = measure(&program, &budget.rows)?;
    if let Some(reason) = &args.bless {
        ensure!(args.only.is_empty(), "--bless is for the whole budget");
        budget.bless(&kind, &measured, reason)?;
        fs::write(&args.budget, budget.to_string())?;
    }
    let judged = kind == budget.kind;
    println!("instructions per frame on {kind}");
    let mut failed = 0;
    for (row, &now) in budget.rows.iter().zip(&measured) {
        let change = row.change(now);
        let verdict = if judged && change.is_beyond() { "LEFT ITS BUDGET" } else { "" };
        failed += usize::from(!verdict.is_empty());
        let percent = 100.0 * change.share;
        println!("{:<26} {now:8.1} {:8.1} {percent:+6.2} % {verdict}", row.name, row.instructions);
    }
    if !judged {
        println!("not judged: the budget is of {}", budget.kind);
    }
    if failed > 0 {
        println!(
            "{failed} case(s) moved by more than {} %. Where it is meant so: make cost BLESS='why'",
            100.0 * TOLERANCE
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What an instruction count depends on. Valgrind shows its own processor, with AVX2 where the
/// machine has it, and libraries choose their code by that.
fn kind() -> anyhow::Result<String> {
    let version = |program: &str, args: &[&str]| -> anyhow::Result<String> {
        let output =
            Command::new(program).args(args).output().with_context(|| program.to_owned())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let number =
            |word: &&str| word.trim_start_matches("valgrind-").starts_with(char::is_numeric);
        let word = text.split_whitespace().find(number).context(program.to_owned())?;
        Ok(word.trim_start_matches("valgrind-").to_owned())
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let avx2 = if cpu.split_whitespace().any(|flag| flag == "avx2") { "avx2" } else { "no avx2" };
    Ok(format!(
        "rustc {}, dpdk {}, glibc {}, valgrind {}, {} with {avx2}",
        version("rustc", &["--version"])?,
        version("pkg-config", &["--modversion", "libdpdk"])?,
        version("getconf", &["GNU_LIBC_VERSION"])?,
        version("valgrind", &["--version"])?,
        std::env::consts::ARCH,
    ))
}

/// In the order of the rows, on as many CPUs as there are: counts do not mind company.
fn measure(program: &Path, rows: &[Row]) -> anyhow::Result<Vec<f64>> {
    let next = Mutex::new((0..rows.len()).collect::<Vec<_>>().into_iter());
    let results = Mutex::new(Vec::new());
    let take = || next.lock().ok().and_then(|mut next| next.next());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(n) = take() {
                    let figure = per_frame(program, &rows[n].arguments);
                    if let Ok(mut results) = results.lock() {
                        results.push((n, figure));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|&(n, _)| n);
    ensure!(results.len() == rows.len(), "a measuring thread died");
    results.into_iter().map(|(n, figure)| figure.with_context(|| rows[n].name.clone())).collect()
}
