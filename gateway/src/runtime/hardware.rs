use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::observer::{DeviceFacts, Devices, PoolUse};
use super::{PortQueues, Queues, ResetMark, Restart};
use crate::dpdk::{Dpdk, Pool, Port};
use crate::host::{HostCounters, ShadowCounters};
use crate::packet::{BufPool, MacAddr, PortId};

/// The open ports and their pool, for the control side: watched every tick, asked by observers,
/// restarted when they hang.
#[derive(Clone)]
pub(super) struct Hardware {
    ports: Arc<[Slot]>,
    links: Vec<Arc<AtomicBool>>,
    marks: Arc<[Arc<ResetMark>]>,
    /// Addresses of shadows, whose links are the kernel's.
    shadows: Vec<(MacAddr, Arc<ShadowCounters>)>,
    pool: Pool,
    in_devices_at_most: usize,
}

/// A port has one user at a time. Others do not wait: a restart may take seconds.
struct Slot {
    /// `None`: closed.
    port: Mutex<Option<Port>>,
    /// What was last known of it.
    facts: Mutex<DeviceFacts>,
}

impl Hardware {
    /// `queues` has those of all ports, then shadows.
    pub(super) fn new(
        ports: Vec<Port>,
        links: Vec<Arc<AtomicBool>>,
        queues: &[PortQueues<Dpdk>],
        counters: Vec<Arc<ShadowCounters>>,
        pool: Pool,
        in_devices_at_most: usize,
    ) -> Self {
        let macs = queues.iter().skip(ports.len()).map(|queues| queues.mac);
        let shadows = macs.zip(counters).collect();
        let marks = ports.iter().map(|_| Arc::default()).collect();
        let slot = |port| Slot { facts: Mutex::new(facts(&port)), port: Mutex::new(Some(port)) };
        let ports = ports.into_iter().map(slot).collect();
        Self { ports, links, marks, shadows, pool, in_devices_at_most }
    }

    /// Where it is noted how ports fare.
    pub(super) fn marks(&self) -> &[Arc<ResetMark>] {
        &self.marks
    }

    /// Tells the workers which links are up. A frame for a port that is down would wait in the
    /// driver, and net_af_packet (22.11) would wait with it. Returns the ports that lost theirs.
    pub(super) fn watch_links(&self) -> Vec<PortId> {
        let mut lost = Vec::new();
        for (index, (slot, link_up)) in self.ports.iter().zip(&self.links).enumerate() {
            let Some(up) = slot.with_port(|port| port.link().up) else { continue };
            if link_up.swap(up, Ordering::Relaxed) && !up {
                lost.push(PortId(index as u16));
            }
        }
        lost
    }

    /// Stops and closes all ports; their queues are gone already.
    pub(super) fn close(&self) {
        for slot in &*self.ports {
            *slot.port.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Slot {
    /// `None` if somebody else is at it, or it is closed.
    fn with_port<T>(&self, ask: impl FnOnce(&mut Port) -> T) -> Option<T> {
        let mut port = self.port.try_lock().ok()?;
        port.as_mut().map(ask)
    }
}

impl Restart<Dpdk> for Hardware {
    fn can_restart(&self, port: PortId) -> bool {
        let slot = self.ports.get(port.index());
        slot.and_then(|slot| slot.with_port(|port| port.can_restart())).unwrap_or(false)
    }

    fn restart(&mut self, port: PortId) -> Result<Option<Queues<Dpdk>>, String> {
        let slot = self.ports.get(port.index());
        let restarted = slot.and_then(|slot| slot.with_port(Port::restart));
        restarted.unwrap_or(Ok(None)).map_err(|error| error.to_string())
    }
}

impl Devices for Hardware {
    fn facts(&self) -> Vec<DeviceFacts> {
        let now = |(slot, mark): (&Slot, &Arc<ResetMark>)| {
            let fresh = slot.with_port(|port| facts(port));
            let mut known = slot.facts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(fresh) = fresh {
                *known = fresh;
            }
            DeviceFacts {
                hung: mark.hung.load(Ordering::Relaxed),
                resets: mark.resets.load(Ordering::Relaxed),
                ..known.clone()
            }
        };
        let shadow = |(mac, _): &(MacAddr, Arc<ShadowCounters>)| DeviceFacts {
            mac: mac.to_string(),
            link: true,
            ..DeviceFacts::default()
        };
        let ports = self.ports.iter().zip(&*self.marks).map(now);
        ports.chain(self.shadows.iter().map(shadow)).collect()
    }

    fn shadows(&self) -> Vec<HostCounters> {
        self.shadows.iter().map(|(_, counters)| counters.read()).collect()
    }

    fn pools(&self) -> Vec<PoolUse> {
        vec![PoolUse {
            name: "packets".to_owned(),
            capacity: self.pool.capacity(),
            free: self.pool.available(),
            cached: self.pool.cached(),
            in_devices_at_most: self.in_devices_at_most,
        }]
    }
}

fn facts(port: &Port) -> DeviceFacts {
    let (link, stats) = (port.link(), port.stats());
    DeviceFacts {
        mac: port.mac().to_string(),
        link: link.up,
        speed_mbps: link.megabits_per_s,
        missed: stats.rx_missed,
        no_buffer: stats.rx_no_buffer,
        rx_errors: stats.rx_errors,
        tx_errors: stats.tx_errors,
        ..DeviceFacts::default()
    }
}
