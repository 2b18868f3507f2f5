//! Headers as they are on the wire: one per file, big-endian structs viewed in place, one line of
//! text each; and the Internet checksum.
//!
//! *Invariant:* viewing never panics; a header that does not fit is `None`. Nothing here decides
//! what a frame is worth: that is `ingress`. Absent: copies, parsers with state, options of IPv4.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

mod arp;
pub mod checksum;
mod ethernet;
mod icmpv4;
mod icmpv6;
mod igmp;
mod ipv4;
mod ipv6;
mod ipv6_ext;
mod membership;
mod mld;
mod nd;
mod plain;
pub mod protocol;
mod udp;
mod vlan;

pub use arp::Arp;
pub use ethernet::{Ethernet, ethertype};
pub use icmpv4::Icmpv4;
pub use icmpv6::Icmpv6;
pub use igmp::Igmp;
pub use ipv4::Ipv4;
pub use ipv6::Ipv6;
pub use ipv6_ext::{Ipv6Ext, Ipv6Fragment, MAX_EXT_LEN, Walk, WalkEnd, walk};
pub use membership::{Membership, Record, Records};
pub use mld::Mld;
pub use nd::{LinkAddressOption, NeighborMessage, options_are_valid, source_link_address};
pub use plain::{Plain, PlainIp};
pub use udp::Udp;
pub use vlan::VlanTag;

/// The header at `offset`, in place; `None` if it does not fit.
#[inline]
pub fn view<T>(bytes: &[u8], offset: usize) -> Option<&T>
where
    T: FromBytes + Immutable + KnownLayout + Unaligned,
{
    T::ref_from_prefix(bytes.get(offset..)?).ok().map(|(header, _)| header)
}

/// The header at `offset`, in place and writable; `None` if it does not fit.
#[inline]
pub fn view_mut<T>(bytes: &mut [u8], offset: usize) -> Option<&mut T>
where
    T: FromBytes + IntoBytes + KnownLayout + Unaligned,
{
    T::mut_from_prefix(bytes.get_mut(offset..)?).ok().map(|(header, _)| header)
}
