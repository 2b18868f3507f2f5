//! Skips coalescing for a while on a port where it costs more than it saves: because its flows form no
//! trains, or shorter ones than pay where they go (semantics: a flow that never coalesces costs at
//! most a few per cent).
//!
//! Counted in datagrams, not in time: an idle port forgets nothing, and a port whose load rises is
//! back at coalescing within milliseconds.

use super::Saving;
use crate::packet::{MAX_PORTS, PortId};

/// Datagrams looked at, at least, before each decision: of singles that never form trains, 1 in 256 is
/// looked at in the long run, at three times the price of one that passes.
pub(super) const WINDOW: u32 = 256;
/// Datagrams skipped after the first such window; doubled after each further one.
pub(super) const FIRST_SKIP: u32 = 2 * WINDOW;
/// Most datagrams skipped at once.
pub(super) const LONGEST_SKIP: u32 = 256 * WINDOW;

/// The state of every port.
pub(super) struct OptOut {
    enabled: bool,
    ports: Box<[Port; MAX_PORTS]>,
}

#[derive(Clone, Copy)]
struct Port {
    /// Datagrams left to skip.
    skip: u32,
    /// How many to skip next time.
    next_skip: u32,
    /// Datagrams of trains that left since the window began.
    datagrams: u32,
    /// What those trains saved.
    saved: i64,
}

impl OptOut {
    pub(super) fn new(enabled: bool) -> Self {
        let fresh = Port { skip: 0, next_skip: FIRST_SKIP, datagrams: 0, saved: 0 };
        Self { enabled, ports: Box::new([fresh; MAX_PORTS]) }
    }

    /// Whether to opt out at all; a skip that has begun ends.
    pub(super) fn enable(&mut self, enabled: bool) {
        self.enabled = enabled;
        self.ports.iter_mut().for_each(|port| port.skip = 0);
    }

    /// Whether so many candidates, and fewer, are to pass without being looked at.
    #[inline]
    pub(super) fn skips_all(&self, port: PortId, candidates: usize) -> bool {
        self.ports.get(port.index()).is_some_and(|port| port.skip as usize >= candidates.max(1))
    }

    /// These candidates passed.
    pub(super) fn skip(&mut self, port: PortId, candidates: u32) {
        if let Some(port) = self.ports.get_mut(port.index()) {
            port.skip = port.skip.saturating_sub(candidates);
        }
    }

    /// Whether this candidate is to pass without being looked at.
    #[inline]
    pub(super) fn skips(&mut self, port: PortId) -> bool {
        let Some(port) = self.ports.get_mut(port.index()) else { return false };
        if port.skip == 0 {
            return false;
        }
        port.skip -= 1;
        true
    }

    /// Notes a train that left.
    #[inline]
    pub(super) fn left(&mut self, port: PortId, datagrams: usize, saving: Saving) {
        if let Some(port) = self.ports.get_mut(port.index()) {
            port.datagrams = port.datagrams.saturating_add(datagrams as u32);
            port.saved += saving.of_train(datagrams);
        }
    }

    /// Asked for a candidate that would start a train. `true`: this one and those behind it are to be
    /// skipped from now on; the caller flushes what is held.
    #[inline]
    pub(super) fn gives_up(&mut self, port: PortId) -> bool {
        let Some(port) = self.ports.get_mut(port.index()).filter(|_| self.enabled) else {
            return false;
        };
        port.datagrams >= WINDOW && port.close_window()
    }
}

impl Port {
    #[cold]
    fn close_window(&mut self) -> bool {
        let gives_up = self.saved < 0;
        *self = if gives_up {
            let next_skip = (2 * self.next_skip).min(LONGEST_SKIP);
            Self { skip: self.next_skip - 1, next_skip, datagrams: 0, saved: 0 }
        } else {
            Self { skip: 0, next_skip: FIRST_SKIP, datagrams: 0, saved: 0 }
        };
        gives_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PortMask;

    const PORT: PortId = PortId(3);

    fn ports(n: u16) -> PortMask {
        (0..n).map(PortId).collect()
    }

    /// Datagrams skipped after the next window of trains of `train` datagrams; 0 if none.
    fn skipped_after(opt_out: &mut OptOut, train: u32, saving: Saving) -> u32 {
        for _ in 0..2 * WINDOW / train {
            if opt_out.gives_up(PORT) {
                return 1 + (0..).take_while(|_| opt_out.skips(PORT)).count() as u32;
            }
            opt_out.left(PORT, train as usize, saving);
        }
        0
    }

    #[test]
    fn skips_twice_as_long_each_time_up_to_a_bound_and_forgets_when_trains_return() {
        let mut opt_out = OptOut::new(true);
        let mut expected = FIRST_SKIP;
        for _ in 0..8 {
            assert_eq!(skipped_after(&mut opt_out, 1, Saving::DELIVERED), expected);
            expected = (2 * expected).min(LONGEST_SKIP);
        }
        assert_eq!(expected, LONGEST_SKIP);
        assert_eq!(skipped_after(&mut opt_out, 2, Saving::DELIVERED), 0);
        assert_eq!(skipped_after(&mut opt_out, 1, Saving::DELIVERED), FIRST_SKIP);
    }

    #[test]
    fn a_train_pays_from_a_length_that_depends_on_where_it_goes() {
        for (saving, least) in [
            (Saving::ROUTED, 33),
            (Saving::BRIDGED, 17),
            (Saving::LONG_WAY, 5),
            (Saving::replicated(ports(3)), 3),
            (Saving::replicated(ports(4)), 2),
            (Saving::ROUTED.with_rules(10), 2),
            (Saving::DELIVERED, 2),
        ] {
            let mut opt_out = OptOut::new(true);
            assert_eq!(skipped_after(&mut opt_out, least, saving), 0, "{saving:?}");
            assert_eq!(skipped_after(&mut opt_out, least - 1, saving), FIRST_SKIP, "{saving:?}");
        }
    }

    /// Few long trains make up for many singles, where each of their datagrams saves much.
    #[test]
    fn trains_and_singles_of_a_port_are_weighed_against_each_other() {
        for (saving, gives_up) in [(Saving::replicated(ports(3)), false), (Saving::LONG_WAY, true)]
        {
            let mut opt_out = OptOut::new(true);
            for _ in 0..WINDOW / 32 {
                opt_out.left(PORT, 16, saving);
                (0..8).for_each(|_| opt_out.left(PORT, 1, saving));
                (0..4).for_each(|_| opt_out.left(PORT, 2, saving));
            }
            assert_eq!(opt_out.gives_up(PORT), gives_up, "{saving:?}");
        }
    }

    #[test]
    fn each_port_is_judged_alone_and_only_if_enabled() {
        let mut opt_out = OptOut::new(true);
        opt_out.left(PORT, 1, Saving::DELIVERED);
        assert!(!opt_out.gives_up(PORT));
        (1..WINDOW).for_each(|_| opt_out.left(PORT, 1, Saving::DELIVERED));
        assert!(opt_out.gives_up(PORT));
        assert!(opt_out.skips(PORT));
        assert!(!opt_out.skips(PortId(4)));
        let mut never = OptOut::new(false);
        (0..4 * WINDOW).for_each(|_| never.left(PORT, 1, Saving::DELIVERED));
        assert!(!never.gives_up(PORT));
    }
}
