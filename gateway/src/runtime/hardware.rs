use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::observer::{DeviceFacts, Devices};
use crate::dpdk::{Pool, Port};
use crate::packet::BufPool;

/// The open ports and their pool, for the control side: watched every tick, asked by observers.
#[derive(Clone)]
pub(super) struct Hardware {
    ports: Arc<Mutex<Vec<Port>>>,
    links: Vec<Arc<AtomicBool>>,
    pool: Pool,
}

impl Hardware {
    pub(super) fn new(ports: Vec<Port>, links: Vec<Arc<AtomicBool>>, pool: Pool) -> Self {
        Self { ports: Arc::new(Mutex::new(ports)), links, pool }
    }

    /// Tells the workers which links are up. A frame for a port that is down would wait in the
    /// driver, and net_af_packet (22.11) would wait with it.
    pub(super) fn watch_links(&self) {
        for (port, link_up) in self.lock().iter().zip(&self.links) {
            link_up.store(port.link().up, Ordering::Relaxed);
        }
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
        self.lock().iter().map(facts).collect()
    }

    fn pools(&self) -> Vec<(String, usize, usize)> {
        vec![("packets".to_owned(), self.pool.available(), self.pool.capacity())]
    }
}
