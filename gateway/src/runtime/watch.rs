//! Threads of the control side that look after something now and then, whatever the rest of it has to
//! do: workers that stall are named and left to the supervisor (WATCHDOG of sd_notify(3)), ports whose
//! transmit queues hang are restarted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sd_notify::NotifyState;

use super::hardware::Hardware;
use super::run::tell_supervisor;
use super::{News, ResetNews, Resets, Watchdog};
use crate::config::Config;
use crate::dpdk::{Clock, Dpdk};
use crate::packet::PortId;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Over workers, in the order of their lcores.
    pub(super) fn over_workers(mut watchdog: Watchdog, config: &Config, clock: Clock) -> Self {
        let lcores = config.runtime.lcores.clone();
        let supervised = sd_notify::watchdog_enabled();
        let pause = supervised.map_or(LOOK, |limit| LOOK.min(limit / 3));
        Self::start(pause, move || {
            for news in watchdog.check(clock.now()) {
                report(news, &lcores);
            }
            if supervised.is_some() && watchdog.all_poll() {
                tell_supervisor(NotifyState::Watchdog);
            }
        })
    }

    /// Over ports. On a thread of its own: a restart takes as long as the device does.
    pub(super) fn over_ports(
        mut resets: Resets<Dpdk>,
        mut hardware: Hardware,
        config: &Config,
        clock: Clock,
    ) -> Self {
        let config = config.clone();
        Self::start(LOOK, move || {
            for news in resets.step(clock.now(), &mut hardware) {
                report_reset(news, &config);
            }
        })
    }

    fn start(pause: Duration, mut look: impl FnMut() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                look();
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

fn report_reset(news: ResetNews, config: &Config) {
    let name = |port: PortId| config.port_name(port);
    match news {
        ResetNews::Hangs(port) => {
            eprintln!("gateway: HUNG: port {} takes no frame, though frames wait", name(port));
        }
        ResetNews::TakesAgain(port) => eprintln!("gateway: port {} takes frames again", name(port)),
        ResetNews::Restarted(port) => eprintln!("gateway: port {} was restarted", name(port)),
        ResetNews::Failed(port, problem, pause) => eprintln!(
            "gateway: port {} could not be restarted, next try in {} s: {problem}",
            name(port),
            Duration::from(pause).as_secs()
        ),
    }
}
