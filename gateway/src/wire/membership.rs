//! What IGMP and MLD messages say. Both have one shape, with addresses of 4 or of 16 bytes.

use core::fmt;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::view;

/// A multicast membership message, its checksum and lengths verified. `N` is 4 for IGMP, 16 for MLD.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Membership<'a, const N: usize> {
    /// A router asks who listens.
    Query {
        /// IGMP 1, 2 or 3; MLD 1 or 2.
        version: u8,
        /// Zero in a general query.
        group: [u8; N],
    },
    /// A host listens (IGMPv1 and v2, MLDv1).
    Report {
        /// The group.
        group: [u8; N],
    },
    /// A host no longer listens (IGMPv2 leave, MLDv1 done).
    Leave {
        /// The group.
        group: [u8; N],
    },
    /// A host tells its filters (IGMPv3, MLDv2).
    Records(Records<'a, N>),
}

/// One group record of an IGMPv3 or MLDv2 report (RFC 3376 4.2.4, RFC 3810 5.2.4). Sources and
/// auxiliary data follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Record<const N: usize> {
    /// [`INCLUDE`](Self::INCLUDE) and the others.
    pub kind: u8,
    /// Bytes of auxiliary data, in units of 4.
    pub auxiliary_words: u8,
    /// Number of source addresses.
    pub source_count: U16,
    /// The group.
    pub group: [u8; N],
}

impl<const N: usize> Record<N> {
    /// Listens to these sources only.
    pub const INCLUDE: u8 = 1;
    /// Listens to all but these sources.
    pub const EXCLUDE: u8 = 2;
    /// From now on listens to these sources only; none of them: has left.
    pub const TO_INCLUDE: u8 = 3;
    /// From now on listens to all but these sources.
    pub const TO_EXCLUDE: u8 = 4;
    /// Listens to these sources too.
    pub const ALLOW: u8 = 5;
    /// No longer listens to these sources.
    pub const BLOCK: u8 = 6;

    /// Whether after this the sender listens to some source of the group.
    pub fn joins(&self) -> bool {
        match self.kind {
            Self::EXCLUDE | Self::TO_EXCLUDE => true,
            Self::INCLUDE | Self::TO_INCLUDE | Self::ALLOW => self.source_count != 0,
            _ => false,
        }
    }
}

impl<const N: usize> fmt::Display for Record<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, group, source_count, .. } = self;
        write!(f, "record type {kind} group {group:02x?} sources {source_count}")
    }
}

/// The group records of a report, one by one. Ends where a record does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Records<'a, const N: usize> {
    left: u16,
    bytes: &'a [u8],
}

impl<'a, const N: usize> Records<'a, N> {
    /// `count` records in `bytes`; `None` if they do not fit.
    pub(super) fn new(count: u16, bytes: &'a [u8]) -> Option<Self> {
        let records = Self { left: count, bytes };
        (records.count() == usize::from(count)).then_some(records)
    }
}

impl<'a, const N: usize> Iterator for Records<'a, N> {
    type Item = (&'a Record<N>, &'a [u8]);

    /// A record and the bytes of its source addresses.
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let record: &Record<N> = view(self.bytes, 0)?;
        let behind = self.bytes.get(size_of::<Record<N>>()..)?;
        let sources = usize::from(record.source_count) * N;
        let (sources, behind) = behind.split_at_checked(sources)?;
        self.bytes = behind.get(usize::from(record.auxiliary_words) * 4..)?;
        Some((record, sources))
    }
}
