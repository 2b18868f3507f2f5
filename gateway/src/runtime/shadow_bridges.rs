//! The kernel's bridges over the shadows of bridged ports: made, or found made beforehand, before the
//! first frame; those that were made are gone when the gateway is.

use super::PortQueues;
use super::shadows::{ShadowError, refused};
use crate::config::Config;
use crate::dpdk::Dpdk;
use crate::host::{BridgePortSettings, BridgeSettings, Kernel, KernelBridge, KernelError};
use crate::packet::{MacAddr, PortId};

/// All of them.
#[derive(Default)]
pub(super) struct ShadowBridges {
    bridges: Vec<(KernelBridge, MacAddr)>,
    made: Vec<Made>,
}

impl ShadowBridges {
    /// One for each bridge whose ports have shadows; they have no ports yet.
    pub(super) fn open(
        kernel: &mut Kernel,
        config: &Config,
        queues: &[PortQueues<Dpdk>],
    ) -> Result<Self, ShadowError> {
        let mut all = Self::default();
        for (bridge, settings) in config.bridges.iter().enumerate() {
            let host = config.host_of(bridge).filter(|_| settings.is_snooped_by_kernel());
            let (Some(host), Some(first)) = (host, settings.ports.first()) else { continue };
            let name = config.interface_of(bridge);
            let mac = queues.get(first.index()).map_or(MacAddr::default(), |queues| queues.mac);
            let (index, made) = make(kernel, config, bridge, mac)?;
            let origin = if made.is_some() { "made" } else { "found" };
            eprintln!("gateway: shadow {name}: {mac}, interface {index}, a bridge, {origin}");
            all.made.extend(made);
            all.bridges.push((KernelBridge { index, bridge, host, ports: Vec::new() }, mac));
        }
        Ok(all)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bridges.len()
    }

    /// The kernel's number of one of them.
    pub(super) fn interface(&self, place: usize) -> u32 {
        self.bridges[place].0.index
    }

    /// What the mirror follows.
    pub(super) fn of_kernel(&self) -> Vec<KernelBridge> {
        self.bridges.iter().map(|(bridge, _)| bridge.clone()).collect()
    }

    /// What is removed when it is dropped.
    pub(super) fn take_made(&mut self) -> Vec<Made> {
        std::mem::take(&mut self.made)
    }

    /// The shadow of a port, which is not on yet, becomes a port of its bridge, if it has one.
    pub(super) fn add(
        &mut self,
        kernel: &mut Kernel,
        config: &Config,
        port: PortId,
        interface: u32,
    ) -> Result<(), ShadowError> {
        let of = config.bridge_of(port);
        let bridge = self.bridges.iter_mut().find(|(bridge, _)| Some(bridge.bridge) == of);
        let Some((bridge, _)) = bridge else { return Ok(()) };
        enslave(kernel, config, bridge, port, interface)?;
        bridge.ports.retain(|(_, other)| *other != port);
        bridge.ports.push((interface, port));
        Ok(())
    }

    /// Makes one anew that somebody has removed; the shadows that are there are its ports again.
    pub(super) fn make_again(
        &mut self,
        kernel: &mut Kernel,
        config: &Config,
        place: usize,
    ) -> Result<Option<Made>, ShadowError> {
        let (bridge, mac) = &mut self.bridges[place];
        let (index, made) = make(kernel, config, bridge.bridge, *mac)?;
        let again = KernelBridge { index, ..bridge.clone() };
        for &(interface, port) in &again.ports {
            if !kernel.is_gone(interface) {
                enslave(kernel, config, &again, port, interface)?;
            }
        }
        *bridge = again;
        let name = config.interface_of(bridge.bridge);
        eprintln!("gateway: shadow {name} was removed, and is made anew, interface {index}");
        Ok(made)
    }
}

fn enslave(
    kernel: &mut Kernel,
    config: &Config,
    bridge: &KernelBridge,
    port: PortId,
    interface: u32,
) -> Result<(), ShadowError> {
    let settings = &config.bridges[bridge.bridge];
    let wanted = BridgePortSettings {
        fast_leave: settings.fast_leave.contains(&port),
        max_groups: settings.max_groups_per_port,
    };
    let enslaved = kernel.enslave(interface, bridge.index, wanted);
    // Also when the kernel said yes: one that is not isolated would be a second way for frames.
    if kernel.is_enslaved(interface, bridge.index, wanted).is_ok_and(|is_ready| is_ready) {
        return Ok(());
    }
    let (port, bridge) = (config.port_name(port), config.interface_of(bridge.bridge));
    Err(not_enslaved(port, &bridge, wanted, enslaved.err()))
}

/// A bridge that was not there before: it goes when this is dropped.
pub(super) struct Made(u32);

impl Drop for Made {
    fn drop(&mut self) {
        if let Ok(mut kernel) = Kernel::open() {
            let _ = kernel.remove(self.0); // somebody else has
        }
    }
}

/// Makes the bridge, or finds that somebody has.
fn make(
    kernel: &mut Kernel,
    config: &Config,
    bridge: usize,
    mac: MacAddr,
) -> Result<(u32, Option<Made>), ShadowError> {
    let (name, settings) = (config.interface_of(bridge), &config.bridges[bridge]);
    let (querier, max_groups) = (settings.querier, settings.max_groups);
    let wanted = BridgeSettings { name: &name, mac, querier, max_groups };
    let before = kernel.index_of(wanted.name).ok();
    let made = kernel.make_bridge(wanted);
    let now = kernel.index_of(wanted.name);
    match (made, before, now) {
        (Ok(()), Some(index), _) => Ok((index, None)),
        (Ok(()), None, Ok(index)) => Ok((index, Some(Made(index)))),
        (Err(_), Some(index), _)
            if kernel.is_bridge(index, wanted).is_ok_and(|is_ready| is_ready) =>
        {
            Ok((index, None))
        }
        (Err(error), _, _) | (Ok(()), None, Err(error)) => Err(not_made(wanted, &error)),
    }
}

fn not_made(wanted: BridgeSettings<'_>, error: &KernelError) -> ShadowError {
    let BridgeSettings { name, mac, querier, max_groups } = wanted;
    let limit = match max_groups {
        0 => String::new(),
        max => format!(" mcast_hash_max {max}"),
    };
    ShadowError {
        remedy: format!(
            "give the gateway CAP_NET_ADMIN, or make the bridge beforehand: ip link add {name} up \
             address {mac} type bridge mcast_snooping 1 mcast_querier {}{limit}",
            u8::from(querier)
        ),
        ..refused(name, error)
    }
}

fn not_enslaved(
    port: &str,
    bridge: &str,
    wanted: BridgePortSettings,
    error: Option<KernelError>,
) -> ShadowError {
    let (needs, limit) = match wanted.max_groups {
        0 => ("needs Linux 4.18", String::new()),
        max => ("max_groups_per_port needs Linux 6.3", format!(" mcast_max_groups {max}")),
    };
    let why = error.map_or(needs.to_owned(), |error| error.to_string());
    ShadowError {
        problem: format!("shadow gw-{port} is no isolated port of {bridge}: {why}"),
        remedy: format!(
            "give the gateway CAP_NET_ADMIN, or prepare the interface: ip link set gw-{port} \
             master {bridge} && bridge link set dev gw-{port} isolated on{limit}"
        ),
    }
}
