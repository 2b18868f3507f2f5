//! What delivery to the host's kernel costs: the gateway's own shadow writes trains of datagrams to a
//! TAP, as super-packets (USO) and datagram by datagram in turn, and a socket behind it reads them.
//! Prints nanoseconds per datagram of the writing thread, the kernel's receive path included.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::io::{self, IoSlice, Read};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use etherparse::PacketBuilder;
use gateway::config::{Gro, GroMode};
use gateway::demo::namespace::Namespace;
use gateway::device::Cable;
use gateway::dpdk::Tap;
use gateway::host::{Interface, Shadow};
use gateway::packet::{BufPool, PacketBuf};
use gateway::sim::{HeapBuf, HeapPool};
use gateway::time::Nanos;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::SockRef;

/// What delivery to the host's kernel costs, as super-packets and datagram by datagram
#[derive(Parser)]
struct Args {
    /// Bytes of UDP payload
    #[arg(long, default_value_t = 1200)]
    payload: usize,
    /// Datagrams of one flow in a row
    #[arg(long, default_value_t = 32)]
    train: usize,
    /// Turns of each
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Milliseconds of each turn
    #[arg(long, default_value_t = 500)]
    window_ms: u64,
}

/// A TAP that is said to take no super-packets, or asked.
struct Way {
    tap: Tap,
    super_packets: bool,
}

impl Interface for Way {
    fn receive(&mut self, frame: &mut [u8]) -> io::Result<usize> {
        self.tap.receive(frame)
    }

    fn send(&mut self, frame: &[IoSlice<'_>]) -> io::Result<()> {
        self.tap.send(frame)
    }

    fn takes_super_packets(&self) -> bool {
        self.super_packets && self.tap.takes_super_packets()
    }

    fn set_carrier(&mut self, up: bool) -> io::Result<()> {
        self.tap.set_carrier(up)
    }
}

/// One turn.
struct Turn {
    nanos: f64,
    received: f64,
}

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PORT: u16 = 5001;
/// Frames a worker may have on the cable.
const BATCH: usize = 256;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    ensure!((1..=64).contains(&args.train), "--train: 1 to 64");
    ensure!((1..=1472).contains(&args.payload), "--payload: 1 to 1472");
    let (mut whole, mut single) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds.max(1) {
        whole.push(Namespace::new("deliver")?.enter(|| turn(&args, true))?);
        single.push(Namespace::new("deliver")?.enter(|| turn(&args, false))?);
    }
    println!(
        "payload {} B, trains of {}; median (min–max) of {}",
        args.payload,
        args.train,
        whole.len()
    );
    let whole = print("super-packets", &whole);
    let single = print("one by one", &single);
    println!("one by one costs {:.1} times as much", single / whole);
    Ok(())
}

fn print(what: &str, turns: &[Turn]) -> f64 {
    let mut nanos: Vec<f64> = turns.iter().map(|turn| turn.nanos).collect();
    nanos.sort_by(f64::total_cmp);
    let (median, last) = (nanos[nanos.len() / 2], nanos[nanos.len() - 1]);
    let least = turns.iter().map(|turn| turn.received).fold(1.0, f64::min);
    println!(
        "{what:<14} {median:7.0} ns ({:.0}–{last:.0}) per datagram, {:.2} M/s of one core, at least {:.1} % read",
        nanos[0],
        1000.0 / median,
        100.0 * least
    );
    median
}

/// In a namespace of its own.
fn turn(args: &Args, super_packets: bool) -> anyhow::Result<Turn> {
    let tap = Tap::open("up0").context("/dev/net/tun")?;
    ensure!(tap.takes_super_packets(), "this kernel's TAP knows no USO: it needs Linux 6.2");
    for words in ["link set up0 address 02:00:00:00:00:01 up", "addr add 10.9.0.1/24 dev up0"] {
        let status = std::process::Command::new("ip").args(words.split(' ')).status()?;
        ensure!(status.success(), "ip {words}");
    }
    let socket = UdpSocket::bind(("10.9.0.1", PORT))?;
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    setsockopt(&socket, sockopt::UdpGroSegment, &true)?;
    setsockopt(&socket, sockopt::RcvBufForce, &(64 << 20))?;
    let (ended, bytes) = (AtomicBool::new(false), AtomicU64::new(0));
    let (nanos, sent) = std::thread::scope(|scope| {
        scope.spawn(|| read(&socket, &ended, &bytes));
        let written = write(args, Way { tap, super_packets });
        std::thread::sleep(Duration::from_millis(100));
        ended.store(true, Ordering::Relaxed);
        written
    })?;
    let received = bytes.into_inner() / args.payload as u64;
    Ok(Turn { nanos: nanos as f64 / sent as f64, received: received as f64 / sent as f64 })
}

/// As a program does that has asked for UDP_GRO: many datagrams at once, if the kernel has them so.
fn read(socket: &UdpSocket, ended: &AtomicBool, bytes: &AtomicU64) {
    let mut buffer = vec![0; 1 << 16];
    let mut socket = &*SockRef::from(socket);
    while !ended.load(Ordering::Relaxed) {
        if let Ok(len) = socket.read(&mut buffer) {
            bytes.fetch_add(len as u64, Ordering::Relaxed);
        }
    }
}

/// Nanoseconds in the shadow's turns, and datagrams that the kernel took.
fn write(args: &Args, way: Way) -> anyhow::Result<(u64, u64)> {
    let pool = HeapPool::new(4 * BATCH, 2048);
    let cable: Arc<Cable<HeapBuf>> = Arc::new(Cable::new(BATCH));
    let settings = Gro { mode: GroMode::Merge, adaptive: false, ..Gro::default() };
    let mut shadow = Shadow::new(Arc::clone(&cable), way, pool.clone(), &settings, 1);
    let frames = frames(args)?;
    let (mut nanos, mut next) = (0, 0);
    let end = Instant::now() + Duration::from_millis(args.window_ms);
    while Instant::now() < end {
        for _ in 0..BATCH {
            let packet =
                pool.alloc_from(&frames[next % frames.len()]).context("the pool is dry")?;
            ensure!(cable.send(packet.into_tx(), false).is_ok(), "the cable is full");
            next += 1;
        }
        let began = Instant::now();
        while shadow.drain(Nanos(0)) > 0 {}
        nanos += began.elapsed().as_nanos() as u64;
    }
    let up = shadow.counters().read();
    ensure!(up.up_refused == 0, "the kernel refused {} datagrams", up.up_refused);
    Ok((nanos, up.up))
}

/// Trains of flows that differ in the source port.
fn frames(args: &Args) -> anyhow::Result<Vec<Vec<u8>>> {
    let payload = vec![0x5a; args.payload];
    let frame = |n: usize| {
        let flow = (n / args.train) as u16 % 64;
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 2], MAC)
            .ipv4([10, 9, 0, 2], [10, 9, 0, 1], 64)
            .udp(6000 + flow, PORT)
            .write(&mut frame, &payload)?;
        Ok(frame)
    };
    (0..64 * args.train).map(frame).collect()
}
