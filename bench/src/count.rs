//! Instructions per frame: callgrind counts those of path-cost's window. Exact, and the same on every
//! run, for valgrind shows a processor of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Bursts before the window: caches are full, and adaptive coalescing has made up its mind for the first
/// time. Arguments may say otherwise.
const WARM_UP: &str = "64";
/// Bursts of the window.
const POLLS: &str = "256";

/// Instructions per received frame of this path-cost with these arguments.
///
/// # Errors
/// Without valgrind, and with what path-cost says.
pub fn per_frame(program: &Path, arguments: &str) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir()?;
    let profile = dir.path().join("callgrind.out");
    // An empty environment: what is in it moves the stack, and with it unaligned copies.
    let output = Command::new("valgrind")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args(["--quiet", "--tool=callgrind", "--toggle-collect=path_cost::window"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .args(["--lcore", "0", "--warm-up", WARM_UP, "--polls", POLLS])
        .args(arguments.split_whitespace())
        .output()
        .context("valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", output.status);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).context("path-cost")?;
    let profile = fs::read_to_string(profile).context("callgrind's profile")?;
    let line =
        profile.lines().find_map(|line| line.strip_prefix("summary: ")).context("summary")?;
    let instructions: u64 = line.trim().parse()?;
    ensure!(instructions > 0, "the window has another name now");
    let frames = report["frames"].as_u64().context("no count of frames")?;
    Ok(instructions as f64 / frames as f64)
}
