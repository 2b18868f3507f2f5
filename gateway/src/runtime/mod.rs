//! From a configuration to running workers and back to silence: assembles workers over the queues
//! of any backend, runs one thread per lcore, drains and accounts at the end.
//!
//! *Invariant:* when [`drive`] returns, its worker has received nothing since the stop was seen,
//! and every datagram it had is sent, handed over or counted.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // around the path

mod assemble;
mod capture;
mod drive;
mod driven;
mod hang;
mod observer;
mod outcome;
mod reload;
mod resets;
mod rounds;
mod totals;
mod watchdog;

#[cfg(feature = "dpdk")]
mod crew;
#[cfg(feature = "dpdk")]
mod follower;
#[cfg(feature = "dpdk")]
mod hardware;
#[cfg(feature = "dpdk")]
mod outline;
#[cfg(feature = "dpdk")]
mod ports;
#[cfg(feature = "dpdk")]
mod pump;
#[cfg(feature = "dpdk")]
mod run;
#[cfg(feature = "dpdk")]
mod shadow_bridges;
#[cfg(feature = "dpdk")]
mod shadows;
#[cfg(feature = "dpdk")]
mod watch;

pub use assemble::{Assembly, Berth, PortExchanges, PortQueues, allot, assemble};
pub use capture::Taps;
pub use drive::{Drain, Driven, Pace, drive};
pub use observer::{Collector, DeviceFacts, Devices, Observer, PoolUse, Ticker};
pub use outcome::{Outcome, PoolBalance};
pub use reload::Running;
pub use resets::{Queues, ResetMark, ResetNews, Resets, Restart};
pub use rounds::Rounds;
pub use totals::Totals;
pub use watchdog::{News, Watchdog};

#[cfg(feature = "dpdk")]
pub use run::{RunError, run};
