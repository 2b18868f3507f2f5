//! What the kernel's bridges have learned by IGMP and MLD: groups, router ports, queriers. A bridge
//! of the kernel's stands for one of the gateway's, its ports are the shadows of that one's ports; any
//! other port the host has given it is the host's side.

use std::time::{Duration, Instant};

use netlink_packet_route::link::{
    BridgeMulticastRouterType, BridgeQuerierState, InfoBridge, InfoData, LinkAttribute, LinkInfo,
};

use super::mdb::{MdbEntry, MdbMessage};
use super::netlink::{Kernel, KernelError};
use crate::config::{Snooped, SnoopedFamily, SnoopedGroup};
use crate::packet::{PortId, PortMask};

/// A bridge of the kernel's.
#[derive(Clone, Debug)]
pub struct KernelBridge {
    /// Its interface.
    pub index: u32,
    /// The gateway's bridge.
    pub bridge: usize,
    /// The host's place among the ports of that.
    pub host: PortId,
    /// The interfaces that are shadows, and of which ports.
    pub ports: Vec<(u32, PortId)>,
}

/// A bridge of the kernel's and since when somebody asks there.
pub(super) struct Snooping {
    of: KernelBridge,
    asked_since: [Option<Instant>; 2],
    state: State,
}

/// What a bridge says of itself, without its groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct State {
    /// By family: those who listen have had the time to say so.
    has_querier: [bool; 2],
    /// The host is a router for all groups.
    host_routes: bool,
}

impl Snooping {
    pub(super) fn new(of: KernelBridge) -> Self {
        Self { of, asked_since: [None; 2], state: State::default() }
    }

    /// An interface was removed and made anew. A new bridge has asked nobody yet.
    pub(super) fn renumber(&mut self, before: u32, now: u32) {
        if self.of.index == before {
            self.of.index = now;
            self.asked_since = [None; 2];
        }
        for (interface, _) in self.of.ports.iter_mut().filter(|(index, _)| *index == before) {
            *interface = now;
        }
    }

    /// Whether the bridge says something else of itself: no event tells of queriers.
    pub(super) fn has_changed(&mut self, kernel: &mut Kernel) -> bool {
        let before = self.state;
        self.look(kernel).is_ok() && self.state != before
    }

    /// What it knows now; `dump` has the groups of all bridges.
    pub(super) fn read(
        &mut self,
        kernel: &mut Kernel,
        dump: &[MdbMessage],
    ) -> Result<Snooped, KernelError> {
        self.look(kernel)?;
        let mine = || dump.iter().filter(|message| message.bridge == self.of.index);
        let mut families = self.state.has_querier.map(|has_querier| {
            let host = self.state.host_routes.then_some(self.of.host);
            SnoopedFamily { has_querier, routers: host.into_iter().collect() }
        });
        for router in mine().flat_map(|message| &message.routers) {
            for (family, routes) in families.iter_mut().zip(router.families) {
                let port = routes.then(|| self.port(router.index));
                family.routers = family.routers.or(port.into_iter().collect());
            }
        }
        let groups = gather(mine().flat_map(|message| &message.entries), |index| self.port(index));
        Ok(Snooped { bridge: self.of.bridge, families, groups })
    }

    fn port(&self, index: u32) -> PortId {
        let shadow = self.of.ports.iter().find(|(shadow, _)| *shadow == index);
        shadow.map_or(self.of.host, |(_, port)| *port)
    }

    /// Linux gives those who listen the response time to answer before it believes that there are
    /// no others (`br_multicast_update_query_timer`), but does not tell how much of it is left.
    fn look(&mut self, kernel: &mut Kernel) -> Result<(), KernelError> {
        let (now, link) = (Instant::now(), kernel.link(self.of.index)?);
        let mut settings = Settings::default();
        for attribute in &link.attributes {
            let LinkAttribute::LinkInfo(infos) = attribute else { continue };
            for info in infos {
                let LinkInfo::Data(InfoData::Bridge(data)) = info else { continue };
                data.iter().for_each(|item| settings.read(item));
            }
        }
        let asks = settings.asks();
        for (since, asks) in self.asked_since.iter_mut().zip(asks) {
            *since = asks.then(|| since.unwrap_or(now));
        }
        let answered = |since: &Option<Instant>| {
            since.is_some_and(|since| now.duration_since(since) >= settings.response_time)
        };
        self.state = State {
            has_querier: [answered(&self.asked_since[0]), answered(&self.asked_since[1])],
            host_routes: settings.host_routes,
        };
        Ok(())
    }
}

