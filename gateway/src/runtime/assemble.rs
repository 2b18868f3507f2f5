//! Spreads queues over workers. A port with a queue pair per worker is polled by all of them (the
//! port spreads flows by RSS); any other port belongs to one worker, and the rest hand their
//! frames for it over. A worker itself is made from its [`Berth`], in its own thread where it has one
//! (ADR 20).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Taps;
use crate::capture::Tap;
use crate::config::{Config, Gro};
use crate::counters::WorkerCounters;
use crate::device::{Backend, Cable, Exchange, Seat, TxQueue};
use crate::egress::{Egress, EgressPort, Inbox, Way};
use crate::fanout::{Fanout, FanoutPort};
use crate::forward::{PortFacts, Tables};
use crate::packet::{MacAddr, PacketBuf, PortId};
use crate::published::{Published, Reader};
use crate::worker::{Mailbox, Path, Receiver, Source, Worker};

/// A port's queues, ready to be given to workers.
pub struct PortQueues<K: Backend> {
    /// The device's address.
    pub mac: MacAddr,
    /// Receive queues; one, or one per worker.
    pub rx: Vec<K::Rx>,
    /// Transmit queues; one, or one per worker.
    pub tx: Vec<K::Tx>,
    /// Whether the link is up; written by the control side.
    pub link_up: Arc<AtomicBool>,
    /// Of a shadow, which has no queues: the way to the host's end.
    pub cable: Option<Arc<Cable<K::Buf>>>,
}

impl<K: Backend> PortQueues<K> {
    /// A port with queues of its own, its link up.
    pub fn new(mac: MacAddr, rx: Vec<K::Rx>, tx: Vec<K::Tx>) -> Self {
        Self { mac, rx, tx, link_up: Arc::new(AtomicBool::new(true)), cable: None }
    }

    /// The shadow of a port or bridge with this address.
    pub fn shadow(mac: MacAddr, cable: Arc<Cable<K::Buf>>) -> Self {
        Self { cable: Some(cable), ..Self::new(mac, Vec::new(), Vec::new()) }
    }
}

/// How the queues of a port are exchanged, in their order; a shadow has none.
pub struct PortExchanges<K: Backend> {
    /// Receive queues.
    pub rx: Vec<Arc<Exchange<K::Rx>>>,
    /// Transmit queues.
    pub tx: Vec<Arc<Exchange<K::Tx>>>,
}

/// Workers or what they are made from, and what the control side shares with them.
pub struct Assembly<K: Backend, W = Worker<K>> {
    /// In the order of `runtime.lcores`.
    pub workers: Vec<W>,
    /// Where to ask each worker for its numbers.
    pub mailboxes: Vec<Arc<Mailbox>>,
    /// The forwarding tables, with what bridges learned.
    pub tables: Arc<Published<Tables>>,
    /// Where workers see that a capture is wanted.
    pub taps: Taps,
    /// By port, how its queues are exchanged.
    pub exchanges: Vec<PortExchanges<K>>,
    /// By port, what tables of another configuration are built with.
    pub facts: Vec<PortFacts>,
    /// Likewise: it spreads flows over paths and hashes stations.
    pub seed: u64,
}

/// The inbox of one worker: frames for ports that it alone transmits on.
type FrameInbox<K> = Inbox<<<K as Backend>::Buf as PacketBuf>::Tx>;

/// Builds a worker per configured lcore over these ports (in configuration order).
pub fn assemble<K: Backend>(
    config: &Config,
    ports: Vec<PortQueues<K>>,
    pool: &K::Pool,
    hash_seed: u64,
) -> Assembly<K> {
    let Assembly { workers, mailboxes, tables, taps, exchanges, facts, seed } =
        allot(config, ports, pool, hash_seed);
    let workers = workers.into_iter().map(Berth::build).collect();
    Assembly { workers, mailboxes, tables, taps, exchanges, facts, seed }
}

/// What [`assemble`] does, but for the workers, which are still to be built.
pub fn allot<K: Backend>(
    config: &Config,
    ports: Vec<PortQueues<K>>,
    pool: &K::Pool,
    hash_seed: u64,
) -> Assembly<K, Berth<K>> {
    let facts: Vec<_> = ports.iter().map(|port| PortFacts { mac: port.mac }).collect();
    let tables = Published::new(Tables::build(config, &facts, hash_seed));
    let taps: Taps = Published::new(None);
    let fanout_ports: Vec<_> = ports.iter().map(fanout_port).collect();
    let count = config.runtime.lcores.len();
    let inboxes: Vec<FrameInbox<K>> =
        (0..count).map(|_| Inbox::new(config.runtime.handoff as usize)).collect();
    let mut shares: Vec<Share<K>> = (0..count).map(|_| Share::default()).collect();
    let mut exchanges = Vec::with_capacity(ports.len());
    for (index, port) in ports.into_iter().enumerate() {
        let id = PortId(index as u16);
        if let Some(cable) = port.cable {
            deal_cable(id, &cable, &port.link_up, config, &mut shares);
            exchanges.push(PortExchanges { rx: Vec::new(), tx: Vec::new() });
            continue;
        }
        let tx = deal_transmit(id, port.tx, &port.link_up, config, &mut shares, &inboxes);
        let rx = deal_receive(id, port.rx, config, &mut shares);
        exchanges.push(PortExchanges { rx, tx });
    }
    let berth = |(share, inbox)| Berth {
        share,
        inbox,
        mailbox: Arc::default(),
        tables: tables.reader(),
        taps: taps.reader(),
        pool: pool.clone(),
        fanout_ports: fanout_ports.clone(),
        copy_up_to: usize::from(config.runtime.copy_up_to),
        burst: usize::from(config.runtime.burst),
        hash_seed,
    };
    let workers: Vec<_> = shares.into_iter().zip(inboxes).map(berth).collect();
    let mailboxes = workers.iter().map(|berth| Arc::clone(&berth.mailbox)).collect();
    Assembly { workers, mailboxes, tables, taps, exchanges, facts, seed: hash_seed }
}

