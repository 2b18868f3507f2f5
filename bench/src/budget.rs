//! The cost gate: instructions per frame of fixed cases, against the budget under version control.
//! Counts are exact: the same toolchain gives the same figure on every machine of the kind, for
//! valgrind has a processor of its own. On another toolchain they inform and do not judge.

use core::fmt;

use anyhow::{Context, bail, ensure};

/// A change beyond this share fails, in either direction: what got cheaper should stay so.
pub const TOLERANCE: f64 = 0.02;
/// A blessing rewrites what moved beyond this share; less is the compiler's noise.
const MOVED: f64 = 0.002;

/// The budget file: what the figures hold for, and a row per case.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Comment lines before the first row, kept as they are.
    head: Vec<String>,
    /// The toolchain the figures are of.
    pub kind: String,
    /// In the order of the file.
    pub rows: Vec<Row>,
}

/// A case and what it may cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Instructions per received frame, drivers included.
    pub instructions: f64,
    /// Why the figure is what it is.
    pub reason: String,
    /// Arguments of path-cost.
    pub arguments: String,
}

/// What a measurement says about a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Measured over budget, minus one.
    pub share: f64,
}

impl Budget {
    /// Reads the file.
    ///
    /// # Errors
    /// Names the line that is not `name | instructions | reason | arguments`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut budget = Self { head: Vec::new(), kind: String::new(), rows: Vec::new() };
        for (n, line) in text.lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                budget.head.push(line.to_owned());
            } else if let Some(kind) = line.strip_prefix("kind: ") {
                budget.kind = kind.trim().to_owned();
            } else {
                budget.rows.push(line.parse().with_context(|| format!("line {}", n + 1))?);
            }
        }
        ensure!(!budget.kind.is_empty(), "no line `kind: `");
        Ok(budget)
    }

    /// Takes measured figures over, with the reason, where they moved.
    ///
    /// # Errors
    /// A reason without a word.
    pub fn bless(&mut self, kind: &str, measured: &[f64], reason: &str) -> anyhow::Result<()> {
        ensure!(!reason.trim().is_empty() && !reason.contains('|'), "a reason in words, please");
        let renewed = self.kind != kind;
        kind.clone_into(&mut self.kind);
        for (row, &now) in self.rows.iter_mut().zip(measured) {
            if renewed || row.change(now).share.abs() > MOVED {
                row.instructions = now;
                reason.trim().clone_into(&mut row.reason);
            }
        }
        Ok(())
    }
}

impl Row {
    /// How far a measurement is from the budget.
    pub fn change(&self, measured: f64) -> Change {
        Change { share: measured / self.instructions - 1.0 }
    }
}

impl Change {
    /// Whether it is too far.
    pub fn is_beyond(self) -> bool {
        // A figure that is no number is no pass.
        self.share.is_nan() || self.share.abs() > TOLERANCE
    }
}

impl core::str::FromStr for Row {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [name, instructions, reason, arguments] = cells[..] else {
            bail!("not `name | instructions | reason | arguments`: {line}");
        };
        ensure!(!reason.is_empty(), "{name} has no reason");
        let instructions = instructions.parse().with_context(|| instructions.to_owned())?;
        let [name, reason, arguments] = [name, reason, arguments].map(str::to_owned);
        Ok(Self { name, instructions, reason, arguments })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.head {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "kind: {}", self.kind)?;
        let width = self.rows.iter().map(|row| row.reason.chars().count()).max().unwrap_or(0);
        for Row { name, instructions, reason, arguments } in &self.rows {
            writeln!(f, "{name:<26} | {instructions:7.1} | {reason:<width$} | {arguments}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\n\nkind: rustc 1\n\
        a                          |  1000.0 | first | --train 1\n\
        b                          |   500.0 | first | --train 16\n";

    #[test]
    fn what_is_read_is_written() {
        assert_eq!(Budget::parse(TEXT).expect("a budget").to_string(), TEXT);
    }

    #[test]
    fn two_per_cent_and_no_more() {
        let row = &Budget::parse(TEXT).expect("a budget").rows[0];
        for (measured, beyond) in
            [(1000.0, false), (1019.9, false), (1020.1, true), (979.0, true), (f64::NAN, true)]
        {
            assert_eq!(row.change(measured).is_beyond(), beyond, "{measured}");
        }
    }

    #[test]
    fn a_row_needs_a_reason() {
        let text = "kind: x\na | 1000 | | --train 1\n";
        assert!(Budget::parse(text).is_err());
        let mut budget = Budget::parse(TEXT).expect("a budget");
        assert!(budget.bless("rustc 1", &[2000.0, 500.0], " ").is_err());
    }

    #[test]
    fn a_blessing_changes_what_moved() {
        let mut budget = Budget::parse(TEXT).expect("a budget");
        budget.bless("rustc 1", &[900.0, 500.1], "faster").expect("a reason");
        let rows: Vec<_> =
            budget.rows.iter().map(|row| (row.instructions, row.reason.as_str())).collect();
        assert_eq!(rows, [(900.0, "faster"), (500.0, "first")]);
        budget.bless("rustc 2", &[900.0, 500.1], "other compiler").expect("a reason");
        assert!(budget.rows.iter().all(|row| row.reason == "other compiler"));
    }
}
