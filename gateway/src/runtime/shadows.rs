//! The host side of a running gateway: opens the shadows, moves frames between them and the workers
//! on a thread of its own, and lets the tables follow the kernel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::shadow_bridges::{Made, ShadowBridges};
use super::{Observer, PortQueues, Running};
use crate::config::{Config, Shadow as Of};
use crate::device::Cable;
use crate::dpdk::{Clock, Dpdk, Mbuf, Pool, Tap};
use crate::host::{Interface, Kernel, KernelError, Mirror, Shadow, ShadowCounters};
use crate::packet::{MacAddr, PortId};

/// Turns without a frame before the thread sleeps between them.
const IDLE_TURNS: u32 = 64;
/// What a frame waits at most for a thread that sleeps.
const NAP: Duration = Duration::from_micros(200);
/// Between two looks for changes.
const LOOK: Duration = Duration::from_millis(20);
/// Between two looks at the groups programs have joined, which netlink does not tell.
const LOOK_AT_GROUPS: Duration = Duration::from_millis(100);
/// Asking the kernel takes at most this share of the time.
const ASKING_SHARE: u32 = 4;

/// Why a shadow could not be made.
#[derive(Debug)]
pub(super) struct ShadowError {
    pub(super) problem: String,
    pub(super) remedy: String,
}

/// All shadows, before the workers start.
pub(super) struct Shadows {
    shadows: Vec<Shadow<Mbuf, Tap>>,
    /// Of what each stands for; `None`: a bridge, which is always up.
    links: Vec<Option<Arc<AtomicBool>>>,
    follower: Option<Follower>,
    bridges: Vec<Made>,
}

impl Shadows {
    /// Makes the shadows of `config` and appends them to `queues`, which has the ports of the file.
    pub(super) fn open(
        config: &Config,
        queues: &mut Vec<PortQueues<Dpdk>>,
        pool: &Pool,
        seed: u64,
    ) -> Result<Self, ShadowError> {
        let mut all =
            Self { shadows: Vec::new(), links: Vec::new(), follower: None, bridges: Vec::new() };
        let Some(first) = config.ports.get(queues.len()) else { return Ok(all) };
        let mut kernel = Kernel::open().map_err(|error| refused(&first.name, &error))?;
        let mut bridges = ShadowBridges::open(&mut kernel, config, queues)?;
        let mut mirrored = Vec::new();
        for (index, port) in config.ports.iter().enumerate().skip(queues.len()) {
            let Some(of) = port.shadow else { continue };
            let (real, link) = match of {
                Of::Port(id) => (id, queues.get(id.index()).map(|q| Arc::clone(&q.link_up))),
                Of::Bridge(bridge) => (config.bridges[bridge].ports[0], None),
            };
            let mac = queues.get(real.index()).map_or(MacAddr::default(), |queues| queues.mac);
            let tap = Tap::open(&port.name).map_err(|error| no_tap(&port.name, &error))?;
            let interface = kernel.index_of(&port.name).map_err(|e| refused(&port.name, &e))?;
            let routed = match of {
                Of::Port(id) if config.bridge_of(id).is_some() => {
                    be_silent(&port.name);
                    bridges.add(&mut kernel, config, id, interface)?;
                    None
                }
                Of::Port(id) => Some(id),
                Of::Bridge(_) => None,
            };
            let shadow = (port.name.as_str(), interface);
            set_up(&mut kernel, config, shadow, mac, port.mtu, routed)?;
            eprintln!(
                "gateway: shadow {}: {mac}, interface {interface}, {}",
                port.name,
                if tap.takes_super_packets() {
                    "takes super-packets"
                } else {
                    "datagram by datagram"
                },
            );
            mirrored.push((interface, port.name.clone(), routed, PortId(index as u16)));
            let cable = Arc::new(Cable::new(config.runtime.handoff as usize));
            queues.push(PortQueues::shadow(mac, Arc::clone(&cable)));
            all.shadows.push(Shadow::new(cable, tap, pool.clone(), &config.gro, seed));
            all.links.push(link);
        }
        let (bridges, made) = bridges.into_parts();
        all.bridges = made;
        all.follower = Some(Follower::new(kernel, Mirror::new(mirrored).with_bridges(bridges)));
        Ok(all)
    }

    /// Their counters, in the order of the ports.
    pub(super) fn counters(&self) -> Vec<Arc<ShadowCounters>> {
        self.shadows.iter().map(Shadow::counters).collect()
    }

    /// The thread that moves frames, and who follows the kernel. No shadows: neither.
    pub(super) fn start(self, clock: Clock) -> (Option<Pump>, Option<Follower>) {
        let Self { shadows, links, follower, bridges } = self;
        let pump = (!shadows.is_empty()).then(|| Pump::start(shadows, links, bridges, clock));
        (pump, follower)
    }
}

