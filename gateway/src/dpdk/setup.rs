//! Sets an attached port up and starts it, for speed where the device is known, and with a note
//! where the device does less than asked.
//!
//! Never MBUF_FAST_FREE (replicas have references, frames several pools), never VLAN stripping,
//! segmentation or checksum insertion on transmit.

use core::mem::MaybeUninit;

use dpdk_sys as sys;

use super::log::Capture;
use super::port::text;
use super::probe::Attached;
use super::{Errno, Error, Pool, PortOptions};
use crate::packet::{BufPool, MacAddr};

/// What a started port is like.
pub(super) struct Ready {
    pub(super) mac: MacAddr,
    pub(super) driver: String,
    pub(super) rx_mode: Option<String>,
    pub(super) tx_mode: Option<String>,
    pub(super) rx_queues: u16,
    pub(super) tx_queues: u16,
    pub(super) max_pieces: usize,
}

/// Ethernet header and two tags.
const L2_MAX: u16 = 14 + 2 * TAG;
const TAG: u16 = 4;
/// The most pieces ixgbe takes without a gap in its descriptor write-back (hard limit 40).
const PCI_PIECES: usize = 31;

struct Setup<'a> {
    attached: &'a Attached,
    pool: &'a Pool,
    options: &'a PortOptions,
    info: sys::rte_eth_dev_info,
    driver: String,
    notes: Vec<String>,
    capture: Capture,
}

/// `filter`: whether the port is to be told what to receive.
pub(super) fn start(
    attached: &Attached,
    pool: &Pool,
    options: &PortOptions,
    filter: bool,
) -> Result<(Ready, Vec<String>), Error> {
    let mut capture = Capture::start();
    let info = attached.info().map_err(|errno| Error::Port {
        device: attached.device().text().to_owned(),
        step: "rte_eth_dev_info_get",
        errno,
        log: capture.lines(),
    })?;
    let driver = text(info.driver_name);
    let mut setup = Setup { attached, pool, options, info, driver, notes: Vec::new(), capture };
    setup.check_buffers()?;
    let (rx, tx) = setup.configure()?;
    setup.queues(rx, tx)?;
    let mac = setup.address();
    let ret = Errno::check(sys_start(attached.id()));
    setup.step("rte_eth_dev_start", ret)?;
    setup.spread(rx);
    if filter {
        setup.receive_filter();
    }
    let ready = setup.ready(mac, rx, tx);
    Ok((ready, setup.notes))
}

fn sys_start(port: u16) -> i32 {
    // SAFETY: the port is attached and its queues are set up.
    unsafe { sys::rte_eth_dev_start(port) }
}

