//! The configuration file as an operator meets it. Each `errors/NAME.toml` has beside it the exact
//! text an operator reads; `BLESS=1 cargo test --test config` writes it anew.

use std::fs;
use std::path::{Path, PathBuf};

use gateway::config::parse;

#[test]
fn every_mistake_is_explained() {
    let files = corpus("errors");
    assert!(files.len() >= 25, "{} files", files.len());
    for file in files {
        let (name, text) = read(&file);
        let errors = parse(&name, &text).expect_err(&name).render(false) + "\n";
        let expected = file.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &errors).unwrap();
        }
        assert_eq!(errors, fs::read_to_string(&expected).unwrap(), "{name}");
    }
}

#[test]
fn every_problem_has_a_place_and_a_hint() {
    for file in corpus("errors") {
        let (name, text) = read(&file);
        let errors = parse(&name, &text).unwrap_err();
        let rendered = errors.render(false);
        for problem in errors.problems() {
            let (line, column) = errors.position(problem);
            assert!(rendered.contains(&format!("{name}:{line}:{column}\n")), "{problem:?}");
            assert!(problem.help().is_some(), "{name}: {}", problem.message());
        }
    }
}

#[test]
fn valid_files_round_trip() {
    let examples = files(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples"));
    assert!(!examples.is_empty());
    for file in corpus("valid").into_iter().chain(examples) {
        let (name, text) = read(&file);
        let config = parse(&name, &text).unwrap_or_else(|errors| panic!("{errors}"));
        let shown = config.to_toml();
        assert_eq!(parse("shown", &shown).as_ref(), Ok(&config), "{shown}");
    }
}

#[test]
fn too_many_ports_and_addresses() {
    let port = |i: usize| format!("[[port]]\nname = \"p{i}\"\ndevice = \"net_null{i}\"\n");
    let all: String = (0..128).map(port).collect();
    assert_eq!(parse("f", &all).unwrap().ports.len(), 128);
    let errors = parse("f", &(all + &port(128))).unwrap_err();
    assert_eq!(errors.problems()[0].message(), "129 ports are too many");
    assert_eq!(errors.position(&errors.problems()[0]), (128 * 3 + 2, 8));

    let addresses: Vec<_> = (0..65).map(|i| format!("\"10.{i}.0.1/24\"")).collect();
    let text = port(0) + &format!("addresses = [{}]", addresses.join(","));
    let errors = parse("f", &text).unwrap_err();
    assert_eq!(errors.problems()[0].message(), "too many addresses on one port");
}

#[test]
fn a_long_report_ends() {
    let text: String = (0..1000).map(|i| format!("k{i} = 1\n")).collect();
    let report = parse("f", &text).unwrap_err().render(false);
    assert!(report.contains("... and 951 more"), "{report}");
    let huge = "#".repeat(65 << 20);
    assert!(parse("f", &huge).unwrap_err().render(false).contains("too long"));
}

fn corpus(kind: &str) -> Vec<PathBuf> {
    files(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(kind))
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = all.filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    files
}

fn read(file: &Path) -> (String, String) {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    (name, fs::read_to_string(file).unwrap())
}
