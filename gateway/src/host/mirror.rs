//! What the kernel knows of the shadows: addresses, neighbours, routes, multicast routes, groups.
//!
//! It is asked for everything of a kind whenever it says that something of it changed, and at most so
//! often that asking stays a small part of the time. So a lost event cannot leave the tables behind,
//! and a burst of 200,000 routes is read once. *Absent:* VRFs and policy routing: the main table only.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteNextHop, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::changes::Changes;
use super::mdb::MdbMessage;
use super::memberships;
use super::netlink::{Kernel, KernelError};
use super::snooping::{KernelBridge, Snooping};
use crate::config::{KernelRoutes, Route, Snooped, is_link_group};
use crate::packet::{MacAddr, PortId};

/// `RTNL_FAMILY_IPMR` and `RTNL_FAMILY_IP6MR` (linux/rtnetlink.h).
pub(super) const MULTICAST_FAMILIES: [u8; 2] = [128, 129];

/// How long a next hop that does not answer is left alone.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// The kernel's interfaces that are shadows, by index.
pub struct Mirror {
    /// Interface index and name of each shadow, the port it stands for, the shadow's own id.
    shadows: Vec<ShadowLink>,
    bridges: Vec<Snooping>,
    known: Known,
    /// Neighbours the kernel was asked to keep, and since when: asking is an event itself.
    asked: HashSet<(u32, IpAddr)>,
    asked_since: Instant,
}

/// One shadow as the mirror sees it.
#[derive(Clone, Debug)]
struct ShadowLink {
    index: u32,
    name: String,
    /// Where routes over it lead; a bridge's leads into the bridge, which the kernel alone routes.
    port: Option<PortId>,
    shadow: PortId,
}

/// What the kernel told, in the gateway's words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    pub(super) addresses: Vec<(PortId, IpNet)>,
    pub(super) neighbors: Vec<(PortId, IpAddr, MacAddr)>,
    pub(super) routes: Arc<KernelRoutes>,
    pub(super) multicast: Vec<KnownMulticast>,
    /// Shadows and the groups that programs on the host have joined there.
    pub(super) joined: Vec<(PortId, IpAddr)>,
    /// What its bridges have learned by IGMP and MLD.
    pub(super) snooped: Vec<Snooped>,
}

/// Next hops and neighbours the kernel should keep fresh, by interface.
type Stale = Vec<(u32, IpAddr)>;

/// The next hops of a route; one the kernel has to see itself has none. `None`: the destination is the
/// next hop.
type Hops = Vec<(PortId, Option<IpAddr>)>;

/// An entry of the kernel's multicast forwarding cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct KnownMulticast {
    pub(super) source: Option<IpAddr>,
    pub(super) group: IpAddr,
    pub(super) from: PortId,
    /// Ports, and how many hops a datagram must have more than that; `None`: one of the kernel's
    /// egress interfaces is no port, so the kernel forwards.
    pub(super) to: Option<Vec<(PortId, u8)>>,
}

impl Mirror {
    /// Of shadows by interface index and name; nothing is known yet.
    pub fn new(shadows: impl IntoIterator<Item = (u32, String, Option<PortId>, PortId)>) -> Self {
        let link = |(index, name, port, shadow)| ShadowLink { index, name, port, shadow };
        Self {
            shadows: shadows.into_iter().map(link).collect(),
            bridges: Vec::new(),
            known: Known::default(),
            asked: HashSet::new(),
            asked_since: Instant::now(),
        }
    }

    /// And of bridges whose ports some of the shadows are.
    #[must_use]
    pub fn with_bridges(mut self, bridges: impl IntoIterator<Item = KernelBridge>) -> Self {
        self.bridges = bridges.into_iter().map(Snooping::new).collect();
        self
    }

    /// An interface was removed and made anew.
    pub fn renumber(&mut self, before: u32, now: u32) {
        for shadow in self.shadows.iter_mut().filter(|shadow| shadow.index == before) {
            shadow.index = now;
        }
        self.bridges.iter_mut().for_each(|bridge| bridge.renumber(before, now));
    }

