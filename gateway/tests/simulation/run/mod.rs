//! Makes a plan happen: whole workers over simulated ports, on a virtual clock.

mod network;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gateway::config::{self, Config};
use gateway::forward::{PortFacts, Tables};
use gateway::packet::{BufPool, MacAddr, PortId};
use gateway::runtime::{Assembly, PortExchanges, PortQueues, Totals, assemble};
use gateway::sim::{HeapBuf, HeapPool, Sim, SimPort};
use gateway::time::Nanos;
use gateway::worker::Worker;

use crate::check::{Observed, check};
use crate::model::Model;
use crate::plan::{Plan, Step};
use crate::world::{AGEING_S, Settings, World, port_mac};

const HASH_SEED: u64 = 7;
const FRAME_ROOM: usize = 2048;

/// What was seen of a run that went well.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// Buffers asked for.
    pub(crate) allocations: u64,
    /// Steps by name.
    pub(crate) steps: BTreeMap<&'static str, u64>,
    /// Drops by name.
    pub(crate) drops: BTreeMap<&'static str, u64>,
}

/// Changes what was observed, as a faulty gateway would: the test of the tests.
pub(crate) type Tamper<'a> = &'a mut dyn FnMut(&mut Observed, &HeapPool);

pub(crate) fn run(plan: &Plan) -> Result<Summary, String> {
    run_tampered(plan, None, &mut |_, _| {})
}

/// With one more fault: the allocation behind so many others fails.
pub(crate) fn run_failing(plan: &Plan, allocation: u64) -> Result<Summary, String> {
    run_tampered(plan, Some(allocation), &mut |_, _| {})
}

pub(crate) fn run_tampered(
    plan: &Plan,
    fail: Option<u64>,
    tamper: Tamper<'_>,
) -> Result<Summary, String> {
    let mut run = Run::new(plan);
    let is_dry = |step: &Step| matches!(step, Step::Dry(_) | Step::Fail(_));
    let learns = |world: &World| world.routed().len() < world.ports.len();
    let runs_dry = fail.is_some() || plan.steps.iter().any(is_dry);
    run.keeps_heads_whole = runs_dry && plan.worlds.iter().any(learns);
    if let Some(allocation) = fail {
        run.pool.fail_after(allocation);
    }
    for step in &plan.steps {
        run.step(step)?;
    }
    run.finish(plan.linger, plan.is_faulty() || fail.is_some(), tamper)
}

struct Run {
    worlds: Vec<Rc<World>>,
    configs: Vec<Config>,
    settings: Settings,
    assembly: Assembly<Sim>,
    ports: Vec<SimPort>,
    links: Vec<Arc<AtomicBool>>,
    facts: Vec<PortFacts>,
    pool: HeapPool,
    hoard: Vec<HeapBuf>,
    /// Which ports each worker receives from, in its order.
    receives: Vec<Vec<usize>>,
    now: u64,
    serial: u32,
    model: Model,
    observed: Observed,
    steps: BTreeMap<&'static str, u64>,
    /// The world that is configured now.
    world: usize,
    /// A frame whose headers a dry pool keeps from being put together is never seen, so nobody
    /// learns from it, and which one that was nobody tells.
    keeps_heads_whole: bool,
}

impl Run {
    fn new(plan: &Plan) -> Self {
        let settings = plan.settings.clone();
        let parse = |world: &World| {
            let text = world.text(&settings);
            config::parse("plan.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"))
        };
        let configs: Vec<_> = plan.worlds.iter().map(parse).collect();
        let worlds: Vec<_> = plan.worlds.iter().cloned().map(Rc::new).collect();
        let count = worlds[0].ports.len();
        let pool = HeapPool::new(8192, FRAME_ROOM);
        let ports: Vec<SimPort> = (0..count).map(|_| SimPort::new()).collect();
        ports.iter().for_each(SimPort::note_received);
        let links: Vec<_> = ports.iter().map(|_| Arc::new(AtomicBool::new(true))).collect();
        let macs: Vec<_> = (0..count).map(|port| MacAddr(port_mac(port))).collect();
        let transmit = if settings.queue_each { settings.workers } else { 1 };
        let queues = ports.iter().enumerate().map(|(n, port)| {
            let tx = (0..transmit).map(|_| port.tx_queue(settings.ports[n].1)).collect();
            let link_up = Arc::clone(&links[n]);
            PortQueues {
                link_up,
                ..PortQueues::new(macs[n], vec![port.rx_queue(pool.clone())], tx)
            }
        });
        let assembly = assemble::<Sim>(&configs[0], queues.collect(), &pool, HASH_SEED);
        let workers = settings.workers;
        let receives =
            (0..workers).map(|w| (0..count).filter(|port| port % workers == w).collect());
        Self {
            model: Model::new(worlds[0].clone(), workers, settings.max_hold_us * 1000),
            receives: receives.collect(),
            facts: macs.into_iter().map(|mac| PortFacts { mac }).collect(),
            observed: Observed::new(count),
            now: 1,
            serial: 0,
            world: 0,
            keeps_heads_whole: false,
            hoard: vec![],
            steps: BTreeMap::new(),
            worlds,
            configs,
            settings,
            assembly,
            ports,
            links,
            pool,
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        *self.steps.entry(step.name()).or_default() += 1;
        match step {
            Step::Send(train, noise) => self.send(train, noise),
            Step::Poll(worker) => self.poll(worker % self.settings.workers)?,
            Step::PollAll => self.poll_all()?,
            Step::Wait(micros) => self.now += micros * 1000,
            Step::Age => self.age()?,
            Step::Publish(world) => self.publish(world % self.worlds.len()),
            Step::Forget(port) => self.forget(*port),
            Step::Ring(port, frames) => self.ports[*port].hold_transmitted(*frames),
            Step::Room(port, room) => self.ports[*port].limit_tx(*room),
            Step::Link(port, up) => self.links[*port].store(*up, Ordering::Relaxed),
            Step::Restart(port) => self.restart(*port)?,
            Step::Dry(spare) => {
                self.hoard.extend(core::iter::from_fn(|| self.pool.alloc()));
                self.hoard.truncate(self.hoard.len().saturating_sub(*spare));
            }
            Step::Refill => self.hoard.clear(),
            Step::Fail(allocation) => self.pool.fail_after(*allocation),
        }
        Ok(())
    }

