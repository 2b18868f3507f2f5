//! Planted faults: queues that keep, swallow or invent frames, workers that do not drain. Each must
//! end unbalanced, with the holder named, and nothing else.

use std::cell::RefCell;
use std::rc::Rc;

use gateway::device::{Backend, RxQueue, TxQueue};
use gateway::packet::{DropReason, MacAddr};
use gateway::runtime::{Outcome, PortQueues, assemble};
use gateway::sim::{HeapBuf, HeapPool, HeapTx, SimPort, SimRx, SimTx};
use gateway::time::Nanos;
use gateway::worker::{Worker, WorkerSnapshot};

use crate::frames::stream;
use crate::harness::{Gateway, bridge, parse};

/// What a queue does wrong with the first frame of every burst.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Accepts it and never gives it back to the pool.
    Keeps,
    /// Takes it, and says it did not.
    Swallows,
    /// Receives one frame more than there are.
    Invents,
}

/// Simulated ports with faulty queues.
struct Faulty;

impl Backend for Faulty {
    type Buf = HeapBuf;
    type Pool = HeapPool;
    type Rx = FaultyRx;
    type Tx = FaultyTx;
}

struct FaultyRx(SimRx, Fault);

impl RxQueue for FaultyRx {
    type Buf = HeapBuf;

    fn rx_burst(&mut self, burst: &mut Vec<HeapBuf>) -> usize {
        let frames = self.0.rx_burst(burst);
        frames + usize::from(frames > 0 && self.1 == Fault::Invents)
    }
}

struct FaultyTx(SimTx, Fault, Rc<RefCell<Vec<HeapTx>>>);

impl TxQueue for FaultyTx {
    type Buf = HeapBuf;

    fn tx_burst(&mut self, frames: &mut Vec<HeapTx>) -> usize {
        let mut kept = 0;
        if matches!(self.1, Fault::Keeps | Fault::Swallows) && !frames.is_empty() {
            let frame = frames.remove(0);
            match self.1 {
                Fault::Keeps => self.2.borrow_mut().push(frame),
                _ => drop(frame),
            }
            kept = usize::from(self.1 == Fault::Keeps);
        }
        kept + self.0.tx_burst(frames)
    }

    fn max_pieces(&self) -> usize {
        self.0.max_pieces()
    }
}

/// A bridge of three ports, p1 with this fault, that floods 40 frames from p0 in two bursts.
fn run(fault: Fault) -> Outcome {
    run_on(&bridge(3, "[runtime]\nburst = 20\n"), fault)
}

fn run_on(text: &str, fault: Fault) -> Outcome {
    let config = parse(text);
    let pool = HeapPool::new(1024, 2048);
    let ports: Vec<SimPort> = config.ports.iter().map(|_| SimPort::new()).collect();
    let kept = Rc::default();
    let queues = ports.iter().enumerate().map(|(index, port)| {
        let fault = if index == 1 { fault } else { Fault::None };
        let rx = FaultyRx(port.rx_queue(pool.clone()), fault);
        let tx = FaultyTx(port.tx_queue(1), fault, Rc::clone(&kept));
        PortQueues::new(MacAddr([2, 0, 0, 0, 0, index as u8]), vec![rx], vec![tx])
    });
    let mut assembly = assemble::<Faulty>(&config, queues.collect(), &pool, 7);
    let from = usize::from(fault == Fault::Invents);
    stream(40, 200).into_iter().for_each(|frame| ports[from].inject(frame));
    for now in 1..5 {
        assembly.workers[0].poll_once(Nanos(now));
    }
    let snapshots: Vec<_> = assembly.workers.iter_mut().map(end).collect();
    drop(assembly);
    let outcome = Outcome::of(&config, &snapshots, &pool);
    drop(kept);
    outcome
}

fn end<K: Backend>(worker: &mut Worker<K>) -> WorkerSnapshot {
    worker.release_held(Nanos(10));
    worker.drain_once();
    worker.abandon();
    worker.snapshot()
}

#[test]
fn a_run_without_fault_is_balanced() {
    let outcome = run(Fault::None);
    assert!(outcome.is_balanced(), "{outcome}");
    assert_eq!(outcome.totals.ledger.tx, 80);
}

#[test]
fn a_queue_that_keeps_frames_is_named_by_their_trail() {
    let outcome = run(Fault::Keeps);
    assert!(outcome.totals.balance() && !outcome.is_balanced(), "{outcome}");
    let [fault] = outcome.faults.as_slice() else { panic!("{outcome}") };
    // Of a flooded frame's holders p1 is the last to mark: the original goes to the first port.
    assert!(fault.starts_with("2 buffer(s) last queued for port p1"), "{outcome}");
    assert!(outcome.to_string().contains("1022 of 1024 buffers free: 2 MISSING"), "{outcome}");
}

