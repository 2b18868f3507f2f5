//! `gateway doctor`: what this machine lacks, each finding with the command that mends it. Reads
//! /proc and /sys only; the rx and tx path of a queue is told by the running gateway.

mod cores;
mod devices;
mod memory;
mod system;

use gateway::config::Config;

use super::Exit;
use super::args::DoctorArgs;
use super::file::load;
use super::output::say;
use system::System;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Level {
    /// As it should be.
    Ok,
    /// Works, but not as well as it could.
    Advice,
    /// The gateway will not start, or a port will not work.
    Bad,
}

/// One thing looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Finding {
    level: Level,
    what: String,
    found: String,
    /// The command that mends it.
    mend: Option<String>,
}

impl Finding {
    fn ok(what: &str, found: impl Into<String>) -> Self {
        Self { level: Level::Ok, what: what.to_owned(), found: found.into(), mend: None }
    }

    fn advice(what: &str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Advice, mend: Some(mend.into()), ..Self::ok(what, found) }
    }

    fn bad(what: &str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Bad, mend: Some(mend.into()), ..Self::ok(what, found) }
    }
}

pub(super) fn main(args: &DoctorArgs) -> Exit {
    let config = match args.config.as_deref().map(load).transpose() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let findings = examine(&System::of_this_machine(), config.as_ref());
    say(report(&findings));
    match findings.iter().any(|finding| finding.level == Level::Bad) {
        true => Exit::Start,
        false => Exit::Clean,
    }
}

/// Without a configuration nothing is needed yet, so nothing is bad.
fn examine(system: &System, config: Option<&Config>) -> Vec<Finding> {
    let mut findings = memory::hugepages(system, config);
    findings.extend(memory::locked(system, config));
    findings.extend(cores::examine(system, config));
    findings.extend(devices::iommu(system, config));
    for port in config.iter().flat_map(|config| &config.ports) {
        findings.extend(devices::port(system, port));
    }
    if config.is_none() {
        for finding in &mut findings {
            finding.level = finding.level.min(Level::Advice);
        }
    }
    findings
}

fn report(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { level, what, found, mend } in findings {
        let level = match level {
            Level::Ok => "ok",
            Level::Advice => "advice",
            Level::Bad => "BAD",
        };
        text += &format!("{level:<6}  {what:<width$}  {found}\n");
        if let Some(mend) = mend {
            text += &format!("{:<6}  {:<width$}  mend: {mend}\n", "", "");
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    format!("{text}{} bad, {} advice", count(Level::Bad), count(Level::Advice))
}

#[cfg(test)]
mod tests;