    /// Asks for what may have changed; what is known now, if that differs from before.
    ///
    /// # Errors
    /// What the kernel refused to tell; what was known stays.
    pub fn refresh(
        &mut self,
        kernel: &mut Kernel,
        changes: Changes,
    ) -> Result<Option<Known>, KernelError> {
        let (mut known, mut stale) = (self.known.clone(), Stale::new());
        if changes.addresses {
            known.addresses = self.read_addresses(kernel)?;
        }
        if changes.neighbors {
            known.neighbors = self.read_neighbors(kernel, &mut stale)?;
        }
        if changes.routes {
            known.routes = Arc::new(self.read_routes(kernel)?);
        }
        if changes.multicast {
            known.multicast = self.read_multicast(kernel);
        }
        if changes.joined {
            known.joined = self.joined();
        }
        if changes.snooped {
            known.snooped = self.read_bridges(kernel)?;
        }
        if changes.neighbors || changes.routes {
            self.want_next_hops(&known, &mut stale);
            self.keep_fresh(kernel, stale);
        }
        if known == self.known {
            return Ok(None);
        }
        self.known = known.clone();
        Ok(Some(known))
    }

    fn keep_fresh(&mut self, kernel: &mut Kernel, neighbors: Stale) {
        if self.asked_since.elapsed() > ASK_AGAIN {
            self.asked.clear();
            self.asked_since = Instant::now();
        }
        for (index, address) in neighbors {
            if self.asked.insert((index, address)) {
                let _ = kernel.keep_neighbor(index, address); // a kernel before 5.16 cannot
            }
        }
    }

    fn read_bridges(&mut self, kernel: &mut Kernel) -> Result<Vec<Snooped>, KernelError> {
        if self.bridges.is_empty() {
            return Ok(Vec::new());
        }
        let dump = kernel.dump("RTM_GETMDB", MdbMessage::default())?;
        self.bridges.iter_mut().map(|bridge| bridge.read(kernel, &dump)).collect()
    }

    /// What netlink does not tell of: queriers that have come or gone in bridges, groups that programs
    /// on the host have joined or left.
    pub fn untold_changes(&mut self, kernel: &mut Kernel) -> Changes {
        let snooped = self.bridges.iter_mut().any(|bridge| bridge.has_changed(kernel));
        let joined = self.joined() != self.known.joined;
        Changes { snooped, joined, ..Changes::default() }
    }

    fn joined(&self) -> Vec<(PortId, IpAddr)> {
        let of = |name: &str| self.shadows.iter().find(|link| link.name == name);
        let all = memberships::read().into_iter();
        // Groups of one link go up whether anybody has joined or not.
        all.filter(|(_, group)| !is_link_group(*group))
            .filter_map(|(name, group)| Some((of(&name)?.shadow, group)))
            .collect()
    }

    /// The routed port of an interface.
    fn port(&self, index: u32) -> Option<PortId> {
        self.shadows.iter().find(|link| link.index == index)?.port
    }

    fn read_addresses(&self, kernel: &mut Kernel) -> Result<Vec<(PortId, IpNet)>, KernelError> {
        let mut addresses = Vec::new();
        let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        for answer in kernel.dump("RTM_GETADDR", request)? {
            let RouteNetlinkMessage::NewAddress(message) = answer else { continue };
            let Some(port) = self.port(message.header.index) else { continue };
            let mut address = None;
            for attribute in &message.attributes {
                match attribute {
                    AddressAttribute::Local(local) => address = Some(*local),
                    AddressAttribute::Address(peer) if address.is_none() => address = Some(*peer),
                    _ => {}
                }
            }
            let net = address.and_then(|a| IpNet::new(a, message.header.prefix_len).ok());
            addresses.extend(net.filter(|net| !is_link_local(net.addr())).map(|n| (port, n)));
        }
        Ok(addresses)
    }

