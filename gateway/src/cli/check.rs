//! `gateway check`: is the file right, and what does it say?

use gateway::config::{Config, GroMode};

use super::Exit;
use super::args::CheckArgs;
use super::file::load;
use super::output::say;

pub(super) fn main(args: &CheckArgs) -> Exit {
    let config = match load(&args.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if args.show {
        say(config.to_toml().trim_end());
    } else {
        say(format_args!("{}: ok", args.config.display()));
        say(summary(&config));
    }
    Exit::Clean
}

/// What the file says, in a few lines.
fn summary(config: &Config) -> String {
    let bridged: usize = config.bridges.iter().map(|bridge| bridge.ports.len()).sum();
    let ports = config.ports.len();
    let mut lines =
        vec![format!("{} ({} routed, {bridged} bridged)", count(ports, "port"), ports - bridged)];
    let sections = [
        (config.bridges.len(), "bridge"),
        (config.groups.len(), "group"),
        (config.listeners.len(), "listener"),
        (config.routes.len(), "route"),
        (config.neighbors.len(), "neighbor"),
        (config.multicast.len(), "multicast route"),
        (config.filters.len(), "filter"),
    ];
    let there: Vec<_> =
        sections.iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(*n, what)).collect();
    if !there.is_empty() {
        lines.push(there.join(", "));
    }
    let lcores: Vec<_> = config.runtime.lcores.iter().map(ToString::to_string).collect();
    let memory = if config.runtime.hugepages { "hugepages" } else { "ordinary pages" };
    let workers = count(lcores.len(), "worker");
    let (mb, on) = (config.runtime.memory_mb, lcores.join(", "));
    lines.push(format!("{workers} on lcore {on}; {mb} MiB of {memory}; gro {}", gro(config)));
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn gro(config: &Config) -> String {
    match config.gro.mode {
        GroMode::Off => "off".to_owned(),
        GroMode::List => {
            format!("list, up to {}", count(config.gro.max_segments.into(), "segment"))
        }
        GroMode::Merge => {
            format!("merge, up to {}", count(config.gro.max_segments.into(), "segment"))
        }
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