impl Setup<'_> {
    fn port(&self) -> u16 {
        self.attached.id()
    }

    fn is_pci(&self) -> bool {
        self.attached.device().is_pci()
    }

    fn step(&mut self, step: &'static str, result: Result<i32, Errno>) -> Result<(), Error> {
        result.map(|_| ()).map_err(|errno| Error::Port {
            device: self.attached.device().text().to_owned(),
            step,
            errno,
            log: self.capture.lines(),
        })
    }

    fn note(&mut self, note: impl core::fmt::Display) {
        self.notes.push(format!("{}: {note}", self.attached.device()));
    }

    fn check_buffers(&self) -> Result<(), Error> {
        let needed = usize::from(self.options.mtu) + usize::from(L2_MAX);
        let room = self.pool.data_room();
        if needed <= room {
            return Ok(());
        }
        let device = self.attached.device().text().to_owned();
        Err(Error::BufferTooSmall { device, mtu: self.options.mtu, needed, room })
    }

    /// Configures the port for as many of the wanted queues as it has; returns how many.
    fn configure(&mut self) -> Result<(u16, u16), Error> {
        let wanted = (self.options.rx_queues.max(1), self.options.tx_queues.max(1));
        let (max_rx, max_tx) = (self.info.max_rx_queues.max(1), self.info.max_tx_queues.max(1));
        let most = (wanted.0.min(max_rx), wanted.1.min(max_tx));
        let equal = most.0.min(most.1);
        // Some devices want as many of one kind as of the other (net_tap), some refuse several.
        let mut result = Err(Errno(libc::EINVAL));
        for (rx, tx) in [most, (equal, equal), (1, 1)] {
            let conf = self.configuration(rx);
            // SAFETY: the port is attached and stopped, the configuration valid for reads.
            let ret = unsafe { sys::rte_eth_dev_configure(self.port(), rx, tx, &raw const conf) };
            result = Errno::check(ret);
            if result.is_ok() {
                if (rx, tx) != wanted {
                    self.note(format_args!(
                        "{rx} receive and {tx} transmit queues instead of {} and {}",
                        wanted.0, wanted.1
                    ));
                }
                return Ok((rx, tx));
            }
        }
        self.step("rte_eth_dev_configure", result).map(|()| most)
    }

    fn configuration(&mut self, rx_queues: u16) -> sys::rte_eth_conf {
        // SAFETY: zero is a value of every member, and the default of each.
        let mut conf: sys::rte_eth_conf = unsafe { MaybeUninit::zeroed().assume_init() };
        if self.is_pci() {
            // For the driver the tags count as MTU. Virtual devices have no such limit, or it is
            // the kernel's, to be set there.
            conf.rxmode.mtu =
                u32::from(self.options.mtu + 2 * TAG).min(u32::from(self.info.max_mtu));
            conf.rxmode.offloads = self.info.rx_offload_capa & RX_CHECKSUM;
        }
        conf.txmode.offloads = self.tx_offloads();
        let hash = self.info.flow_type_rss_offloads & RSS;
        if rx_queues > 1 && hash != 0 {
            conf.rxmode.mq_mode = sys::RTE_ETH_MQ_RX_RSS;
            conf.rx_adv_conf.rss_conf.rss_hf = hash;
        }
        conf
    }

    fn tx_offloads(&self) -> u64 {
        // Any offload bit takes ixgbe off its vector path; a virtual device has none to lose.
        let wanted = !self.is_pci() || self.options.multi_segment;
        if wanted { self.info.tx_offload_capa & sys::RTE_ETH_TX_OFFLOAD_MULTI_SEGS } else { 0 }
    }

    fn queues(&mut self, rx: u16, tx: u16) -> Result<(), Error> {
        let (mut rx_ring, mut tx_ring) = (self.options.descriptors, self.options.descriptors);
        // SAFETY: the port is configured, both pointers are valid.
        let ret = unsafe {
            sys::rte_eth_dev_adjust_nb_rx_tx_desc(self.port(), &raw mut rx_ring, &raw mut tx_ring)
        };
        self.step("rte_eth_dev_adjust_nb_rx_tx_desc", Errno::check(ret))?;
        let node = self.attached.numa_node().map_or(u32::MAX, |node| node);
        let rx_conf = self.rx_conf(rx_ring);
        for queue in 0..rx {
            let (conf, pool) = (&raw const rx_conf, self.pool.as_ptr());
            // SAFETY: the port is configured for the queue; the pool outlives the port (OpenPort).
            let ret = unsafe {
                sys::rte_eth_rx_queue_setup(self.port(), queue, rx_ring, node, conf, pool)
            };
            self.step("rte_eth_rx_queue_setup", Errno::check(ret))?;
        }
        let tx_conf = self.tx_conf();
        for queue in 0..tx {
            let conf = &raw const tx_conf;
            // SAFETY: the port is configured for the queue.
            let ret =
                unsafe { sys::rte_eth_tx_queue_setup(self.port(), queue, tx_ring, node, conf) };
            self.step("rte_eth_tx_queue_setup", Errno::check(ret))?;
        }
        Ok(())
    }

    fn rx_conf(&self, ring: u16) -> sys::rte_eth_rxconf {
        let mut conf = self.info.default_rxconf;
        conf.offloads = 0;
        if self.is_pci() {
            // Without this one full queue stalls all queues of the port (82599 datasheet 7.1.3.1).
            conf.rx_drop_en = 1;
            // Vector receive of ixgbe: at least 32, a divisor of the ring (which is a power of 2).
            let threshold = conf.rx_free_thresh;
            if threshold < 32 || ring % threshold != 0 {
                conf.rx_free_thresh = 32;
            }
        }
        conf
    }

    fn tx_conf(&self) -> sys::rte_eth_txconf {
        let mut conf = self.info.default_txconf;
        conf.offloads = self.tx_offloads();
        if self.is_pci() && self.driver.contains("ixgbe") {
            // Vector transmit: between 32 and 64 (RTE_PMD_IXGBE_TX_MAX_BURST,
            // RTE_IXGBE_TX_MAX_FREE_BUF_SZ); the report comes sooner with less.
            conf.tx_rs_thresh = 32;
            conf.tx_free_thresh = 32;
        }
        conf
    }

    /// Sets the configured address; returns the one in use.
    fn address(&mut self) -> MacAddr {
        let mut own = sys::rte_ether_addr { addr_bytes: [0; 6] };
        // SAFETY: the port is attached, the pointer valid for writes; on failure zeros stay.
        unsafe { sys::rte_eth_macaddr_get(self.port(), &raw mut own) };
        let own = MacAddr(own.addr_bytes);
        let Some(wanted) = self.options.mac.filter(|mac| *mac != own) else { return own };
        // The kernel's interface keeps its own: it is the host's, and promiscuous.
        if self.attached.device().interface().is_none() {
            let mut address = sys::rte_ether_addr { addr_bytes: wanted.0 };
            // SAFETY: the port is attached, the pointer valid for reads.
            let ret =
                unsafe { sys::rte_eth_dev_default_mac_addr_set(self.port(), &raw mut address) };
            if let Err(errno) = tolerant(ret) {
                self.note(format_args!("keeps its address {own} in hardware: {errno}"));
            }
        }
        wanted
    }

    /// Spreads flows over the queues evenly.
    fn spread(&mut self, rx_queues: u16) {
        let size = self.info.reta_size;
        let hashes = self.info.flow_type_rss_offloads & RSS != 0;
        if rx_queues < 2 || !hashes || size == 0 {
            return;
        }
        let group = sys::RTE_ETH_RETA_GROUP_SIZE as u16;
        // SAFETY: integers: zero is a value.
        let entry: sys::rte_eth_rss_reta_entry64 = unsafe { MaybeUninit::zeroed().assume_init() };
        let mut table = vec![entry; usize::from(size.div_ceil(group))];
        for at in 0..size {
            let entry = &mut table[usize::from(at / group)];
            entry.mask |= 1 << (at % group);
            entry.reta[usize::from(at % group)] = at % rx_queues;
        }
        // SAFETY: `table` holds `size` entries in groups of 64, as the callee asks.
        let ret =
            unsafe { sys::rte_eth_dev_rss_reta_update(self.port(), table.as_mut_ptr(), size) };
        if let Err(errno) = tolerant(ret) {
            self.note(format_args!("flows are spread as the driver likes: {errno}"));
        }
    }

    fn receive_filter(&mut self) {
        // A foreign address on a kernel interface is heard only when all are.
        let foreign = self.options.mac.is_some() && self.attached.device().interface().is_some();
        let groups = if self.options.promiscuous || foreign {
            Err(Errno(libc::ENOTSUP))
        } else {
            // SAFETY: the port is attached.
            Errno::check(unsafe { sys::rte_eth_allmulticast_enable(self.port()) })
        };
        if groups.is_err() {
            // SAFETY: the port is attached.
            let ret = unsafe { sys::rte_eth_promiscuous_enable(self.port()) };
            if let Err(errno) = tolerant(ret) {
                self.note(format_args!("does not receive all it should: {errno}"));
            }
        }
    }

    fn ready(&self, mac: MacAddr, rx_queues: u16, tx_queues: u16) -> Ready {
        let tx_mode = mode(self.port(), sys::rte_eth_tx_burst_mode_get);
        let chains = self.tx_offloads() != 0
            // They take chains and do not say so.
            || ["null", "pcap"].iter().any(|driver| self.attached.device().is(driver));
        // On a vector path chains would be sent wrong, silently.
        let vector = tx_mode.as_deref().is_some_and(|mode| mode.contains("Vector"));
        let max_pieces = match (chains && !vector, self.is_pci()) {
            (false, _) => 1,
            (true, true) => PCI_PIECES,
            (true, false) => usize::from(u8::MAX),
        };
        Ready {
            mac,
            driver: self.driver.clone(),
            rx_mode: mode(self.port(), sys::rte_eth_rx_burst_mode_get),
            tx_mode,
            rx_queues,
            tx_queues,
            max_pieces,
        }
    }
}

