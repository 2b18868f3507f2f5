//! For this crate alone, so that the rest of the workspace is not built anew.

#[allow(clippy::disallowed_macros)] // how a build script speaks
fn main() {
    println!("cargo::rustc-cfg=loom");
}
