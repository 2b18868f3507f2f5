//! Eight table slots of two words each, read and written by all workers at once without locks.
//!
//! *Invariant:* a record belongs to a key iff both carry the same generation, and every claim of a
//! slot takes the next one. A reader can thus never give one station the record of another, nor
//! can a late refresh hit a slot's next tenant. (Generations repeat after 16 claims of one slot,
//! which are 16 ageing times or link losses; a reader is there for nanoseconds.)

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::packet::{MacAddr, PortId};
use crate::sync::AtomicU64;

/// Slots per bucket: keys fill one cache line, records another. (Few for the model checker.)
pub(super) const WAYS: usize = if cfg!(loom) { 2 } else { 8 };

/// What learning is keyed by: an Ethernet address that a station can have, in a VLAN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Station(u64);

impl Station {
    /// `None` if no station can have the address (a group, or zero).
    pub fn new(mac: MacAddr, vlan: u16) -> Option<Self> {
        let [a, b, c, d, e, g] = mac.0;
        let mac_bits = u64::from_be_bytes([0, 0, a, b, c, d, e, g]);
        mac.is_station().then_some(Self(u64::from(vlan & 0xfff) << 48 | mac_bits))
    }

    /// Its address.
    pub fn mac(self) -> MacAddr {
        let [_, _, a, b, c, d, e, g] = self.0.to_be_bytes();
        MacAddr([a, b, c, d, e, g])
    }

    /// Its VLAN, 0 for untagged frames.
    pub fn vlan(self) -> u16 {
        (self.0 >> 48) as u16 & 0xfff
    }

    /// The 60 bits to hash.
    pub(super) fn bits(self) -> u64 {
        self.0
    }
}

/// First word of a slot: generation (4 bits), VLAN (12), address (48). No address: free. A group
/// address, which no station has: being written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u64);

impl Key {
    const GENERATION_SHIFT: u32 = 60;
    const STATION: u64 = (1 << Self::GENERATION_SHIFT) - 1;
    const BUSY: u64 = 1 << 40;

    fn new(station_bits: u64, generation: u64) -> Self {
        Self(generation << Self::GENERATION_SHIFT | station_bits)
    }

    fn generation(self) -> u64 {
        self.0 >> Self::GENERATION_SHIFT
    }

    pub(super) fn is_free(self) -> bool {
        self.0 & Self::STATION == 0
    }

    pub(super) fn station(self) -> Option<Station> {
        let bits = self.0 & Self::STATION;
        (bits != 0 && bits & Self::BUSY == 0).then_some(Station(bits))
    }
}

/// Second word of a slot: tick of the last sighting (40 bits), generation (4), pinned (1), port (16).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Record(u64);

impl Record {
    const TICK_SHIFT: u32 = 24;
    const GENERATION_SHIFT: u32 = 20;
    const PINNED: u64 = 1 << 16;

    pub(super) fn new(port: PortId, pinned: bool, tick: u64) -> Self {
        let flag = if pinned { Self::PINNED } else { 0 };
        Self(tick << Self::TICK_SHIFT | flag | u64::from(port.0))
    }

    pub(super) fn port(self) -> PortId {
        PortId(self.0 as u16)
    }

    pub(super) fn is_pinned(self) -> bool {
        self.0 & Self::PINNED != 0
    }

    pub(super) fn is_pinned_to(self, port: PortId) -> bool {
        self.is_pinned() && self.port() == port
    }

    pub(super) fn tick(self) -> u64 {
        self.0 >> Self::TICK_SHIFT
    }

    fn generation(self) -> u64 {
        self.0 >> Self::GENERATION_SHIFT & 0xf
    }

    fn in_generation(self, generation: u64) -> Self {
        Self(self.0 & !(0xf << Self::GENERATION_SHIFT) | generation << Self::GENERATION_SHIFT)
    }
}

/// A slot that holds a station, as one consistent reading.
#[derive(Clone, Copy)]
pub(super) struct Tenant {
    pub(super) way: usize,
    pub(super) key: Key,
    pub(super) record: Record,
}

/// Two cache lines. // worker: rw (compare-and-swap), control: rw
#[repr(align(64))]
pub(super) struct Bucket {
    keys: [AtomicU64; WAYS],
    records: [AtomicU64; WAYS],
}

impl Bucket {
    pub(super) fn new() -> Self {
        let zeros = || core::array::from_fn(|_| AtomicU64::new(0));
        Self { keys: zeros(), records: zeros() }
    }

    /// The record of `station`: [`find`](Self::find) for who changes nothing.
    #[inline]
    pub(super) fn record(&self, station: Station) -> Option<Record> {
        for (key, record) in self.keys.iter().zip(&self.records) {
            let key = Key(key.load(Acquire));
            if key.0 & Key::STATION == station.0 {
                // As in `tenant`.
                let record = Record(record.load(Relaxed));
                if record.generation() == key.generation() {
                    return Some(record);
                }
            }
        }
        None
    }

    /// The slot of `station`. Wait-free.
    pub(super) fn find(&self, station: Station) -> Option<Tenant> {
        for (way, key) in self.keys.iter().enumerate() {
            let key = Key(key.load(Acquire));
            if key.0 & Key::STATION == station.0 {
                if let Some(tenant) = self.tenant(way, key) {
                    return Some(tenant);
                }
            }
        }
        None
    }

    /// All keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = (usize, Key)> {
        self.keys.iter().map(|key| Key(key.load(Acquire))).enumerate()
    }

    /// All slots that hold a station.
    pub(super) fn tenants(&self) -> impl Iterator<Item = Tenant> {
        self.keys().filter_map(|(way, key)| self.tenant(way, key))
    }

    /// What slot `way` with `key` holds; `None` if it is free, being written, or has changed hands.
    pub(super) fn tenant(&self, way: usize, key: Key) -> Option<Tenant> {
        key.station()?;
        // Not older than `key`, whose writer stored the record first; if newer, of another
        // generation or a later record of the same station.
        let record = Record(self.records.get(way)?.load(Relaxed));
        (record.generation() == key.generation()).then_some(Tenant { way, key, record })
    }

    /// Puts `station` into slot `way`, last seen with the key `seen`; false if that has changed.
    pub(super) fn claim(&self, way: usize, seen: Key, station: Station, record: Record) -> bool {
        let generation = (seen.generation() + 1) & 0xf;
        let busy = Key::new(Key::BUSY, generation).0;
        // Relaxed: in whatever order others see these three, generations differ until the last.
        if self.keys[way].compare_exchange(seen.0, busy, Relaxed, Relaxed).is_err() {
            return false;
        }
        self.records[way].store(record.in_generation(generation).0, Relaxed);
        self.keys[way].store(Key::new(station.0, generation).0, Release);
        true
    }

    /// Overwrites the record of `tenant`; false if that or the tenant has changed.
    pub(super) fn rewrite(&self, tenant: Tenant, record: Record) -> bool {
        let new = record.in_generation(tenant.key.generation()).0;
        let word = &self.records[tenant.way];
        word.compare_exchange(tenant.record.0, new, Relaxed, Relaxed).is_ok()
    }

    /// Frees the slot `way` if it still has this key.
    pub(super) fn free(&self, way: usize, key: Key) -> bool {
        let free = Key::new(0, key.generation()).0;
        self.keys[way].compare_exchange(key.0, free, Relaxed, Relaxed).is_ok()
    }
}