    fn poll_all(&mut self) -> Result<(), String> {
        (0..self.settings.workers).try_for_each(|worker| self.poll(worker))
    }

    fn poll(&mut self, worker: usize) -> Result<(), String> {
        self.now += 1000;
        self.assembly.workers[worker].poll_once(Nanos(self.now));
        self.model.begin_poll(worker);
        for &port in &self.receives[worker] {
            for bytes in self.ports[port].take_received() {
                self.observed.received[port].0 += 1;
                self.observed.received[port].1 += bytes.len() as u64;
                self.model.receive(worker, port, &bytes, self.now);
            }
        }
        self.model.end_poll(worker, self.now);
        self.collect();
        let ledger = self.assembly.workers[worker].snapshot().ledger();
        if ledger.imbalance() == 0 { Ok(()) } else { Err(format!("worker {worker}: {ledger}")) }
    }

    fn collect(&mut self) {
        for (port, sent) in self.ports.iter().zip(&mut self.observed.sent) {
            sent.extend(port.take_sent());
        }
    }

    /// Until all has been received and nothing is held.
    fn settle(&mut self) -> Result<(), String> {
        while self.ports.iter().any(|port| port.pending() > 0) {
            self.poll_all()?;
        }
        self.now += self.settings.max_hold_us * 1000;
        self.poll_all()
    }

    /// What is held goes first: a datagram is never held for as long as an address is remembered.
    fn age(&mut self) -> Result<(), String> {
        self.settle()?;
        self.now += (AGEING_S + 2) * 1_000_000_000;
        for bridge in self.assembly.tables.current().bridges() {
            bridge.fdb().expire(Nanos(self.now));
        }
        Ok(())
    }

    fn publish(&mut self, world: usize) {
        let current = self.assembly.tables.current();
        let tables = Tables::rebuild(&self.configs[world], &self.facts, HASH_SEED, &current);
        self.assembly.tables.publish(tables);
        self.model.publish(self.worlds[world].clone());
        self.world = world;
    }

    fn forget(&mut self, port: usize) {
        self.assembly.tables.current().forget_stations(PortId(port as u16));
        self.assembly.tables.renew();
        self.model.forget(port, self.now);
    }

    /// Its queues are recalled, traffic goes on, and each worker gets a new one.
    fn restart(&mut self, port: usize) -> Result<(), String> {
        let PortExchanges { rx, tx } = &self.assembly.exchanges[port];
        let (rx, tx) = (rx.clone(), tx.clone());
        rx.iter().for_each(|exchange| exchange.recall());
        tx.iter().for_each(|exchange| exchange.recall());
        self.renew();
        self.poll_all()?;
        let device = self.ports[port].clone();
        if device.queues_in_use() > 0 {
            return Err(format!("{} queues of port {port} are still out", device.queues_in_use()));
        }
        self.poll_all()?;
        device.limit_tx(None);
        rx.iter().for_each(|exchange| exchange.supply(device.rx_queue(self.pool.clone())));
        let pieces = self.settings.ports[port].1;
        tx.iter().for_each(|exchange| exchange.supply(device.tx_queue(pieces)));
        self.renew();
        Ok(())
    }

    /// To workers it is as if the tables had been published again.
    fn renew(&mut self) {
        self.assembly.tables.renew();
        self.model.publish(self.worlds[self.world].clone());
    }

    fn finish(mut self, linger: bool, faulty: bool, tamper: Tamper<'_>) -> Result<Summary, String> {
        if linger {
            self.hoard.clear();
            self.ports.iter().for_each(|port| port.limit_tx(None));
            self.links.iter().for_each(|link| link.store(true, Ordering::Relaxed));
            self.settle()?;
        }
        let now = Nanos(self.now);
        self.assembly.workers.iter_mut().for_each(|worker| worker.release_held(now));
        for _ in 0..20 {
            self.assembly.workers.iter_mut().for_each(|worker| {
                worker.drain_once();
            });
        }
        self.assembly.workers.iter_mut().for_each(Worker::abandon);
        self.collect();
        self.observed.workers = self.assembly.workers.iter().map(Worker::snapshot).collect();
        tamper(&mut self.observed, &self.pool);
        self.hoard.clear();
        let sent = self.ports.iter().map(|port| port.hold_transmitted(0)).count();
        drop(self.assembly);
        let totals = Totals::of(&self.observed.workers);
        if !totals.balance() {
            return Err(format!("at the end: {totals}"));
        }
        // Frames that nobody received are with the ports; packets among them hold buffers.
        drop((self.ports, sent));
        if !self.pool.is_full() {
            return Err(format!("{} buffers leaked", self.pool.capacity() - self.pool.available()));
        }
        check(&self.model, &self.observed, faulty)?;
        Ok(Summary {
            received: self.observed.received.iter().map(|port| port.0).sum(),
            sent: self.observed.sent.iter().map(|sent| sent.len() as u64).sum(),
            allocations: self.pool.asked(),
            steps: self.steps,
            drops: self.observed.drops(),
        })
    }
}
