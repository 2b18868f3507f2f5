use crate::time::Nanos;

/// How long a transmit queue takes nothing, though frames wait for it and the link is up, before it
/// is said to hang. Congestion takes frames, only slowly; one pause a peer asks for ends after at
/// most 0.4 s (IEEE 802.3 annex 31B: 65,535 quanta of 512 bits at 100 Mbit/s).
const PATIENCE: Nanos = Nanos::from_secs(2);
/// Two looks that lie further apart say nothing: the worker may not have polled between them.
const GAP: Nanos = Nanos::from_micros(500_000);
/// From one restart of a port to the next: at first, and after several that did not help.
const FIRST_PAUSE: Nanos = Nanos::from_secs(5);
const LONGEST_PAUSE: Nanos = Nanos::from_secs(320);

/// What is known of one worker's transmit queue.
#[derive(Clone, Default, Debug)]
pub(super) struct Progress {
    sent: u64,
    looked: Nanos,
    /// Since when frames wait and none is taken.
    stuck_since: Option<Nanos>,
}

impl Progress {
    /// A look: frames sent until now, and waiting now. (A worker whose port has no link lets nothing
    /// wait, so there is no need to ask for it.)
    pub(super) fn look(&mut self, sent: u64, waiting: u64, now: Nanos) {
        let goes_on = sent == self.sent && now.since(self.looked) <= GAP;
        let since = self.stuck_since.filter(|_| goes_on).unwrap_or(now);
        self.stuck_since = (waiting > 0).then_some(since);
        (self.sent, self.looked) = (sent, now);
    }

    /// Whether it hung at the last look.
    pub(super) fn hangs(&self) -> bool {
        self.stuck_since.is_some_and(|since| self.looked.since(since) >= PATIENCE)
    }
}

/// How long to leave a port alone that was restarted: twice as long each time, and from the
/// beginning once it has gone well for long.
#[derive(Clone, Default, Debug)]
pub(super) struct Backoff {
    pause: Nanos,
    not_before: Nanos,
}

impl Backoff {
    pub(super) fn is_over(&self, now: Nanos) -> bool {
        now >= self.not_before
    }

    /// Begins; returns how long it lasts.
    pub(super) fn begin(&mut self, now: Nanos) -> Nanos {
        let went_well = now.since(self.not_before) > LONGEST_PAUSE;
        let longer = Nanos(self.pause.0 * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.pause = if went_well { FIRST_PAUSE } else { longer };
        self.not_before = now + self.pause;
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn tenths(n: u64) -> Nanos {
        Nanos::from_micros(n * 100_000)
    }

    /// Looks every tenth of a second; returns the first at which it hangs.
    fn first_hang(mut look: impl FnMut(u64) -> (u64, u64)) -> Option<u64> {
        let mut progress = Progress::default();
        (1..200).find(|&tenth| {
            let (sent, waiting) = look(tenth);
            progress.look(sent, waiting, tenths(tenth));
            progress.hangs()
        })
    }

    #[test]
    fn a_queue_hangs_that_takes_nothing_for_long_though_frames_wait() {
        assert_eq!(first_hang(|tenth| (tenth.min(30), 5)), Some(50));
        assert_eq!(first_hang(|_| (7, 0)), None, "nothing waits");
        assert_eq!(first_hang(|tenth| (tenth / 19, 1000)), None, "congestion: one in 1.9 s");
        assert_eq!(first_hang(|tenth| (7, tenth % 19)), None, "a link that was lost meanwhile");
    }

    #[test]
    fn a_worker_that_does_not_come_round_proves_nothing() {
        let mut progress = Progress::default();
        progress.look(1, 1, tenths(1));
        progress.look(1, 1, tenths(90));
        assert!(!progress.hangs());
        (91..=110).for_each(|tenth| progress.look(1, 1, tenths(tenth)));
        assert!(progress.hangs());
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_begin_anew() {
        let mut backoff = Backoff::default();
        let mut now = Nanos::from_secs(1000);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            assert!(backoff.is_over(now));
            let pause = backoff.begin(now);
            assert!(!backoff.is_over(now));
            now = now + pause;
            pauses.push(pause.0 / 1_000_000_000);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 320]);
        assert_eq!(backoff.begin(now + Nanos::from_secs(321)), FIRST_PAUSE);
    }
}
