//! What the documents promise, held against the program: the examples are valid, and the reference
//! of the file has every key with its default.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gateway::config;
use gateway::control::Topic;
use gateway::packet::DropReason;
use toml::{Table, Value};

/// Has every section and every key that has no default.
const EVERYTHING: &str = r#"
[[port]]
name = "p0"
device = "net_null0"
addresses = ["10.1.0.1/24"]
[[port]]
name = "p1"
device = "net_null1"
addresses = ["10.2.0.1/24"]
[[port]]
name = "p2"
device = "net_null2"
mac = "02:00:00:00:00:09"
gro = "off"
[[bridge]]
name = "br0"
ports = ["p2"]
[[group]]
bridge = "br0"
group = "239.1.1.1"
ports = ["p2"]
[[listener]]
bridge = "br0"
group = "239.1.1.2"
port = "p2"
mac = "02:00:00:00:00:12"
[[route]]
prefix = "10.3.0.0/16"
via = "10.1.0.2"
[[neighbor]]
address = "10.1.0.2"
mac = "02:00:00:00:00:02"
port = "p0"
[[multicast]]
group = "239.1.1.1"
source = "10.1.0.2"
from = "p0"
to = ["p1"]
[[filter]]
at = "ingress"
action = "mirror"
to = "p2"
rate_pps = 1
rate_bps = 1000
match = { port = "p0" }
[control]
metrics = "127.0.0.1:9464"
"#;

#[test]
fn examples_are_valid() {
    let folder = root().join("deploy/examples");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("deploy/examples") {
        let path = entry.expect("a folder entry").path();
        let text = fs::read_to_string(&path).expect("a readable example");
        if let Err(errors) = config::parse(&path.to_string_lossy(), &text) {
            panic!("{}", errors.render(false));
        }
        seen += 1;
    }
    assert!(seen >= 3, "only {seen} examples");
}

#[test]
fn the_reference_has_every_key() {
    let reference = reference();
    let file = everything();
    for (section, value) in &file {
        let rows = reference.get(section).unwrap_or_else(|| panic!("no section {section}"));
        for key in keys_of(value) {
            assert!(rows.contains_key(&key), "[{section}] {key} is not in the reference");
        }
    }
    for (section, rows) in &reference {
        let keys = file.get(section).map(keys_of).unwrap_or_default();
        for key in rows.keys() {
            assert!(keys.contains(key), "[{section}] {key} is in the reference only");
        }
    }
}

#[test]
fn the_reference_has_the_right_defaults() {
    let file = everything();
    let mut compared = 0;
    for (section, rows) in reference() {
        for (key, default) in rows {
            // Words like "required" are no defaults.
            let Ok(default) = format!("x = {}", default.trim_matches('`')).parse::<Table>() else {
                continue;
            };
            let actual = match &file[&section] {
                Value::Table(table) => &table[&key],
                list => &list.as_array().and_then(|list| list.first()).expect("an entry")[&key],
            };
            if key != "addresses" {
                assert_eq!(&default["x"], actual, "[{section}] {key}");
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "only {compared} defaults compared");
}

#[test]
fn every_drop_is_explained_to_the_operator() {
    let text = operating();
    for reason in DropReason::ALL {
        let row = format!("\n| `{}` |", reason.name());
        assert_eq!(text.matches(&row).count(), 1, "docs/operating.md: {}", reason.name());
    }
}

#[test]
fn every_topic_is_explained_to_the_operator() {
    let text = operating();
    let section = text.split("\n## Asking a running gateway\n").nth(1).expect("the section");
    let text = section.split("\n## ").next().unwrap_or_default();
    for topic in Topic::ALL {
        let row = format!("\n| `{topic}` |");
        assert_eq!(text.matches(&row).count(), 1, "docs/operating.md: {topic}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn operating() -> String {
    fs::read_to_string(root().join("docs/operating.md")).expect("docs/operating.md")
}

fn everything() -> Table {
    match config::parse("everything.toml", EVERYTHING) {
        Ok(config) => config.to_toml().parse().expect("TOML"),
        Err(errors) => panic!("{}", errors.render(false)),
    }
}

fn keys_of(section: &Value) -> Vec<String> {
    match section {
        Value::Table(table) => table.keys().cloned().collect(),
        Value::Array(list) => list.iter().flat_map(keys_of).collect(),
        _ => Vec::new(),
    }
}

/// Section → key → default, from the tables under headings like ### `[[port]]`.
fn reference() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = operating();
    let sections = text.split("\n### `[").skip(1).map(|section| {
        let (name, rest) =
            section.split_once("]`").or(section.split_once("]]`")).expect("a heading");
        let body = rest.split("\n#").next().unwrap_or_default();
        let rows = body.lines().filter(|line| line.starts_with("| `")).map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let key = cells.next().unwrap_or_default().trim_matches('`').to_owned();
            (key, cells.next().unwrap_or_default().to_owned())
        });
        (name.trim_matches(['[', ']']).to_owned(), rows.collect())
    });
    sections.collect()
}
