//! Runs, and what a median of them says. Ratios are of runs of the same round: both sides of a
//! ratio saw the same neighbours.

use serde::Serialize;

use crate::Case;
use crate::peers::Who;

/// One run of one rung: a line of results.jsonl.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The group.
    pub group: &'static str,
    /// The row.
    pub label: String,
    /// Who forwarded.
    pub who: Who,
    /// What.
    pub case: Case,
    /// Polling threads.
    pub workers: usize,
    /// Which turn.
    pub round: usize,
    /// Frames received in the window.
    pub received: u64,
    /// Frames sent in the window.
    pub sent: u64,
    /// CPU time of the polling threads, nanoseconds.
    pub cpu_ns: u64,
    /// The window, nanoseconds.
    pub wall_ns: u64,
    /// The least share of a CPU that a polling thread had.
    pub share: f64,
    /// CPU cycles of the time-stamp counter per frame received.
    pub cycles: f64,
}

/// Median, least and most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even number the lower of the two.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of some numbers.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<_> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        Some(Self { median: numbers[(numbers.len() - 1) / 2], min, max })
    }
}

/// The runs of a row.
pub fn row<'a>(runs: &'a [Run], group: &str, label: &str) -> Vec<&'a Run> {
    runs.iter().filter(|run| run.group == group && run.label == label).collect()
}

/// Cycles of one row over those of another, round by round.
pub fn ratio(runs: &[Run], one: (&str, &str), other: (&str, &str)) -> Option<Spread> {
    let others = row(runs, other.0, other.1);
    let ones = row(runs, one.0, one.1);
    let pairs = ones.iter().filter_map(|run| {
        let with = others.iter().find(|with| with.round == run.round)?;
        Some(run.cycles / with.cycles)
    });
    Spread::of(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Journey;

    fn run(label: &str, round: usize, cycles: f64) -> Run {
        Run {
            group: "g",
            label: label.into(),
            who: Who::Gateway,
            case: Case::new(Journey::Route),
            workers: 1,
            round,
            received: 1,
            sent: 1,
            cpu_ns: 1,
            wall_ns: 1,
            share: 1.0,
            cycles,
        }
    }

    #[test]
    fn a_median_with_its_ends() {
        let spread = Spread::of([5.0, 1.0, 3.0]);
        assert_eq!(spread, Some(Spread { median: 3.0, min: 1.0, max: 5.0 }));
        assert_eq!(Spread::of([2.0, 1.0]).map(|s| s.median), Some(1.0));
        assert_eq!(Spread::of([]), None);
    }

    /// A neighbour that slows one round down slows both sides of it.
    #[test]
    fn ratios_are_of_one_round() {
        let runs = [
            run("a", 0, 100.0),
            run("b", 0, 200.0),
            run("a", 1, 1000.0),
            run("b", 1, 2000.0),
            run("b", 2, 1.0), // its partner was cut off by the time limit
        ];
        let spread = ratio(&runs, ("g", "b"), ("g", "a"));
        assert_eq!(spread, Some(Spread { median: 2.0, min: 2.0, max: 2.0 }));
        assert_eq!(ratio(&runs, ("g", "b"), ("g", "c")), None);
    }
}