/// DPDK's net_af_xdp closes without freeing what is in its rings: what it was given last is no fault.
#[test]
fn a_driver_that_always_keeps_frames_is_told_from_a_loss() {
    let text = bridge(3, "[runtime]\nburst = 20\n");
    let xdp = "net_af_xdp1,iface=eth1";
    let outcome = run_on(&text.replace("net_null1", xdp), Fault::Keeps);
    assert!(outcome.is_balanced(), "{outcome}");
    let said = "1022 of 1024 buffers free, 2 kept by net_af_xdp, which frees none when it closes";
    assert!(outcome.to_string().ends_with(said), "{outcome}");
    // of another port's frames nothing is excused
    let outcome = run_on(&text.replace("net_null2", "net_af_xdp2,iface=eth2"), Fault::Keeps);
    assert!(outcome.to_string().contains("1022 of 1024 buffers free: 2 MISSING"), "{outcome}");
}

#[test]
fn a_transmit_buffer_that_loses_frames_is_named() {
    let outcome = run(Fault::Swallows);
    assert_eq!(outcome.faults, ["stage tx_buffer of port p1, lcore 0: 2 frame(s) lost"]);
    assert!(!outcome.is_balanced());
    assert_eq!(outcome.pool.free, outcome.pool.capacity);
}

#[test]
fn a_receive_queue_that_counts_wrong_is_named() {
    let outcome = run(Fault::Invents);
    assert_eq!(outcome.faults, ["stage ingress, lcore 0: 2 frame(s) lost"]);
    assert!(!outcome.is_balanced());
}

/// A worker that ends without draining holds what it held.
#[test]
fn what_is_still_held_is_named_by_stage_and_port() {
    let mut gateway =
        Gateway::new(&bridge(3, "[runtime]\nlcores = [0, 4]\n[gro]\nmax_hold_us = 10000\n"));
    gateway.ports[2].limit_tx(Some(0));
    for frame in stream(5, 200) {
        gateway.ports[0].inject(frame);
    }
    gateway.run();
    let config = gateway.config();
    let held = Outcome::of(&config, &gateway.snapshots(), &gateway.pool);
    let [gro, buffers] = held.faults.as_slice() else { panic!("{held}") };
    assert_eq!(gro, "stage gro of port p0, lcore 0: 5 frame(s) still held");
    assert!(buffers.starts_with("5 buffer(s) last received from port p0"), "{held}");
    gateway.assembly.workers[0].release_held(gateway.now); // the other worker does not poll
    let held = Outcome::of(&config, &gateway.snapshots(), &gateway.pool);
    assert_eq!(
        held.faults[..2],
        [
            "stage tx_buffer of port p2, lcore 0: 5 frame(s) still held",
            "stage handoff, lcore 4: 5 frame(s) still held",
        ]
    );
    gateway.ports[2].limit_tx(None);
    gateway.finish();
}

/// More frames wait between two workers than are taken over at once: none is given up.
#[test]
fn frames_on_the_way_between_workers_leave_at_the_end() {
    let mut gateway = Gateway::new(&bridge(2, "[runtime]\nlcores = [0, 1]\n"));
    let frames: Vec<_> = (0..10).flat_map(|_| stream(100, 200)).collect();
    for frame in &frames {
        gateway.ports[0].inject(frame.clone());
    }
    while gateway.ports[0].pending() > 0 {
        gateway.now = gateway.now + Nanos(1000);
        gateway.assembly.workers[0].poll_once(gateway.now); // worker 1 does not poll
    }
    let behind = &mut gateway.assembly.workers[1];
    while behind.drain_once() > 0 {}
    let port = gateway.ports[1].clone();
    let totals = gateway.finish();
    assert_eq!(totals.drops[DropReason::Shutdown.index()], 0, "{totals}");
    assert_eq!(port.take_sent(), frames);
}

type Spoil = fn(&mut WorkerSnapshot);

/// A count that is off in one place names that stage and no other.
#[test]
fn every_stage_has_a_law_of_its_own() {
    let mut gateway = Gateway::new(&bridge(2, ""));
    stream(20, 200).into_iter().for_each(|frame| gateway.ports[0].inject(frame));
    gateway.run();
    let clean = gateway.snapshots().remove(0);
    assert_eq!(clean.imbalances(), []);
    let off: [(&str, Spoil); 5] = [
        ("ingress", |worker| worker.counters.ports[0].rx_frames += 1),
        ("gro", |worker| worker.gro[0].1.packets += 1),
        ("fanout", |worker| worker.counters.local += 1),
        ("tx_buffer", |worker| worker.counters.ports[1].tx_frames -= 1),
        ("fanout", |worker| worker.counters.ports[1].drops[DropReason::TooBig.index()] += 1),
    ];
    for (stage, spoil) in off {
        let mut worker = clean.clone();
        spoil(&mut worker);
        let found = worker.imbalances();
        assert_eq!(found.len(), 1, "{stage}: {found:?}");
        assert_eq!(found[0].stage.name(), stage);
    }
    gateway.finish();
}
