use crate::forward::Tables;
use crate::time::Nanos;

/// How often the kernel hears of a multicast route with traffic: daemons look every 5 s (pimd) to
/// 60 s (smcroute).
const ROUND: Nanos = Nanos::from_secs(1);
/// Routes asked in one step, so that what goes up at once fits every queue on the way.
const STEP: usize = 50;

/// Asks workers for news of the multicast routes that the kernel has too: each at most once a
/// second, a bounded number at a time, for ever in turn.
#[derive(Debug)]
pub struct Rounds {
    next: usize,
    not_before: Nanos,
}

impl Rounds {
    /// The first round begins `now`.
    pub fn new(now: Nanos) -> Self {
        Self { next: 0, not_before: now }
    }

    /// One step, to be taken now and then.
    pub fn step(&mut self, tables: &Tables, now: Nanos) {
        if self.next == 0 {
            if now < self.not_before {
                return;
            }
            self.not_before = now + ROUND;
        }
        let mut asked = 0;
        for watch in tables.watches().skip(self.next).take(STEP) {
            watch.ask();
            asked += 1;
        }
        self.next = if asked < STEP { 0 } else { self.next + STEP };
    }
}
