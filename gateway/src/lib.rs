//! A poll-mode UDP gateway. The modules below, read top to bottom, are the journey of a packet:
//!
//! ```text
//!  rx queue ─► ingress ─► gro ─► forward ─► fanout ─► egress ─► tx queue
//!              parse,     trains  bridge,    shared,   buffers,
//!              classify   of one  route,     private   partial
//!                         flow    multicast  header    sends
//! ```
//!
//! Rooms of the path never import each other; they meet in [`packet`] types and in `worker`.

// ── the path ──
pub mod worker;
pub mod ingress;
pub mod gro;
pub mod forward;
pub mod fanout;
pub mod gso;
pub mod egress;
// ── what packets are made of ──
pub mod packet;
pub mod wire;
pub mod device;
pub mod counters;
pub mod capture;
pub mod time;
pub mod ideas;
// ── around the path ──
pub mod config;
pub mod control;
pub mod demo;
pub mod host;
pub mod published;
pub mod runtime;
mod sync;
// ── the two ends ──
#[cfg(feature = "dpdk")]
pub mod dpdk;
#[cfg(feature = "sim")]
pub mod sim;

/// What tests inside and outside of the crate share says `gateway`.
#[cfg(test)]
extern crate self as gateway;
