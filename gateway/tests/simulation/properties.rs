//! Without faults what leaves is known exactly, in every form of super-packet.

use proptest::prelude::*;
use proptest::test_runner::{FailurePersistence, FileFailurePersistence};

use crate::plan::exact;
use crate::run::run;

/// From the package's folder, where cargo and nextest run tests.
const KEPT: &str = "tests/simulation/regressions.txt";

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 160,
        max_shrink_iters: 600,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(KEPT))),
        ..ProptestConfig::default()
    })]
    #[test]
    fn the_gateway_does_what_the_model_owes(plan in exact()) {
        for mode in ["off", "list", "merge"] {
            let result = run(&plan.with_mode(mode));
            prop_assert!(result.is_ok(), "{}: {}", mode, result.err().unwrap_or_default());
        }
    }
}

/// Every failure found is in the file, and proptest reads all of them before it tries new plans.
#[test]
fn kept_failures_are_replayed() {
    let kept = include_str!("regressions.txt").lines().filter(|line| line.starts_with("cc "));
    let kept = kept.count();
    assert!(kept > 0, "no failure is kept");
    let read = FileFailurePersistence::Direct(KEPT).load_persisted_failures2(Some(file!()));
    assert_eq!(read.len(), kept);
}
