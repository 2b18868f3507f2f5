//! The ladder: what coalescing costs and what it buys, beside what a user would take instead.
//!
//! ```text
//! plan ─► runner ─► program ─► outcome ─► goals, report, plot
//!         case,     gateway or
//!         topology  peer
//! ```
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // around the path

pub mod budget;
mod case;
pub mod count;
pub mod delays;
pub mod frames;
pub mod goals;
#[cfg(feature = "dpdk")]
pub mod load;
pub mod machine;
pub mod outcome;
pub mod peers;
pub mod plan;
pub mod plot;
#[cfg(feature = "dpdk")]
mod ports;
pub mod program;
pub mod rates;
pub mod report;
pub mod runner;
pub mod search;
#[cfg(target_arch = "x86_64")]
pub mod sharing;
pub mod telemetry;
mod topology;
pub mod veth;

pub use case::{Case, Form, Journey};
#[cfg(feature = "dpdk")]
pub use ports::open_port;
pub use topology::{Topology, outputs};
