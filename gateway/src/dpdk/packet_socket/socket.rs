//! One packet socket with rings (packet(7), Documentation/networking/packet_mmap.rst).

use core::ffi::c_int;
use core::mem::size_of;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use dpdk_sys as sys;
use nix::sys::socket::sockopt::{SndBuf, SndBufForce};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, getsockopt, setsockopt, socket};

use super::super::Errno;
use super::{Failure, Ring, program};

/// A packet socket with rings, not yet in the driver's hands.
pub(super) struct RingSocket(OwnedFd);

impl RingSocket {
    /// A socket as the driver makes it, but deaf to what the host sends. Without a protocol it
    /// hears nothing before it is bound.
    pub(super) fn open(ring: Ring, qdisc_bypass: bool) -> Result<Self, Failure> {
        let (family, flags) = (AddressFamily::Packet, SockFlag::SOCK_CLOEXEC);
        let descriptor = socket(family, SockType::Raw, flags, None)
            .map_err(|errno| Failure { step: "socket", errno: Errno(errno as i32) })?;
        let socket = Self(descriptor);
        let (yes, version) = (1, sys::TPACKET_V2 as c_int);
        socket.set_ring("PACKET_VERSION", sys::PACKET_VERSION, &version)?;
        socket.set_ring("PACKET_LOSS", sys::PACKET_LOSS, &yes)?;
        if qdisc_bypass {
            socket.set_ring("PACKET_QDISC_BYPASS", sys::PACKET_QDISC_BYPASS, &yes)?;
        }
        socket.set_ring("PACKET_RX_RING", sys::PACKET_RX_RING, &ring.request())?;
        socket.set_ring("PACKET_TX_RING", sys::PACKET_TX_RING, &ring.request())?;
        program::ignore_outgoing(&socket)?;
        Ok(socket)
    }

    /// Makes the send buffer larger than the ring, so that a poll for room never waits. `false`
    /// without CAP_NET_ADMIN, if `net.core.wmem_max` forbids it.
    pub(super) fn make_patient(&self, ring: Ring) -> bool {
        let bytes = ring.send_buffer();
        let forced = setsockopt(&self.0, SndBufForce, &bytes);
        if forced.or_else(|_| setsockopt(&self.0, SndBuf, &bytes)).is_err() {
            return false;
        }
        // socket(7): the kernel doubles what is set, and says so.
        getsockopt(&self.0, SndBuf).is_ok_and(|doubled| doubled >= 2 * bytes)
    }

    /// Maps the rings where the driver has those of the socket that is being replaced.
    pub(super) fn map_at(&self, address: usize, ring: Ring) -> Result<(), Failure> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        let at = core::ptr::without_provenance_mut(address);
        // SAFETY: the driver's own mapping of the same length is there (the caller found it), it is
        // used by the port's queues only, and the port was not started yet.
        let mapped = unsafe {
            libc::mmap(
                at,
                ring.map_bytes(),
                protection,
                flags | libc::MAP_FIXED,
                self.0.as_raw_fd(),
                0,
            )
        };
        if mapped == libc::MAP_FAILED { Err(Failure::last("mmap")) } else { Ok(()) }
    }

    /// From now on the interface's frames are received.
    pub(super) fn bind(&self, interface: u32) -> Result<(), Failure> {
        // SAFETY: integers and bytes: zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { core::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = interface as i32;
        let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the address is valid for reads of `len` bytes.
        let ret = unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), len) };
        if ret < 0 { Err(Failure::last("bind")) } else { Ok(()) }
    }

    /// Receives frames for every address, or those of all groups beside the interface's own. The
    /// kernel ends it with the socket; the driver's way, a flag of the interface, would stay.
    pub(super) fn hear(&self, interface: u32, everything: bool) -> Result<(), Failure> {
        let kind = if everything { sys::PACKET_MR_PROMISC } else { sys::PACKET_MR_ALLMULTI };
        let membership = sys::packet_mreq {
            mr_ifindex: interface as c_int,
            mr_type: kind as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set_ring("PACKET_ADD_MEMBERSHIP", sys::PACKET_ADD_MEMBERSHIP, &membership)
    }

    /// Closes the driver's socket and takes its number.
    pub(super) fn take_number(self, number: RawFd) -> Result<(), Failure> {
        // SAFETY: `number` is the driver's socket, which the driver goes on using under that number:
        // its rings are mapped where the driver has them, and its state is that of a new one.
        let ret = unsafe { libc::dup3(self.0.as_raw_fd(), number, libc::O_CLOEXEC) };
        if ret < 0 { Err(Failure::last("dup3")) } else { Ok(()) }
    }

    fn set_ring<T>(&self, step: &'static str, option: u32, value: &T) -> Result<(), Failure> {
        self.set(step, libc::SOL_PACKET, option as c_int, value)
    }

    /// Sets an option. `T` is the C type the option takes.
    pub(super) fn set<T>(
        &self,
        step: &'static str,
        level: c_int,
        option: c_int,
        value: &T,
    ) -> Result<(), Failure> {
        let (pointer, len) = ((&raw const *value).cast(), size_of::<T>() as libc::socklen_t);
        // SAFETY: `value` is valid for reads of its size, and so is a program it points to.
        let ret = unsafe { libc::setsockopt(self.0.as_raw_fd(), level, option, pointer, len) };
        if ret < 0 { Err(Failure::last(step)) } else { Ok(()) }
    }
}

impl Failure {
    fn last(step: &'static str) -> Self {
        Self { step, errno: Errno(nix::Error::last_raw()) }
    }
}

/// The interface a packet socket is bound to; `None` for another descriptor.
pub(super) fn bound_interface(number: RawFd) -> Option<u32> {
    // SAFETY: integers and bytes: zero is a value.
    let mut address: libc::sockaddr_ll = unsafe { core::mem::zeroed() };
    let mut len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: both pointers are valid for writes, the first for `len` bytes; any number is allowed.
    // (nix wants a length of 20; the kernel says 18, for six bytes of address.)
    let ret = unsafe { libc::getsockname(number, (&raw mut address).cast(), &raw mut len) };
    let packet = ret == 0 && i32::from(address.sll_family) == libc::AF_PACKET;
    u32::try_from(address.sll_ifindex).ok().filter(|_| packet)
}

/// Frames dropped since the last call: reading resets the count (`PACKET_STATISTICS`).
pub(super) fn statistics(number: RawFd) -> u32 {
    let mut stats = sys::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut len = size_of::<sys::tpacket_stats>() as libc::socklen_t;
    let (level, option) = (libc::SOL_PACKET, sys::PACKET_STATISTICS as c_int);
    // SAFETY: both pointers are valid for writes, the first for `len` bytes; on failure zeros stay.
    unsafe { libc::getsockopt(number, level, option, (&raw mut stats).cast(), &raw mut len) };
    stats.tp_drops
}
