//! A longest-prefix table that is read in one step per 16, 8, 8... bits: the layout of rte_lpm and
//! rte_lpm6, smaller at the root. Prefixes of other lengths are expanded to whole steps when they
//! are inserted (Srinivasan and Varghese, *Controlled Prefix Expansion*, 1998), so a lookup reads
//! 1 to 3 entries for IPv4, 7 for an IPv6 /64, however many prefixes there are.
//! *Size:* 256 KiB, and 1 KiB for each group of prefixes that share all bits up to a step. Equal values
//! of prefixes of one length are one, so that as many as there are next hops stay in the cache.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::FixedState;

/// Values by prefix of octets.
pub(super) struct Strides<V> {
    /// The root's 2^16 entries, then tables of 256. 0: nothing; with [`TABLE`]: the number of the
    /// table to go on in; else the number of a leaf, plus one.
    entries: Vec<u32>,
    /// Values and the lengths of their prefixes, no two alike.
    leaves: Vec<(V, u8)>,
    /// Where a leaf is.
    known: HashMap<(V, u8), u32, FixedState>,
}

const TABLE: u32 = 1 << 31;
const ROOT_BITS: u8 = 16;
const STEP_BITS: u8 = 8;

impl<V: Clone + Eq + Hash> Strides<V> {
    pub(super) fn new() -> Self {
        Self { entries: vec![0; 1 << ROOT_BITS], leaves: Vec::new(), known: HashMap::default() }
    }

    /// The value of the longest prefix of `address`, at least two octets.
    #[inline]
    pub(super) fn lookup(&self, address: &[u8]) -> Option<&V> {
        let (first, rest) = address.split_first_chunk::<2>()?;
        let mut entry = *self.entries.get(usize::from(u16::from_be_bytes(*first)))?;
        for octet in rest {
            if entry & TABLE == 0 {
                break;
            }
            entry = *self.entries.get(start_of(entry) + usize::from(*octet))?;
        }
        let leaf = entry.checked_sub(1)?;
        self.leaves.get(leaf as usize).map(|(value, _)| value)
    }

    /// Sets the value of the prefix of `address` that is `len` bits long. In any order; of one
    /// prefix the last value counts.
    pub(super) fn insert(&mut self, address: &[u8], len: u8, value: V) {
        let leaf = self.leaf((value, len));
        let mut bits = ROOT_BITS;
        let mut index = usize::from(address[0]) << STEP_BITS | usize::from(address[1]);
        while len > bits {
            let octet = address[usize::from(bits / STEP_BITS)];
            index = self.table_at(index) + usize::from(octet);
            bits += STEP_BITS;
        }
        let span = 1 << (bits - len);
        self.fill(index & !(span - 1), span, leaf, len);
    }

    /// The number of a leaf, plus one.
    fn leaf(&mut self, leaf: (V, u8)) -> u32 {
        *self.known.entry(leaf).or_insert_with_key(|leaf| {
            self.leaves.push(leaf.clone());
            self.leaves.len() as u32
        })
    }

    /// The start of the table that entry `index` leads to; made if there was none.
    fn table_at(&mut self, index: usize) -> usize {
        let entry = self.entries[index];
        if entry & TABLE == 0 {
            let start = self.entries.len();
            self.entries.resize(start + (1 << STEP_BITS), entry);
            self.entries[index] = TABLE | (start >> STEP_BITS) as u32;
        }
        start_of(self.entries[index])
    }

    /// Gives `span` entries from `start` on, and the tables below them, to a leaf whose prefix has
    /// `len` bits, except for what longer prefixes have.
    fn fill(&mut self, start: usize, span: usize, leaf: u32, len: u8) {
        for index in start..start + span {
            let entry = self.entries[index];
            if entry & TABLE != 0 {
                self.fill(start_of(entry), 1 << STEP_BITS, leaf, len);
            } else if entry == 0 || self.leaves[entry as usize - 1].1 <= len {
                self.entries[index] = leaf;
            }
        }
    }
}

fn start_of(entry: u32) -> usize {
    ((entry & !TABLE) as usize) << STEP_BITS
}