/// Gives the interface its addresses, or finds that somebody has.
fn set_up(
    kernel: &mut Kernel,
    config: &Config,
    (name, interface): (&str, u32),
    mac: MacAddr,
    mtu: u16,
    routed: Option<PortId>,
) -> Result<(), ShadowError> {
    if let Err(error) = kernel.set_link(interface, mac, mtu) {
        // Made beforehand by somebody with the right to.
        if !kernel.link_is(interface, mac, mtu).is_ok_and(|is_ready| is_ready) {
            return Err(not_ready(name, mac, mtu, &error));
        }
        return Ok(());
    }
    for &address in routed.into_iter().flat_map(|port| &config.ports[port.index()].addresses) {
        kernel.add_address(interface, address).map_err(|error| refused(name, &error))?;
    }
    Ok(())
}

/// The shadow of a bridged port is no host of its own: the bridge has the addresses. Where this cannot
/// be written, Linux gives it a link-local one, as it does every port of a bridge.
fn be_silent(name: &str) {
    let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1");
}

/// Moves frames until it is stopped and nothing waits any more.
pub(super) struct Pump {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    /// Over the shadows; they go after them.
    _bridges: Vec<Made>,
}

impl Pump {
    fn start(
        mut shadows: Vec<Shadow<Mbuf, Tap>>,
        links: Vec<Option<Arc<AtomicBool>>>,
        bridges: Vec<Made>,
        clock: Clock,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut carriers = vec![None; links.len()];
            let mut idle = 0;
            loop {
                let stopping = stopped.load(Ordering::Relaxed);
                let now = clock.now();
                let turn = if stopping { Shadow::drain } else { Shadow::pump };
                let moved: usize = shadows.iter_mut().map(|shadow| turn(shadow, now)).sum();
                if stopping && moved == 0 {
                    break;
                }
                idle = if moved == 0 { idle + 1 } else { 0 };
                if idle >= IDLE_TURNS {
                    follow_links(&mut shadows, &links, &mut carriers);
                    thread::sleep(NAP);
                }
            }
        });
        Self { stop, thread, _bridges: bridges }
    }

    /// After the workers have stopped: what they sent up is delivered, then all buffers are back.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.join(); // a panic of its own is reported already
    }
}

/// The kernel, and the daemons that watch it, see a port lose its link.
fn follow_links(
    shadows: &mut [Shadow<Mbuf, Tap>],
    links: &[Option<Arc<AtomicBool>>],
    carriers: &mut [Option<bool>],
) {
    for ((shadow, link), carrier) in shadows.iter_mut().zip(links).zip(carriers) {
        let up = link.as_ref().is_none_or(|link| link.load(Ordering::Relaxed));
        if *carrier != Some(up) && shadow.interface().set_carrier(up).is_ok() {
            *carrier = Some(up);
        }
    }
}

/// Asks the kernel and publishes what it knows, on a thread of its own: a kernel that takes long to
/// answer, or does not, keeps nobody waiting, not even the end.
pub(super) struct Follower {
    kernel: Kernel,
    mirror: Mirror,
    dirty: bool,
    not_before: Instant,
    groups_at: Instant,
    complained: bool,
}

impl Follower {
    fn new(kernel: Kernel, mirror: Mirror) -> Self {
        let now = Instant::now();
        Self { kernel, mirror, dirty: true, not_before: now, groups_at: now, complained: false }
    }

    /// Follows until the flag is set.
    pub(super) fn start(mut self, observer: Arc<Observer>) -> Arc<AtomicBool> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                self.follow(observer.running());
                thread::sleep(LOOK);
            }
        });
        stop
    }

    /// Asks the kernel if it said that something changed, and publishes what is new.
    fn follow(&mut self, running: &Running) {
        let began = Instant::now();
        self.dirty |= self.kernel.has_changed();
        if began >= self.groups_at {
            self.groups_at = began + LOOK_AT_GROUPS;
            self.dirty |= self.mirror.memberships_changed();
            self.dirty |= self.mirror.queriers_changed(&mut self.kernel);
        }
        if !self.dirty || began < self.not_before {
            return;
        }
        match self.mirror.refresh(&mut self.kernel) {
            Ok(known) => {
                self.dirty = false;
                self.complained = false;
                if let Some(known) = known {
                    running.adopt(known);
                }
            }
            // The tables stay as they are; it is asked again.
            Err(error) if !self.complained => {
                eprintln!("gateway: {error}");
                self.complained = true;
            }
            Err(_) => {}
        }
        self.not_before = Instant::now() + began.elapsed() * ASKING_SHARE;
    }
}

pub(super) fn refused(name: &str, error: &KernelError) -> ShadowError {
    ShadowError {
        problem: format!("shadow {name}: {error}"),
        remedy: "give the gateway CAP_NET_ADMIN, or write host = false".to_owned(),
    }
}

fn no_tap(name: &str, error: &std::io::Error) -> ShadowError {
    ShadowError {
        problem: format!("shadow {name}: /dev/net/tun: {error}"),
        remedy: format!(
            "give the gateway CAP_NET_ADMIN and /dev/net/tun, or make the interface beforehand: ip \
             tuntap add {name} mode tap vnet_hdr user USER"
        ),
    }
}

fn not_ready(name: &str, mac: MacAddr, mtu: u16, error: &KernelError) -> ShadowError {
    ShadowError {
        problem: format!("shadow {name}: {error}"),
        remedy: format!(
            "give the gateway CAP_NET_ADMIN, or prepare the interface: ip link set {name} address \
             {mac} mtu {mtu} up"
        ),
    }
}
