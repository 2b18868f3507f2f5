use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::PortExchanges;
use super::hang::{Backoff, Progress};
use crate::device::Backend;
use crate::forward::Tables;
use crate::packet::PortId;
use crate::published::Published;
use crate::time::Nanos;
use crate::worker::{Mailbox, WorkerSnapshot};

/// Restarts the ports whose transmit queues hang (semantics 7.31), and leaves all others alone: workers
/// are asked for the port's queues, nobody waits for them, and when all are back the device is
/// stopped and started. What is for the port until then is dropped as `port_reset`.
pub struct Resets<K: Backend> {
    ports: Vec<Watched<K>>,
    workers: Vec<Asked>,
    tables: Arc<Published<Tables>>,
}

/// What restarts devices.
pub trait Restart<K: Backend> {
    /// Whether it helps: the kernel looks after the queues of its own interfaces.
    fn can_restart(&self, port: PortId) -> bool;

    /// Stops and starts it: its new queues, or `None` while a handle on one of the old is left.
    ///
    /// # Errors
    /// Why it did not start again.
    fn restart(&mut self, port: PortId) -> Result<Option<Queues<K>>, String>;
}

/// Receive and transmit queues.
pub type Queues<K> = (Vec<<K as Backend>::Rx>, Vec<<K as Backend>::Tx>);

/// What is to be seen of a port's restarts. resets: w, observers: r
#[derive(Default, Debug)]
pub struct ResetMark {
    /// Whether a transmit queue of it takes nothing, or it is being restarted.
    pub hung: AtomicBool,
    /// How often it was restarted.
    pub resets: AtomicU64,
}

/// What became of a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResetNews {
    /// A transmit queue of it takes nothing.
    Hangs(PortId),
    /// It does again, by itself.
    TakesAgain(PortId),
    /// It was restarted.
    Restarted(PortId),
    /// It could not be, and will be tried again after this time.
    Failed(PortId, String, Nanos),
}

struct Watched<K: Backend> {
    exchanges: PortExchanges<K>,
    /// By worker.
    queues: Vec<Progress>,
    state: State,
    backoff: Backoff,
    mark: Arc<ResetMark>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Runs,
    Hangs,
    /// Workers are to give its queues up.
    Recalled,
}

struct Asked {
    mailbox: Arc<Mailbox>,
    number: u64,
}

impl<K: Backend> Resets<K> {
    /// Over these workers and the ports that have a mark.
    pub fn new(
        mailboxes: &[Arc<Mailbox>],
        exchanges: Vec<PortExchanges<K>>,
        marks: &[Arc<ResetMark>],
        tables: Arc<Published<Tables>>,
    ) -> Self {
        let watched = |(exchanges, mark): (_, &Arc<ResetMark>)| Watched {
            exchanges,
            queues: vec![Progress::default(); mailboxes.len()],
            state: State::Runs,
            backoff: Backoff::default(),
            mark: Arc::clone(mark),
        };
        let ports = exchanges.into_iter().zip(marks).map(watched).collect();
        let asked =
            |mailbox: &Arc<Mailbox>| Asked { mailbox: Arc::clone(mailbox), number: mailbox.ask() };
        Self { ports, workers: mailboxes.iter().map(asked).collect(), tables }
    }

    /// A look, to be taken every tenth of a second; what has changed since the last.
    pub fn step(&mut self, now: Nanos, devices: &mut impl Restart<K>) -> Vec<ResetNews> {
        for (worker, asked) in self.workers.iter_mut().enumerate() {
            let Some(snapshot) = asked.mailbox.collect(asked.number) else { continue };
            asked.number = asked.mailbox.ask();
            for (index, port) in self.ports.iter_mut().enumerate() {
                port.look(worker, index, &snapshot, now);
            }
        }
        let mut news = Vec::new();
        let mut exchanged = false;
        for (index, port) in self.ports.iter_mut().enumerate() {
            let before = port.state;
            news.extend(port.step(PortId(index as u16), now, devices));
            exchanged |= (before == State::Recalled) != (port.state == State::Recalled);
        }
        if exchanged {
            self.tables.renew();
        }
        news
    }
}

impl<K: Backend> Watched<K> {
    fn look(&mut self, worker: usize, port: usize, snapshot: &WorkerSnapshot, now: Nanos) {
        let (counters, buffer) = (snapshot.counters.ports.get(port), snapshot.egress.get(port));
        if let (Some(counters), Some(buffer)) = (counters, buffer) {
            self.queues[worker].look(counters.tx_frames, buffer.held, now);
        }
    }

    fn step(&mut self, id: PortId, now: Nanos, devices: &mut impl Restart<K>) -> Option<ResetNews> {
        let hangs = self.queues.iter().any(Progress::hangs);
        match self.state {
            State::Runs if hangs => {
                self.enter(State::Hangs);
                return Some(ResetNews::Hangs(id));
            }
            State::Hangs if !hangs => {
                self.enter(State::Runs);
                return Some(ResetNews::TakesAgain(id));
            }
            State::Hangs if self.backoff.is_over(now) && devices.can_restart(id) => self.recall(),
            State::Recalled if self.backoff.is_over(now) => return self.restart(id, now, devices),
            State::Runs | State::Hangs | State::Recalled => {}
        }
        None
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.mark.hung.store(state != State::Runs, Ordering::Relaxed);
    }

    fn recall(&mut self) {
        self.exchanges.rx.iter().for_each(|exchange| exchange.recall());
        self.exchanges.tx.iter().for_each(|exchange| exchange.recall());
        self.enter(State::Recalled);
    }

    /// Once all workers have given its queues up.
    fn restart(
        &mut self,
        id: PortId,
        now: Nanos,
        devices: &mut impl Restart<K>,
    ) -> Option<ResetNews> {
        let restarted = devices.restart(id).transpose()?;
        let pause = self.backoff.begin(now);
        Some(match restarted.and_then(|queues| self.supply(queues)) {
            Ok(()) => {
                self.mark.resets.fetch_add(1, Ordering::Relaxed);
                self.queues.fill(Progress::default());
                self.enter(State::Runs);
                ResetNews::Restarted(id)
            }
            Err(problem) => ResetNews::Failed(id, problem, pause),
        })
    }

    fn supply(&self, (rx, tx): Queues<K>) -> Result<(), String> {
        let PortExchanges { rx: rx_exchanges, tx: tx_exchanges } = &self.exchanges;
        if rx.len() < rx_exchanges.len() || tx.len() < tx_exchanges.len() {
            return Err("it came back with fewer queues".to_owned());
        }
        rx_exchanges.iter().zip(rx).for_each(|(exchange, queue)| exchange.supply(queue));
        tx_exchanges.iter().zip(tx).for_each(|(exchange, queue)| exchange.supply(queue));
        Ok(())
    }
}
