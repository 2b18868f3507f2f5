use std::collections::{BTreeSet, HashMap};

/// Bytes of a cache line.
pub const LINE: u64 = 64;

/// What one instruction did to memory.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Who, from 0.
    pub thread: usize,
    /// The instruction.
    pub by: u64,
    /// The first byte.
    pub address: u64,
    /// How many.
    pub bytes: u64,
    /// Stored to, and not only loaded from.
    pub stored: bool,
}

/// Lines by address, as threads touched them.
#[derive(Default)]
pub struct Lines(HashMap<u64, Line>);

/// What became of a line.
#[derive(Default)]
pub struct Line {
    /// By thread.
    pub uses: Vec<Use>,
    /// How often it went from one processor's cache to another's, or was taken from it.
    pub moves: u64,
    /// A bit for every thread whose processor has it.
    holders: u64,
    /// Stored to since it last moved.
    is_dirty: bool,
}

/// What one thread did to a line.
#[derive(Clone, Default)]
pub struct Use {
    /// A bit for every byte.
    pub loaded: u64,
    /// A bit for every byte.
    pub stored: u64,
    /// The instructions.
    pub by: BTreeSet<u64>,
}

/// How a line is shared, by at least one thread that stores.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// No byte that one stores to is touched by another: false sharing.
    Apart,
    /// A byte that one stores to is touched by another.
    Common,
}

impl Lines {
    /// In the order in which it happened.
    pub fn note(&mut self, access: Access) {
        let end = access.address + access.bytes;
        let mut at = access.address;
        while at < end {
            let line = at / LINE * LINE;
            let until = end.min(line + LINE);
            let mask = u64::MAX >> (LINE - (until - at)) << (at - line);
            self.0.entry(line).or_default().note(access, mask);
            at = until;
        }
    }

    /// Lines that threads share, those that moved most first.
    pub fn shared(&self) -> Vec<(u64, Verdict, &Line)> {
        let verdict = |(&at, line)| Line::verdict(line).map(|verdict| (at, verdict, line));
        let mut shared: Vec<_> = self.0.iter().filter_map(verdict).collect();
        shared.sort_by_key(|&(at, _, line)| (u64::MAX - line.moves, at));
        shared
    }

    /// Lines that anybody touched.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody touched any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Line {
    fn note(&mut self, access: Access, mask: u64) {
        self.uses.resize(self.uses.len().max(access.thread + 1), Use::default());
        let by = &mut self.uses[access.thread];
        *(if access.stored { &mut by.stored } else { &mut by.loaded }) |= mask;
        by.by.insert(access.by);
        self.hold(1 << access.thread, access.stored);
    }

    /// As caches do it that know of no fourth state (MSI) and never run full.
    fn hold(&mut self, thread: u64, stores: bool) {
        let others = self.holders & !thread != 0;
        let misses = self.holders & thread == 0;
        self.moves += u64::from(others && (stores || misses && self.is_dirty));
        self.is_dirty = stores || self.is_dirty && !misses;
        self.holders = if stores { thread } else { self.holders | thread };
    }

    /// What touched it.
    pub fn instructions(&self) -> impl Iterator<Item = u64> {
        self.uses.iter().flat_map(|used| used.by.iter().copied())
    }

    /// `None`: not shared, or only read.
    pub fn verdict(&self) -> Option<Verdict> {
        let mut verdict = None;
        for (n, writer) in self.uses.iter().enumerate().filter(|(_, used)| used.stored != 0) {
            for (_, other) in self.uses.iter().enumerate().filter(|&(m, _)| m != n) {
                let touched = other.loaded | other.stored;
                if touched & writer.stored != 0 {
                    return Some(Verdict::Common);
                }
                verdict = verdict.or((touched != 0).then_some(Verdict::Apart));
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (thread, address, bytes, stored)
    fn lines(trace: &[(usize, u64, u64, bool)]) -> Lines {
        let mut lines = Lines::default();
        for &(thread, address, bytes, stored) in trace {
            lines.note(Access { thread, by: address, address, bytes, stored });
        }
        lines
    }

    fn verdicts(trace: &[(usize, u64, u64, bool)]) -> Vec<(u64, Verdict, u64)> {
        let lines = lines(trace);
        lines.shared().into_iter().map(|(at, verdict, line)| (at, verdict, line.moves)).collect()
    }

    #[test]
    fn own_lines_and_read_ones_are_not_shared() {
        let neighbours = [(0, 0, 64, true), (1, 64, 64, true)];
        assert!(verdicts(&neighbours).is_empty());
        let read = [(0, 0, 64, false), (1, 0, 64, false)];
        assert!(verdicts(&read).is_empty());
        assert_eq!(lines(&neighbours).len(), 2);
    }

    #[test]
    fn bytes_apart_are_false_sharing() {
        let writers = [(0, 0, 8, true), (1, 8, 8, true), (0, 0, 8, true), (0, 0, 8, true)];
        assert_eq!(verdicts(&writers), [(0, Verdict::Apart, 2)]);
        let reader = [(0, 128, 8, true), (1, 191, 1, false), (1, 191, 1, false), (0, 128, 8, true)];
        assert_eq!(verdicts(&reader), [(128, Verdict::Apart, 2)]);
    }

    #[test]
    fn a_byte_in_common_is_true_sharing() {
        let ring = [(0, 0, 8, true), (1, 7, 8, false), (1, 16, 8, true)];
        assert_eq!(verdicts(&ring), [(0, Verdict::Common, 2)]);
    }

    #[test]
    fn an_access_across_a_boundary_is_of_both_lines() {
        let trace = [(0, 60, 8, true), (1, 0, 4, false), (1, 64, 4, false)];
        assert_eq!(verdicts(&trace), [(0, Verdict::Apart, 1), (64, Verdict::Common, 1)]);
    }

    #[test]
    fn what_moves_most_comes_first() {
        let trace = [
            (0, 0, 8, true),
            (1, 8, 8, true),
            (0, 64, 8, true),
            (1, 72, 8, true),
            (0, 64, 8, true),
        ];
        let at: Vec<_> = verdicts(&trace).into_iter().map(|(at, _, moves)| (at, moves)).collect();
        assert_eq!(at, [(64, 2), (0, 1)]);
    }
}
