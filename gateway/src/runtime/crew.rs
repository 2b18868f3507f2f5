use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Berth, Drain, Pace, drive};
use crate::config::Config;
use crate::dpdk::{Clock, Dpdk, Eal, Error, Lcore};
use crate::worker::WorkerSnapshot;

/// The worker threads.
pub(super) struct Crew {
    threads: Vec<JoinHandle<WorkerSnapshot>>,
    drain: Arc<Drain>,
}

impl Crew {
    /// Starts one pinned thread per worker, which builds it; returns when all of them poll.
    pub(super) fn start(
        config: &Config,
        berths: Vec<Berth<Dpdk>>,
        clock: Clock,
        eal: &Eal,
    ) -> Result<Self, Error> {
        let drain = Arc::new(Drain::new(berths.len()));
        let idle_sleep = Duration::from_micros(config.runtime.idle_sleep_us.into());
        let pace = Pace { idle_sleep };
        let (entered, all_entered) = mpsc::channel::<Error>();
        let mut threads = Vec::with_capacity(berths.len());
        for (berth, &lcore) in berths.into_iter().zip(&config.runtime.lcores) {
            let (drain, eal, entered) = (Arc::clone(&drain), eal.clone(), entered.clone());
            threads.push(thread::spawn(move || {
                let lcore = match Lcore::enter(&eal, lcore) {
                    Ok(lcore) => lcore,
                    Err(error) => {
                        drain.leave();
                        let _ = entered.send(error); // nobody waits only if another failed first
                        return WorkerSnapshot::default();
                    }
                };
                let mut worker = berth.build();
                drop(entered); // no news is good news
                drive(&mut worker, || clock.now(), &drain, pace);
                let snapshot = worker.snapshot();
                drop(worker); // before the lcore, whose pool caches take its buffers
                drop(lcore);
                snapshot
            }));
        }
        drop(entered);
        let crew = Self { threads, drain };
        match all_entered.recv().ok() {
            None => Ok(crew),
            Some(error) => {
                crew.stop();
                Err(error)
            }
        }
    }

    pub(super) fn size(&self) -> usize {
        self.threads.len()
    }

    /// Stops receiving, drains, and waits for all workers.
    pub(super) fn stop(self) -> Vec<WorkerSnapshot> {
        self.drain.stop();
        let ended = self.threads.into_iter().map(JoinHandle::join);
        ended.filter_map(Result::ok).collect()
    }
}
