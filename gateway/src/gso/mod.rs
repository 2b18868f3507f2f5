//! Splits what is too big for one datagram or one link: a merged super-packet into its datagrams, a
//! datagram into IPv4 fragments.
//!
//! *Invariant:* the number of steps is known and bounded before the first one; what cannot be split
//! is refused with a name. Nothing is written to bytes that another packet may show.
//! *Absent:* deciding what is too big, ICMP errors for what may not be fragmented.

mod fragment;
mod headers;
mod plan;
mod resegment;

pub use fragment::{FragmentError, fragment};
pub use plan::GeometryError;
pub use resegment::resegment;
