use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::PortQueues;
use crate::config::{self, Config};
use crate::dpdk::{Device, Dpdk, Eal, Error, Opened, Pool, Port, PortOptions};
use crate::packet::PortId;

/// Queues of a cable, each `handoff` frames long.
const CABLE_QUEUES: usize = 3;
/// Frames in a ring of net_ring.
const NET_RING: usize = 1024;

/// Opens all configured ports, in order; says one line for each on stderr.
pub(super) fn open(
    eal: &Eal,
    config: &Config,
    devices: &[Device],
    pool: &Pool,
) -> Result<(Vec<Port>, Vec<PortQueues<Dpdk>>), Error> {
    let mut ports = Vec::with_capacity(devices.len());
    let mut queues = Vec::with_capacity(devices.len());
    for (index, (device, settings)) in devices.iter().zip(&config.ports).enumerate() {
        let options = options(config, PortId(index as u16), settings);
        let Opened { port, rx, tx, notes } = Port::open(eal, device, pool, &options)?;
        let up = port.link().up;
        eprintln!("gateway: port {}: {}", settings.name, describe(&port, rx.len(), tx.len(), up));
        for note in notes {
            eprintln!("gateway: port {}: {note}", settings.name);
        }
        let link_up = Arc::new(up.into());
        let mut each = PortQueues { link_up, ..PortQueues::new(port.mac(), rx, tx) };
        one_queue_or_one_each(&mut each, config.runtime.lcores.len());
        queues.push(each);
        ports.push(port);
    }
    Ok((ports, queues))
}

fn options(config: &Config, id: PortId, settings: &config::Port) -> PortOptions {
    let bridged = config.bridges.iter().any(|bridge| bridge.ports.contains(&id));
    let queues = config.runtime.lcores.len() as u16;
    PortOptions {
        mac: settings.mac,
        mtu: settings.mtu,
        rx_queues: queues,
        tx_queues: queues,
        descriptors: config.runtime.ring_descriptors,
        // A bridge hears every station; a router needs its own address and groups only.
        promiscuous: bridged,
        multi_segment: false,
    }
}

/// Fewer transmit queues than workers are one queue with an owner.
fn one_queue_or_one_each(queues: &mut PortQueues<Dpdk>, workers: usize) {
    if queues.tx.len() < workers {
        queues.tx.truncate(1);
    }
}

fn describe(port: &Port, rx: usize, tx: usize, up: bool) -> String {
    let mode = |mode: Option<&str>| mode.map(|mode| format!(" ({mode})")).unwrap_or_default();
    format!(
        "{} {} {}, {rx} rx queue(s){}, {tx} tx queue(s){}, link {}",
        port.device(),
        port.driver(),
        port.mac(),
        mode(port.rx_mode()),
        mode(port.tx_mode()),
        if up { "up" } else { "down" },
    )
}

/// The most buffers the devices can hold: one for each descriptor, and net_ring, which does not
/// ask how many are wanted, as many as its own ring is long; shadows what is in their cables.
pub(super) fn buffers_at_most(config: &Config, queues: &[PortQueues<Dpdk>]) -> usize {
    let queues: usize = queues.iter().map(|port| port.rx.len() + port.tx.len()).sum();
    let shadows = config.ports.iter().filter(|port| port.shadow.is_some()).count();
    let cable = CABLE_QUEUES * config.runtime.handoff as usize;
    queues * usize::from(config.runtime.ring_descriptors).max(NET_RING) + shadows * cable
}

/// Link flags shared with the workers, in port order.
pub(super) fn links(queues: &[PortQueues<Dpdk>]) -> Vec<Arc<AtomicBool>> {
    queues.iter().map(|port| Arc::clone(&port.link_up)).collect()
}
