//! The programs of the ladder as child processes: started on the same virtual ports, counted from
//! outside, and billed by the CPU time of their polling threads (schedstat), which a neighbour on
//! the machine cannot inflate as it does wall-clock time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use gateway::control::{Topic, WorkerReport};
use gateway::demo::gateway::Gateway;
use gateway::demo::namespace::Namespace;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::telemetry::Telemetry;

/// How long a start may take: DPDK's memory without hugepages is slow to come on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A program that forwards.
pub enum Program {
    /// The gateway, as in production.
    Gateway(Gateway),
    /// One of DPDK's own.
    Peer(Peer),
}

/// One of DPDK's own programs.
pub struct Peer {
    child: Child,
    telemetry: Telemetry,
    outputs: usize,
}

/// What was counted so far.
#[derive(Clone, Debug)]
pub struct Reading {
    /// When.
    pub at: Instant,
    /// Frames received from port 0.
    pub received: u64,
    /// Frames sent.
    pub sent: u64,
    /// CPU nanoseconds of every thread.
    threads: Vec<(u32, u64)>,
}

/// What happened between two readings.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Frames received.
    pub received: u64,
    /// Frames sent.
    pub sent: u64,
    /// CPU time of the polling threads, all together.
    pub cpu: Duration,
    /// By the clock.
    pub wall: Duration,
    /// The least share of a CPU that a polling thread had.
    pub share: f64,
}

impl Program {
    /// Starts the gateway with this file.
    ///
    /// # Errors
    /// What it said instead of being ready.
    pub fn gateway(inside: &Namespace, folder: &Path, file: &str) -> anyhow::Result<Self> {
        let executable = sibling("gateway")?;
        Gateway::start(&executable, inside, folder, file).map(Self::Gateway)
    }

    /// Starts a program of DPDK; `command` has its EAL arguments, with this `--file-prefix`.
    ///
    /// # Errors
    /// What it said when it did not start.
    pub fn peer(command: &Command, prefix: &str, outputs: usize) -> anyhow::Result<Self> {
        let log = std::env::temp_dir().join(format!("{prefix}.log"));
        let file = fs::File::create(&log)?;
        // It dies with this thread; testpmd ends at the end of its input, so that is kept open.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let mut starting = Starting { child: Some(child) };
        let began = Instant::now();
        let outcome = loop {
            thread::sleep(Duration::from_millis(20));
            let child = starting.child.as_mut().context("a child")?;
            let ended = child.try_wait()?;
            let connected = Telemetry::connect(prefix);
            if let Ok(telemetry) = connected {
                break Ok(telemetry);
            }
            if ended.is_some() || began.elapsed() > START_LIMIT {
                break Err(fs::read_to_string(&log).unwrap_or_default());
            }
        };
        let _ = fs::remove_file(&log);
        match outcome {
            Ok(telemetry) => {
                let child = starting.child.take().context("a child")?;
                Ok(Self::Peer(Peer { child, telemetry, outputs }))
            }
            Err(said) => bail!("{:?} did not start: {}", command.get_program(), tail(&said)),
        }
    }

    /// Waits until frames pass.
    ///
    /// # Errors
    /// When none do in time.
    pub fn await_frames(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        // A port may not be there yet.
        while self.read().map_or(0, |reading| reading.sent) == 0 {
            ensure!(began.elapsed() < START_LIMIT, "no frame leaves");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The counters, now.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn read(&self) -> anyhow::Result<Reading> {
        let (received, sent) = match self {
            Self::Gateway(gateway) => {
                let workers: Vec<WorkerReport> = gateway.ask(Topic::Workers)?;
                (workers.iter().map(|w| w.rx).sum(), workers.iter().map(|w| w.tx).sum())
            }
            Self::Peer(peer) => {
                let received = peer.telemetry.port(0)?.received;
                let mut sent = 0;
                for port in 1..=peer.outputs {
                    sent += peer.telemetry.port(port)?.sent;
                }
                (received, sent)
            }
        };
        Ok(Reading { at: Instant::now(), received, sent, threads: thread_times(self.pid())? })
    }

    /// Ends it, and waits for that.
    ///
    /// # Errors
    /// When the gateway's account did not balance.
    pub fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Gateway(gateway) => {
                let ending = gateway.stop()?;
                ensure!(ending.status.success(), "{}: {}", ending.status, ending.said.join("\n"));
                Ok(())
            }
            Self::Peer(peer) => peer.stop(),
        }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Gateway(gateway) => gateway.pid().as_raw() as u32,
            Self::Peer(peer) => peer.child.id(),
        }
    }
}

impl Peer {
    fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT)?;
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(5) {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(()) // it is killed
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills a child that never became a program.
struct Starting {
    child: Option<Child>,
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Reading {
    /// CPU nanoseconds of every thread since then, the most first.
    fn used_since(&self, before: &Self) -> Vec<(u32, u64)> {
        let used = |&(thread, now): &(u32, u64)| {
            let then = before.threads.iter().find(|(id, _)| *id == thread);
            (thread, now.saturating_sub(then.map_or(0, |&(_, then)| then)))
        };
        let mut used: Vec<_> = self.threads.iter().map(used).collect();
        used.sort_by_key(|&(_, nanos)| u64::MAX - nanos);
        used
    }

    /// The threads that poll, if they are so many.
    pub fn pollers_since(&self, before: &Self, count: usize) -> Vec<u32> {
        self.used_since(before).into_iter().take(count).map(|(thread, _)| thread).collect()
    }
}

impl Window {
    /// Between two readings of a program with so many polling threads.
    pub fn between(before: &Reading, after: &Reading, pollers: usize) -> Self {
        let used = after.used_since(before);
        let used: Vec<_> = used.into_iter().take(pollers).map(|(_, nanos)| nanos).collect();
        let wall = after.at - before.at;
        let least = used.last().copied().unwrap_or(0);
        Self {
            received: after.received - before.received,
            sent: after.sent - before.sent,
            cpu: Duration::from_nanos(used.iter().sum()),
            wall,
            share: least as f64 / wall.as_nanos() as f64,
        }
    }
}

/// A program that was built beside this one.
///
/// # Errors
/// When it is not there.
pub fn sibling(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is not there: cargo build --release -p {name}", path.display());
    Ok(path)
}

/// CPU nanoseconds by thread (Documentation/scheduler/sched-stats.rst: the first number).
fn thread_times(process: u32) -> anyhow::Result<Vec<(u32, u64)>> {
    let mut times = Vec::new();
    for entry in fs::read_dir(format!("/proc/{process}/task"))? {
        let path = entry?.path();
        let thread = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // A thread may end between the two.
        let Ok(text) = fs::read_to_string(path.join("schedstat")) else { continue };
        let nanos = text.split_whitespace().next().unwrap_or_default();
        times.push((thread.parse()?, nanos.parse()?));
    }
    Ok(times)
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
