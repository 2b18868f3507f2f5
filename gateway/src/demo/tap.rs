//! A raw socket on a host's interface: sees every frame the cable brings, whatever the host's
//! kernel thinks of it, and sends frames as they are.
//!
//! The kernel takes the outer VLAN tag out of a received frame before any socket sees it
//! (`skb_vlan_untag`), so tags are matched by a filter: see [`Tap::only_vlan`].

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, SockaddrLike};
use nix::sys::socket::{SockFlag, SockProtocol, SockType, bind, setsockopt, sockopt};
use socket2::{SockFilter, Socket};

use super::host::QUIET;
use super::traffic::MAGIC;

/// How often [`Tap::count_demo_datagrams`] looks whether it may end.
const POLL: Duration = Duration::from_millis(50);

/// A raw socket on one interface.
#[derive(Debug)]
pub struct Tap {
    socket: Socket,
}

impl Tap {
    /// On `interface` of the calling thread's namespace.
    ///
    /// # Errors
    /// Without CAP_NET_RAW, or without such an interface.
    pub fn new(interface: &str) -> Result<Self> {
        let socket = nix::sys::socket::socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::EthAll,
        )
        .context("cannot make a raw socket")?;
        // A sockaddr_ll with the interface's index; its protocol 0 leaves the socket's own.
        let link = getifaddrs()?
            .filter(|entry| entry.interface_name == interface)
            .filter_map(|entry| entry.address)
            .find(|address| address.family() == Some(AddressFamily::Packet))
            .with_context(|| format!("no interface `{interface}`"))?;
        bind(socket.as_raw_fd(), &link).context("cannot bind a raw socket")?;
        setsockopt(&socket, sockopt::RcvBufForce, &(8 << 20)).context("SO_RCVBUFFORCE")?;
        let socket = Socket::from(socket);
        socket.set_read_timeout(Some(POLL))?;
        Ok(Self { socket })
    }

    /// Lets only frames pass whose outer tag, taken out by the kernel, was `tci` (priority,
    /// drop eligible, VLAN id) with tag protocol `tpid`.
    ///
    /// # Errors
    /// The system's.
    pub fn only_vlan(&self, tpid: u16, tci: u16) -> Result<()> {
        // linux/filter.h: ancillary loads, net/core/filter.c convert_bpf_extensions
        const AD_OFF: u32 = 0xffff_f000; // SKF_AD_OFF
        const LD_ABS_H: u16 = 0x28; // BPF_LD | BPF_H | BPF_ABS
        const JEQ: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
        const RET: u16 = 0x06; // BPF_RET | BPF_K
        const VLAN_TAG: u32 = AD_OFF + 44; // SKF_AD_VLAN_TAG
        const VLAN_PRESENT: u32 = AD_OFF + 48; // SKF_AD_VLAN_TAG_PRESENT
        const VLAN_TPID: u32 = AD_OFF + 60; // SKF_AD_VLAN_TPID
        self.socket
            .attach_filter(&[
                SockFilter::new(LD_ABS_H, 0, 0, VLAN_PRESENT),
                SockFilter::new(JEQ, 0, 5, 1),
                SockFilter::new(LD_ABS_H, 0, 0, VLAN_TAG),
                SockFilter::new(JEQ, 0, 3, tci.into()),
                SockFilter::new(LD_ABS_H, 0, 0, VLAN_TPID),
                SockFilter::new(JEQ, 0, 1, tpid.into()),
                SockFilter::new(RET, 0, 0, u32::MAX),
                SockFilter::new(RET, 0, 0, 0),
            ])
            .context("cannot attach a filter")?;
        // What came before the filter is still in the queue.
        self.socket.set_nonblocking(true)?;
        let mut buffer = [0; 64];
        while (&self.socket).read(&mut buffer).is_ok() {}
        self.socket.set_nonblocking(false).context("cannot wait for frames")
    }

    /// Sends one frame, Ethernet header included.
    ///
    /// # Errors
    /// The system's.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        (&self.socket).write_all(frame).context("cannot send a frame")
    }

    /// The next frame, outgoing ones too; `None` if none came for a short while.
    ///
    /// # Errors
    /// The system's.
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>> {
        match (&self.socket).read(buffer) {
            Ok(len) => Ok(Some(&buffer[..len])),
            Err(error) => match error.kind() {
                // NetworkDown once, when the interface is set down.
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::NetworkDown => Ok(None),
                _ => Err(error).context("cannot receive a frame"),
            },
        }
    }

    /// Counts the demo's datagrams on the cable until `finished` is set and none came for a while.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn count_demo_datagrams(&self, finished: &AtomicBool) -> Result<u64> {
        let (mut count, mut buffer) = (0, vec![0; 1 << 16]);
        let mut last = Instant::now();
        loop {
            match self.receive(&mut buffer)? {
                Some(frame) if is_demo_datagram(frame) => {
                    count += 1;
                    last = Instant::now();
                }
                _ if finished.load(Ordering::Relaxed) && last.elapsed() > QUIET => {
                    return Ok(count);
                }
                _ => {}
            }
        }
    }
}

/// Whether a frame has the demo's magic behind plain IPv4 or IPv6 and UDP headers.
fn is_demo_datagram(frame: &[u8]) -> bool {
    [14 + 20 + 8, 14 + 40 + 8].iter().any(|&at| frame.get(at..at + 4) == Some(&MAGIC))
}
