use core::fmt;

use super::Totals;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What all workers did.
    pub totals: Totals,
    /// Whether every buffer came back.
    pub pool: PoolBalance,
}

/// A pool after everything that could hold its buffers is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolBalance {
    /// Buffers that are back.
    pub free: usize,
    /// Buffers in all.
    pub capacity: usize,
}

impl Outcome {
    /// Whether the conservation law holds and the pool is full.
    pub fn is_balanced(&self) -> bool {
        self.totals.balance() && self.pool.free == self.pool.capacity
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PoolBalance { free, capacity } = self.pool;
        writeln!(f, "{}", self.totals)?;
        write!(f, "pool: {free} of {capacity} buffers free")?;
        if free < capacity {
            write!(f, ": {} MISSING", capacity - free)?;
        }
        Ok(())
    }
}
