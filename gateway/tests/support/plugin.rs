//! Faults planted in the real program from outside: libraries that DPDK loads, or the program before it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `tests/NAME.c` as a library, built against the headers the gateway was built with. Not below /tmp:
/// DPDK loads nothing from a folder everybody can write to.
pub(crate) fn build(name: &str) -> PathBuf {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.replace('/', "-") + ".so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/{name}.c"));
    let cflags = Command::new("pkg-config").args(["--cflags", "libdpdk"]).output().unwrap();
    let cflags = String::from_utf8(cflags.stdout).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source);
    let status = compiler.args(cflags.split_whitespace()).status().expect("a C compiler");
    assert!(status.success(), "{}", source.display());
    library
}
