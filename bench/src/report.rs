//! The dated section of RESULTS.md, made from the runs and from nothing else.

use core::fmt::{self, Write};
use std::path::Path;

use anyhow::Context;

use crate::goals::{GOALS, Limit};
use crate::machine::Machine;
use crate::outcome::{Run, Spread, ratio, row};
use crate::plan::Group;

/// A poller with less of its CPU than this was in company; its row says so.
pub const QUIET: f64 = 0.97;

/// What a section is made of.
pub struct Section<'a> {
    /// Its heading, without the hashes.
    pub heading: String,
    /// Where it was measured.
    pub machine: &'a Machine,
    /// How, line by line.
    pub notes: Vec<String>,
    /// What was planned.
    pub groups: &'a [Group],
    /// What was measured.
    pub runs: &'a [Run],
    /// Tables that are not of the ladder's runs, ready.
    pub more: Vec<String>,
}

impl Section<'_> {
    /// As markdown.
    pub fn render(&self) -> String {
        let mut text = format!("## {}\n\n", self.heading);
        // Writing to a string cannot fail.
        let _ = self.head(&mut text);
        let _ = self.goals(&mut text);
        for group in self.groups {
            let _ = self.table(group, &mut text);
        }
        for more in &self.more {
            text += more;
            text.push('\n');
        }
        text
    }

    fn head(&self, text: &mut String) -> fmt::Result {
        let m = self.machine;
        writeln!(
            text,
            "{}, {} CPUs, {:.4} GHz time-stamp counter, Linux {}, {}, DPDK {}, {}, commit {}.\n",
            m.model,
            m.pollers.len(),
            m.cycles_per_nano,
            m.kernel,
            m.system,
            m.dpdk,
            m.rustc,
            m.commit
        )?;
        for note in &self.notes {
            writeln!(text, "{note}")?;
        }
        writeln!(text)
    }

    fn goals(&self, text: &mut String) -> fmt::Result {
        let mut lines = String::new();
        for goal in GOALS {
            let Some(reached) = goal.reached(self.runs) else { continue };
            let (sign, limit) = match goal.limit {
                Limit::Most(limit) => ("≤", limit),
                Limit::Least(limit) => ("≥", limit),
            };
            let verdict = if goal.limit.holds(reached.median) { "reached" } else { "**missed**" };
            let Spread { median, min, max } = reached;
            let ratio = format!("{median:.2} ({min:.2}–{max:.2})");
            writeln!(lines, "| {} | {sign} {limit} | {ratio} | {verdict} |", goal.text)?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(text, "### Goals\n\n| ratio of cycles per frame | goal | median (min–max) | |")?;
        writeln!(text, "|---|---|---|---|\n{lines}")
    }

    fn table(&self, group: &Group, text: &mut String) -> fmt::Result {
        let Some(first) = group.rungs.first() else { return Ok(()) };
        if row(self.runs, group.name, &first.label).is_empty() {
            return Ok(());
        }
        writeln!(text, "### {}\n", group.title)?;
        writeln!(
            text,
            "| program | cycles per frame: median (min–max) | to the first | Mframes/s of a full core | runs |"
        )?;
        writeln!(text, "|---|---|---|---|---|")?;
        for rung in &group.rungs {
            let runs = row(self.runs, group.name, &rung.label);
            let Some(cycles) = Spread::of(runs.iter().map(|run| run.cycles)) else { continue };
            let to_first = ratio(self.runs, (group.name, &rung.label), (group.name, &first.label));
            let to_first = to_first.map_or(String::new(), |ratio| format!("{:.2}", ratio.median));
            let rate = 1000.0 * self.machine.cycles_per_nano / cycles.median;
            let crowded = runs.iter().filter(|run| run.share < QUIET).count();
            let crowded =
                if crowded > 0 { format!(", {crowded} in company") } else { String::new() };
            writeln!(
                text,
                "| {} | {:.0} ({:.0}–{:.0}) | {to_first} | {rate:.2} | {}{crowded} |",
                rung.label,
                cycles.median,
                cycles.min,
                cycles.max,
                runs.len(),
            )?;
        }
        writeln!(text)
    }
}

/// Puts a section above the others, in place of one with the same heading.
///
/// # Errors
/// When the file cannot be read or written.
pub fn insert(file: &Path, section: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).context(file.display().to_string())?;
    std::fs::write(file, inserted(&text, section)).context(file.display().to_string())
}

fn inserted(text: &str, section: &str) -> String {
    let heading = section.lines().next().unwrap_or_default();
    let mut parts = text.split("\n## ");
    let mut result = parts.next().unwrap_or_default().to_owned();
    result.push('\n');
    result += section.trim_end();
    result.push('\n');
    for part in parts {
        if part.lines().next().unwrap_or_default() != heading.trim_start_matches("## ") {
            result += "\n## ";
            result += part;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_section_comes_first_and_once() {
        let text = "# Results\n\nHead.\n\n## Monday\n\nold\n";
        let once = inserted(text, "## Tuesday\n\nnew\n");
        assert_eq!(once, "# Results\n\nHead.\n\n## Tuesday\n\nnew\n\n## Monday\n\nold\n");
        let twice = inserted(&once, "## Tuesday\n\nnewer\n");
        assert_eq!(twice, "# Results\n\nHead.\n\n## Tuesday\n\nnewer\n\n## Monday\n\nold\n");
    }
}
