use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::PortQueues;
use super::observer::{DeviceFacts, Devices, PoolUse};
use crate::dpdk::{Dpdk, Pool, Port};
use crate::host::{HostCounters, ShadowCounters};
use crate::packet::{BufPool, MacAddr, PortId};

/// The open ports and their pool, for the control side: watched every tick, asked by observers.
#[derive(Clone)]
pub(super) struct Hardware {
    ports: Arc<Mutex<Vec<Port>>>,
    links: Vec<Arc<AtomicBool>>,
    /// Addresses of shadows, whose links are the kernel's.
    shadows: Vec<(MacAddr, Arc<ShadowCounters>)>,
    pool: Pool,
    in_devices_at_most: usize,
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
        Self { ports: Arc::new(Mutex::new(ports)), links, shadows, pool, in_devices_at_most }
    }

    /// Tells the workers which links are up. A frame for a port that is down would wait in the
    /// driver, and net_af_packet (22.11) would wait with it. Returns the ports that lost theirs.
    pub(super) fn watch_links(&self) -> Vec<PortId> {
        let mut lost = Vec::new();
        for (index, (port, link_up)) in self.lock().iter().zip(&self.links).enumerate() {
            let up = port.link().up;
            if link_up.swap(up, Ordering::Relaxed) && !up {
                lost.push(PortId(index as u16));
            }
        }
        lost
    }

    /// Stops and closes all ports; their queues are gone already.
    pub(super) fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Port>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Devices for Hardware {
    fn facts(&self) -> Vec<DeviceFacts> {
        let facts = |port: &Port| {
            let (link, stats) = (port.link(), port.stats());
            DeviceFacts {
                mac: port.mac().to_string(),
                link: link.up,
                speed_mbps: link.megabits_per_s,
                missed: stats.rx_missed,
                no_buffer: stats.rx_no_buffer,
                rx_errors: stats.rx_errors,
                tx_errors: stats.tx_errors,
            }
        };
        let shadow = |(mac, _): &(MacAddr, Arc<ShadowCounters>)| DeviceFacts {
            mac: mac.to_string(),
            link: true,
            ..DeviceFacts::default()
        };
        self.lock().iter().map(facts).chain(self.shadows.iter().map(shadow)).collect()
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
