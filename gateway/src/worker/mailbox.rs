//! How the control side reads a worker's plain counters: it asks, the worker copies them between
//! two polls. The copy is consistent, and the path pays one relaxed load per poll.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::RuleCounters;
use crate::counters::{FanoutCounters, Ledger, WorkerCounters};
use crate::gro::GroStats;
use crate::packet::PortId;
use crate::time::Nanos;

/// A worker's numbers between two polls.
#[derive(Clone, Default, Debug)]
pub struct WorkerSnapshot {
    /// What it counted.
    pub counters: WorkerCounters,
    /// How replicas were made.
    pub fanout: FanoutCounters,
    /// Coalescing, per receive queue that coalesces.
    pub gro: Vec<(PortId, GroStats)>,
    /// Hits of filters, by [`RuleId::slot`](crate::forward::RuleId).
    pub rules: Vec<RuleCounters>,
    /// Datagrams in GRO tables.
    pub held_in_gro: u64,
    /// Frames in transmit buffers.
    pub held_in_tx: u64,
    /// Time spent in polls that found work.
    pub busy: Nanos,
}

impl WorkerSnapshot {
    /// The conservation law at this moment.
    pub fn ledger(&self) -> Ledger {
        self.counters.ledger(self.held_in_gro + self.held_in_tx)
    }
}

/// Where a copy is asked for and left.
#[derive(Default)]
pub struct Mailbox {
    /// worker: r, control: w
    asked: AtomicU64,
    /// worker: w, control: r
    answered: AtomicU64,
    /// worker: w (never waits), control: r
    copy: Mutex<WorkerSnapshot>,
}

impl Mailbox {
    /// Asks for a copy; returns the number of the request.
    pub fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The copy, once request `number` or a later one has been answered.
    #[allow(clippy::disallowed_methods)] // control side; the worker only ever tries
    pub fn collect(&self, number: u64) -> Option<WorkerSnapshot> {
        if self.answered.load(Ordering::Acquire) < number {
            return None;
        }
        Some(self.copy.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone())
    }

    /// Whether a request is open.
    #[inline]
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) != self.answered.load(Ordering::Relaxed)
    }

    /// Answers all requests made so far, unless the control side is just reading.
    pub(super) fn answer(&self, write: impl FnOnce(&mut WorkerSnapshot)) {
        let asked = self.asked.load(Ordering::Relaxed);
        if let Ok(mut copy) = self.copy.try_lock() {
            write(&mut copy);
            drop(copy);
            self.answered.store(asked, Ordering::Release);
        }
    }
}
