//! Gathers datagrams of one flow into super-packets (semantics: *Coalescing*).
//!
//! A datagram is offered with [`GroTable::join`]; what cannot join a held train goes through
//! [`GroTable::settle`], which first flushes whatever would be overtaken. Most datagrams follow one
//! of their own train: for them [`GroTable::join_alike`] is the short way.
//!
//! *Invariant:* one held train per *order key* (ingress port, MAC pair, tag stack, addresses, UDP
//! ports), so nothing of a flow can overtake anything else of it. What must also be equal to be
//! coalesced is the train's template; a datagram that differs ends the train with a counted reason.
//!
//! *Absent:* parsing (ingress has done it), clocks, allocation after construction.

mod chain;
mod index;
mod key;
mod merge;
mod opt_out;
mod pairs;
mod passed;
mod reason;
mod saving;
mod stats;
mod store;
mod table;
mod template;
mod train;

pub use merge::merge;
pub use passed::Passed;
pub use reason::FlushReason;
pub use saving::Saving;
pub use stats::GroStats;
pub use table::{GroTable, Unjoined};
pub use train::Continuation;
