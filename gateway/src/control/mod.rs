//! Around the path: what operators ask a running gateway, over its control socket and over HTTP.
//!
//! ```text
//! workers ─ counters ─► Observe ─┬─► ControlSocket ◄─ ask ◄─ gateway show, reload, capture
//!                                └─► HttpServer: /metrics /live /ready /show/… /
//! ```
//!
//! *Invariant:* nothing here waits for a worker's packet or makes a worker wait; every request is
//! bounded in size and time, every server in threads.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod acceptors;
mod capture;
mod client;
mod deadline;
mod http;
mod metrics;
mod observe;
mod protocol;
mod render;
mod report;
mod socket;
mod table;
#[cfg(test)]
mod tests;

pub use capture::{CaptureReader, CaptureRequest, Capturing};
pub use client::{AskError, ask, reload};
pub use http::HttpServer;
pub use observe::{Observe, Operate, Topic};
pub use render::render;
pub use report::{
    BurstBucket, ChangeReport, ConfigReport, DropsReport, FanoutReport, FdbEntry, FdbReport,
    FibEntry, FilterReport, GroReport, Health, HolderReport, HostReport, LatencyBucket,
    LatencyReport, MdbEntry, MfibEntry, NeighborEntry, Origin, PoolReport, PortReport,
    ReloadReport, TableUse, WorkerReport,
};
pub use socket::ControlSocket;
pub use table::TextTable;
