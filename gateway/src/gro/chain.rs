//! A doubly linked list through an array: members are numbers, every operation is O(1), nothing is
//! allocated after construction.
//!
//! *Invariant:* a member is in at most one [`Chain`] of the [`Links`] they share.

/// "No member".
pub(super) const NONE: u32 = u32::MAX;

/// First and last member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chain {
    first: u32,
    last: u32,
}

/// The neighbours of every possible member.
pub(super) struct Links(Box<[Neighbors]>);

#[derive(Clone, Copy)]
struct Neighbors {
    previous: u32,
    next: u32,
}

impl Chain {
    pub(super) const EMPTY: Self = Self { first: NONE, last: NONE };

    pub(super) fn first(self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }
}

impl Links {
    /// For members `0..members`.
    pub(super) fn new(members: usize) -> Self {
        Self(vec![Neighbors { previous: NONE, next: NONE }; members].into_boxed_slice())
    }

    pub(super) fn next(&self, member: u32) -> Option<u32> {
        let next = self.0[member as usize].next;
        (next != NONE).then_some(next)
    }

    /// Appends a member that is in no chain.
    pub(super) fn push(&mut self, chain: &mut Chain, member: u32) {
        self.0[member as usize] = Neighbors { previous: chain.last, next: NONE };
        match self.0.get_mut(chain.last as usize) {
            Some(last) => last.next = member,
            None => chain.first = member,
        }
        chain.last = member;
    }

    /// Takes a member out of the chain it is in.
    pub(super) fn remove(&mut self, chain: &mut Chain, member: u32) {
        let Neighbors { previous, next } = self.0[member as usize];
        match self.0.get_mut(previous as usize) {
            Some(before) => before.next = next,
            None => chain.first = next,
        }
        match self.0.get_mut(next as usize) {
            Some(behind) => behind.previous = previous,
            None => chain.last = previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    fn members(links: &Links, chain: Chain) -> Vec<u32> {
        std::iter::successors(chain.first(), |&member| links.next(member)).collect()
    }

    proptest! {
        #[test]
        fn two_chains_behave_as_two_queues(steps in prop::collection::vec((0..12u32, 0..2usize), 0..200)) {
            let mut links = Links::new(12);
            let mut chains = [Chain::EMPTY; 2];
            let mut models = [VecDeque::new(), VecDeque::new()];
            for (member, side) in steps {
                match models.iter().position(|m| m.contains(&member)) {
                    Some(side) => {
                        links.remove(&mut chains[side], member);
                        models[side].retain(|&m| m != member);
                    }
                    None => {
                        links.push(&mut chains[side], member);
                        models[side].push_back(member);
                    }
                }
                for side in 0..2 {
                    prop_assert_eq!(members(&links, chains[side]), Vec::from(models[side].clone()));
                }
            }
        }
    }
}
