//! The sockets of net_af_packet, opened anew as a forwarder needs them.
//!
//! The driver (DPDK 22.11 to 25.11) leaves four things to no argument:
//! - a fanout group, even of one, that reassembles IPv4 fragments (`PACKET_FANOUT_FLAG_DEFRAG`): a
//!   datagram in fragments would arrive as one frame above the MTU, cut off where the ring's frame
//!   ends; and, of several queues, one that is full spills over into another, out of order;
//! - what the host itself sends on the interface would be received;
//! - before it is bound, a socket hears every interface;
//! - a send buffer smaller than the ring: when a queueing discipline or a device keeps frames, the
//!   driver waits for room in `poll(…, -1)`, inside its transmit burst.
//!
//! A fifth, that a checksum is unfinished, it does not pass on: see `look`.
//!
//! So after the driver has attached, and before the port starts, each socket is replaced: under
//! its number and at the address of its rings, which are as empty as the driver left them.

mod look;
mod program;
mod ring;
mod socket;

use core::cell::Cell;
use std::fs;
use std::os::fd::RawFd;

use nix::net::if_::if_nametoindex;

pub(super) use look::ReceiveRing;
pub(super) use ring::Ring;

use self::socket::{RingSocket, bound_interface, statistics};
use super::{Device, Errno};

/// The replaced sockets of one port.
pub(super) struct PacketSockets {
    /// The driver's, open until the port is closed.
    numbers: Vec<RawFd>,
    /// By queue, until the queues have them.
    rings: Vec<ReceiveRing>,
    missed: Cell<u64>,
    /// Whether the driver can never wait for room.
    pub(super) patient: bool,
}

/// What failed.
pub(super) struct Failure {
    pub(super) step: &'static str,
    pub(super) errno: Errno,
}

/// A socket of the driver's.
struct Found {
    number: RawFd,
    /// Where its rings are mapped.
    address: usize,
}

impl PacketSockets {
    /// Replaces the sockets of an attached port that was not started yet. `None`, and nothing was
    /// changed, if they are not what this was written for.
    pub(super) fn reopen(
        device: &Device,
        ring: Ring,
        promiscuous: bool,
    ) -> Result<Option<Self>, Failure> {
        let Some(index) = device.interface().and_then(|name| if_nametoindex(name).ok()) else {
            return Ok(None);
        };
        let queues = device.argument("qpairs").map_or(Some(1), |text| text.parse().ok());
        let found = find(index, ring);
        if queues != Some(found.len()) {
            return Ok(None);
        }
        let bypass = device.argument("qdisc_bypass") != Some("0");
        let mut sockets =
            Self { numbers: Vec::new(), rings: Vec::new(), missed: Cell::new(0), patient: true };
        for Found { number, address } in &found {
            let socket = RingSocket::open(ring, bypass)?;
            sockets.patient &= socket.make_patient(ring);
            socket.map_at(*address, ring)?;
            socket.bind(index)?;
            socket.hear(index, promiscuous)?;
            if found.len() > 1 {
                program::join(&socket, index)?;
            }
            socket.take_number(*number)?;
            sockets.numbers.push(*number);
            // SAFETY: mapped just now in the place of the driver's, which unmaps it when the port
            // is closed; queues keep it open. The driver has not started.
            sockets.rings.push(unsafe { ReceiveRing::new(*address, ring) });
        }
        Ok(Some(sockets))
    }

    /// The receive rings, for the queues in their order, which is the one the driver opened its
    /// sockets in.
    pub(super) fn take_rings(&mut self) -> Vec<ReceiveRing> {
        std::mem::take(&mut self.rings)
    }

    /// Frames the kernel dropped because a ring was full, since the port was opened.
    pub(super) fn missed(&self) -> u64 {
        let more: u64 = self.numbers.iter().map(|&number| u64::from(statistics(number))).sum();
        self.missed.set(self.missed.get() + more);
        self.missed.get()
    }
}

/// This process's packet sockets that are bound to the interface and have such a ring.
fn find(interface: u32, ring: Ring) -> Vec<Found> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let descriptors = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let mut found: Vec<_> = descriptors
        .filter_map(|entry| {
            let number: RawFd = entry.file_name().to_str()?.parse().ok()?;
            let target = fs::read_link(entry.path()).ok()?;
            let address = mapping(&maps, target.to_str()?, ring.map_bytes())?;
            (bound_interface(number) == Some(interface)).then_some(Found { number, address })
        })
        .collect();
    found.sort_by_key(|socket| socket.number);
    found
}

/// Where `file` is mapped with this length, by proc_pid_maps(5).
fn mapping(maps: &str, file: &str, len: usize) -> Option<usize> {
    let line = maps.lines().find(|line| line.ends_with(file) && file.starts_with("socket:["))?;
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    (end - start == len).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_found_by_file_and_length() {
        let maps = "7f0000000000-7f0000200000 rw-s 00000000 00:08 123  socket:[123]\n\
                    7f0000400000-7f0000401000 r--p 00000000 00:08 5    /usr/lib/libc.so.6\n";
        assert_eq!(mapping(maps, "socket:[123]", 0x20_0000), Some(0x7f00_0000_0000));
        assert_eq!(mapping(maps, "socket:[123]", 0x10_0000), None);
        assert_eq!(mapping(maps, "socket:[23]", 0x20_0000), None);
        assert_eq!(mapping(maps, "/usr/lib/libc.so.6", 0x1000), None);
    }
}
