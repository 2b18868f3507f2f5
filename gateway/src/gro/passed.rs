use crate::packet::Coalesce;

/// What the packets were that passed a table without being looked at, counted by kind.
#[derive(Clone, Copy, Default, Debug)]
pub struct Passed([u32; 4]);

impl Passed {
    /// Counts some.
    #[inline]
    pub fn add(&mut self, kind: Coalesce, packets: u32) {
        self.0[kind as usize] += packets;
    }

    /// How many of a kind.
    pub fn of(&self, kind: Coalesce) -> u32 {
        self.0[kind as usize]
    }
}
