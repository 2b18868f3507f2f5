//! The demonstration on kernel hosts: namespaces around a gateway process with net_af_packet
//! ports, then the mDNS pair through net_pcap ports.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::account::{EndingAccount, ReplayAccount};
use super::exchange::exchange;
use super::gateway::{Ending, Gateway};
use super::topology::Lab;
use super::{Findings, RATE, mdns, plan};
use crate::control::Topic;

/// How long the mDNS pair may take through the gateway.
const REPLAY_LIMIT: Duration = Duration::from_secs(5);

/// The laboratory of the plan.
///
/// # Errors
/// What is missing for it here.
pub(super) fn lab() -> Result<Lab> {
    let mut lab = Lab::new()?;
    for host in plan::hosts() {
        lab.plug(host.name, &host.addresses, &host.gateways)?;
    }
    Ok(lab)
}

/// Runs the plan in `lab` for `duration`, then the mDNS pair. `executable` is the gateway.
///
/// # Errors
/// When the gateway does not start or stop, or a host cannot send or receive.
pub(super) fn run(
    lab: &Lab,
    executable: &Path,
    duration: Duration,
    stop: &AtomicBool,
) -> Result<Findings> {
    let streams = plan::streams();
    let cpus = Cpus::of_this_thread()?;
    let folder = tempfile::Builder::new().prefix("gateway-demo-").tempdir()?;
    // A ring of 1024 frames holds what comes while a worker waits a tenth of a second for its CPU.
    let device = |port| format!("net_af_packet{port},iface=p{port},framecnt=1024");
    let configuration = format!("{}{}", runtime(cpus.worker), plan::configuration(device));
    let gateway = Gateway::start(executable, &lab.middle, folder.path(), &configuration)?;
    let outcome = cpus.beside_worker(|| exchange(lab, &streams, RATE, duration, stop))?;
    let numbers = gateway.numbers()?;
    let ending = gateway.stop()?;
    let mut faults = ending_faults(&ending);
    let bad_checksums = lab.checksum_errors()?;
    if bad_checksums > 0 {
        faults.push(format!("the hosts' kernels saw {bad_checksums} wrong UDP checksums"));
    }
    let replay = replay(lab, executable, cpus.worker, stop, &mut faults)?;
    Ok(Findings { streams, outcome, numbers, ending: ending.into(), replay, faults })
}

/// The mDNS pair as a recording into a bridge of three net_pcap ports.
fn replay(
    lab: &Lab,
    executable: &Path,
    worker: usize,
    stop: &AtomicBool,
    faults: &mut Vec<String>,
) -> Result<ReplayAccount> {
    let folder = tempfile::Builder::new().prefix("gateway-demo-").tempdir()?;
    let path = |name: String| folder.path().join(name);
    let frames = mdns::frames()?;
    mdns::write_pcap(&path("in0.pcap".into()), &frames)?;
    mdns::write_pcap(&path("in1.pcap".into()), &[])?;
    mdns::write_pcap(&path("in2.pcap".into()), &[])?;
    let device = |port| {
        let (rx, tx) = (path(format!("in{port}.pcap")), path(format!("out{port}.pcap")));
        format!("net_pcap{port},rx_pcap={},tx_pcap={}", rx.display(), tx.display())
    };
    let configuration = format!("{}{}", runtime(worker), mdns::configuration(device));
    let gateway = Gateway::start(executable, &lab.middle, folder.path(), &configuration)?;
    let start = Instant::now();
    while start.elapsed() < REPLAY_LIMIT && !stop.load(Ordering::Relaxed) {
        let ports: Vec<crate::control::PortReport> = gateway.ask(Topic::Ports)?;
        if ports.iter().skip(1).all(|port| port.tx_packets >= frames.len() as u64) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    faults.extend(ending_faults(&gateway.stop()?));
    let read = |port| mdns::read_pcap(&path(format!("out{port}.pcap")));
    let sent = (0..3).map(read).collect::<Result<Vec<_>>>()?;
    faults.extend(mdns::faults(&frames, &sent));
    Ok(ReplayAccount { ports: "net_pcap".into(), frames: sent.iter().map(Vec::len).collect() })
}

/// One worker, no hugepages; it sleeps a little when idle, so that it can share its core.
fn runtime(lcore: usize) -> String {
    format!(
        "[runtime]\nlcores = [{lcore}]\nhugepages = false\nmemory_mb = 256\nidle_sleep_us = 50\n"
    )
}

fn ending_faults(ending: &Ending) -> Vec<String> {
    match ending.status.code() {
        Some(0) => Vec::new(),
        _ => vec![format!("the gateway ended with {}: {}", ending.status, ending.said.join(" / "))],
    }
}

/// Who runs where: the worker on the last CPU this process may use, the hosts on the others.
struct Cpus {
    worker: usize,
    others: CpuSet,
}

impl Cpus {
    fn of_this_thread() -> Result<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0)).context("sched_getaffinity")?;
        let listed = |cpu: &usize| allowed.is_set(*cpu).unwrap_or(false);
        let worker = (0..CpuSet::count()).rfind(listed).context("no CPU to run on")?;
        let mut others = allowed;
        if (0..worker).any(|cpu| listed(&cpu)) {
            others.unset(worker)?;
        }
        Ok(Self { worker, others })
    }

    /// Runs `job`, and all threads it starts, on the others.
    fn beside_worker<T: Send>(&self, job: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let beside = scope.spawn(|| {
                sched_setaffinity(Pid::from_raw(0), &self.others).context("sched_setaffinity")?;
                job()
            });
            beside.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
        })
    }
}

impl From<Ending> for EndingAccount {
    fn from(ending: Ending) -> Self {
        let from = ending.said.iter().rposition(|line| line.contains("ready"));
        let totals = ending.said.iter().skip(from.map_or(0, |at| at + 1)).cloned().collect();
        let took_ms = ending.took.as_millis() as u64;
        Self { status: ending.status.code(), took_ms, totals }
    }
}
