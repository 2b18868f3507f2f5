//! `gateway run`: a configuration on real ports, from start to the final account.

use core::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;

use super::crew::Crew;
use super::hardware::Hardware;
use super::observer::{Collector, Observer, Ticker};
use super::shadows::{ShadowError, Shadows};
use super::watch::Watch;
use super::{Assembly, Berth, Outcome, Resets, Rounds, Running, allot, ports};
use crate::config::Config;
use crate::control::{ControlSocket, HttpServer};
use crate::dpdk::{self, Clock, Device, Dpdk, Eal, EalOptions, Pool, PoolOptions};
use crate::time::Nanos;
use crate::worker::WorkerSnapshot;

/// How often the control side looks at links and ages stations.
const TICK: Duration = Duration::from_millis(20);

/// Why a gateway did not start, and what to do about it.
#[derive(Debug)]
pub struct RunError {
    problem: String,
    remedy: String,
}

/// Runs until `stop` is set. Says on stderr how each port was opened and when all is ready.
///
/// # Errors
/// What could not be started, and the remedy. A law that does not balance at the end is no error
/// but an [`Outcome`] that says so.
pub fn run(config: &Config, file: &str, stop: &AtomicBool) -> Result<Outcome, RunError> {
    let of_file = &config.ports[..config.file_ports()];
    let devices: Vec<Device> =
        of_file.iter().map(|port| port.device.parse()).collect::<Result<_, _>>()?;
    let eal = Eal::start(&EalOptions {
        hugepages: config.runtime.hugepages,
        memory_mb: config.runtime.memory_mb,
        devices: devices.clone(),
        args: config.runtime.eal_args.clone(),
    })?;
    let clock = Clock::new(&eal);
    let pool = Pool::new(
        &eal,
        PoolOptions {
            buffers: config.runtime.pool_buffers,
            buffer_bytes: config.runtime.buffer_bytes,
            numa_node: None,
            lifo: !devices.iter().any(|device| device.is("af_xdp")),
        },
    )?;
    let (opened, mut queues) = ports::open(&eal, config, &devices, &pool)?;
    let links = ports::links(&queues);
    let most = ports::buffers_at_most(config, &queues);
    let seed = RandomState::new().hash_one(0);
    let shadows = Shadows::open(config, &mut queues, &pool, seed)?;
    let hardware = Hardware::new(opened, links, &queues, shadows.counters(), pool.clone(), most);
    let assembly = allot::<Dpdk>(config, queues, &pool, seed);
    let workers = poll(config, file, assembly, &hardware, shadows, clock, &eal, stop)?;
    hardware.close();
    Ok(Outcome::of(config, &workers, &pool))
}

/// From the first poll to the last.
#[allow(clippy::too_many_arguments)] // each is used once, here
fn poll(
    config: &Config,
    file: &str,
    assembly: Assembly<Dpdk, Berth<Dpdk>>,
    hardware: &Hardware,
    shadows: Shadows,
    clock: Clock,
    eal: &Eal,
    stop: &AtomicBool,
) -> Result<Vec<WorkerSnapshot>, RunError> {
    let Assembly { workers, mailboxes, tables, taps, exchanges, facts, seed } = assembly;
    let resets = Resets::new(&mailboxes, exchanges, hardware.marks(), Arc::clone(&tables));
    let observer = Arc::new(Observer::new(
        Running::new(config, Path::new(file), facts, seed, Arc::clone(&tables)),
        Collector::new(mailboxes),
        Arc::clone(&taps),
        Box::new(hardware.clone()),
        clock,
    ));
    let _socket = ControlSocket::serve(&config.control.socket, observer.clone())
        .map_err(|error| RunError::socket(&error))?;
    let _http = match config.control.metrics {
        Some(address) => Some(
            HttpServer::serve(address, observer.clone())
                .map_err(|error| RunError::metrics(&error))?,
        ),
        None => None,
    };
    let crew = Crew::start(config, workers, clock, eal)?;
    let watches = [
        Watch::over_workers(observer.watchdog(), config, clock),
        Watch::over_ports(resets, hardware.clone(), config, clock),
    ];
    let host = shadows.start(clock);
    let host = host.map(|(pump, follower)| (pump, follower.start(Arc::clone(&observer))));
    observer.set_ready(true);
    eprintln!("gateway: ready, {} port(s), {} worker(s)", config.file_ports(), crew.size());
    tell_supervisor(NotifyState::Ready);
    let mut rounds = Rounds::new(clock.now());
    while !stop.load(Ordering::Relaxed) {
        let lost = hardware.watch_links();
        if !lost.is_empty() {
            lost.into_iter().for_each(|port| tables.current().forget_stations(port));
            tables.renew();
        }
        tables.sweep();
        rounds.step(&tables.current(), clock.now());
        taps.sweep();
        for bridge in tables.current().bridges() {
            bridge.fdb().expire(clock.now());
        }
        thread::sleep(TICK);
    }
    observer.set_ready(false);
    tell_supervisor(NotifyState::Stopping);
    watches.into_iter().for_each(Watch::stop);
    if let Some((_, stop_following)) = &host {
        stop_following.store(true, Ordering::Relaxed);
    }
    let snapshots = crew.stop();
    if let Some((pump, _)) = host {
        pump.stop();
    }
    Ok(snapshots)
}

/// sd_notify(3); a gateway that runs under no supervisor has nobody to tell.
pub(super) fn tell_supervisor(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        eprintln!("gateway: NOTIFY_SOCKET: {error}");
    }
}

impl RunError {
    fn socket(error: &io::Error) -> Self {
        Self {
            problem: error.to_string(),
            remedy: "set [control] socket to a path this user may create, and stop another \
                     gateway that uses it"
                .to_owned(),
        }
    }

    fn metrics(error: &io::Error) -> Self {
        Self {
            problem: error.to_string(),
            remedy: "set [control] metrics to a free address of this machine".to_owned(),
        }
    }
}

impl From<ShadowError> for RunError {
    fn from(error: ShadowError) -> Self {
        Self { problem: error.problem, remedy: error.remedy }
    }
}

impl From<dpdk::Error> for RunError {
    fn from(error: dpdk::Error) -> Self {
        Self { problem: error.to_string(), remedy: error.remedy().to_owned() }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  help: {}", self.problem, self.remedy)
    }
}

impl std::error::Error for RunError {}

impl Ticker for Clock {
    fn now(&self) -> Nanos {
        Clock::now(*self)
    }

    fn cycles_per_nano(&self) -> Option<f64> {
        Some(Clock::cycles_per_nano(*self))
    }
}