/// Hashes over addresses alone: fragments have no ports, and must stay in order with the datagrams
/// around them. (Where a device hashes UDP apart, as i40e does, all of it comes to one queue.)
const RSS: u64 = sys::RTE_ETH_RSS_IP;
/// Verdicts on received checksums, free of charge in hardware.
const RX_CHECKSUM: u64 = sys::RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | sys::RTE_ETH_RX_OFFLOAD_UDP_CKSUM;

/// A device that has no such knob, and needs none, is no trouble.
fn tolerant(ret: i32) -> Result<(), Errno> {
    match Errno::check(ret) {
        Err(Errno(libc::ENOTSUP)) | Ok(_) => Ok(()),
        Err(errno) => Err(errno),
    }
}

type ModeGet = unsafe extern "C" fn(u16, u16, *mut sys::rte_eth_burst_mode) -> core::ffi::c_int;

fn mode(port: u16, mode_get: ModeGet) -> Option<String> {
    let mut mode = MaybeUninit::<sys::rte_eth_burst_mode>::zeroed();
    // SAFETY: the port is started and has a queue 0; the pointer is valid for writes.
    if unsafe { mode_get(port, 0, mode.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: integers and characters, zeroed or filled in.
    let mode = unsafe { mode.assume_init() };
    Some(text(mode.info.as_ptr()))
}
