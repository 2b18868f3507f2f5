use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use crate::config::{self, Config};
use crate::demo::numbers::Numbers;
use crate::packet::{BufPool, MacAddr};
use crate::runtime::{
    self, Assembly, Collector, DeviceFacts, Devices, Drain, Observer, Pace, PoolUse, PortQueues,
    Running, Ticker, assemble, drive,
};
use crate::sim::{HeapPool, Sim, SimPort};
use crate::time::Nanos;
use crate::worker::WorkerSnapshot;

/// How long the gateway may take to receive what is in its ports after the last train.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);

/// A gateway on ports in memory, with one worker on a thread.
pub(super) struct MemoryGateway {
    config: Config,
    bench: Bench,
    drain: Arc<Drain>,
    observer: Observer,
    worker: JoinHandle<WorkerSnapshot>,
}

/// The ports and the pool, which outlive the worker.
#[derive(Clone)]
struct Bench {
    ports: Vec<SimPort>,
    pool: HeapPool,
}

/// What came of a gateway in memory.
#[derive(Debug)]
pub(super) struct Remains {
    /// What it said before it was stopped.
    pub(super) numbers: Numbers,
    /// Its final account.
    pub(super) outcome: runtime::Outcome,
}

impl MemoryGateway {
    /// Starts the worker of this configuration, whatever devices it names.
    ///
    /// # Errors
    /// When the configuration is not valid.
    pub(super) fn start(configuration: &str) -> Result<Self> {
        let mut config =
            config::parse("demo", configuration).map_err(|errors| anyhow!(errors.render(false)))?;
        config.runtime.lcores.truncate(1);
        let bench = Bench::new(&config);
        let queues = bench.ports.iter().enumerate().map(|(index, port)| {
            let (rx, tx) = (port.rx_queue(bench.pool.clone()), port.tx_queue(1));
            PortQueues::new(port_mac(index), vec![rx], vec![tx])
        });
        let Assembly { mut workers, mailboxes, tables, taps, facts, seed, .. } =
            assemble::<Sim>(&config, queues.collect(), &bench.pool, 0);
        let mut worker = workers.remove(0);
        let clock = Stopwatch(Instant::now());
        let devices = Box::new(bench.clone());
        let collector = Collector::new(mailboxes);
        let running = Running::new(&config, Path::new("demo"), facts, seed, tables);
        let observer = Observer::new(running, collector, taps, devices, clock);
        let drain = Arc::new(Drain::new(1));
        let until = Arc::clone(&drain);
        let worker = thread::spawn(move || {
            let pace = Pace { idle_sleep: Duration::from_micros(50) };
            drive(&mut worker, || clock.now(), &until, pace);
            worker.snapshot()
        });
        Ok(Self { config, bench, drain, observer, worker })
    }

    /// The far ends of the ports' cables.
    pub(super) fn ports(&self) -> &[SimPort] {
        &self.bench.ports
    }

    /// Waits until it has received everything.
    ///
    /// # Errors
    /// When it leaves frames in its ports.
    pub(super) fn settle(&self) -> Result<()> {
        let start = Instant::now();
        while self.bench.ports.iter().any(|port| port.pending() > 0) {
            ensure!(start.elapsed() < SETTLE_LIMIT, "the gateway leaves frames in its ports");
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Waits until it has received everything, then stops it.
    ///
    /// # Errors
    /// When it leaves frames in its ports, or the worker panicked.
    pub(super) fn stop(self) -> Result<Remains> {
        self.settle()?;
        let numbers = Numbers::observe(&self.observer);
        self.drain.stop();
        let snapshot = self.worker.join().map_err(|_| anyhow!("the worker panicked"))?;
        let outcome = runtime::Outcome::of(&self.config, &[snapshot], &self.bench.pool);
        Ok(Remains { numbers, outcome })
    }
}

impl Bench {
    fn new(config: &Config) -> Self {
        let runtime = &config.runtime;
        Self {
            ports: config.ports.iter().map(|_| SimPort::new()).collect(),
            pool: HeapPool::new(runtime.pool_buffers as usize, runtime.buffer_bytes.into()),
        }
    }
}

impl Devices for Bench {
    fn facts(&self) -> Vec<DeviceFacts> {
        let facts = |(index, port): (usize, &SimPort)| DeviceFacts {
            mac: port_mac(index).to_string(),
            link: true,
            no_buffer: port.rx_no_buffer(),
            ..DeviceFacts::default()
        };
        self.ports.iter().enumerate().map(facts).collect()
    }

    fn pools(&self) -> Vec<PoolUse> {
        let (free, capacity) = (self.pool.available(), self.pool.capacity());
        vec![PoolUse { name: "packets".into(), capacity, free, ..PoolUse::default() }]
    }
}

/// Time since it was made.
#[derive(Clone, Copy)]
struct Stopwatch(Instant);

impl Ticker for Stopwatch {
    fn now(&self) -> Nanos {
        Nanos(self.0.elapsed().as_nanos() as u64)
    }

    fn cycles_per_nano(&self) -> Option<f64> {
        None
    }
}

/// The gateway's link address on port `index`.
pub(super) fn port_mac(index: usize) -> MacAddr {
    MacAddr([0x02, 0, 0, 0, 0x88, index as u8])
}
