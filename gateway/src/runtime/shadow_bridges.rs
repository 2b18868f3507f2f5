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
    bridges: Vec<KernelBridge>,
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
            let (querier, max_groups) = (settings.querier, settings.max_groups);
            let wanted = BridgeSettings { name: &name, mac, querier, max_groups };
            let (index, made) = make(kernel, wanted)?;
            let origin = if made.is_some() { "made" } else { "found" };
            eprintln!("gateway: shadow {name}: {mac}, interface {index}, a bridge, {origin}");
            all.made.extend(made);
            all.bridges.push(KernelBridge { index, bridge, host, ports: Vec::new() });
        }
        Ok(all)
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
        let Some(bridge) = self.bridges.iter_mut().find(|bridge| Some(bridge.bridge) == of) else {
            return Ok(());
        };
        let (name, index) = (&config.port_name(port), bridge.index);
        let settings = &config.bridges[bridge.bridge];
        let wanted = BridgePortSettings {
            fast_leave: settings.fast_leave.contains(&port),
            max_groups: settings.max_groups_per_port,
        };
        let enslaved = kernel.enslave(interface, index, wanted);
        // Also when the kernel said yes: one that is not isolated would be a second way for frames.
        if !kernel.is_enslaved(interface, index, wanted).is_ok_and(|is_ready| is_ready) {
            let bridge = config.interface_of(bridge.bridge);
            return Err(not_enslaved(name, &bridge, wanted, enslaved.err()));
        }
        bridge.ports.push((interface, port));
        Ok(())
    }

    /// What the mirror follows, and what is removed when it is dropped.
    pub(super) fn into_parts(self) -> (Vec<KernelBridge>, Vec<Made>) {
        (self.bridges, self.made)
    }
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
    wanted: BridgeSettings<'_>,
) -> Result<(u32, Option<Made>), ShadowError> {
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
