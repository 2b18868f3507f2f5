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
    /// Groups it learns; 0: as many as it is set to.
    pub max_groups: u32,
}

/// What a port of it is to be like; it is isolated in any case.
#[derive(Clone, Copy, Debug)]
pub struct BridgePortSettings {
    /// One leave is believed at once.
    pub fast_leave: bool,
    /// Groups that are believed of it (Linux 6.3); 0: as many as it is set to.
    pub max_groups: u32,
}

impl Kernel {
    /// Makes a bridge that snoops, or makes one that is there do so; it is on.
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN, or when another kind of interface has the name.
    pub fn make_bridge(&mut self, wanted: BridgeSettings<'_>) -> Result<(), KernelError> {
        let mut link = LinkMessage::default();
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        link.attributes = vec![
            LinkAttribute::IfName(wanted.name.to_owned()),
            LinkAttribute::Address(wanted.mac.0.to_vec()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Bridge),
                LinkInfo::Data(InfoData::Bridge(snooping(wanted))),
            ]),
        ];
        self.tell("RTM_NEWLINK", RouteNetlinkMessage::NewLink(link), NLM_F_CREATE)
    }

    /// Makes an interface a port of a bridge, isolated from its other ports.
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN.
    pub fn enslave(
        &mut self,
        port: u32,
        bridge: u32,
        wanted: BridgePortSettings,
    ) -> Result<(), KernelError> {
        let mut link = LinkMessage::default();
        link.header.index = port;
        link.attributes = vec![LinkAttribute::Controller(bridge)];
        self.tell("RTM_SETLINK", RouteNetlinkMessage::SetLink(link), 0)?;
        let (isolated, leaves) = (InfoBridgePort::Isolated(true), wanted.fast_leave);
        self.set_port(port, vec![isolated, InfoBridgePort::FastLeave(leaves)])?;
        if wanted.max_groups > 0 { self.limit_groups(port, wanted.max_groups) } else { Ok(()) }
    }

    /// Makes a bridge believe no more groups of a port than so many (Linux 6.3; an older one does not
    /// say that it does not).
    ///
    /// # Errors
    /// Without CAP_NET_ADMIN.
    pub fn limit_groups(&mut self, port: u32, max_groups: u32) -> Result<(), KernelError> {
        self.set_port(port, vec![InfoBridgePort::MulticastMaxGroups(max_groups)])
    }

    fn set_port(&mut self, port: u32, data: Vec<InfoBridgePort>) -> Result<(), KernelError> {
        let mut link = LinkMessage::default();
        link.header.index = port;
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
    pub fn is_bridge(
        &mut self,
        index: u32,
        wanted: BridgeSettings<'_>,
    ) -> Result<bool, KernelError> {
        let link = self.link(index)?;
        let has = |wanted: &InfoBridge| {
            infos(&link).any(
                |info| matches!(info, LinkInfo::Data(InfoData::Bridge(data)) if data.contains(wanted)),
            )
        };
        Ok(link.header.flags.contains(LinkFlags::Up) && snooping(wanted).iter().all(has))
    }

    /// Whether an interface is a port of a bridge as [`enslave`](Self::enslave) makes it.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn is_enslaved(
        &mut self,
        port: u32,
        bridge: u32,
        wanted: BridgePortSettings,
    ) -> Result<bool, KernelError> {
        let link = self.link(port)?;
        let is_ready = infos(&link).any(|info| {
            matches!(info, LinkInfo::PortData(InfoPortData::BridgePort(data))
                if of_port(wanted).iter().all(|wanted| data.contains(wanted)))
        });
        Ok(is_ready && link.attributes.contains(&LinkAttribute::Controller(bridge)))
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

fn snooping(wanted: BridgeSettings<'_>) -> Vec<InfoBridge> {
    let BridgeSettings { querier, max_groups, .. } = wanted;
    let mut all = vec![InfoBridge::MulticastSnooping(true), InfoBridge::MulticastQuerier(querier)];
    all.extend((max_groups > 0).then_some(InfoBridge::MulticastHashMax(max_groups)));
    all
}

/// What a port must have. (One that was made beforehand may leave as slowly as it likes.)
fn of_port(BridgePortSettings { max_groups, .. }: BridgePortSettings) -> Vec<InfoBridgePort> {
    let limit = (max_groups > 0).then_some(InfoBridgePort::MulticastMaxGroups(max_groups));
    [InfoBridgePort::Isolated(true)].into_iter().chain(limit).collect()
}

fn infos(link: &LinkMessage) -> impl Iterator<Item = &LinkInfo> {
    let infos = link.attributes.iter().filter_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => Some(infos),
        _ => None,
    });
    infos.flatten()
}
