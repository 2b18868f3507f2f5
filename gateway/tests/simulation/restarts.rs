//! Ports that are restarted in the middle of everything: what leaves is as owed, losses are the
//! restarted port's, the account is exact.

use crate::plan::{Step, of_seed};
use crate::run::run;
use proptest::strategy::ValueTree;

const SEEDS: u64 = 120;
/// Steps from one restart to the next.
const EVERY: usize = 6;

#[test]
fn restarts_lose_what_is_counted_and_nothing_else() {
    let (mut restarts, mut lost) = (0, 0);
    for seed in 0..SEEDS {
        let mut plan = of_seed(seed).current();
        let ports = plan.worlds[0].ports.len();
        for at in (0..plan.steps.len()).step_by(EVERY).rev() {
            plan.steps.insert(at, Step::Restart((at + seed as usize) % ports));
        }
        let summary = run(&plan).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        restarts += summary.steps["restarts"];
        lost += summary.drops.get("port_reset").copied().unwrap_or_default();
    }
    assert!(restarts > 4 * SEEDS && lost > SEEDS, "{restarts} restarts, {lost} frames lost");
}
