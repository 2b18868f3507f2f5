//! The house rules that no compiler knows: where unsafe code lives, who may name whom, how long a
//! file may be, that a test provokes every drop and ARCHITECTURE.md knows every room.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway::packet::DropReason;

/// Rooms between rx and tx: they meet in `packet` types and in `worker`, never in each other.
const PATH_ROOMS: &[&str] = &["ingress", "gro", "forward", "fanout", "gso", "egress"];
/// Files longer than this are split.
const LINES_MAX: usize = 500;
/// Larger files are made by a script, not kept.
const SOURCE_BYTES_MAX: u64 = 256 * 1024;
/// This file names what it forbids.
const THIS: &str = "gateway/tests/house.rs";

#[test]
fn files_are_short() {
    for file in rust_files("") {
        let lines = file.text.lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines, at most {LINES_MAX}", file.name);
    }
}

#[test]
fn unsafe_code_lives_in_one_room() {
    let homes = ["dpdk-sys/", "gateway/src/dpdk/"];
    for file in rust_files("").iter().filter(|file| file.name != THIS) {
        let at_home = homes.iter().any(|home| file.name.starts_with(home));
        assert!(at_home || !has_code(&file.text, "(unsafe_code"), "{} allows unsafe", file.name);
    }
}

#[test]
fn nothing_is_left_undone() {
    for file in rust_files("").iter().filter(|file| file.name != THIS) {
        for word in ["todo!(", "unimplemented!(", "#[ignore", "fn get_"] {
            assert!(!has_code(&file.text, word), "{} has {word}", file.name);
        }
    }
}

/// `rust-version` in Cargo.toml is what Debian's apt installs; clippy knows which functions came
/// later, but not that chained `let` did (Rust 1.88).
#[test]
fn syntax_is_as_old_as_promised() {
    for file in rust_files("").iter().filter(|file| file.name != THIS) {
        let lines: Vec<_> = file.text.lines().chain([""]).map(code).collect();
        for pair in lines.windows(2) {
            let conditional = pair[0].contains("if let ") || pair[0].contains("while let ");
            let chained = pair[0].contains(" && ") || pair[1].trim_start().starts_with("&&");
            assert!(!(conditional && chained), "{} chains let: {}", file.name, pair[0]);
            assert!(!pair[0].contains("&& let "), "{} chains let: {}", file.name, pair[0]);
        }
    }
}

#[test]
fn rooms_of_the_path_do_not_know_each_other() {
    for room in PATH_ROOMS {
        for file in rust_files(&format!("gateway/src/{room}")) {
            for other in PATH_ROOMS.iter().filter(|other| other != &room) {
                let import = format!("crate::{other}::");
                assert!(!has_code(&file.text, &import), "{} imports {other}", file.name);
            }
            assert!(!has_code(&file.text, "crate::worker"), "{} imports worker", file.name);
        }
    }
}

#[test]
fn the_core_does_not_know_dpdk() {
    let ends = ["gateway/src/dpdk/", "gateway/src/main"];
    for file in rust_files("gateway/src") {
        let at_end = ends.iter().any(|end| file.name.starts_with(end));
        assert!(at_end || !has_code(&file.text, "dpdk_sys"), "{} names dpdk_sys", file.name);
    }
}

#[test]
fn every_drop_is_provoked_by_a_test() {
    let tests: String = rust_files("gateway")
        .iter()
        .filter(|file| file.name != THIS)
        .map(|file| if file.is_test() { &file.text[..] } else { test_module(&file.text) })
        .collect();
    let missing: Vec<_> = DropReason::ALL
        .iter()
        .filter(|reason| !names(&tests, &format!("{reason:?}"), reason.name()))
        .collect();
    assert!(missing.is_empty(), "no test provokes {missing:?}");
}

/// What semantics 7 lists, but for what needs a host side or whole networks.
#[test]
fn every_failure_the_field_has_had_is_a_test() {
    const NOT_HERE: &[u8] = &[24, 29];
    let files = rust_files("gateway");
    let text: String = files.iter().filter(|f| f.name != THIS).map(|f| &f.text[..]).collect();
    let names = text.split("#[test]\n").skip(1);
    let names: Vec<_> = names
        .filter_map(|test| test.lines().find_map(|line| line.trim_start().strip_prefix("fn ")))
        .collect();
    let missing: Vec<_> = (1..=31_u8)
        .filter(|number| !NOT_HERE.contains(number))
        .filter(|number| !names.iter().any(|name| name.starts_with(&format!("s07_{number:02}_"))))
        .collect();
    assert!(missing.is_empty(), "no test s07_NN_… of {missing:?}");
}

/// A build result under version control stays in every clone for ever.
#[test]
fn only_sources_are_under_version_control() {
    if !root().join(".git").exists() {
        return; // an unpacked archive
    }
    let git = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let list = git.expect("git, which made this clone").stdout;
    let names: Vec<_> = list.split(|&b| b == 0).map(String::from_utf8_lossy).collect();
    assert!(names.len() > 100, "git lists {} files", names.len());
    for name in names.iter().filter(|name| !name.is_empty()) {
        assert!(!name.split('/').any(|part| part == "target"), "{name} is a build result");
        let bytes = fs::symlink_metadata(root().join(&**name)).map_or(0, |file| file.len());
        assert!(bytes <= SOURCE_BYTES_MAX, "{name}: {bytes} bytes, at most {SOURCE_BYTES_MAX}");
    }
}

#[test]
fn every_room_states_its_invariant() {
    let text = read("ARCHITECTURE.md");
    assert!(text.lines().count() <= 200, "ARCHITECTURE.md is longer than 200 lines");
    let map = read("gateway/src/lib.rs");
    for room in map.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let room = room.trim_end_matches(';');
        let section = text.split("\n### ").find(|part| part.starts_with(&format!("`{room}`")));
        let section = section.unwrap_or_else(|| panic!("ARCHITECTURE.md has no room `{room}`"));
        assert!(section.contains("*Invariant:*"), "room `{room}` has no *Invariant:* line");
    }
}

struct SourceFile {
    /// From the root of the repository, with slashes.
    name: String,
    text: String,
}

impl SourceFile {
    /// All of it is compiled for tests only.
    fn is_test(&self) -> bool {
        self.name.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All Rust sources under `folder`, build results excluded.
fn rust_files(folder: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a folder entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).expect("a readable source file");
                let name = path.strip_prefix(root()).expect("below the root");
                found.push(SourceFile { name: name.to_string_lossy().into_owned(), text });
            }
        }
    }
    assert!(folder.is_empty() || !found.is_empty() || !root().join(folder).exists());
    found
}

/// Whether `word` stands outside of comments.
fn has_code(text: &str, word: &str) -> bool {
    text.lines().any(|line| code(line).contains(word))
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// The part of a source file that is compiled for tests only.
fn test_module(text: &str) -> &str {
    text.find("\nmod tests {").map_or("", |start| &text[start..])
}

/// Whether the variant (as a whole word) or the counter's name in quotes occurs.
fn names(text: &str, variant: &str, counter: &str) -> bool {
    let quoted = format!("\"{counter}\"");
    text.contains(&quoted)
        || text.match_indices(variant).any(|(start, _)| {
            let before = text[..start].chars().next_back();
            let after = text[start + variant.len()..].chars().next();
            !before.into_iter().chain(after).any(|c| c.is_alphanumeric() || c == '_')
        })
}