    fn read_neighbors(
        &self,
        kernel: &mut Kernel,
        stale: &mut Stale,
    ) -> Result<Vec<(PortId, IpAddr, MacAddr)>, KernelError> {
        let mut neighbors = Vec::new();
        let request = RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default());
        for answer in kernel.dump("RTM_GETNEIGH", request)? {
            let RouteNetlinkMessage::NewNeighbour(message) = answer else { continue };
            let index = message.header.ifindex;
            let Some(port) = self.port(index) else { continue };
            let (mut address, mut mac) = (None, None);
            for attribute in &message.attributes {
                match attribute {
                    NeighbourAttribute::Destination(NeighbourAddress::Inet(v4)) => {
                        address = Some(IpAddr::V4(*v4));
                    }
                    NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6)) => {
                        address = Some(IpAddr::V6(*v6));
                    }
                    NeighbourAttribute::LinkLayerAddress(bytes) => {
                        mac = bytes.as_slice().try_into().ok().map(MacAddr);
                    }
                    _ => {}
                }
            }
            let Some(address) = address else { continue };
            let usable = match message.header.state {
                NeighbourState::Stale => {
                    stale.push((index, address));
                    true
                }
                NeighbourState::Reachable
                | NeighbourState::Delay
                | NeighbourState::Probe
                | NeighbourState::Permanent => true,
                _ => false,
            };
            neighbors.extend(mac.filter(|_| usable).map(|mac| (port, address, mac)));
        }
        Ok(neighbors)
    }

    fn read_routes(&self, kernel: &mut Kernel) -> Result<KernelRoutes, KernelError> {
        // The cheapest of each prefix, as the kernel would choose.
        let mut best: HashMap<IpNet, (u32, Hops)> = HashMap::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut request = RouteMessage::default();
            request.header.address_family = family;
            for answer in kernel.dump("RTM_GETROUTE", RouteNetlinkMessage::GetRoute(request))? {
                let RouteNetlinkMessage::NewRoute(route) = answer else { continue };
                let Some((prefix, priority, hops)) = self.unicast(&route) else { continue };
                match best.get_mut(&prefix) {
                    // IPv6 tells equal-cost routes one by one on old kernels.
                    Some((known, others)) if *known == priority => others.extend(hops),
                    Some((known, _)) if *known < priority => {}
                    _ => drop(best.insert(prefix, (priority, hops))),
                }
            }
        }
        let mut best: Vec<_> = best.into_iter().map(|(prefix, (_, hops))| (prefix, hops)).collect();
        best.sort_by_key(|(prefix, _)| *prefix);
        Ok(in_words_of_the_file(best))
    }

    /// A next hop nobody has talked to yet is resolved before a datagram needs it.
    fn want_next_hops(&self, known: &Known, stale: &mut Stale) {
        let mut settled: HashSet<_> =
            known.neighbors.iter().map(|&(port, address, _)| (port, address)).collect();
        for route in &known.routes.routed {
            if settled.insert((route.port, route.via)) {
                let link = self.shadows.iter().find(|link| link.port == Some(route.port));
                stale.extend(link.map(|link| (link.index, route.via)));
            }
        }
    }

    /// Its prefix, priority and next hops.
    fn unicast(&self, message: &RouteMessage) -> Option<(IpNet, u32, Hops)> {
        let RouteMessage { header, attributes, .. } = message;
        let transit = matches!(
            header.kind,
            RouteType::Unicast
                | RouteType::BlackHole
                | RouteType::Unreachable
                | RouteType::Prohibit
        );
        if !transit || table(message) != u32::from(RouteHeader::RT_TABLE_MAIN) {
            return None;
        }
        let (mut prefix, mut priority, mut hops) =
            (unspecified(header.address_family)?, 0, Vec::new());
        for attribute in attributes {
            match attribute {
                RouteAttribute::Destination(address) => prefix = ip(address)?,
                RouteAttribute::Priority(value) => priority = *value,
                RouteAttribute::MultiPath(paths) => {
                    hops.extend(
                        paths.iter().map(|path| (path.interface_index, gateway(&path.attributes))),
                    );
                }
                RouteAttribute::Oif(index) => hops.push((*index, gateway(attributes))),
                _ => {}
            }
        }
        let prefix = IpNet::new(prefix, header.destination_prefix_length).ok()?;
        let is_ours =
            |&(index, via): &(u32, Option<_>)| via.is_some() && self.port(index).is_some();
        let direct = |hops: &[(u32, Option<Option<IpAddr>>)]| hops.iter().all(is_ours);
        // One path that is not a port's makes the route the kernel's.
        let hops = match header.kind {
            RouteType::Unicast if direct(&hops) => hops,
            _ => Vec::new(),
        };
        let hops = hops.into_iter().filter_map(|(index, via)| Some((self.port(index)?, via?)));
        Some((prefix, priority, hops.collect()))
    }

    fn read_multicast(&self, kernel: &mut Kernel) -> Vec<KnownMulticast> {
        let mut known = Vec::new();
        for family in MULTICAST_FAMILIES {
            let mut request = RouteMessage::default();
            request.header.address_family = AddressFamily::Other(family);
            let request = RouteNetlinkMessage::GetRoute(request);
            // A kernel without multicast routing of this family has none.
            let Ok(answers) = kernel.dump("RTM_GETROUTE", request) else { continue };
            known.extend(answers.iter().filter_map(|answer| match answer {
                RouteNetlinkMessage::NewRoute(route) => self.multicast(route),
                _ => None,
            }));
        }
        known
    }

    fn multicast(&self, message: &RouteMessage) -> Option<KnownMulticast> {
        if message.header.kind != RouteType::Multicast {
            return None;
        }
        let (mut source, mut group, mut from, mut to) = (None, None, None, Some(Vec::new()));
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Source(address) => source = ip(address),
                RouteAttribute::Destination(address) => group = ip(address),
                RouteAttribute::Iif(index) => from = self.port(*index),
                RouteAttribute::MultiPath(paths) => {
                    let port = |path: &RouteNextHop| {
                        Some((self.port(path.interface_index)?, path.hops)) // `ttls` there
                    };
                    to = paths.iter().map(port).collect();
                }
                _ => {}
            }
        }
        let source = source.filter(|source| !source.is_unspecified());
        Some(KnownMulticast { source, group: group?, from: from?, to })
    }
}

