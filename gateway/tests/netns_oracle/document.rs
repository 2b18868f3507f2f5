//! docs/linux.md: every difference has a row there with its reason, and every row its difference.

use std::collections::BTreeMap;

use crate::compare::Case;

/// In place of a digest: the frames have a time in them.
const VARIES: &str = "varies";

/// What differed in one world.
pub(crate) struct Findings {
    world: String,
    cases: usize,
    frames: usize,
    /// By scenario: what differs and its digest.
    differences: BTreeMap<String, (String, String)>,
}

impl Findings {
    pub(crate) fn new(world: &str) -> Self {
        Self { world: world.to_owned(), cases: 0, frames: 0, differences: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, case: &Case, difference: Option<(String, String)>) {
        self.cases += 1;
        self.frames += case.arrivals.len();
        let Some(found) = difference else { return };
        let twice = self.differences.insert(case.name.clone(), found);
        assert!(twice.is_none(), "two scenarios are called {}", case.name);
    }

    /// One row for everything whose order differs, one for everything whose bytes do.
    pub(crate) fn by_kind(mut self) -> Self {
        let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, (what, _)) in std::mem::take(&mut self.differences) {
            let is_order = what.split("; ").all(|port| port.ends_with(": order"));
            let kind = if is_order { "order" } else { "bytes" };
            kinds.entry(kind.to_owned()).or_default().push(name.replace(" train", ""));
        }
        for (kind, names) in kinds {
            let count = format!("{} of {}", names.len(), self.cases);
            self.differences.insert(kind, (names.join("; "), count));
        }
        self
    }

    /// On the kernel the document is about, no row may be missing, changed or without need.
    pub(crate) fn demand_pinned(&self) {
        let document = document();
        let pinned = pinned(&document, &self.world);
        eprintln!("{}: {} scenarios, {} frames", self.world, self.cases, self.frames);
        let mut wrong = Vec::new();
        for (name, (what, digest)) in &self.differences {
            let row = format!("| {}: {name} | {what} | {digest} |", self.world);
            let same = |(pin, pinned_digest): &(String, String)| {
                pin == what && (pinned_digest == digest || pinned_digest == VARIES)
            };
            if !pinned.get(name).is_some_and(same) {
                wrong.push(format!("not in docs/linux.md: {row}"));
            }
        }
        for (name, (what, _)) in &pinned {
            if !self.differences.contains_key(name) {
                wrong.push(format!("only in docs/linux.md: {}: {name}: {what}", self.world));
            }
        }
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        if document.contains(&format!("**Linux {}**", series(&release))) {
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        } else {
            eprintln!("not judged, another kernel: {release}{}", wrong.join("\n"));
        }
    }
}

/// `6.18` of `6.18.44-something`.
fn series(release: &str) -> String {
    release.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/linux.md");
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of `world`: `| world: scenario | what | digest | why |`.
fn pinned(document: &str, world: &str) -> BTreeMap<String, (String, String)> {
    let row = |line: &str| {
        let cells: Vec<_> = line.strip_prefix("| ")?.split(" | ").map(str::trim).collect();
        let [scenario, what, digest, ..] = cells[..] else { return None };
        let name = scenario.strip_prefix(world)?.strip_prefix(": ")?;
        Some((name.to_owned(), (what.to_owned(), digest.trim_end_matches(" |").to_owned())))
    };
    document.lines().filter_map(row).collect()
}
