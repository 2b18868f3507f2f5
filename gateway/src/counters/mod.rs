//! What a worker counts. Plain numbers that one worker alone writes; the control side gets a
//! consistent copy on request (`worker::Mailbox`), so the conservation law can be checked exactly
//! while traffic flows.
//!
//! *Invariant:* [`Ledger::imbalance`] of a copy taken between two polls is zero.

mod latency;
mod ledger;
mod port;
mod stage;
mod worker;

pub use latency::Latency;
pub use ledger::Ledger;
pub use port::PortCounters;
pub use stage::{EgressCounts, Stage};
pub use worker::{BURST_BUCKETS, FanoutCounters, WorkerCounters};
