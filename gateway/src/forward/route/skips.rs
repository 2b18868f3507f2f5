//! [`Strides`] as it is read for long addresses: tables that all addresses pass through on one way are
//! gone over at once (path compression, as in Morrison's PATRICIA, 1968). A lookup reads a table for
//! each octet in which prefixes part, 2 or 3 for an IPv6 destination and not 6 to 14.
//! *Size:* 256 KiB, and 1.1 KiB for each octet in which prefixes part, two for each prefix at most.

use super::strides::{Prefixes, Root, Step, Strides, TABLE, table_of, value_of};

/// Values by prefix of sixteen octets.
pub(super) struct Skips<V> {
    root: Box<Root>,
    tables: Vec<Table>,
    leaves: Vec<(V, u8)>,
}

/// Entries as in [`Strides`], and what was gone over on the way to them.
struct Table {
    /// The octets of all addresses with an entry here, in the order of memory, where `mask` has ones.
    path: u128,
    mask: u128,
    /// The entry of all other addresses that came this way: no table.
    otherwise: u32,
    /// Which octet has an entry here.
    octet: u8,
    entries: Step,
}

impl<V> Prefixes<V> for Skips<V> {
    #[inline]
    fn lookup(&self, address: &[u8]) -> Option<&V> {
        let address: &[u8; 16] = address.first_chunk()?;
        let bits = u128::from_ne_bytes(*address);
        let mut entry = self.root[usize::from(u16::from_be_bytes([address[0], address[1]]))];
        while let Some(table) = self.tables.get(table_of(entry)) {
            if (bits ^ table.path) & table.mask != 0 {
                entry = table.otherwise;
                break;
            }
            entry = table.entries[usize::from(address[usize::from(table.octet) % 16])];
        }
        value_of(&self.leaves, entry)
    }
}

impl<V> From<Strides<V>> for Skips<V> {
    fn from(strides: Strides<V>) -> Self {
        let Strides { mut root, tables: from, leaves, .. } = strides;
        let mut tables = Vec::new();
        for (first, entry) in (0..=u16::MAX).zip(root.iter_mut()) {
            let mut path = [0; 16];
            path[..2].copy_from_slice(&first.to_be_bytes());
            *entry = carry_over(&from, *entry, path, 2, &mut tables);
        }
        Self { root, tables, leaves }
    }
}

/// The new entry for one of `from`, whose way has `depth` octets of `path`; with all tables behind it.
fn carry_over(
    from: &[Step],
    entry: u32,
    mut path: [u8; 16],
    mut depth: usize,
    to: &mut Vec<Table>,
) -> u32 {
    let Some(mut table) = from.get(table_of(entry)) else { return entry };
    let mut otherwise = None;
    while let Some(way) =
        only_way(table).filter(|way| way.others == *otherwise.get_or_insert(way.others))
    {
        let Some(next) = from.get(table_of(way.entry)) else { break };
        (path[depth], table) = (way.octet, next);
        depth += 1;
    }
    let mut mask = [0; 16];
    mask[..depth].fill(u8::MAX);
    let number = to.len();
    to.push(Table {
        path: u128::from_ne_bytes(path),
        mask: u128::from_ne_bytes(mask),
        otherwise: otherwise.unwrap_or(0),
        octet: depth as u8,
        entries: *table,
    });
    for octet in 0..=u8::MAX {
        path[depth] = octet;
        let entry = carry_over(from, table[usize::from(octet)], path, depth + 1, to);
        to[number].entries[usize::from(octet)] = entry;
    }
    TABLE | number as u32
}

/// The one way on from a table.
struct Way {
    octet: u8,
    /// Leads to a table.
    entry: u32,
    /// What all other entries are.
    others: u32,
}

fn only_way(table: &Step) -> Option<Way> {
    let leads_on = |entry: u32| entry & TABLE != 0;
    let (octet, &entry) = (0..=u8::MAX).zip(table).find(|(_, entry)| leads_on(**entry))?;
    let others = table[usize::from(octet == 0)];
    let is_only = (0..=u8::MAX).zip(table).all(|(at, entry)| at == octet || *entry == others);
    (is_only && !leads_on(others)).then_some(Way { octet, entry, others })
}

#[cfg(test)]
mod tests {
    use core::net::Ipv6Addr;

    use super::*;

    fn skips(prefixes: &[(&str, u8)]) -> Skips<usize> {
        let mut strides = Strides::new();
        for (index, (address, len)) in prefixes.iter().enumerate() {
            let address: Ipv6Addr = address.parse().unwrap();
            strides.insert(&address.octets(), *len, index);
        }
        strides.into()
    }

    #[test]
    fn a_table_for_each_octet_in_which_prefixes_part() {
        let octets =
            |skips: &Skips<usize>| skips.tables.iter().map(|t| t.octet).collect::<Vec<_>>();
        assert!(octets(&skips(&[("2001:db8::", 16)])).is_empty());
        // The last octet of a prefix chooses an entry.
        assert_eq!(octets(&skips(&[("2001:db8:1::", 64)])), [7]);
        assert_eq!(octets(&skips(&[("2001:db8:1::", 64), ("2001:db8:2::", 64)])), [5, 7, 7]);
        // What is on the way to a longer prefix is the shorter one's: it is gone over too.
        assert_eq!(octets(&skips(&[("2001:db8:1::", 64), ("2001:db8:1::1", 128)])), [8, 15]);
        assert_eq!(octets(&skips(&[("::", 0), ("2001:db8:1::1", 128)])), [15]);
    }

    #[test]
    fn what_parts_where_a_table_goes_over_has_the_shorter_prefix() {
        let skips = skips(&[("2001:db8::", 32), ("2001:db8::1", 128)]);
        let value = |address: &str| {
            let address: Ipv6Addr = address.parse().unwrap();
            skips.lookup(&address.octets()).copied()
        };
        assert_eq!(value("2001:db8::1"), Some(1));
        assert_eq!(value("2001:db8::2"), Some(0));
        for octet in 4..15 {
            let mut address = "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets();
            address[octet] = 1;
            assert_eq!(skips.lookup(&address), Some(&0), "octet {octet}");
        }
        assert_eq!(value("2001:db9::1"), None);
    }
}
