//! rtnetlink(7): what the kernel is asked and told. Blocking, for the control side only.

use core::fmt;
use std::fmt::Debug;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use ipnet::IpNet;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkDeserializable,
    NetlinkHeader, NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourExtFlags, NeighbourMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::poll::{PollFd, PollFlags, poll};

use super::changes::Changes;
use crate::packet::MacAddr;

/// RTNLGRP_* of linux/rtnetlink.h: link, neighbours; IPv4 addresses, multicast routes, routes; the
/// same of IPv6; groups of bridges, next hops (Linux 5.3).
const GROUPS: [u32; 10] = [1, 3, 5, 6, 7, 9, 10, 11, 26, 32];
/// Datagrams of the kernel are at most 32 KiB (NLMSG_GOODSIZE of a dump).
const RECEIVE: usize = 64 * 1024;

/// The kernel of the network namespace this was made in.
pub struct Kernel {
    requests: Socket,
    events: Socket,
    sequence: u32,
}

/// A family of messages of rtnetlink(7).
pub(super) trait Message: NetlinkSerializable + NetlinkDeserializable + Debug {}

impl<M: NetlinkSerializable + NetlinkDeserializable + Debug> Message for M {}

/// What the kernel refused.
#[derive(Debug)]
pub struct KernelError {
    what: &'static str,
    cause: io::Error,
}

impl Kernel {
    /// Opens two sockets: one to ask, one to hear of changes.
    ///
    /// # Errors
    /// As socket(2) and bind(2).
    pub fn open() -> Result<Self, KernelError> {
        let open = || -> io::Result<Self> {
            let mut requests = Socket::new(NETLINK_ROUTE)?;
            requests.bind_auto()?;
            requests.connect(&SocketAddr::new(0, 0))?;
            let mut events = Socket::new(NETLINK_ROUTE)?;
            events.bind_auto()?;
            events.set_non_blocking(true)?;
            for group in GROUPS {
                events.add_membership(group)?;
            }
            Ok(Self { requests, events, sequence: 0 })
        };
        open().map_err(|cause| KernelError { what: "netlink", cause })
    }

