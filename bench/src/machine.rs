//! Where a measurement was made.

use std::fs;
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Serialize;

/// What the figures depend on.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Of the processor.
    pub model: String,
    /// CPUs this process may use; the last ones poll.
    pub pollers: Vec<usize>,
    /// Cycles of the time-stamp counter per nanosecond.
    pub cycles_per_nano: f64,
    /// `uname -r`
    pub kernel: String,
    /// Of the distribution.
    pub system: String,
    /// Of the library the programs run on.
    pub dpdk: String,
    /// Of the compiler.
    pub rustc: String,
    /// The commit, with `+` where the tree was changed.
    pub commit: String,
}

impl Machine {
    /// This one.
    ///
    /// # Errors
    /// With fewer than two CPUs, or where /proc/cpuinfo has no bogomips.
    pub fn here() -> anyhow::Result<Self> {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
        let field = |name: &str| {
            let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
            line.split(':').nth(1).map(|value| value.trim().to_owned())
        };
        // arch/x86/kernel/cpu/proc.c: twice the loops of a delay by the time-stamp counter.
        let bogomips: f64 = field("bogomips").context("no bogomips")?.parse()?;
        let pollers = usable_cpus()?;
        ensure!(pollers.len() >= 2, "the ladder needs two CPUs");
        let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let pretty = os.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        let changed = !said("git", &["status", "--porcelain", "-uno"]).is_empty();
        Ok(Self {
            model: field("model name").unwrap_or_default(),
            pollers,
            cycles_per_nano: bogomips / 2000.0,
            kernel: said("uname", &["-r"]),
            system: pretty.unwrap_or("Linux").trim_matches('"').to_owned(),
            dpdk: said("pkg-config", &["--modversion", "libdpdk"]),
            rustc: said("rustc", &["--version"]),
            commit: said("git", &["rev-parse", "--short", "HEAD"]) + if changed { "+" } else { "" },
        })
    }
}

/// The load average of the last minute.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

fn usable_cpus() -> anyhow::Result<Vec<usize>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let mut cpus = Vec::new();
    for range in list.context("Cpus_allowed_list")?.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cpus.extend(first.parse::<usize>()?..=last.parse()?);
    }
    Ok(cpus)
}

fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output.map_or_else(
        |_| "unknown".into(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
