//! `make sharing`: which cache lines two workers of a running gateway share, and whether they have to.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

#[cfg(target_arch = "x86_64")]
mod hunt;

#[cfg(target_arch = "x86_64")]
fn main() -> anyhow::Result<std::process::ExitCode> {
    hunt::main()
}

#[cfg(not(target_arch = "x86_64"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("only x86-64 can be stepped through")
}