    /// What may have changed since the last call. What is lost in a full buffer (ENOBUFS) may have
    /// been anything.
    pub fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        let mut buffer = Vec::with_capacity(RECEIVE);
        loop {
            buffer.clear();
            match self.events.recv(&mut buffer, 0) {
                Ok(_) => changes = changes.and(Changes::read(&buffer)),
                Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ENOBUFS as i32) => {
                    changes = Changes::ALL;
                }
                Err(_) => return changes,
            }
        }
    }

    /// Waits until it says something, at most so long.
    pub fn wait(&self, at_most: Duration) {
        let mut events = [PollFd::new(self.events.as_fd(), PollFlags::POLLIN)];
        let millis = u16::try_from(at_most.as_millis()).unwrap_or(u16::MAX);
        let _ = poll(&mut events, millis.saturating_add(1)); // what is there is looked for anyway
    }

    /// The index of an interface.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn index_of(&mut self, name: &str) -> Result<u32, KernelError> {
        let mut link = LinkMessage::default();
        link.attributes.push(LinkAttribute::IfName(name.to_owned()));
        self.find(link).map(|link| link.header.index)
    }

    /// Gives an interface its link address and IP MTU, and switches it on.
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN, or for a MTU the interface does not take.
    pub fn set_link(&mut self, index: u32, mac: MacAddr, mtu: u16) -> Result<(), KernelError> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        link.attributes =
            vec![LinkAttribute::Address(mac.0.to_vec()), LinkAttribute::Mtu(mtu.into())];
        self.tell("RTM_SETLINK", RouteNetlinkMessage::SetLink(link), 0)
    }

    /// Whether an interface has this link address and IP MTU and is on.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn link_is(&mut self, index: u32, mac: MacAddr, mtu: u16) -> Result<bool, KernelError> {
        let link = self.link(index)?;
        let has = |wanted: &LinkAttribute| link.attributes.contains(wanted);
        Ok(has(&LinkAttribute::Address(mac.0.to_vec()))
            && has(&LinkAttribute::Mtu(mtu.into()))
            && link.header.flags.contains(LinkFlags::Up))
    }

    /// Whether there is no such interface any more.
    pub fn is_gone(&mut self, index: u32) -> bool {
        let no_device = Some(nix::errno::Errno::ENODEV as i32);
        self.link(index).is_err_and(|error| error.cause.raw_os_error() == no_device)
    }

    /// What the kernel says of an interface.
    ///
    /// # Errors
    /// When there is none of this index.
    pub(super) fn link(&mut self, index: u32) -> Result<LinkMessage, KernelError> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        self.find(link)
    }

    fn find(&mut self, like: LinkMessage) -> Result<LinkMessage, KernelError> {
        let answers = self.ask("RTM_GETLINK", RouteNetlinkMessage::GetLink(like), 0)?;
        let found = answers.into_iter().find_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) => Some(link),
            _ => None,
        });
        let cause = || io::Error::from(io::ErrorKind::NotFound);
        found.ok_or_else(|| KernelError { what: "RTM_GETLINK", cause: cause() })
    }

    /// Adds an address to an interface, if it is not there.
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN.
    pub fn add_address(&mut self, index: u32, address: IpNet) -> Result<(), KernelError> {
        let mut message = AddressMessage::default();
        message.header.index = index;
        message.header.prefix_len = address.prefix_len();
        message.header.family = match address {
            IpNet::V4(_) => AddressFamily::Inet,
            IpNet::V6(_) => AddressFamily::Inet6,
        };
        message.attributes = vec![
            AddressAttribute::Local(address.addr()),
            AddressAttribute::Address(address.addr()),
        ];
        if let IpNet::V4(net) = address {
            message.attributes.push(AddressAttribute::Broadcast(net.broadcast()));
        }
        let flags = NLM_F_CREATE | NLM_F_REPLACE;
        self.tell("RTM_NEWADDR", RouteNetlinkMessage::NewAddress(message), flags)
    }

    /// Asks the kernel to find this neighbour's link address and to keep it fresh by itself
    /// (NTF_EXT_MANAGED, Linux 5.16).
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN, or on an older kernel.
    pub fn keep_neighbor(&mut self, index: u32, address: IpAddr) -> Result<(), KernelError> {
        let mut message = NeighbourMessage::default();
        message.header.ifindex = index;
        let (family, address) = match address {
            IpAddr::V4(address) => (AddressFamily::Inet, NeighbourAddress::Inet(address)),
            IpAddr::V6(address) => (AddressFamily::Inet6, NeighbourAddress::Inet6(address)),
        };
        message.header.family = family;
        message.attributes = vec![
            NeighbourAttribute::Destination(address),
            NeighbourAttribute::ExtFlags(NeighbourExtFlags::Managed),
        ];
        let flags = NLM_F_CREATE | NLM_F_REPLACE;
        self.tell("RTM_NEWNEIGH", RouteNetlinkMessage::NewNeighbour(message), flags)
    }

    /// Everything of one kind.
    ///
    /// # Errors
    /// When the kernel refuses, or changed too much while it told.
    pub(super) fn dump<M: Message>(
        &mut self,
        what: &'static str,
        request: M,
    ) -> Result<Vec<M>, KernelError> {
        self.ask(what, request, NLM_F_DUMP)
    }

    pub(super) fn tell(
        &mut self,
        what: &'static str,
        request: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(), KernelError> {
        self.ask(what, request, flags | NLM_F_ACK).map(|_| ())
    }

    fn ask<M: Message>(
        &mut self,
        what: &'static str,
        request: M,
        flags: u16,
    ) -> Result<Vec<M>, KernelError> {
        self.exchange(request, flags).map_err(|cause| KernelError { what, cause })
    }

    fn exchange<M: Message>(&mut self, request: M, flags: u16) -> io::Result<Vec<M>> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(request));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.requests.send(&bytes, 0)?;
        let mut answers = Vec::new();
        loop {
            let (datagram, _) = self.requests.recv_from_full()?;
            if self.read(&datagram, flags, &mut answers)? {
                return Ok(answers);
            }
        }
    }

    /// Reads the messages of one datagram; whether the answer is complete.
    fn read<M: Message>(
        &self,
        mut datagram: &[u8],
        flags: u16,
        answers: &mut Vec<M>,
    ) -> io::Result<bool> {
        while let Some(len) = datagram.first_chunk().map(|len| u32::from_ne_bytes(*len) as usize) {
            let Some(one) = datagram.get(..len).filter(|one| one.len() >= 16) else { break };
            datagram = datagram.get(len.next_multiple_of(4)..).unwrap_or_default();
            // What this crate cannot read is no part of the tables either.
            let Ok(message) = NetlinkMessage::<M>::deserialize(one) else {
                continue;
            };
            if message.header.sequence_number != self.sequence {
                continue; // an answer that an earlier error left behind
            }
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(true),
                NetlinkPayload::Error(error) => {
                    return match error.code {
                        None => Ok(true),
                        Some(_) => Err(error.to_io()),
                    };
                }
                NetlinkPayload::InnerMessage(message) => answers.push(message),
                _ => {}
            }
        }
        // Neither a dump nor an order: one message is the answer.
        Ok(flags & (NLM_F_DUMP | NLM_F_ACK) == 0 && !answers.is_empty())
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kernel refuses {}: {}", self.what, self.cause)
    }
}

impl std::error::Error for KernelError {}
