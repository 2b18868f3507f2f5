//! The ladder's part about rates: the `delay` program's search of RFC 2544 26.1 by length of frame, and
//! what it found.

use core::fmt::Write;
use std::process::Command;

use serde::Deserialize;

use crate::delays::said_by;
use crate::plan::Size;
use crate::program::sibling;

/// What is offered at most, frames per second: more than the sender of these ports can do.
const MOST: &str = "4000000";
/// What a partial-drop rate may lose: stalls of the host alone lose a thousandth.
const PARTIAL: f64 = 0.01;
/// Who is searched for, with the arguments of `delay`.
const WHO: [(&str, &[&str]); 5] = [
    ("testpmd io", &["--who", "testpmd-io"]),
    ("l3fwd lpm", &["--who", "l3fwd-lpm"]),
    ("gateway, off, single", &["--gro", "off"]),
    ("gateway, list, single", &["--gro", "list", "--adaptive"]),
    ("gateway, list, trains of 16", &["--gro", "list", "--train", "16"]),
];

/// One search to make.
#[derive(Clone, Debug)]
pub struct Quest {
    who: &'static str,
    arguments: &'static [&'static str],
    /// Bytes of UDP payload.
    payload: usize,
    /// Share of frames that may be lost.
    loss: f64,
}

/// What it found.
#[derive(Clone, Debug, Deserialize)]
pub struct Rate {
    /// Frames per second; `None`: not even a hundredth of what is offered at most.
    rate: Option<f64>,
    /// The sender could do no more.
    at_top: bool,
}

/// The searches of a size.
pub fn quests(size: Size) -> Vec<Quest> {
    let payloads: &[usize] = match size {
        Size::Short => &[],
        Size::Middle => &[22, 1400],
        Size::Full => &[22, 256, 512, 1200, 1400],
    };
    let losses: &[f64] = if size == Size::Full { &[0.0, PARTIAL] } else { &[PARTIAL] };
    let mut quests = Vec::new();
    for &payload in payloads {
        for (who, arguments) in WHO {
            quests.extend(losses.iter().map(|&loss| Quest { who, arguments, payload, loss }));
        }
    }
    quests
}

impl Quest {
    /// Searches with trials of `seconds`.
    ///
    /// # Errors
    /// What `delay` said instead.
    pub fn run(&self, seconds: f64) -> anyhow::Result<Rate> {
        let (payload, loss) = (self.payload.to_string(), self.loss.to_string());
        let mut delay = Command::new(sibling("delay")?);
        delay
            .args(self.arguments)
            .args(["--payload", &payload, "--loss", &loss, "--rate", MOST])
            .args(["--resolution", "0.01", "--seconds", &seconds.to_string()]);
        said_by(&mut delay)
    }

    /// In words.
    pub fn label(&self) -> String {
        format!("{}, {} B, {} % lost", self.who, self.payload + 42, 100.0 * self.loss)
    }
}

/// The table: a row for who, a column for each length and share.
pub fn table(found: &[(Quest, Rate)]) -> String {
    let mut text = String::from(
        "### Highest rates, Mframes/s\n\nRFC 2544 26.1 over two memif pairs (ordinary pages), IPv4, routed: the highest rate with no frame lost \
         (NDR) and with at\nmost 1 % lost (PDR), within 40,000 frames/s. Trials are of half a second and not of 60, on a machine \
         whose host\ntakes the CPU away for milliseconds: an NDR says as much about that as about the forwarder. ≥: the sender did no more.\n\n",
    );
    let mut columns: Vec<(usize, f64)> = Vec::new();
    for (quest, _) in found {
        if !columns.contains(&(quest.payload, quest.loss)) {
            columns.push((quest.payload, quest.loss));
        }
    }
    let heads = columns.iter().map(|(payload, loss)| {
        format!(" {} B, {} |", payload + 42, if *loss > 0.0 { "PDR" } else { "NDR" })
    });
    // Writing to a string cannot fail.
    let _ = writeln!(text, "| |{}", heads.collect::<String>());
    let _ = writeln!(text, "|---|{}", "---|".repeat(columns.len()));
    for (who, _) in WHO {
        let cells = columns.iter().map(|column| {
            let is_here =
                |quest: &Quest| quest.who == who && (quest.payload, quest.loss) == *column;
            match found.iter().find(|(quest, _)| is_here(quest)) {
                Some((_, Rate { rate: Some(rate), at_top })) => {
                    format!(" {}{:.2} |", if *at_top { "≥ " } else { "" }, rate / 1e6)
                }
                Some(_) => " none |".into(),
                None => " |".into(),
            }
        });
        let _ = writeln!(text, "| {who} |{}", cells.collect::<String>());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_row_for_who_and_a_column_for_what() {
        let quests = quests(Size::Middle);
        let rate = |n: usize| Rate { rate: (n > 0).then_some(n as f64 * 1e5), at_top: n == 9 };
        let found: Vec<_> = quests.into_iter().enumerate().map(|(n, q)| (q, rate(n))).collect();
        let text = table(&found);
        assert!(text.contains("| | 64 B, PDR | 1442 B, PDR |\n|---|---|---|\n"), "{text}");
        assert!(text.contains("| testpmd io | none | 0.50 |"), "{text}");
        assert!(text.contains("| gateway, list, trains of 16 | 0.40 | ≥ 0.90 |"), "{text}");
    }
}
