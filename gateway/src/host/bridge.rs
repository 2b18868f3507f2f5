//! The kernel's bridge over the shadows of a bridge's ports: it learns and asks, and forwards nothing
//! between them, for they are isolated (`IFLA_BRPORT_ISOLATED`, Linux 4.18).

use netlink_packet_core::NLM_F_CREATE;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage,
};

use super::netlink::{Kernel, KernelError};
use crate::packet::MacAddr;

/// What a bridge of the kernel's is to be like.
#[derive(Clone, Copy, Debug)]
pub struct BridgeSettings<'a> {
    /// Its interface.
    pub name: &'a str,
    /// Its link address.
    pub mac: MacAddr,
    /// Whether it asks for members itself.
    pub querier: bool,
}

impl Kernel {
    /// Makes a bridge that snoops, or makes one that is there do so; it is on.
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN, or when another kind of interface has the name.
    pub fn make_bridge(&mut self, wanted: BridgeSettings<'_>) -> Result<(), KernelError> {
        let data = snooping(wanted.querier);
        let mut link = LinkMessage::default();
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        link.attributes = vec![
            LinkAttribute::IfName(wanted.name.to_owned()),
            LinkAttribute::Address(wanted.mac.0.to_vec()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Bridge),
                LinkInfo::Data(InfoData::Bridge(data.to_vec())),
            ]),
        ];
        self.tell("RTM_NEWLINK", RouteNetlinkMessage::NewLink(link), NLM_F_CREATE)
    }

    /// Makes an interface a port of a bridge, isolated from its other ports.
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN.
    pub fn enslave(&mut self, port: u32, bridge: u32, fast_leave: bool) -> Result<(), KernelError> {
        let mut link = LinkMessage::default();
        link.header.index = port;
        link.attributes = vec![LinkAttribute::Controller(bridge)];
        self.tell("RTM_SETLINK", RouteNetlinkMessage::SetLink(link.clone()), 0)?;
        let data = vec![InfoBridgePort::Isolated(true), InfoBridgePort::FastLeave(fast_leave)];
        link.attributes = vec![LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(data)),
        ])];
        self.tell("RTM_NEWLINK", RouteNetlinkMessage::NewLink(link), 0)
    }

    /// Whether an interface is a bridge as [`make_bridge`](Self::make_bridge) makes it.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn is_bridge(&mut self, index: u32, querier: bool) -> Result<bool, KernelError> {
        let link = self.link(index)?;
        let has = |wanted: &InfoBridge| {
            infos(&link).any(
                |info| matches!(info, LinkInfo::Data(InfoData::Bridge(data)) if data.contains(wanted)),
            )
        };
        Ok(link.header.flags.contains(LinkFlags::Up) && snooping(querier).iter().all(has))
    }

    /// Whether an interface is a port of a bridge as [`enslave`](Self::enslave) makes it.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn is_enslaved(&mut self, port: u32, bridge: u32) -> Result<bool, KernelError> {
        let link = self.link(port)?;
        let isolated = infos(&link).any(|info| {
            matches!(info, LinkInfo::PortData(InfoPortData::BridgePort(data))
                if data.contains(&InfoBridgePort::Isolated(true)))
        });
        Ok(isolated && link.attributes.contains(&LinkAttribute::Controller(bridge)))
    }

    /// Removes an interface.
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN, or when it is gone.
    pub fn remove(&mut self, index: u32) -> Result<(), KernelError> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        self.tell("RTM_DELLINK", RouteNetlinkMessage::DelLink(link), 0)
    }
}

fn snooping(querier: bool) -> [InfoBridge; 2] {
    [InfoBridge::MulticastSnooping(true), InfoBridge::MulticastQuerier(querier)]
}

fn infos(link: &LinkMessage) -> impl Iterator<Item = &LinkInfo> {
    let infos = link.attributes.iter().filter_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => Some(infos),
        _ => None,
    });
    infos.flatten()
}
