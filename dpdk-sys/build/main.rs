//! Finds DPDK, binds its headers, compiles the shim.
//!
//! `DPDK_STATIC=1` links the archives that `PKG_CONFIG_PATH` points to, drivers included; otherwise
//! the shared libraries, whose drivers the EAL loads itself as plug-ins at run time.
//! `DPDK_SHIM_CFLAGS` reaches the shim and the bindings: a DPDK built with RTE_LIBRTE_MBUF_DEBUG and
//! the like needs the same definitions here, or the two disagree on layouts and checks.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods)] // how cargo is spoken to

mod bindings;
mod link;

use std::env;
use std::process::Command;

/// The oldest release the shim and the bindings are tried on.
const OLDEST: &str = "22.11";

fn main() {
    println!("cargo:rerun-if-changed=csrc");
    println!("cargo:rerun-if-env-changed=DPDK_STATIC");
    println!("cargo:rerun-if-env-changed=DPDK_SHIM_CFLAGS");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo:rustc-check-cfg=cfg(dpdk_checked)");

    // The shim comes first: what it needs of DPDK is resolved from the libraries named after it.
    let cflags = cflags();
    if cflags.iter().any(|flag| flag == "-fsanitize=address") {
        println!("cargo:rustc-cfg=dpdk_checked");
    }
    bindings::generate(&cflags);
    compile_shim(&cflags);
    if env::var("DPDK_STATIC").is_ok_and(|v| v == "1") {
        link::archives();
    } else {
        link::shared();
    }
}

/// Include paths, `-include rte_config.h` and the `-march` the libraries were built for.
fn cflags() -> Vec<String> {
    let mut flags = pkg_config(&["--cflags", "libdpdk"]);
    flags.extend(env::var("DPDK_SHIM_CFLAGS").iter().flat_map(|f| words(f)));
    flags
}

fn compile_shim(cflags: &[String]) {
    let mut build = cc::Build::new();
    build
        .file("csrc/shim.c")
        .file("csrc/poison.c")
        .include("csrc")
        .opt_level(3)
        .warnings(true)
        .extra_warnings(true);
    for flag in cflags {
        build.flag(flag);
    }
    // DPDK's own inlines trip these.
    build.flag("-Wno-unused-parameter").flag_if_supported("-Wno-address-of-packed-member");
    build.compile("dpdk_sys_shim");
}

/// What pkg-config answers, in words.
///
/// The crate of that name drops `-include` and `-march` from cflags and tears whole-archive groups
/// apart in static libs, so it is asked only for the shared libraries.
fn pkg_config(args: &[&str]) -> Vec<String> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let output = Command::new(&program).args(args).output();
    let output = output.unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
    assert!(
        output.status.success(),
        "DPDK {OLDEST} or newer is needed (Debian: apt-get install libdpdk-dev; or make dpdk and \
         PKG_CONFIG_PATH): {}",
        String::from_utf8_lossy(&output.stderr)
    );
    words(&String::from_utf8_lossy(&output.stdout))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
