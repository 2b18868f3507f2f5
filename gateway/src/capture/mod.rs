//! Copies of frames on their way from workers to `gateway capture`.
//!
//! ```text
//! control: Tap::new ─► published ─► worker: Capturer ─ copies ─► full ─► control: drain ─► stream
//!                                            ▲───────── empty records ◄────────┘
//! ```
//!
//! *Invariant:* a worker never waits and never allocates for a capture: copies go into records made
//! beforehand, and a copy without a free record is lost and counted. The frame itself is not
//! touched. Absent: files, sockets, wall clocks.

mod stream;
mod tap;

pub use stream::{Captured, Event, Item, RECORD_HEADER};
pub use tap::{Capturer, Record, Tap};
