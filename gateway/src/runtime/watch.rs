//! A thread that looks after the workers, whatever else the control side has to do: it names one that
//! stalls, and leaves it to the supervisor (WATCHDOG of sd_notify(3)) to act.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sd_notify::NotifyState;

use super::run::tell_supervisor;
use super::{News, Watchdog};
use crate::dpdk::Clock;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// `lcores` are those of the watchdog's workers.
    pub(super) fn start(mut watchdog: Watchdog, lcores: Vec<usize>, clock: Clock) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let supervised = sd_notify::watchdog_enabled();
        let pause = supervised.map_or(LOOK, |limit| LOOK.min(limit / 3));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for news in watchdog.check(clock.now()) {
                    report(news, &lcores);
                }
                if supervised.is_some() && watchdog.all_poll() {
                    tell_supervisor(NotifyState::Watchdog);
                }
                thread::sleep(pause);
            }
        });
        Self { stop, thread }
    }

    /// Before workers are told to stop.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.join(); // a panic of its own is reported already
    }
}

fn report(news: News, lcores: &[usize]) {
    let lcore = |index: usize| lcores.get(index).copied().unwrap_or(index);
    match news {
        News::Stalls(index, so_long) => eprintln!(
            "gateway: STALLED: the worker on lcore {} has not polled for {:.1} s",
            lcore(index),
            Duration::from(so_long).as_secs_f64()
        ),
        News::PollsAgain(index, so_long) => eprintln!(
            "gateway: the worker on lcore {} polls again, after {:.1} s",
            lcore(index),
            Duration::from(so_long).as_secs_f64()
        ),
    }
}
