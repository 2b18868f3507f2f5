//! What the fuzzers call, each on any bytes; it panics where a law is broken. gateway/fuzz links
//! them to libFuzzer, `../main.rs` replays what the fuzzers found worth keeping.

#![allow(unreachable_pub)] // a library there, a module here

pub mod config;
pub mod membership;
mod order;
pub mod parse;
pub mod path;
pub mod resegment;

#[allow(dead_code, clippy::needless_pass_by_value)] // its other user has other needs
#[path = "../../worker/harness.rs"]
mod harness;
#[path = "../../support/hostile.rs"]
mod hostile;
#[path = "../../support/parsed.rs"]
mod parsed;
