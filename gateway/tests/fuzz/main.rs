//! Everything the fuzzers kept runs in every test run (gateway/fuzz/corpus: inputs that reach much;
//! gateway/fuzz/crashes: inputs that once failed), and bytes chosen blindly.

mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;

fn replay(target: &str, run: fn(&[u8]), also: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = [format!("fuzz/corpus/{target}"), format!("fuzz/crashes/{target}")];
    let folders = kept.iter().map(String::as_str).chain(also.iter().copied());
    // What a fuzzer has gathered, for scripts/coverage.sh.
    let gathered =
        std::env::var_os("GATHERED").map(|folder| files(&Path::new(&folder).join(target)));
    let files = folders.flat_map(|folder| files(&root.join(folder)));
    for file in files.chain(gathered.into_iter().flatten()) {
        let data = fs::read(&file).unwrap();
        // A panic says where; this says on what.
        let outcome = std::panic::catch_unwind(|| run(&data));
        assert!(outcome.is_ok(), "{}", file.display());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    files
}

#[test]
fn kept_inputs_pass() {
    let files = ["tests/config/valid", "tests/config/errors", "../deploy/examples"];
    replay("config", targets::config::run, &files);
    replay("membership", targets::membership::run, &[]);
    replay("parse", targets::parse::run, &[]);
    replay("path", targets::path::run, &[]);
    replay("resegment", targets::resegment::run, &[]);
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn membership_of_any_bytes(data in bytes(200)) {
        targets::membership::run(&data);
    }

    #[test]
    fn parse_of_any_bytes(data in bytes(200)) {
        targets::parse::run(&data);
    }

    #[test]
    fn path_of_any_bytes(data in bytes(1200)) {
        targets::path::run(&data);
    }

    #[test]
    fn resegment_of_any_bytes(data in bytes(200)) {
        targets::resegment::run(&data);
    }
}
