//! Every allocation of a run fails once.

use proptest::strategy::ValueTree;

use crate::plan::{Plan, of_seed};
use crate::run::{run, run_failing};

/// Plans whose every allocation is tried, and the most of one plan.
const PLANS: u64 = 4;
const ALLOCATIONS_MAX: u64 = 250;

#[test]
fn a_pool_that_runs_dry_at_any_allocation_costs_whole_datagrams_of_named_ports() {
    let mut tried = 0;
    for seed in 0..PLANS {
        let plan = Plan { linger: true, ..of_seed(seed).current() };
        let steps = plan.steps.iter().filter(|step| !step.is_fault()).cloned().collect();
        let plan = Plan { steps, ..plan };
        let allocations = run(&plan).unwrap_or_else(|error| panic!("{seed}: {error}")).allocations;
        for allocation in 0..allocations.min(ALLOCATIONS_MAX) {
            let result = run_failing(&plan, allocation);
            assert!(result.is_ok(), "seed {seed}, allocation {allocation}: {:?}", result.err());
            tried += 1;
        }
    }
    assert!(tried > 400, "only {tried} allocations were tried");
}
