//! A longest-prefix table that is read in one step per 16, 8, 8... bits: the layout of rte_lpm and
//! rte_lpm6, smaller at the root. Prefixes of other lengths are expanded to whole steps when they
//! are inserted (Srinivasan and Varghese, *Controlled Prefix Expansion*, 1998), so a lookup reads
//! 1 to 3 entries for IPv4, however many prefixes there are. For IPv6, where it would be 7 for a /64, it
//! is turned into [`Skips`](super::skips::Skips).
//! *Size:* 256 KiB, and 1 KiB for each group of prefixes that share all bits up to a step. Equal values
//! of prefixes of one length are one, so that as many as there are next hops stay in the cache.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::FixedState;

/// A longest-prefix table as it is read.
pub(super) trait Prefixes<V>: From<Strides<V>> {
    /// The value of the longest prefix of `address`, whose length is that of all addresses.
    fn lookup(&self, address: &[u8]) -> Option<&V>;
}

/// Values by prefix of octets.
pub(super) struct Strides<V> {
    pub(super) root: Box<Root>,
    pub(super) tables: Vec<Step>,
    /// Values and the lengths of their prefixes, no two alike.
    pub(super) leaves: Vec<(V, u8)>,
    /// Where a leaf is.
    known: HashMap<(V, u8), u32, FixedState>,
}

/// An entry is 0 for nothing, with this bit the number of the table to go on in, else the number of a
/// leaf, plus one.
pub(super) const TABLE: u32 = 1 << 31;
const ROOT_BITS: u8 = 16;
const STEP_BITS: u8 = 8;
/// Entries by the first octets.
pub(super) type Root = [u32; 1 << ROOT_BITS];
/// Entries by one more.
pub(super) type Step = [u32; 1 << STEP_BITS];

/// Entries from `first` on, in the root or in the table with this number.
#[derive(Clone, Copy)]
struct Span {
    table: Option<usize>,
    first: usize,
    len: usize,
}

impl<V> Prefixes<V> for Strides<V> {
    #[inline]
    fn lookup(&self, address: &[u8]) -> Option<&V> {
        let (first, rest) = address.split_first_chunk::<2>()?;
        let mut entry = self.root[usize::from(u16::from_be_bytes(*first))];
        for octet in rest {
            let Some(table) = self.tables.get(table_of(entry)) else { break };
            entry = table[usize::from(*octet)];
        }
        value_of(&self.leaves, entry)
    }
}

impl<V: Clone + Eq + Hash> Strides<V> {
    pub(super) fn new() -> Self {
        Self {
            root: Box::new([0; 1 << ROOT_BITS]),
            tables: Vec::new(),
            leaves: Vec::new(),
            known: HashMap::default(),
        }
    }

    /// Sets the value of the prefix of `address` that is `len` bits long. In any order; of one
    /// prefix the last value counts.
    pub(super) fn insert(&mut self, address: &[u8], len: u8, value: V) {
        let leaf = self.leaf((value, len));
        let span = self.span(address, len);
        self.fill(span, leaf, len);
    }

    /// No address with this prefix has a value any more, whatever longer prefixes had.
    pub(super) fn clear(&mut self, address: &[u8], len: u8) {
        let span = self.span(address, len);
        self.entries(span).fill(0);
    }

    /// The number of a leaf, plus one.
    fn leaf(&mut self, leaf: (V, u8)) -> u32 {
        *self.known.entry(leaf).or_insert_with_key(|leaf| {
            self.leaves.push(leaf.clone());
            self.leaves.len() as u32
        })
    }

    /// Where the addresses with this prefix part from all others; tables on the way there are made.
    fn span(&mut self, address: &[u8], len: u8) -> Span {
        let first = usize::from(address[0]) << STEP_BITS | usize::from(address[1]);
        let (mut at, mut bits) = (Span { table: None, first, len: 1 }, ROOT_BITS);
        while len > bits {
            let octet = address[usize::from(bits / STEP_BITS)];
            at = Span { table: Some(self.table_at(at)), first: octet.into(), len: 1 };
            bits += STEP_BITS;
        }
        let len = 1 << (bits - len);
        Span { first: at.first & !(len - 1), len, ..at }
    }

    /// The table that this entry leads to; made if there was none.
    fn table_at(&mut self, at: Span) -> usize {
        let entry = self.entries(at)[0];
        if entry & TABLE == 0 {
            self.tables.push([entry; 1 << STEP_BITS]);
            let last = self.tables.len() - 1;
            self.entries(at)[0] = TABLE | last as u32;
            return last;
        }
        table_of(entry)
    }

    fn entries(&mut self, span: Span) -> &mut [u32] {
        let all = match span.table {
            None => &mut self.root[..],
            Some(table) => &mut self.tables[table][..],
        };
        &mut all[span.first..span.first + span.len]
    }

    /// Gives these entries, and the tables below them, to a leaf whose prefix has `len` bits, except
    /// for what longer prefixes have.
    fn fill(&mut self, span: Span, leaf: u32, len: u8) {
        for first in span.first..span.first + span.len {
            let at = Span { first, len: 1, ..span };
            let entry = self.entries(at)[0];
            if entry & TABLE != 0 {
                let below = Span { table: Some(table_of(entry)), first: 0, len: 1 << STEP_BITS };
                self.fill(below, leaf, len);
            } else if entry == 0 || self.leaves[entry as usize - 1].1 <= len {
                self.entries(at)[0] = leaf;
            }
        }
    }
}

/// Which table an entry leads to. A leaf, or nothing, gets the number of none.
#[inline]
pub(super) fn table_of(entry: u32) -> usize {
    (entry ^ TABLE) as usize
}

/// The value of a leaf's entry.
#[inline]
pub(super) fn value_of<V>(leaves: &[(V, u8)], entry: u32) -> Option<&V> {
    leaves.get(entry.wrapping_sub(1) as usize).map(|(value, _)| value)
}
