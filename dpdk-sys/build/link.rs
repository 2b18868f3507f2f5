//! Tells cargo how to link.

use std::path::Path;

use super::{OLDEST, pkg_config};

/// Links the shared libraries. Drivers are plug-ins the EAL loads from the folder it was built
/// for; nothing here names them.
pub(crate) fn shared() {
    pkg_config::Config::new()
        .atleast_version(OLDEST)
        .env_metadata(false)
        .probe("libdpdk")
        .unwrap_or_else(|e| panic!("libdpdk >= {OLDEST}: {e}"));
}

/// Links the archives, each whole: drivers register themselves in constructors nobody calls.
pub(crate) fn archives() {
    pkg_config(&["--atleast-version", OLDEST, "libdpdk"]);
    let flags = pkg_config(&["--static", "--libs", "libdpdk"]);
    let mut folders: Vec<&str> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for flag in &flags {
        if let Some(folder) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={folder}");
            folders.push(folder);
        } else if let Some(name) = library(flag) {
            if !seen.contains(&name) {
                seen.push(name);
                link_one(name, &folders);
            }
        }
    }
}

/// The library a flag names: `-lrte_eal` or `-l:librte_eal.a`. No systemd, which comes in by libcap's
/// private list and has no archive; no asan: which sanitizer runtime there is, the program says.
fn library(flag: &str) -> Option<&str> {
    let name = flag.strip_prefix("-l")?;
    let name = name.strip_prefix(":lib").and_then(|file| file.strip_suffix(".a")).unwrap_or(name);
    (!matches!(name, "systemd" | "asan")).then_some(name)
}

fn link_one(name: &str, folders: &[&str]) {
    let archive = format!("lib{name}.a");
    if name.starts_with("rte_") && folders.iter().any(|f| Path::new(f).join(&archive).exists()) {
        // -bundle: the rlib stays small, and whole-archive reaches the final link.
        println!("cargo:rustc-link-lib=static:+whole-archive,-bundle={name}");
    } else if !name.starts_with("rte_") {
        println!("cargo:rustc-link-lib=dylib={name}");
    }
}
