//! The cores workers are pinned to.

use gateway::config::Config;

use super::Finding;
use super::system::{System, parse_list};

pub(super) fn examine(system: &System, config: Option<&Config>) -> Vec<Finding> {
    let allowed = parse_list(&system.status("Cpus_allowed_list").unwrap_or_default());
    let isolated = system.numbers("/sys/devices/system/cpu/isolated");
    let Some(config) = config else {
        let found = format!("{} usable, isolated: {}", allowed.len(), list(&isolated));
        return vec![Finding::ok("cores", found)];
    };
    let lcores = &config.runtime.lcores;
    let mut findings = vec![usable(lcores, &allowed)];
    if config.runtime.idle_sleep_us == 0 {
        findings.push(isolation(lcores, &isolated));
    }
    findings.extend(siblings(system, lcores));
    findings
}

fn usable(lcores: &[usize], allowed: &[usize]) -> Finding {
    let missing: Vec<usize> = lcores.iter().filter(|l| !allowed.contains(l)).copied().collect();
    if missing.is_empty() {
        return Finding::ok("cores", format!("lcores {} can be used", list(lcores)));
    }
    let found = format!("lcores {} are not there or not ours", list(&missing));
    Finding::bad("cores", found, format!("set lcores to some of {}", list(allowed)))
}

/// A polling worker shares its core with whatever the scheduler puts there.
fn isolation(lcores: &[usize], isolated: &[usize]) -> Finding {
    let shared: Vec<usize> = lcores.iter().filter(|l| !isolated.contains(l)).copied().collect();
    if shared.is_empty() {
        return Finding::ok("isolation", format!("lcores {} run nothing else", list(lcores)));
    }
    let all = list(lcores);
    let mend = format!(
        "add isolcpus={all} nohz_full={all} rcu_nocbs={all} to the kernel's command line, or set \
         idle_sleep_us"
    );
    Finding::advice("isolation", format!("lcores {} also run other work", list(&shared)), mend)
}

/// Two workers on one physical core halve each other.
fn siblings(system: &System, lcores: &[usize]) -> Option<Finding> {
    let pair = lcores.iter().find_map(|lcore| {
        let path = format!("/sys/devices/system/cpu/cpu{lcore}/topology/thread_siblings_list");
        let siblings = system.numbers(path);
        let other = lcores.iter().find(|other| *other > lcore && siblings.contains(other))?;
        Some((*lcore, *other))
    });
    let (one, other) = pair?;
    let found = format!("lcores {one} and {other} are one physical core");
    Some(Finding::advice("cores", found, "set lcores to different physical cores: lscpu -e"))
}

fn list(numbers: &[usize]) -> String {
    match numbers {
        [] => "none".to_owned(),
        _ => numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}
