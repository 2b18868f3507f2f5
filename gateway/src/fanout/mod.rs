//! Replicas: what a decision asks for, made from one super-packet.
//!
//! Unchanged bytes leave as shared references; a rewrite works on the original while nobody shares
//! it, on a whole copy of a short frame, or on a private header in front of shared payload.
//!
//! *Invariant:* private comes before the first write. A pool that runs dry loses whole datagrams of
//! named ports, never half-built frames.

mod emit;
mod repack;
mod replicate;
mod rewrite;

pub use emit::Emit;
pub use replicate::{Fanout, FanoutPort};
pub use rewrite::{
    decrement_ttl, group_address, rewrite_plain, set_addresses, set_last_hop, set_source,
    trim_to_ip,
};
