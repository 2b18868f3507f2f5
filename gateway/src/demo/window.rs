//! Flow control for the demo's senders: none runs more than a window ahead of its slowest
//! receiver, so that a machine without a CPU to spare reads as slow and not as lossy.
//!
//! *Invariant:* nothing is sent twice and a sender waits in bounded time: what does not arrive is
//! passed over by the next datagram that does, and missed when accounts are made.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Datagrams of a stream that may be under way: more than the longest train. All streams of the
/// demo, replicas included, fit what a kernel keeps for a CPU (net.core.netdev_max_backlog, 1000).
pub const WINDOW: u64 = 64;
/// Nothing arrives for so long: it is lost, the machine is not that crowded.
const STALL: Duration = Duration::from_secs(5);
/// How often a sender looks.
const LOOK: Duration = Duration::from_micros(200);

/// How far the receivers of one stream have got: one past the highest sequence number they saw.
#[derive(Debug, Default)]
pub struct Progress {
    receivers: Vec<(usize, AtomicU64)>,
}

impl Progress {
    /// Of a stream to these hosts.
    pub fn new(receivers: &[usize]) -> Self {
        Self { receivers: receivers.iter().map(|&host| (host, AtomicU64::new(0))).collect() }
    }

    /// `host` has seen everything before `next` that it ever will.
    pub fn reached(&self, host: usize, next: u64) {
        for (receiver, at) in &self.receivers {
            if *receiver == host {
                at.fetch_max(next, Ordering::Relaxed);
            }
        }
    }

    /// Waits until the slowest receiver has got as far as `sequence`. `false`: it does not, and
    /// for a while got nowhere, or `stop` is set.
    pub fn await_reached(&self, sequence: u64, stop: &AtomicBool) -> bool {
        let (mut seen, mut since) = (self.slowest(), Instant::now());
        while seen < sequence {
            if stop.load(Ordering::Relaxed) || since.elapsed() > STALL {
                return false;
            }
            thread::sleep(LOOK);
            let now = self.slowest();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
        true
    }

    fn slowest(&self) -> u64 {
        self.receivers.iter().map(|(_, at)| at.load(Ordering::Relaxed)).min().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_receiver_counts_and_a_gap_is_passed_over() {
        let (progress, go_on) = (Progress::new(&[3, 5]), AtomicBool::new(false));
        progress.reached(3, 40);
        progress.reached(4, 90); // has no part in it
        progress.reached(5, 7);
        progress.reached(5, 6); // late: no step back
        assert_eq!(progress.slowest(), 7);
        assert!(progress.await_reached(7, &go_on));
        progress.reached(5, 39); // whatever was between 7 and 38 does not hold the sender up
        assert!(progress.await_reached(39, &go_on));
    }

    #[test]
    fn a_sender_does_not_wait_for_ever() {
        let progress = Progress::new(&[1]);
        assert!(!progress.await_reached(1, &AtomicBool::new(true)), "it was stopped");
        assert!(!progress.await_reached(1, &AtomicBool::new(false)), "nobody receives");
        assert!(Progress::new(&[]).await_reached(1, &AtomicBool::new(false)), "nobody to wait for");
    }
}
