//! From a device string to a DPDK port that is attached, but not yet set up.

use core::mem::MaybeUninit;
use std::ffi::CString;
use std::fs;
use std::path::Path;

use dpdk_sys as sys;

use super::link::has_carrier;
use super::log::Capture;
use super::packet_socket::{Failure, PacketSockets, Ring};
use super::{Device, Eal, Errno, Error, Pool, PortOptions};
use crate::packet::BufPool;

/// An attached device; stopped, closed and detached when dropped.
pub(super) struct Attached {
    id: u16,
    device: Device,
    /// Under the port.
    _eal: Eal,
}

/// What probing found.
pub(super) struct Probed {
    pub(super) attached: Attached,
    /// Of net_af_packet.
    pub(super) sockets: Option<PacketSockets>,
    /// What the operator should know.
    pub(super) notes: Vec<String>,
}

/// Attaches a device that will be set up so, or takes over the port that the EAL found at start
/// (PCI).
pub(super) fn probe(
    eal: &Eal,
    device: &Device,
    pool: &Pool,
    options: &PortOptions,
) -> Result<Probed, Error> {
    if let Some(interface) = device.interface().filter(|name| has_carrier(name).is_none()) {
        let (device, interface) = (device.text().to_owned(), interface.to_owned());
        return Err(Error::NoInterface { device, interface });
    }
    if device.is("af_packet") {
        return packet_sockets(eal, device, pool, options);
    }
    let found = if device.is_pci() { port_of(device).ok() } else { None };
    let attached = match found {
        Some(id) => Attached { id, device: device.clone(), _eal: eal.clone() },
        None => Attached::new(eal, device, device)?,
    };
    Ok(Probed { attached, sockets: None, notes: Vec::new() })
}

fn packet_sockets(
    eal: &Eal,
    device: &Device,
    pool: &Pool,
    options: &PortOptions,
) -> Result<Probed, Error> {
    let (ring, mut full) =
        Ring::for_device(device, options.mtu, options.descriptors, pool.data_room())?;
    let queues = options.rx_queues.max(options.tx_queues);
    if queues > 1 && device.argument("qpairs").is_none() {
        full = full.with_argument("qpairs", queues);
    }
    let attached = Attached::new(eal, &full, device)?;
    // A foreign address on the interface is heard only when all are.
    let promiscuous = options.promiscuous || options.mac.is_some();
    let sockets = PacketSockets::reopen(&full, ring, promiscuous);
    let sockets = sockets.map_err(|Failure { step, errno }| Error::Port {
        device: device.text().to_owned(),
        step,
        errno,
        log: String::new(),
    })?;
    let note = match &sockets {
        None => Some(
            "the driver's sockets are of an unknown kind and stay as they are: IPv4 fragments \
             arrive reassembled, what the host sends is received, and a blocked interface may \
             hold its worker up",
        ),
        Some(sockets) if !sockets.patient => Some(
            "a blocked interface may hold its worker up: give the process CAP_NET_ADMIN, or raise \
             net.core.wmem_max",
        ),
        Some(_) => None,
    };
    let notes = note.iter().map(|note| format!("{device}: {note}")).collect();
    Ok(Probed { attached, sockets, notes })
}

impl Attached {
    /// Attaches `full`, which is `device` and perhaps more arguments.
    fn new(eal: &Eal, full: &Device, device: &Device) -> Result<Self, Error> {
        let id = attach(full, device)?;
        Ok(Self { id, device: device.clone(), _eal: eal.clone() })
    }

    pub(super) fn id(&self) -> u16 {
        self.id
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// What the port can do.
    pub(super) fn info(&self) -> Result<sys::rte_eth_dev_info, Errno> {
        let mut info = MaybeUninit::zeroed();
        // SAFETY: the port is attached, the pointer valid for writes.
        Errno::check(unsafe { sys::rte_eth_dev_info_get(self.id, info.as_mut_ptr()) })?;
        // SAFETY: zero is a value of every member, and the callee has filled them in.
        Ok(unsafe { info.assume_init() })
    }

    /// The NUMA node of the device; `None` if it has none.
    pub(super) fn numa_node(&self) -> Option<u32> {
        // SAFETY: any port number is allowed; -1 is none.
        u32::try_from(unsafe { sys::rte_eth_dev_socket_id(self.id) }).ok()
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _capture = Capture::start();
        let device = self.info().map(|info| info.device);
        // SAFETY: no queue handle is left (they hold the port), so no thread is in a burst.
        unsafe { sys::rte_eth_dev_stop(self.id) };
        // SAFETY: stopped; frees the mbufs the queues still hold. The pool outlives this.
        unsafe { sys::rte_eth_dev_close(self.id) };
        if let Ok(device) = device {
            // SAFETY: the device is attached until here, and the closed port was its only one. It
            // can be attached again under its name after this.
            unsafe { sys::rte_dev_remove(device) };
        }
    }
}

fn attach(device: &Device, configured: &Device) -> Result<u16, Error> {
    let text = CString::new(device.text()).map_err(|_| Error::Nul(device.text().to_owned()))?;
    let mut capture = Capture::start();
    // SAFETY: a NUL-terminated string, which the callee copies.
    let probed = Errno::check(unsafe { sys::rte_dev_probe(text.as_ptr()) });
    probed.and_then(|_| port_of(device)).map_err(|errno| {
        let log = capture.lines();
        pci_trouble(configured).unwrap_or(Error::Probe {
            device: configured.text().to_owned(),
            errno,
            log,
        })
    })
}

fn port_of(device: &Device) -> Result<u16, Errno> {
    let name = CString::new(full_name(device)).map_err(|_| Errno(libc::EINVAL))?;
    let mut port = 0;
    // SAFETY: a NUL-terminated string, and a pointer valid for writes.
    Errno::check(unsafe { sys::rte_eth_dev_get_port_by_name(name.as_ptr(), &raw mut port) })?;
    Ok(port)
}

/// DPDK's name of the device: PCI addresses with their domain.
fn full_name(device: &Device) -> String {
    let short = device.is_pci() && device.name().matches(':').count() == 1;
    if short { format!("0000:{}", device.name()) } else { device.name().to_owned() }
}

/// Why a PCI device cannot be attached, if its place in sysfs says.
fn pci_trouble(device: &Device) -> Option<Error> {
    if !device.is_pci() {
        return None;
    }
    let folder = Path::new("/sys/bus/pci/devices").join(full_name(device));
    if !folder.exists() {
        return Some(Error::NoPciDevice { device: device.text().to_owned() });
    }
    let driver = fs::read_link(folder.join("driver")).ok();
    let driver = driver.and_then(|link| Some(link.file_name()?.to_string_lossy().into_owned()));
    let user_space = ["vfio-pci", "igb_uio", "uio_pci_generic"];
    if driver.as_deref().is_some_and(|name| user_space.contains(&name)) {
        return None;
    }
    Some(Error::NotBound { device: device.text().to_owned(), driver })
}
