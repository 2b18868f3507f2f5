//! A transmit queue that hangs (semantics 7.31): its port is restarted, the others do not notice.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gateway::packet::{DropReason, PortId};
use gateway::runtime::{Queues, ResetMark, ResetNews, Resets, Restart};
use gateway::sim::{HeapPool, Sim, SimPort};
use gateway::time::Nanos;

use crate::frames::to_a_group;
use crate::harness::{Gateway, bridge};

const HUNG: PortId = PortId(2);

/// Ports whose restart cures them, if it works.
struct Devices {
    ports: Vec<SimPort>,
    pool: HeapPool,
    /// Restarts that fail before one works.
    failures: usize,
    kernels: bool,
}

impl Restart<Sim> for Devices {
    fn can_restart(&self, _port: PortId) -> bool {
        !self.kernels
    }

    fn restart(&mut self, port: PortId) -> Result<Option<Queues<Sim>>, String> {
        let port = &self.ports[port.index()];
        if port.queues_in_use() > 0 {
            return Ok(None);
        }
        if self.failures > 0 {
            self.failures -= 1;
            return Err("no".to_owned());
        }
        port.hold_transmitted(0);
        port.limit_tx(None);
        Ok(Some((vec![port.rx_queue(self.pool.clone())], vec![port.tx_queue(usize::MAX)])))
    }
}

/// A bridge of four ports with traffic from p0, looked at by the control side.
struct Bench {
    gateway: Gateway,
    resets: Resets<Sim>,
    devices: Devices,
    marks: Vec<Arc<ResetMark>>,
    injected: Vec<Vec<u8>>,
    news: Vec<ResetNews>,
}

impl Bench {
    fn new(lcores: &str) -> Self {
        let extra = format!("[runtime]\nlcores = [{lcores}]\ntx_buffer = 64\n");
        let mut gateway = Gateway::new(&bridge(4, &extra));
        let marks: Vec<Arc<ResetMark>> = gateway.ports.iter().map(|_| Arc::default()).collect();
        let assembly = &mut gateway.assembly;
        let exchanges = std::mem::take(&mut assembly.exchanges);
        let tables = Arc::clone(&assembly.tables);
        let resets = Resets::new(&assembly.mailboxes, exchanges, &marks, tables);
        let (ports, pool) = (gateway.ports.clone(), gateway.pool.clone());
        let devices = Devices { ports, pool, failures: 0, kernels: false };
        Self { gateway, resets, devices, marks, injected: Vec::new(), news: Vec::new() }
    }

    /// So many tenths of a second.
    fn pass(&mut self, tenths: usize) {
        for _ in 0..tenths {
            for _ in 0..7 {
                let frame = numbered(self.injected.len());
                self.gateway.ports[0].inject(frame.clone());
                self.injected.push(frame);
            }
            self.gateway.run();
            self.gateway.now = self.gateway.now + Nanos::from_micros(100_000);
            self.news.extend(self.resets.step(self.gateway.now, &mut self.devices));
        }
    }

    fn hung(&self) -> SimPort {
        self.gateway.ports[HUNG.index()].clone()
    }

    /// It takes so many frames more, which lie in its ring.
    fn hang(&self, frames: usize) {
        self.hung().hold_transmitted(frames);
        self.hung().limit_tx(Some(frames));
    }

    fn mark(&self) -> (bool, u64) {
        let ResetMark { hung, resets } = &*self.marks[HUNG.index()];
        (hung.load(Ordering::Relaxed), resets.load(Ordering::Relaxed))
    }

    /// The other ports got everything, the hung one what is not counted as lost, and it receives; the
    /// account is exact and the pool full at the end.
    fn finish(mut self) {
        self.gateway.run();
        let sent = self.gateway.sent();
        assert_eq!((&sent[1], &sent[3]), (&self.injected, &self.injected));
        let got = &sent[HUNG.index()];
        let lost = [DropReason::TxFull, DropReason::PortReset].map(|r| self.gateway.drops(r));
        assert_eq!(got.len() as u64 + lost.iter().sum::<u64>(), self.injected.len() as u64);
        let mut all = self.injected.iter();
        assert!(got.iter().all(|frame| all.any(|other| other == frame)), "out of order");
        assert_eq!(got.last(), self.injected.last());

        self.hung().inject(numbered(0));
        self.gateway.run();
        let back = self.gateway.sent();
        assert!([0, 1, 3].iter().all(|&port| back[port] == [numbered(0)]), "it does not receive");
        drop((self.resets, self.devices));
        self.gateway.finish();
    }
}