/// All that a worker is made from. What it writes to while it works it allocates when it is built, so
/// that what one worker writes to lies in no cache line of another's, if each is built by its own
/// thread.
pub struct Berth<K: Backend> {
    share: Share<K>,
    inbox: FrameInbox<K>,
    mailbox: Arc<Mailbox>,
    tables: Reader<Tables>,
    taps: Reader<Option<Arc<Tap>>>,
    pool: K::Pool,
    fanout_ports: Vec<FanoutPort>,
    copy_up_to: usize,
    burst: usize,
    hash_seed: u64,
}

impl<K: Backend> Berth<K> {
    /// The worker.
    pub fn build(self) -> Worker<K> {
        let egress = self.share.egress.into_iter();
        let egress = egress.map(|(way, link_up, limit)| EgressPort::new(way, link_up, limit));
        let receivers =
            self.share.receivers.into_iter().map(|(port, source, settings)| {
                Receiver::new(port, source, &settings, self.hash_seed)
            });
        let counters = WorkerCounters::new(self.fanout_ports.len());
        let path = Path::new(
            self.tables,
            // A clone lies in memory of this thread.
            Fanout::new(self.pool.clone(), self.fanout_ports.clone(), self.copy_up_to),
            Egress::new(egress.collect()),
            counters,
            self.pool,
        );
        let receivers = receivers.collect();
        Worker::new(receivers, path, self.inbox, self.mailbox, self.taps, self.burst)
    }
}

/// What one worker gets of the ports.
struct Share<K: Backend> {
    receivers: Vec<(PortId, Source<K>, Gro)>,
    /// The way, whether the link is up, and how many frames wait at most.
    egress: Vec<(Way<K>, Arc<AtomicBool>, usize)>,
}

impl<K: Backend> Default for Share<K> {
    fn default() -> Self {
        Self { receivers: Vec::new(), egress: Vec::new() }
    }
}

/// The worker that owns a port which has not one queue per worker.
fn owner(port: PortId, workers: usize) -> usize {
    port.index() % workers
}

fn fanout_port<K: Backend>(port: &PortQueues<K>) -> FanoutPort {
    let queues = port.tx.iter().map(TxQueue::max_pieces).min();
    let max_pieces = if port.cable.is_some() { usize::MAX } else { queues.unwrap_or(1) };
    FanoutPort { mac: port.mac, max_pieces }
}

/// Every worker sends on it; the owner receives. What the kernel sends is not coalesced: it comes
/// in the order and number the kernel chose.
fn deal_cable<K: Backend>(
    id: PortId,
    cable: &Arc<Cable<K::Buf>>,
    link_up: &Arc<AtomicBool>,
    config: &Config,
    shares: &mut [Share<K>],
) {
    let (owner, port) = (owner(id, shares.len()), &config.ports[id.index()]);
    for (worker, share) in shares.iter_mut().enumerate() {
        share.egress.push((Way::Cable(Arc::clone(cable)), Arc::clone(link_up), 0));
        if worker == owner {
            let source = Source::Cable(Arc::clone(cable));
            share.receivers.push((id, source, config.gro.of_port(port)));
        }
    }
}

/// A queue for every worker, or one for the owner and a way to the owner for the others.
fn deal_transmit<K: Backend>(
    port: PortId,
    queues: Vec<K::Tx>,
    link_up: &Arc<AtomicBool>,
    config: &Config,
    shares: &mut [Share<K>],
    inboxes: &[FrameInbox<K>],
) -> Vec<Arc<Exchange<K::Tx>>> {
    let mut exchanges = Vec::with_capacity(queues.len());
    let owner = owner(port, shares.len());
    let one_each = queues.len() >= shares.len();
    let mut queues = queues.into_iter();
    for (worker, share) in shares.iter_mut().enumerate() {
        let mine = one_each || worker == owner;
        let way = match mine.then(|| queues.next()).flatten() {
            Some(queue) => {
                let seat = Seat::new(queue);
                exchanges.push(seat.exchange());
                Way::Queue(seat)
            }
            None => Way::Handoff(inboxes[owner].sender()),
        };
        let limit = config.runtime.tx_buffer as usize;
        share.egress.push((way, Arc::clone(link_up), limit));
    }
    exchanges
}

/// Queue by queue to the workers; a lone queue to the port's owner.
fn deal_receive<K: Backend>(
    port: PortId,
    queues: Vec<K::Rx>,
    config: &Config,
    shares: &mut [Share<K>],
) -> Vec<Arc<Exchange<K::Rx>>> {
    let mut exchanges = Vec::with_capacity(queues.len());
    let workers = shares.len();
    let settings = config.gro.of_port(&config.ports[port.index()]);
    for (index, queue) in queues.into_iter().enumerate() {
        let worker = (owner(port, workers) + index) % workers;
        let seat = Seat::new(queue);
        exchanges.push(seat.exchange());
        shares[worker].receivers.push((port, Source::Queue(seat), settings));
    }
    exchanges
}
