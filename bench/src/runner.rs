//! One run: a program on its ports, a window, and what was counted in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use gateway::demo::namespace::Namespace;

use crate::machine::Machine;
use crate::outcome::Run;
use crate::peers::{PeerSetup, Who, examples};
use crate::plan::Rung;
use crate::program::{Program, Window};
use crate::{Topology, outputs};

/// How runs are made.
pub struct Runner {
    /// Where the ladder is.
    pub machine: Machine,
    /// Before the window.
    pub warm_up: Duration,
    /// What is counted.
    pub window: Duration,
    /// Whether memory is of hugepages.
    pub hugepages: bool,
    folder: tempfile::TempDir,
    inside: Namespace,
    examples: PathBuf,
}

impl Runner {
    /// A runner with nothing running.
    ///
    /// # Errors
    /// Without the right to make a namespace, which the gateway's child process lives in.
    pub fn new(machine: Machine, window: Duration, hugepages: bool) -> anyhow::Result<Self> {
        Ok(Self {
            machine,
            warm_up: window / 2,
            window,
            hugepages,
            folder: tempfile::tempdir()?,
            inside: Namespace::new("ladder")?,
            examples: fs::canonicalize(examples()).context("scripts/peers.sh was not run")?,
        })
    }

    /// Runs a rung once.
    ///
    /// # Errors
    /// When a program does not start, does not forward, or loses what it received.
    pub fn run(&self, group: &'static str, rung: &Rung, round: usize) -> anyhow::Result<Run> {
        let program = self.start(rung).with_context(|| rung.label.clone())?;
        program.await_frames().with_context(|| rung.label.clone())?;
        thread::sleep(self.warm_up);
        let before = program.read()?;
        thread::sleep(self.window);
        let after = program.read()?;
        program.stop().with_context(|| rung.label.clone())?;
        let window = Window::between(&before, &after, rung.workers);
        let due = window.received * rung.case.egress_ports() as u64;
        // A peer's ports are asked one after the other, on a crowded machine long after. Who does
        // not forward what it should is far from this.
        let missing = due.abs_diff(window.sent) as f64 / due.max(1) as f64;
        ensure!(missing < 0.25, "{}: {due} frames to send, {} sent", rung.label, window.sent);
        Ok(Run {
            group,
            label: rung.label.clone(),
            who: rung.who,
            case: rung.case.clone(),
            workers: rung.workers,
            round,
            received: window.received,
            sent: window.sent,
            cpu_ns: window.cpu.as_nanos() as u64,
            wall_ns: window.wall.as_nanos() as u64,
            share: window.share,
            cycles: window.cpu.as_nanos() as f64 * self.machine.cycles_per_nano
                / window.received as f64,
        })
    }

    fn start(&self, rung: &Rung) -> anyhow::Result<Program> {
        let input = self.input(rung)?;
        let outputs = outputs(&rung.case, self.folder.path())?;
        if rung.who == Who::Gateway {
            let topology = Topology {
                input: &input,
                outputs: &outputs,
                lcores: &self.machine.pollers[self.machine.pollers.len() - rung.workers..],
                hugepages: self.hugepages,
                max_hold_us: 0,
            };
            let file = topology.write(&rung.case);
            return Program::gateway(&self.inside, self.folder.path(), &file);
        }
        let devices: Vec<_> = [input].into_iter().chain(outputs.iter().cloned()).collect();
        let prefix = format!("ladder-{}", std::process::id());
        let [.., other, lcore] = self.machine.pollers[..] else { unreachable!("two CPUs") };
        let setup = PeerSetup {
            examples: &self.examples,
            prefix: &prefix,
            devices: &devices,
            lcore,
            other,
            workers: rung.workers,
            hugepages: self.hugepages,
        };
        Program::peer(&rung.who.command(&setup), &prefix, outputs.len())
    }

    /// The device that replays the case, a queue for each worker.
    fn input(&self, rung: &Rung) -> anyhow::Result<String> {
        let path = capture(self.folder.path(), rung)?;
        let mut device = "net_pcap0".to_owned();
        for _ in 0..rung.workers {
            device += &format!(",rx_pcap={}", path.display());
        }
        Ok(device + ",infinite_rx=1")
    }
}

/// The frames of a rung as a file, written once.
fn capture(folder: &Path, rung: &Rung) -> anyhow::Result<PathBuf> {
    let case = &rung.case;
    let name = format!(
        "{:?}-{}-{}-{}-{}-{}-{}-{}-{}-{}-{}.pcap",
        case.path,
        case.train,
        case.mix,
        case.payload,
        case.v6,
        case.vlan,
        case.flows,
        case.frames,
        case.copies,
        case.routes,
        case.groups
    );
    let path = folder.join(name);
    if !path.exists() {
        case.write_pcap(&path)?;
    }
    Ok(path)
}
