//! One lcore's queues and tables. [`Worker::poll_once`] calls the rooms of the path in the order of
//! `lib.rs`.
//!
//! *Invariant:* held packets never see a table change. Tables change between polls, or because an
//! address is learned, and every held aggregate is flushed under the old tables first; so a
//! super-packet gets the decision that each of its datagrams would have got alone.

mod answer;
mod census;
mod filtering;
mod latency;
mod listeners;
mod mailbox;
mod merging;
mod path;
mod piecemeal;
mod plain;
mod punt;
mod receiver;
mod snapshot;
mod watched;

pub use census::{Holding, Imbalance};
pub use filtering::RuleCounters;
pub use path::Path;
pub use receiver::{Receiver, Source};
pub use snapshot::WorkerSnapshot;

use std::sync::Arc;

use crate::capture::{Capturer, Tap};
use crate::device::Backend;
use crate::egress::Inbox;
use crate::gro::{FlushReason, Passed};
use crate::packet::{Coalesce, PacketBuf};
use crate::published::Reader;
use crate::time::Nanos;
use plain::Reach;

/// Where the control side gets a worker's numbers.
pub type Mailbox = mailbox::Mailbox<WorkerSnapshot>;

/// One lcore's share of the gateway.
pub struct Worker<K: Backend> {
    receivers: Vec<Receiver<K>>,
    path: Path<K>,
    inbox: Inbox<<K::Buf as PacketBuf>::Tx>,
    mailbox: Arc<Mailbox>,
    taps: Reader<Option<Arc<Tap>>>,
    burst: Vec<K::Buf>,
    /// When the last poll began, if it found work.
    busy_since: Option<Nanos>,
    busy: Nanos,
    /// When the last poll began.
    round_began: Nanos,
}

impl<K: Backend> Worker<K> {
    /// A worker that receives up to `burst` frames at once from each queue; the control side asks for
    /// its numbers at `mailbox`.
    pub fn new(
        receivers: Vec<Receiver<K>>,
        path: Path<K>,
        inbox: Inbox<<K::Buf as PacketBuf>::Tx>,
        mailbox: Arc<Mailbox>,
        taps: Reader<Option<Arc<Tap>>>,
        burst: usize,
    ) -> Self {
        Self {
            receivers,
            path,
            inbox,
            mailbox,
            taps,
            burst: Vec::with_capacity(burst),
            busy_since: None,
            busy: Nanos::default(),
            round_began: Nanos(u64::MAX), // never yet
        }
    }

    /// Receives one burst from every queue, forwards it, and offers every transmit buffer to its
    /// port. Returns how many frames were received or taken over from other workers.
    pub fn poll_once(&mut self, now: Nanos) -> usize {
        let round = now.since(self.round_began);
        self.path.counters.longest_round = self.path.counters.longest_round.max(round);
        self.round_began = now;
        if let Some(began) = self.busy_since.take() {
            self.busy = self.busy + now.since(began);
        }
        if self.path.tables_are_stale() {
            self.adopt_tables(now);
        }
        if self.taps.is_stale() {
            self.adopt_tap(now);
        }
        self.path.begin_poll(now);
        let mut frames = 0;
        for index in 0..self.receivers.len() {
            frames += self.poll_queue(index, now);
        }
        frames += self.transmit();
        self.path.end_poll();
        self.path.counters.polls += 1;
        if frames > 0 {
            self.path.counters.busy_polls += 1;
            self.busy_since = Some(now);
        }
        self.serve_mailbox();
        frames
    }

    /// Stops holding: every held datagram is decided on and offered to its port.
    pub fn release_held(&mut self, now: Nanos) {
        self.flush_held(FlushReason::Shutdown, now);
        self.transmit();
    }

    /// Without receiving: takes over what other workers hand in and offers buffers to ports.
    /// Returns how many datagrams are still held here or wait in the inbox, of which one call takes
    /// a bounded number.
    pub fn drain_once(&mut self) -> u64 {
        self.transmit();
        self.serve_mailbox();
        self.held() + self.inbox.len() as u64
    }

    /// Gives up what no port took, counted as `shutdown`.
    pub fn abandon(&mut self) {
        while self.path.take_over(&self.inbox) > 0 {}
        self.path.egress.abandon(&mut self.path.counters);
        self.serve_mailbox();
    }

    /// Datagrams in GRO tables and transmit buffers.
    pub fn held(&self) -> u64 {
        self.held_in_gro() + self.path.egress.held()
    }

    /// This worker's numbers now.
    pub fn snapshot(&self) -> WorkerSnapshot {
        let mut snapshot = WorkerSnapshot::default();
        self.write_snapshot(&mut snapshot);
        snapshot
    }

    /// Everything held is decided on by the old tables first. Queues whose ports are restarted go and
    /// come with new tables too.
    #[cold]
    fn adopt_tables(&mut self, now: Nanos) {
        self.flush_held(FlushReason::TablesChanged, now);
        self.path.adopt_tables();
        self.path.egress.follow(&mut self.path.counters);
        for receiver in &mut self.receivers {
            receiver.follow();
            if let Some(settings) = self.path.forwarder.tables().coalescing(receiver.port()) {
                receiver.retune(settings);
            }
        }
    }

    /// Gives the old tap up first, so that the control side frees it.
    #[cold]
    fn adopt_tap(&mut self, now: Nanos) {
        self.path.egress.set_capturer(None);
        self.taps.refresh();
        let capturer = self.taps.as_ref().map(|tap| Capturer::new(Arc::clone(tap), now));
        self.path.egress.set_capturer(capturer);
    }

