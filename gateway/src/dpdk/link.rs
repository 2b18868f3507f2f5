use dpdk_sys as sys;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::Device;

/// The state of a port's link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// Whether frames can pass.
    pub up: bool,
    /// Megabits per second, where the port knows.
    pub megabits_per_s: Option<u32>,
}

impl Link {
    /// Asks the driver, and the kernel where the device works through an interface: `link_update`
    /// of net_af_packet and net_pcap does nothing, so DPDK says "up" whatever the carrier does.
    pub(super) fn of(port: u16, device: &Device) -> Self {
        let (mut up, mut speed) = (0, 0);
        // SAFETY: both pointers are valid for writes; a wrong port leaves "down".
        let ret = unsafe { sys::sys_eth_link(port, &raw mut up, &raw mut speed) };
        let driver_up = ret == 0 && up != 0;
        let kernel_up = device.interface().is_none_or(|name| has_carrier(name) == Some(true));
        let known = speed != 0 && speed != sys::RTE_ETH_SPEED_NUM_UNKNOWN;
        Self { up: driver_up && kernel_up, megabits_per_s: known.then_some(speed) }
    }
}

/// Whether the interface is up with a carrier; `None` without such an interface in this network
/// namespace. (By netlink: /sys/class/net shows the namespace it was mounted in. IFF_LOWER_UP is the
/// carrier itself; IFF_RUNNING follows it up to a second later, when linkwatch gets to it.)
pub(super) fn has_carrier(interface: &str) -> Option<bool> {
    let mut addresses = getifaddrs().ok()?;
    let entry = addresses.find(|address| address.interface_name == interface)?;
    Some(entry.flags.contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_LOWER_UP))
}
