use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::runtime::Watchdog;
use crate::time::Nanos;
use crate::worker::{Mailbox, WorkerSnapshot};

/// How long a worker may take to answer: a thousand bursts.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_micros(100);

/// Collects consistent copies of all workers' numbers.
pub struct Collector {
    mailboxes: Vec<Arc<Mailbox>>,
    /// The last answer of each, and whether it came in time.
    last: Mutex<Vec<(WorkerSnapshot, bool)>>,
    /// Of each. watchdog: w, control: r
    stalls: Arc<[AtomicU64]>,
}

impl Collector {
    /// Over these workers, in order of their lcores.
    pub fn new(mailboxes: Vec<Arc<Mailbox>>) -> Self {
        let last = mailboxes.iter().map(|_| (WorkerSnapshot::default(), true)).collect();
        let stalls = mailboxes.iter().map(|_| AtomicU64::new(0)).collect();
        Self { mailboxes, last: Mutex::new(last), stalls }
    }

    /// Who notices when one of them does not come round, and counts it here.
    pub(super) fn watchdog(&self, now: Nanos) -> Watchdog {
        Watchdog::new(&self.mailboxes, Arc::clone(&self.stalls), now)
    }

    /// How often each did not come round.
    pub(super) fn stalls(&self) -> Vec<u64> {
        self.stalls.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// Every worker's numbers now; of a worker that does not answer, the last known.
    pub fn snapshots(&self) -> Vec<WorkerSnapshot> {
        self.collect().into_iter().map(|(snapshot, _)| snapshot).collect()
    }

    /// Indexes of workers that do not answer now.
    pub fn stalled(&self) -> Vec<usize> {
        let answers = self.collect().into_iter().enumerate();
        answers.filter(|(_, (_, in_time))| !in_time).map(|(index, _)| index).collect()
    }

    fn collect(&self) -> Vec<(WorkerSnapshot, bool)> {
        let deadline = Instant::now() + PATIENCE;
        let asked: Vec<_> = self.mailboxes.iter().map(|mailbox| mailbox.ask()).collect();
        let answers: Vec<_> = self
            .mailboxes
            .iter()
            .zip(asked)
            .map(|(mailbox, number)| wait_for(mailbox, number, deadline))
            .collect();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for (known, answer) in last.iter_mut().zip(answers) {
            known.1 = answer.is_some();
            if let Some(snapshot) = answer {
                known.0 = snapshot;
            }
        }
        last.clone()
    }
}

fn wait_for(mailbox: &Mailbox, number: u64, deadline: Instant) -> Option<WorkerSnapshot> {
    loop {
        if let Some(snapshot) = mailbox.collect(number) {
            return Some(snapshot);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_does_not_answer_is_named_and_does_not_block() {
        let collector = Collector::new(vec![Arc::default()]);
        let began = Instant::now();
        assert_eq!(collector.stalled(), [0]);
        assert!(began.elapsed() >= PATIENCE);
    }
}
