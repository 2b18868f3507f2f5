use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::Nanos;
use crate::worker::Mailbox;

/// How long a worker may take to come round its loop. With [`Watchdog::check`] called every tenth of
/// a second, a stall is known within a second.
const PATIENCE: Nanos = Nanos::from_micros(700_000);

/// Notices workers that do not come round: each is asked again and again for what it always answers
/// between two polls. Nothing waits for the answer.
pub struct Watchdog {
    workers: Vec<Watched>,
    stalls: Arc<[AtomicU64]>,
}

struct Watched {
    mailbox: Arc<Mailbox>,
    asked: u64,
    since: Nanos,
    stalls: bool,
}

/// What became of the worker with this index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// It has not come round for so long.
    Stalls(usize, Nanos),
    /// It polls again, after so long.
    PollsAgain(usize, Nanos),
}

impl Watchdog {
    /// Over these workers; `stalls` counts for each.
    pub(super) fn new(mailboxes: &[Arc<Mailbox>], stalls: Arc<[AtomicU64]>, now: Nanos) -> Self {
        let workers = mailboxes.iter().map(|mailbox| Watched {
            mailbox: Arc::clone(mailbox),
            asked: mailbox.ask(),
            since: now,
            stalls: false,
        });
        Self { workers: workers.collect(), stalls }
    }

    /// What has changed since the last look.
    pub fn check(&mut self, now: Nanos) -> Vec<News> {
        let Self { workers, stalls } = self;
        let mut news = Vec::new();
        for (index, (worker, count)) in workers.iter_mut().zip(stalls.iter()).enumerate() {
            let waited = now.since(worker.since);
            if worker.mailbox.has_answered(worker.asked) {
                if worker.stalls {
                    news.push(News::PollsAgain(index, waited));
                }
                (worker.asked, worker.since, worker.stalls) = (worker.mailbox.ask(), now, false);
            } else if waited > PATIENCE && !worker.stalls {
                worker.stalls = true;
                count.fetch_add(1, Ordering::Relaxed);
                news.push(News::Stalls(index, waited));
            }
        }
        news
    }

    /// Whether every worker comes round, as far as is known.
    pub fn all_poll(&self) -> bool {
        self.workers.iter().all(|worker| !worker.stalls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_news_once_and_counts_once() {
        let stalls: Arc<[AtomicU64]> = [0, 0].map(AtomicU64::new).into();
        let silent = [Arc::default(), Arc::default()];
        let mut watchdog = Watchdog::new(&silent, Arc::clone(&stalls), Nanos::from_secs(5));
        let check = |watchdog: &mut Watchdog, millis: u64| {
            watchdog.check(Nanos::from_secs(5) + Nanos::from_micros(millis * 1000))
        };
        assert_eq!(check(&mut watchdog, 700), []);
        assert!(watchdog.all_poll());
        let late = Nanos::from_micros(800_000);
        assert_eq!(check(&mut watchdog, 800), [News::Stalls(0, late), News::Stalls(1, late)]);
        assert_eq!(check(&mut watchdog, 1600), []);
        assert!(!watchdog.all_poll());
        assert!(stalls.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }
}
