//! What the ladder is climbed for: ratios between rows, and what they should be.

use crate::outcome::{Run, Spread, ratio};

/// A ratio and its limit.
pub struct Goal {
    /// In words.
    pub text: &'static str,
    /// Group and row above the line.
    over: (&'static str, &'static str),
    /// Group and row below it.
    under: (&'static str, &'static str),
    /// What the ratio of cycles is multiplied by.
    factor: f64,
    /// The limit.
    pub limit: Limit,
}

/// In which direction a ratio is good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
}

impl Goal {
    /// What was reached, if both rows were measured.
    pub fn reached(&self, runs: &[Run]) -> Option<Spread> {
        let spread = ratio(runs, self.over, self.under)?;
        let by = |n: f64| n * self.factor;
        Some(Spread { median: by(spread.median), min: by(spread.min), max: by(spread.max) })
    }
}

impl Limit {
    /// Whether a figure is good.
    pub fn holds(self, figure: f64) -> bool {
        match self {
            Self::Most(limit) => figure <= limit,
            Self::Least(limit) => figure >= limit,
        }
    }
}

/// All of them.
pub const GOALS: &[Goal] = &[
    Goal {
        text: "trains of 16, 64 B, list (adaptive, the default), to l3fwd lpm",
        over: ("trains", "gateway, list, trains of 16"),
        under: ("trains", "l3fwd lpm, trains of 16"),
        factor: 1.0,
        limit: Limit::Most(0.7),
    },
    Goal {
        text: "trains of 16, 64 B, list (adaptive, the default), to testpmd macswap",
        over: ("trains", "gateway, list, trains of 16"),
        under: ("trains", "testpmd macswap, trains of 16"),
        factor: 1.0,
        limit: Limit::Most(2.0),
    },
    Goal {
        text: "trains of 16, 64 B, all gathered, to l3fwd lpm",
        over: ("trains", "gateway, list, not adaptive, trains of 16"),
        under: ("trains", "l3fwd lpm, trains of 16"),
        factor: 1.0,
        limit: Limit::Most(0.7),
    },
    Goal {
        text: "trains of 16, 64 B, all gathered, to testpmd macswap",
        over: ("trains", "gateway, list, not adaptive, trains of 16"),
        under: ("trains", "testpmd macswap, trains of 16"),
        factor: 1.0,
        limit: Limit::Most(2.0),
    },
    Goal {
        text: "single datagrams, to l3fwd lpm",
        over: ("single", "gateway, list"),
        under: ("single", "l3fwd lpm"),
        factor: 1.0,
        limit: Limit::Most(1.1),
    },
    Goal {
        text: "single datagrams, list (adaptive, the default) to off",
        over: ("single", "gateway, list"),
        under: ("single", "gateway, off"),
        factor: 1.0,
        limit: Limit::Most(1.05),
    },
    Goal {
        text: "a mix of short trains, list (adaptive, the default) to off",
        over: ("mix", "gateway, list"),
        under: ("mix", "gateway, off"),
        factor: 1.0,
        limit: Limit::Most(1.05),
    },
    Goal {
        text: "multicast 1 to 3, 64 B, to ipv4_multicast",
        over: ("multicast-64", "gateway, list, 1 to 3"),
        under: ("multicast-64", "ipv4_multicast, 1 to 3"),
        factor: 1.0,
        limit: Limit::Most(0.33),
    },
    Goal {
        text: "multicast 1 to 3, 1442 B, to ipv4_multicast",
        over: ("multicast-1442", "gateway, list, 1 to 3"),
        under: ("multicast-1442", "ipv4_multicast, 1 to 3"),
        factor: 1.0,
        limit: Limit::Most(0.33),
    },
    Goal {
        text: "cost of a copy, 31 egress ports to 8",
        over: ("fanout", "gateway, list, 64 B, 1 to 31"),
        under: ("fanout", "gateway, list, 64 B, 1 to 8"),
        factor: 8.0 / 31.0,
        limit: Limit::Most(1.1),
    },
    Goal {
        text: "trains of 16, 4096 flows to one flow",
        over: ("flows", "gateway, list, trains of 16, 4096 flows"),
        under: ("flows", "gateway, list, trains of 16, 1 flows"),
        factor: 1.0,
        limit: Limit::Most(1.1),
    },
    Goal {
        text: "single datagrams, 65,536 flows to 64",
        over: ("flows", "gateway, list, single, 65536 flows"),
        under: ("flows", "gateway, list, single, 64 flows"),
        factor: 1.0,
        limit: Limit::Most(1.1),
    },
    Goal {
        text: "single datagrams, 200,000 routes to one",
        over: ("routes", "gateway, list, single, 200000 routes"),
        under: ("routes", "gateway, list, single, 1 routes"),
        factor: 1.0,
        limit: Limit::Most(1.2),
    },
    Goal {
        text: "two workers to one, frames per second of full cores",
        over: ("workers", "gateway, list, not adaptive, 1 worker(s)"),
        under: ("workers", "gateway, list, not adaptive, 2 worker(s)"),
        factor: 2.0,
        limit: Limit::Least(1.9),
    },
    Goal {
        text: "the same of testpmd macswap: what this machine gives",
        over: ("workers", "testpmd macswap, 1 worker(s)"),
        under: ("workers", "testpmd macswap, 2 worker(s)"),
        factor: 2.0,
        limit: Limit::Least(1.9),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Size, plan};

    /// A goal whose row was renamed would never be judged.
    #[test]
    fn every_goal_is_measured_by_every_size() {
        for size in [Size::Short, Size::Middle, Size::Full] {
            let groups = plan(size);
            for goal in GOALS {
                for (group, label) in [goal.over, goal.under] {
                    let rungs = groups.iter().filter(|g| g.name == group).flat_map(|g| &g.rungs);
                    let found = rungs.filter(|rung| rung.label == label).count();
                    assert_eq!(found, 1, "{size:?}: {group}: {label}");
                }
            }
        }
    }

    #[test]
    fn a_limit_has_a_direction() {
        assert!(Limit::Most(1.1).holds(1.1) && !Limit::Most(1.1).holds(1.11));
        assert!(Limit::Least(1.9).holds(1.9) && !Limit::Least(1.9).holds(1.89));
    }
}
