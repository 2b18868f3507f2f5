//! A whole gateway over simulated ports: the file's text in, frames in, frames out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gateway::config::{self, Config};
use gateway::device::Cable;
use gateway::packet::{DropReason, MacAddr};
use gateway::runtime::{Assembly, Outcome, PortQueues, Totals, assemble};
use gateway::sim::{HeapBuf, HeapPool, Sim, SimPort};
use gateway::time::Nanos;
use gateway::worker::{Worker, WorkerSnapshot};

pub struct Gateway {
    config: Config,
    pub assembly: Assembly<Sim>,
    pub ports: Vec<SimPort>,
    pub links: Vec<Arc<AtomicBool>>,
    /// Of shadows.
    pub cables: Vec<Option<Arc<Cable<HeapBuf>>>>,
    pub pool: HeapPool,
    pub now: Nanos,
}

impl Gateway {
    pub fn new(toml: &str) -> Self {
        Self::with_pool(toml, HeapPool::new(8192, 2048), usize::MAX)
    }

    pub fn with_pool(toml: &str, pool: HeapPool, max_pieces: usize) -> Self {
        Self::of(&parse(toml), pool, max_pieces)
    }

    pub fn of(config: &Config, pool: HeapPool, max_pieces: usize) -> Self {
        let workers = config.runtime.lcores.len();
        let ports: Vec<SimPort> = config.ports.iter().map(|_| SimPort::new()).collect();
        let links: Vec<_> = ports.iter().map(|_| Arc::new(AtomicBool::new(true))).collect();
        let shadow = |port: &config::Port| {
            port.shadow.map(|_| Arc::new(Cable::new(config.runtime.handoff as usize)))
        };
        let cables: Vec<_> = config.ports.iter().map(shadow).collect();
        let queues = ports.iter().zip(&links).enumerate().map(|(index, (port, link_up))| {
            let mac = mac_of_port(config, index);
            let (rx, tx) = (port.rx_queue(pool.clone()), port.tx_queue(max_pieces));
            let cable = cables[index].clone();
            let (rx, tx) = if cable.is_some() { (vec![], vec![]) } else { (vec![rx], vec![tx]) };
            PortQueues { link_up: Arc::clone(link_up), cable, ..PortQueues::new(mac, rx, tx) }
        });
        let assembly = assemble::<Sim>(config, queues.collect(), &pool, 7);
        assert_eq!(assembly.workers.len(), workers);
        let config = config.clone();
        Self { config, assembly, ports, links, cables, pool, now: Nanos(1) }
    }

    /// One poll of every worker, a microsecond later.
    pub fn poll(&mut self) {
        self.now = self.now + Nanos::from_micros(1);
        for worker in &mut self.assembly.workers {
            worker.poll_once(self.now);
        }
        assert_eq!(self.totals().ledger.imbalance(), 0, "{}", self.totals());
        for worker in self.snapshots() {
            assert_eq!(worker.imbalances(), []);
        }
    }

    /// Polls until nothing is left to receive or to hand over.
    pub fn run(&mut self) {
        while self.ports.iter().any(|port| port.pending() > 0) {
            self.poll();
        }
        self.poll();
        self.poll();
    }

    pub fn totals(&self) -> Totals {
        Totals::of(&self.snapshots())
    }

    pub fn snapshots(&self) -> Vec<WorkerSnapshot> {
        self.assembly.workers.iter().map(Worker::snapshot).collect()
    }

    pub fn config(&self) -> Config {
        self.config.clone()
    }

    pub fn drops(&self, reason: DropReason) -> u64 {
        self.totals().drops[reason.index()]
    }

    /// What left by each port since the last call.
    pub fn sent(&self) -> Vec<Vec<Vec<u8>>> {
        self.ports.iter().map(SimPort::take_sent).collect()
    }

    pub fn set_link(&self, port: usize, up: bool) {
        self.links[port].store(up, Ordering::Relaxed);
    }

    /// Stops, and checks what every end of a gateway owes: the law holds, pools are full.
    pub fn finish(mut self) -> Totals {
        for worker in &mut self.assembly.workers {
            worker.release_held(self.now);
        }
        for _ in 0..2 {
            for worker in &mut self.assembly.workers {
                worker.drain_once();
            }
        }
        for worker in &mut self.assembly.workers {
            worker.abandon();
        }
        let snapshots = self.snapshots();
        for port in &self.ports {
            port.hold_transmitted(0);
        }
        drop((self.assembly, self.cables));
        let outcome = Outcome::of(&self.config, &snapshots, &self.pool);
        assert!(outcome.is_balanced(), "{outcome}");
        outcome.totals
    }
}

pub fn parse(toml: &str) -> Config {
    config::parse("test.toml", toml).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The configured address, else 02:00:00:00:00:NN.
fn mac_of_port(config: &Config, index: usize) -> MacAddr {
    config.ports[index].mac.unwrap_or(MacAddr([2, 0, 0, 0, 0, index as u8]))
}

/// A bridge of `ports` ports with these extra lines.
pub fn bridge(ports: usize, extra: &str) -> String {
    let mut toml = String::new();
    for port in 0..ports {
        toml += &format!("[[port]]\nname = \"p{port}\"\ndevice = \"net_null{port}\"\n");
    }
    let names: Vec<_> = (0..ports).map(|port| format!("\"p{port}\"")).collect();
    toml += &format!("[[bridge]]\nname = \"br0\"\nports = [{}]\n", names.join(", "));
    toml + extra
}

/// A router with 10.N.0.1/24 and 2001:db8:N::1/64 on port N, and a neighbour .2/::2 on each.
pub fn router(ports: usize, extra: &str) -> String {
    let mut toml = String::new();
    for port in 0..ports {
        toml += &format!(
            "[[port]]\nname = \"p{port}\"\ndevice = \"net_null{port}\"\n\
             addresses = [\"10.{port}.0.1/24\", \"2001:db8:{port}::1/64\"]\n"
        );
    }
    for port in 0..ports {
        for address in [format!("10.{port}.0.2"), format!("2001:db8:{port}::2")] {
            toml += &format!(
                "[[neighbor]]\naddress = \"{address}\"\nmac = \"{}\"\nport = \"p{port}\"\n",
                host(port)
            );
        }
    }
    toml + extra
}

/// The host behind a port of [`router`].
pub fn host(port: usize) -> MacAddr {
    MacAddr([2, 0, 0, 0, 1, port as u8])
}
