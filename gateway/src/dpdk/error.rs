//! What can go wrong between start and ready, each with what an operator can do about it.

use core::ffi::CStr;
use core::fmt;

use dpdk_sys as sys;

/// An errno of the system or of DPDK, positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

impl Errno {
    /// `rte_errno` of the calling thread.
    pub(super) fn last() -> Self {
        // SAFETY: reads a thread-local integer.
        Self(unsafe { sys::sys_errno() })
    }

    /// From a DPDK return value: negative errno, or -1 with `rte_errno` set.
    pub(super) fn check(ret: i32) -> Result<i32, Self> {
        match ret {
            0.. => Ok(ret),
            -1 if Self::last().0 != 0 => Err(Self::last()),
            _ => Err(Self(-ret)),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: rte_strerror takes any number and returns a string, of the thread or static.
        let text = unsafe { sys::rte_strerror(self.0) };
        // SAFETY: NUL-terminated, and not overwritten before it is used up here.
        let text = unsafe { CStr::from_ptr(text) };
        f.write_str(&text.to_string_lossy())
    }
}

/// Why DPDK, a pool, a port or an lcore could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The EAL starts once per process, whatever became of it.
    #[error("DPDK was started before in this process")]
    StartedBefore,
    /// An argument holds a NUL byte.
    #[error("{0:?} holds a NUL byte")]
    Nul(String),
    /// No hugepages, or none free.
    #[error("DPDK has no hugepages to work with{}", said(.log))]
    NoHugepages {
        /// What DPDK said.
        log: String,
    },
    /// The EAL could not reserve its memory.
    #[error("DPDK cannot reserve {memory_mb} MiB{}", said(.log))]
    EalMemory {
        /// What was asked for.
        memory_mb: u32,
        /// What DPDK said.
        log: String,
    },
    /// The EAL may not do what it needs to.
    #[error("DPDK lacks a permission{}", said(.log))]
    Permission {
        /// What DPDK said.
        log: String,
    },
    /// The EAL refused its arguments.
    #[error("DPDK does not accept its arguments: {args}{}", said(.log))]
    EalArguments {
        /// All of them.
        args: String,
        /// What DPDK said.
        log: String,
    },
    /// Another failure of `rte_eal_init`.
    #[error("DPDK did not start: {errno}{}", said(.log))]
    Eal {
        /// Its reason.
        errno: Errno,
        /// What DPDK said.
        log: String,
    },
    /// `rte_pktmbuf_pool_create` failed.
    #[error("no memory for a pool of {buffers} buffers of {buffer_bytes} bytes: {errno}")]
    PoolMemory {
        /// Buffers asked for.
        buffers: u32,
        /// Bytes of frame per buffer asked for.
        buffer_bytes: u16,
        /// Its reason.
        errno: Errno,
    },
    /// The device string is neither a PCI address nor a virtual device.
    #[error("{device:?} is neither a PCI address nor a DPDK virtual device")]
    DeviceName {
        /// As configured.
        device: String,
    },
    /// The kernel interface a virtual device names is not there.
    #[error("{device}: there is no interface {interface:?} in this network namespace")]
    NoInterface {
        /// As configured.
        device: String,
        /// The interface.
        interface: String,
    },
    /// The PCI device is not there.
    #[error("{device}: there is no such PCI device")]
    NoPciDevice {
        /// As configured.
        device: String,
    },
    /// The PCI device belongs to a kernel driver.
    #[error("{device}: bound to {}, not to vfio-pci", driver.as_deref().unwrap_or("no driver"))]
    NotBound {
        /// As configured.
        device: String,
        /// Whose it is.
        driver: Option<String>,
    },
    /// `rte_dev_probe` failed.
    #[error("{device}: cannot be opened: {errno}{}", said(.log))]
    Probe {
        /// As configured.
        device: String,
        /// Its reason.
        errno: Errno,
        /// What DPDK said.
        log: String,
    },
    /// A step of setting a port up failed.
    #[error("{device}: {step} failed: {errno}{}", said(.log))]
    Port {
        /// As configured.
        device: String,
        /// The DPDK function.
        step: &'static str,
        /// Its reason.
        errno: Errno,
        /// What DPDK said.
        log: String,
    },
    /// Frames of the port's MTU are larger than a buffer.
    #[error("{device}: frames of IP MTU {mtu} need buffers of {needed} bytes, these have {room}")]
    BufferTooSmall {
        /// As configured.
        device: String,
        /// The IP MTU.
        mtu: u16,
        /// Bytes a buffer must hold.
        needed: usize,
        /// Bytes a buffer holds.
        room: usize,
    },
    /// The lcore is not there, or not for this process.
    #[error("lcore {lcore}: no such CPU for this process (there are {online})")]
    NoLcore {
        /// As configured.
        lcore: usize,
        /// The CPUs there are, in the kernel's list form.
        online: String,
    },
    /// `rte_thread_register` failed.
    #[error("lcore {lcore}: DPDK has no more lcore ids: {errno}")]
    LcoreIds {
        /// As configured.
        lcore: usize,
        /// Its reason.
        errno: Errno,
    },
}

impl Error {
    /// What to do about it, for an operator.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::StartedBefore => "restart the process",
            Self::Nul(_) => "take the NUL byte out of the configuration",
            Self::NoHugepages { .. } => {
                "reserve some: echo 1024 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages \
                 (2 MiB each), or set [runtime] hugepages = false for tests"
            }
            Self::EalMemory { .. } => {
                "lower [runtime] memory_mb, or reserve more hugepages: gateway doctor shows them"
            }
            Self::Permission { .. } => {
                "run as root, or give the process CAP_IPC_LOCK, access to /dev/vfio and to the \
                 hugepages of its user"
            }
            Self::EalArguments { .. } => {
                "see [runtime] eal_args; DPDK's EAL parameters are listed \
                 at https://doc.dpdk.org/guides/linux_gsg/linux_eal_parameters.html"
            }
            Self::Eal { .. } => "gateway doctor looks for what is missing",
            Self::PoolMemory { .. } => "raise [runtime] memory_mb, or lower pool_buffers",
            Self::DeviceName { .. } => {
                "write a PCI address (0000:03:00.0) or a virtual device (net_af_packet0,iface=eth1)"
            }
            Self::NoInterface { .. } => "ip link shows the interfaces there are",
            Self::NoPciDevice { .. } => "lspci -D shows the devices there are",
            Self::NotBound { .. } => "bind it: driverctl set-override ADDRESS vfio-pci",
            Self::Probe { errno, .. } if errno.0 == libc::EPERM || errno.0 == libc::EACCES => {
                "run as root, or give the process CAP_NET_RAW and CAP_NET_ADMIN"
            }
            Self::Probe { .. } => {
                "check the device's arguments; raw sockets and TAPs need root or CAP_NET_RAW and \
                 CAP_NET_ADMIN"
            }
            Self::Port { .. } => "gateway doctor shows what the device can do",
            Self::BufferTooSmall { .. } => "raise [runtime] buffer_bytes, or lower the port's mtu",
            Self::NoLcore { .. } => {
                "name CPUs of this machine in [runtime] lcores; a container \
                 sees those of its cpuset"
            }
            Self::LcoreIds { .. } => "use fewer lcores",
        }
    }
}

/// DPDK's own words behind a message, if it said any.
fn said(log: &str) -> String {
    if log.is_empty() { String::new() } else { format!(" (DPDK: {log})") }
}