fn numbered(number: usize) -> Vec<u8> {
    to_a_group().frame(&number.to_be_bytes().repeat(100))
}

#[test]
fn s07_31_a_port_whose_queue_hangs_is_restarted_and_the_others_go_on() {
    for lcores in ["0", "0, 1", "0, 1, 2"] {
        let mut bench = Bench::new(lcores);
        bench.pass(10);
        bench.hang(16);
        bench.pass(20);
        assert_eq!(bench.news, [], "too soon");
        bench.pass(5);
        assert_eq!(bench.news, [ResetNews::Hangs(HUNG), ResetNews::Restarted(HUNG)]);
        assert_eq!(bench.mark(), (false, 1));
        let reset = bench.gateway.drops(DropReason::PortReset);
        assert!(reset >= 64, "{reset}: all that waited, and what came meanwhile");
        bench.pass(10);
        assert_eq!(bench.gateway.drops(DropReason::PortReset), reset, "it is over");
        bench.finish();
    }
}

/// It hangs again and again: each time it is left alone for longer, and a port that does not start is
/// tried again.
#[test]
fn a_restart_that_does_not_help_is_not_repeated_at_once() {
    let mut bench = Bench::new("0");
    bench.devices.failures = 1;
    bench.hang(0);
    bench.pass(23);
    let failed = ResetNews::Failed(HUNG, "no".to_owned(), Nanos::from_secs(5));
    assert_eq!(bench.news, [ResetNews::Hangs(HUNG), failed]);
    assert_eq!(bench.mark(), (true, 0));
    bench.news.clear();
    bench.pass(40);
    assert_eq!(bench.news, [], "tried again too soon");
    bench.pass(15);
    assert_eq!(bench.news, [ResetNews::Restarted(HUNG)]);

    bench.hang(0);
    bench.pass(95);
    assert_eq!(bench.news[1..], [ResetNews::Hangs(HUNG)], "10 s of peace");
    bench.pass(10);
    assert_eq!(bench.news[2..], [ResetNews::Restarted(HUNG)]);
    assert_eq!(bench.mark(), (false, 2));
    bench.finish();
}

#[test]
fn a_port_that_cannot_be_restarted_is_named_until_it_goes_on_by_itself() {
    let mut bench = Bench::new("0, 1");
    bench.devices.kernels = true;
    bench.hang(0);
    bench.pass(60);
    assert_eq!(bench.news, [ResetNews::Hangs(HUNG)]);
    assert_eq!((bench.mark(), bench.gateway.drops(DropReason::PortReset)), ((true, 0), 0));
    bench.hung().limit_tx(None);
    bench.pass(3);
    assert_eq!(bench.news[1..], [ResetNews::TakesAgain(HUNG)]);
    bench.finish();
}

/// Nothing is restarted under a worker that may be in the driver.
#[test]
fn a_restart_waits_for_every_worker() {
    let mut bench = Bench::new("0, 1");
    bench.hang(0);
    while bench.news.is_empty() {
        bench.pass(1);
    }
    let mut others = bench.gateway.assembly.workers.split_off(1);
    let stalled = bench.gateway.assembly.workers.remove(0);
    for _ in 0..30 {
        bench.gateway.now = bench.gateway.now + Nanos::from_micros(100_000);
        others[0].poll_once(bench.gateway.now);
        bench.news.extend(bench.resets.step(bench.gateway.now, &mut bench.devices));
    }
    assert_eq!(bench.news, [ResetNews::Hangs(HUNG)]);
    assert_eq!(bench.hung().queues_in_use(), 2);
    bench.gateway.assembly.workers.extend([stalled].into_iter().chain(others));
    bench.pass(10);
    assert_eq!(bench.news[1..], [ResetNews::Restarted(HUNG)]);
    bench.finish();
}

/// A stop in the middle of it.
#[test]
fn a_stop_while_queues_are_out_is_clean() {
    let mut bench = Bench::new("0, 1");
    bench.hang(4);
    bench.pass(22);
    bench.devices.failures = usize::MAX;
    bench.pass(2);
    assert!(bench.mark().0 && bench.hung().queues_in_use() == 0);
    drop((bench.resets, bench.devices));
    bench.gateway.finish();
}