fn in_words_of_the_file(best: Vec<(IpNet, Hops)>) -> KernelRoutes {
    let mut routes = KernelRoutes::default();
    for (prefix, hops) in best {
        match hops.first() {
            None => routes.own.push(prefix),
            Some(&(port, None)) => routes.on_link.push((prefix, port)),
            Some(_) => {
                let via = |(port, via): (_, Option<_>)| Some(Route { prefix, via: via?, port });
                routes.routed.extend(hops.into_iter().filter_map(via));
            }
        }
    }
    routes
}

/// `Some(None)`: none is needed; `None`: one that IP of this family cannot name.
fn gateway(attributes: &[RouteAttribute]) -> Option<Option<IpAddr>> {
    for attribute in attributes {
        match attribute {
            RouteAttribute::Gateway(address) => return ip(address).map(Some),
            RouteAttribute::Via(_) | RouteAttribute::Encap(_) => return None,
            _ => {}
        }
    }
    Some(None)
}

fn table(message: &RouteMessage) -> u32 {
    let long = message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    long.unwrap_or(message.header.table.into())
}

fn unspecified(family: AddressFamily) -> Option<IpAddr> {
    match family {
        AddressFamily::Inet => Some(Ipv4Addr::UNSPECIFIED.into()),
        AddressFamily::Inet6 => Some(Ipv6Addr::UNSPECIFIED.into()),
        _ => None,
    }
}

/// Multicast families are read as bytes.
fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some((*v4).into()),
        RouteAddress::Inet6(v6) => Some((*v6).into()),
        RouteAddress::Other(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(bytes.as_slice()).ok().map(IpAddr::from),
            16 => <[u8; 16]>::try_from(bytes.as_slice()).ok().map(IpAddr::from),
            _ => None,
        },
        RouteAddress::Mpls(_) => None,
        _ => None,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}
