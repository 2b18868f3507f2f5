//! The host side of a running gateway: opens the shadows; `pump` moves frames between them and the
//! workers, `follower` lets the tables follow the kernel.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};

use super::PortQueues;
use super::follower::Follower;
use super::outline::Outline;
use super::pump::{Pump, Pumped};
use super::shadow_bridges::ShadowBridges;
use crate::config::{Config, Shadow as Of};
use crate::device::Cable;
use crate::dpdk::{Clock, Dpdk, Mbuf, Pool, Tap};
use crate::host::{Interface, Kernel, KernelError, Mirror, Shadow, ShadowCounters};
use crate::packet::{MacAddr, PortId};

/// Why a shadow could not be made.
#[derive(Debug)]
pub(super) struct ShadowError {
    pub(super) problem: String,
    pub(super) remedy: String,
}

/// All shadows, before the workers start.
#[derive(Default)]
pub(super) struct Shadows {
    shadows: Vec<Shadow<Mbuf, Tap>>,
    /// Of what each stands for; `None`: a bridge, which is always up.
    links: Vec<Option<Arc<AtomicBool>>>,
    outlines: Vec<Outline>,
    bridges: ShadowBridges,
    kernel: Option<(Kernel, Mirror)>,
}

impl Shadows {
    /// Makes the shadows of `config` and appends them to `queues`, which has the ports of the file.
    pub(super) fn open(
        config: &Config,
        queues: &mut Vec<PortQueues<Dpdk>>,
        pool: &Pool,
        seed: u64,
    ) -> Result<Self, ShadowError> {
        let mut all = Self::default();
        let Some(first) = config.ports.get(queues.len()) else { return Ok(all) };
        let mut kernel = Kernel::open().map_err(|error| refused(&first.name, &error))?;
        all.bridges = ShadowBridges::open(&mut kernel, config, queues)?;
        let mut mirrored = Vec::new();
        for (index, port) in config.ports.iter().enumerate().skip(queues.len()) {
            let Some(of) = port.shadow else { continue };
            let (real, link) = match of {
                Of::Port(id) => (id, queues.get(id.index()).map(|q| Arc::clone(&q.link_up))),
                Of::Bridge(bridge) => (config.bridges[bridge].ports[0], None),
            };
            let mac = queues.get(real.index()).map_or(MacAddr::default(), |queues| queues.mac);
            let mut outline = Outline { id: PortId(index as u16), mac, interface: 0 };
            let tap = outline.make(&mut kernel, config, &mut all.bridges)?;
            let (name, interface) = (port.name.as_str(), outline.interface);
            eprintln!(
                "gateway: shadow {name}: {mac}, interface {interface}, {}",
                if tap.takes_super_packets() {
                    "takes super-packets"
                } else {
                    "datagram by datagram"
                },
            );
            mirrored.push((interface, name.to_owned(), outline.routed(config), outline.id));
            let cable = Arc::new(Cable::new(config.runtime.handoff as usize));
            queues.push(PortQueues::shadow(mac, Arc::clone(&cable)));
            all.shadows.push(Shadow::new(cable, tap, pool.clone(), &config.gro, seed));
            all.links.push(link);
            all.outlines.push(outline);
        }
        let mirror = Mirror::new(mirrored).with_bridges(all.bridges.of_kernel());
        all.kernel = Some((kernel, mirror));
        Ok(all)
    }

    /// Their counters, in the order of the ports.
    pub(super) fn counters(&self) -> Vec<Arc<ShadowCounters>> {
        self.shadows.iter().map(Shadow::counters).collect()
    }

    /// The thread that moves frames, and who follows the kernel. No shadows: neither.
    pub(super) fn start(self, clock: Clock) -> Option<(Pump, Follower)> {
        let Self { shadows, links, outlines, mut bridges, kernel } = self;
        let (kernel, mirror) = kernel?;
        let (sender, replacements) = mpsc::channel();
        let pumped = Pumped::new(shadows, links, replacements, bridges.take_made());
        let follower = Follower::new(kernel, mirror, outlines, bridges, sender);
        Some((Pump::start(pumped, clock), follower))
    }
}

pub(super) fn refused(name: &str, error: &KernelError) -> ShadowError {
    ShadowError {
        problem: format!("shadow {name}: {error}"),
        remedy: "give the gateway CAP_NET_ADMIN, or write host = false".to_owned(),
    }
}