    fn poll_queue(&mut self, index: usize, now: Nanos) -> usize {
        let Some(receiver) = self.receivers.get_mut(index) else { return 0 };
        let frames = receiver.receive(&mut self.burst, &mut self.path);
        if self.path.forwarder.filters().is_none() && receiver.lets_all_pass(frames) {
            self.pass_burst(index, now);
        } else {
            self.coalesce_burst(index, now);
        }
        frames
    }

    /// Every frame on its own, and nothing held is in the way of any.
    fn pass_burst(&mut self, index: usize, now: Nanos) {
        let Some((receiver, mut others)) = split_at(&mut self.receivers, index) else { return };
        let path = &mut self.path;
        let learns = path.forwarder.learns_from(receiver.port());
        let mut passed = Passed::default();
        let mut burst = self.burst.drain(..);
        let (port, mut reach) = (receiver.port(), Reach::FULL);
        loop {
            let (plain, remarkable) = path.pass_plain(&mut burst, &mut reach, port, now);
            passed.add(Coalesce::Candidate, plain);
            let Some(mut packet) = remarkable else { break };
            let mut parsed = receiver.parse(&packet);
            if let Err(error) = parsed {
                let Some((whole, info)) = receiver.make_whole(&packet, error, path) else {
                    continue;
                };
                (packet, parsed) = (whole, Ok(info));
            }
            let Ok(info) = &parsed else { continue };
            passed.add(info.coalesce, 1);
            if learns && path.would_learn(info, packet.head(), now) {
                others.flush_with(receiver, path, now);
                path.learn(info, packet.head(), now);
            }
            path.forward_single(packet, info, now);
        }
        drop(burst);
        receiver.note(&passed);
    }

    fn coalesce_burst(&mut self, index: usize, now: Nanos) {
        let Some((receiver, mut others)) = split_at(&mut self.receivers, index) else { return };
        let path = &mut self.path;
        let has_filters = path.forwarder.filters().is_some();
        let learns = path.forwarder.learns_from(receiver.port());
        let mut burst = self.burst.drain(..);
        loop {
            receiver.join_alike(&mut burst, path, now);
            let Some(mut packet) = burst.next() else { break };
            let mut parsed = receiver.parse(&packet);
            if let Err(error) = parsed {
                let Some((whole, info)) = receiver.make_whole(&packet, error, path) else {
                    continue;
                };
                (packet, parsed) = (whole, Ok(info));
            }
            let Ok(info) = &mut parsed else { continue };
            if has_filters {
                path.goes_alone(info, packet.head());
            }
            if receiver.lets_pass(info) {
                if learns && path.would_learn(info, packet.head(), now) {
                    others.flush_with(receiver, path, now);
                    path.learn(info, packet.head(), now);
                }
                path.forward_single(packet, info, now);
                continue;
            }
            let Some(unjoined) = receiver.join(packet, info, path, now) else { continue };
            if learns && path.would_learn(info, unjoined.packet().head(), now) {
                others.flush_with(receiver, path, now);
                path.learn(info, unjoined.packet().head(), now);
            }
            receiver.settle(unjoined, path, now);
        }
        drop(burst);
        receiver.end_burst(path, now);
    }

    fn transmit(&mut self) -> usize {
        let taken = self.path.take_over(&self.inbox);
        self.path.egress.flush(&mut self.path.counters);
        taken
    }

    fn flush_held(&mut self, reason: FlushReason, now: Nanos) {
        for receiver in &mut self.receivers {
            receiver.flush(reason, &mut self.path, now);
        }
    }

    fn held_in_gro(&self) -> u64 {
        self.receivers.iter().map(Receiver::held).sum()
    }

    fn serve_mailbox(&mut self) {
        if self.mailbox.is_asked() {
            self.mailbox.answer(|snapshot| self.write_snapshot(snapshot));
        }
    }

    fn write_snapshot(&self, snapshot: &mut WorkerSnapshot) {
        snapshot.counters.clone_from(&self.path.counters);
        snapshot.fanout = self.path.fanout.counters();
        snapshot.held_in_gro = self.held_in_gro();
        snapshot.held_in_tx = self.path.egress.held();
        snapshot.held_in_burst = self.burst.len() as u64;
        snapshot.held_in_hand = self.path.held_in_hand() as u64;
        snapshot.egress.clear();
        snapshot.egress.extend(self.path.egress.counts());
        snapshot.inbox = self.inbox.len() as u64;
        snapshot.busy = self.busy;
        snapshot.latency.clear();
        snapshot.latency.extend_from_slice(self.path.latency.pairs());
        snapshot.rules.clear();
        snapshot.rules.extend_from_slice(self.path.rule_counters());
        snapshot.gro.clear();
        snapshot.gro.extend(self.receivers.iter().filter_map(Receiver::gro_stats));
    }
}

/// The receivers of a worker but one.
struct Others<'a, K: Backend>(&'a mut [Receiver<K>], &'a mut [Receiver<K>]);

fn split_at<K: Backend>(
    receivers: &mut [Receiver<K>],
    index: usize,
) -> Option<(&mut Receiver<K>, Others<'_, K>)> {
    let (before, rest) = receivers.split_at_mut_checked(index)?;
    let (receiver, after) = rest.split_first_mut()?;
    Some((receiver, Others(before, after)))
}

impl<K: Backend> Others<'_, K> {
    /// What is held was to be decided on by the tables as they are.
    #[cold]
    fn flush_with(&mut self, receiver: &mut Receiver<K>, path: &mut Path<K>, now: Nanos) {
        for held in self.0.iter_mut().chain([receiver]).chain(self.1.iter_mut()) {
            held.flush(FlushReason::TablesChanged, path, now);
        }
    }
}
