//! An open-loop generator on two DPDK ports: a datagram leaves when it is due whatever came back,
//! carries the time it was *due*, and its delay counts from there. A sender that waits for a slow
//! receiver would hide just the delays that matter (coordinated omission).

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use gateway::device::{RxQueue as _, TxQueue as _};
use gateway::dpdk::{Clock, Eal, Lcore, Mbuf, Opened, Pool, Port, RxQueue, TxMbuf, TxQueue};
use gateway::packet::{BufPool, PacketBuf};
use hdrhistogram::Histogram;

use crate::open_port;
use crate::search::Loss;

/// Frames per call.
const BURST: usize = 64;
/// After the last datagram was sent, silence of this length means the rest is lost.
const PATIENCE: Duration = Duration::from_millis(50);
/// In front of every payload; then the trial, then the time.
const MAGIC: [u8; 4] = *b"due:";
/// Payload bytes the generator needs.
pub const PAYLOAD_MIN: usize = 16;

/// The generator: frames go out by one port and come back by the other.
pub struct Generator {
    clock: Clock,
    pool: Pool,
    out: (Port, TxQueue),
    back: (Port, RxQueue),
    /// Templates, and where their payload begins.
    frames: Vec<(Vec<u8>, usize)>,
    trial: u32,
    burst: Vec<Mbuf>,
}

/// What one trial saw.
pub struct Trial {
    /// Frames offered and carried.
    pub loss: Loss,
    /// Frames the ring to the forwarder had no place for; part of what was lost.
    pub not_taken: u64,
    /// Delays, nanoseconds.
    pub delays: Histogram<u64>,
    /// Share of a CPU the generator had.
    pub share: f64,
}

impl Generator {
    /// Opens both ports; `frames` are sent in turn.
    ///
    /// # Errors
    /// What could not be opened, and frames without room for the time.
    pub fn open(eal: &Eal, devices: [&str; 2], frames: Vec<Vec<u8>>) -> anyhow::Result<Self> {
        let pool = Pool::new(
            eal,
            gateway::dpdk::PoolOptions {
                buffers: 16_383,
                buffer_bytes: 2048,
                numa_node: None,
                lifo: true,
            },
        )?;
        let open = |device: &str| -> anyhow::Result<Opened> {
            Ok(open_port(eal, &device.parse()?, &pool, false)?)
        };
        let (mut out, mut back) = (open(devices[0])?, open(devices[1])?);
        let frames = frames.into_iter().map(with_room).collect::<Result<_, _>>()?;
        Ok(Self {
            clock: Clock::new(eal),
            out: (out.port, out.tx.pop().context("a transmit queue")?),
            back: (back.port, back.rx.pop().context("a receive queue")?),
            pool,
            frames,
            trial: 0,
            burst: Vec::with_capacity(BURST),
        })
    }

    /// Waits until both ports have a link.
    ///
    /// # Errors
    /// When they have none in time.
    pub fn await_links(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        while !(self.out.0.link().up && self.back.0.link().up) {
            ensure!(began.elapsed() < Duration::from_secs(30), "no link to the forwarder");
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Sends `rate` frames a second for `duration`, `train` of them at a time.
    ///
    /// # Errors
    /// When the frames that come back are not those that were sent.
    pub fn trial(
        &mut self,
        _lcore: &Lcore,
        rate: f64,
        duration: Duration,
        train: usize,
    ) -> anyhow::Result<Trial> {
        self.trial += 1;
        let interval = train as f64 * 1e9 / rate;
        let trains = (duration.as_nanos() as f64 / interval) as u64;
        let mut trial = Trial {
            loss: Loss { offered: trains * train as u64, carried: 0, rate },
            not_taken: 0,
            delays: Histogram::new_with_bounds(1, 60_000_000_000, 3)?,
            share: 0.0,
        };
        let (cpu, start) = (own_cpu()?, self.clock.now().0 + 100_000);
        let (mut next, mut heard, mut ended) = (0, start, start);
        loop {
            let now = self.clock.now().0;
            let due = |n: u64| start + (n as f64 * interval) as u64;
            if next < trains && due(next) <= now {
                trial.not_taken += self.send(due(next), next as usize * train, train);
                next += 1;
                ended = now;
            }
            if self.receive(&mut trial)? > 0 {
                heard = now;
            }
            let done = next == trains && trial.loss.carried == trial.loss.offered;
            let silent = now.saturating_sub(heard.max(due(trains))) > PATIENCE.as_nanos() as u64;
            if done || silent {
                let wall = self.clock.now().0 - start;
                let took = ended.saturating_sub(start).max(1) as f64 + interval;
                trial.loss.rate = trial.loss.offered as f64 * 1e9 / took;
                trial.share = (own_cpu()? - cpu) as f64 / wall as f64;
                return Ok(trial);
            }
        }
    }

    /// One train; returns how many frames found no place.
    fn send(&mut self, due: u64, first: usize, train: usize) -> u64 {
        let mut refused = 0;
        let mut pending: Vec<TxMbuf> = Vec::with_capacity(train);
        for n in first..first + train {
            let count = self.frames.len();
            let (frame, at) = &mut self.frames[n % count];
            frame[*at..*at + 4].copy_from_slice(&MAGIC);
            frame[*at + 4..*at + 8].copy_from_slice(&self.trial.to_be_bytes());
            frame[*at + 8..*at + 16].copy_from_slice(&due.to_be_bytes());
            match self.pool.alloc_from(frame) {
                Some(packet) => pending.push(packet.into_tx()),
                None => refused += 1,
            }
        }
        self.out.1.tx_burst(&mut pending);
        refused + pending.len() as u64
    }

    fn receive(&mut self, trial: &mut Trial) -> anyhow::Result<u64> {
        self.back.1.rx_burst(&mut self.burst);
        let now = self.clock.now().0;
        let mut count = 0;
        for packet in self.burst.drain(..) {
            let head = packet.head();
            // A forwarder may send frames of its own, and late ones belong to an earlier trial.
            let Some(at) = head.windows(4).position(|bytes| bytes == MAGIC) else { continue };
            let Some(stamp) = head.get(at + 4..at + 16) else { continue };
            let (of, due) = stamp.split_at(4);
            if of == self.trial.to_be_bytes() {
                let due = u64::from_be_bytes(due.try_into()?);
                trial.delays.record(now.saturating_sub(due).max(1))?;
                trial.loss.carried += 1;
                count += 1;
            }
        }
        Ok(count)
    }
}

/// Without a UDP checksum, which the time would change (RFC 768: zero is none, IPv4 only).
fn with_room(mut frame: Vec<u8>) -> anyhow::Result<(Vec<u8>, usize)> {
    let (checksum, payload) = (14 + 20 + 6, 14 + 20 + 8);
    ensure!(frame.get(12..15) == Some(&[8, 0, 0x45]), "the generator sends plain IPv4");
    ensure!(frame.len() >= payload + PAYLOAD_MIN, "{} bytes have no room for a time", frame.len());
    frame[checksum..payload].fill(0);
    Ok((frame, payload))
}

fn own_cpu() -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split_whitespace().next().unwrap_or_default().parse()?)
}