/// The attributes of a bridge that matter here.
#[derive(Default)]
struct Settings {
    snoops: bool,
    host_routes: bool,
    response_time: Duration,
    /// Addresses of the queriers; an unspecified one is the bridge's own that cannot ask.
    v4: bool,
    v6: bool,
}

impl Settings {
    fn read(&mut self, item: &InfoBridge) {
        match item {
            InfoBridge::MulticastSnooping(on) => self.snoops = *on,
            InfoBridge::MulticastRouter(kind) => {
                self.host_routes = *kind == BridgeMulticastRouterType::Permanent;
            }
            // USER_HZ: hundredths of a second.
            InfoBridge::MulticastQueryResponseInterval(ticks) => {
                self.response_time = Duration::from_millis(ticks.saturating_mul(10));
            }
            InfoBridge::MulticastQuerierState(state) => {
                for item in state {
                    match item {
                        BridgeQuerierState::Ipv4Address(_) => self.v4 = true,
                        // Without a link-local address the bridge asks nobody (RFC 3810 5.1.14).
                        BridgeQuerierState::Ipv6Address(from) => {
                            self.v6 |= !from.is_unspecified();
                        }
                        BridgeQuerierState::Ipv6OtherTimer(_) => self.v6 = true,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// Linux switches snooping off by itself when it has more groups than `mcast_hash_max`.
    fn asks(&self) -> [bool; 2] {
        [self.v4 && self.snoops, self.v6 && self.snoops]
    }
}

/// One entry per group, or per group and source: the kernel tells of each port by itself.
fn gather<'e>(
    entries: impl Iterator<Item = &'e MdbEntry>,
    port: impl Fn(u32) -> PortId,
) -> Vec<SnoopedGroup> {
    let key = |group: &SnoopedGroup| (group.group, group.source);
    let mut all: Vec<SnoopedGroup> = Vec::new();
    for entry in entries {
        let ports = entry.wants.then(|| port(entry.index)).into_iter().collect::<PortMask>();
        all.push(SnoopedGroup { group: entry.group, source: entry.source, ports });
    }
    all.sort_by_key(key);
    all.dedup_by(|next, first| {
        let same = key(next) == key(first);
        if same {
            first.ports = first.ports.or(next.ports);
        }
        same
    });
    all
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn entry(index: u32, group: &str, source: Option<&str>, wants: bool) -> MdbEntry {
        let source = source.map(|text| text.parse().unwrap());
        MdbEntry { index, group: group.parse().unwrap(), source, wants }
    }

    #[test]
    fn ports_of_a_group_add_up() {
        let entries = [
            entry(7, "239.1.1.1", None, true),
            entry(8, "239.1.1.2", None, true),
            entry(8, "239.1.1.1", None, true),
            entry(9, "239.1.1.1", None, false),
            entry(9, "239.1.1.1", Some("10.0.0.1"), false),
        ];
        let found = gather(entries.iter(), |index| PortId(index as u16));
        let group = |text: &str, source: Option<IpAddr>, ports: &[u16]| SnoopedGroup {
            group: text.parse().unwrap(),
            source,
            ports: ports.iter().map(|&port| PortId(port)).collect(),
        };
        let expected = [
            group("239.1.1.1", None, &[7, 8]),
            group("239.1.1.1", Some("10.0.0.1".parse().unwrap()), &[]),
            group("239.1.1.2", None, &[8]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn nobody_asks_where_snooping_is_off() {
        let mut settings = Settings { v4: true, v6: true, ..Settings::default() };
        assert_eq!(settings.asks(), [false, false]);
        settings.read(&InfoBridge::MulticastSnooping(true));
        assert_eq!(settings.asks(), [true, true]);
    }
}
