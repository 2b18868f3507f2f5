//! `gateway demo` as a user runs it: good, repeatable beside itself, and gone without a trace
//! however it ends.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // a user, not the path

#[path = "support/netns.rs"]
mod netns;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// A demonstration whose files are in a folder of its own, by which its processes are known.
struct Demo {
    child: Child,
    folder: TempDir,
}

impl Demo {
    fn start(seconds: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["demo", "--json", "--seconds", &seconds.to_string()])
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    /// Waits until its gateway runs.
    fn await_gateway(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while processes_of(self.folder.path()).is_empty() {
            assert!(Instant::now() < deadline, "no gateway was started");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// What it printed, once it has ended; its processes must be gone by then, or soon.
    fn end(self) -> (Output, TempDir) {
        let output = self.child.wait_with_output().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let left = processes_of(self.folder.path());
            if left.is_empty() {
                return (output, self.folder);
            }
            assert!(Instant::now() < deadline, "left behind: processes {left:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn the_demo_is_good_and_two_at_once_do_not_meet() {
    if netns::lab().is_none() {
        return;
    }
    for demo in [Demo::start(2), Demo::start(2)] {
        let (output, folder) = demo.end();
        let said = String::from_utf8_lossy(&output.stderr);
        let account: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(output.status.code(), Some(0), "{said}{account:#}");
        assert_eq!(account["faults"], Value::Array(vec![]));
        assert_eq!(account["stage"], "namespaces");
        assert_eq!(account["replay"]["frames"], serde_json::json!([0, 2, 2]));
        assert_eq!(account["streams"].as_array().map(Vec::len), Some(8));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files left behind");
    }
}

#[test]
fn ctrl_c_ends_the_demo_without_a_trace() {
    if netns::lab().is_none() {
        return;
    }
    let demo = Demo::start(60);
    demo.await_gateway();
    std::thread::sleep(Duration::from_secs(2));
    let asked = Instant::now();
    demo.signal(Signal::SIGINT);
    let (output, folder) = demo.end();
    assert!(asked.elapsed() < Duration::from_secs(15), "took {:?}", asked.elapsed());
    assert!(!output.status.success(), "an interrupted demo proves nothing");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files left behind");
}

#[test]
fn a_killed_demo_takes_its_gateway_along() {
    if netns::lab().is_none() {
        return;
    }
    let demo = Demo::start(60);
    demo.await_gateway();
    demo.signal(Signal::SIGKILL);
    demo.end();
}

#[test]
fn without_rights_it_runs_in_memory_and_says_so() {
    if netns::lab().is_none() {
        return;
    }
    // Root without capabilities: the files are readable, namespaces cannot be made.
    let output = Command::new("setpriv")
        .args(["--bounding-set=-all", "--inh-caps=-all", "--"])
        .arg(env!("CARGO_BIN_EXE_gateway"))
        .args(["demo", "--seconds", "1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("in memory because"), "{said}");
}

/// Processes whose command line names `folder`.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|e| std::fs::read_to_string(e.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(&folder)).map(|line| line.replace('\0', " ")).collect()
}
