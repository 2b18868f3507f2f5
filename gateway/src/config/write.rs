//! A [`Config`] back into the form of the file, every default filled in, names instead of
//! indices: `parse(config.to_toml()) == config`.

use core::time::Duration;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::{Action, Config, Control, Gro, GroMode, Runtime};
use crate::packet::{MacAddr, PortId};

impl Config {
    /// The file that says all this.
    pub fn to_toml(&self) -> String {
        // Every type below has a TOML form, so this cannot fail; the text of a failure is no file.
        toml::to_string(self).unwrap_or_else(|error| format!("# {error}\n"))
    }

    /// A port's name in the file.
    pub fn port_name(&self, port: PortId) -> &str {
        self.ports.get(port.index()).map_or("?", |port| &port.name)
    }

    pub(crate) fn without_shadows(&self, ports: &[PortId]) -> Vec<PortId> {
        let shadows = self.shadows();
        ports.iter().copied().filter(|&port| !shadows.contains(port)).collect()
    }

    /// A bridge's name in the file.
    pub fn bridge_name(&self, bridge: usize) -> &str {
        self.bridges.get(bridge).map_or("?", |bridge| &bridge.name)
    }

    fn port_names(&self, ports: &[PortId]) -> Vec<&str> {
        ports.iter().map(|port| self.port_name(*port)).collect()
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        File {
            runtime: &self.runtime,
            gro: self.gro,
            control: &self.control,
            port: self.ports.iter().filter(|port| port.shadow.is_none()).map(Port::from).collect(),
            bridge: self.bridges.iter().map(|bridge| Bridge::new(self, bridge)).collect(),
            group: self.groups.iter().map(|group| Group::new(self, group)).collect(),
            listener: self.listeners.iter().map(|l| Listener::new(self, l)).collect(),
            route: self.routes.iter().map(Route::from).collect(),
            neighbor: self.neighbors.iter().map(|n| Neighbor::new(self, n)).collect(),
            multicast: self.multicast.iter().map(|m| Multicast::new(self, m)).collect(),
            filter: self.filters.iter().map(|filter| Filter::new(self, filter)).collect(),
        }
        .serialize(serializer)
    }
}

/// `max_hold_us`
pub(super) fn micros<S: Serializer>(hold: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(hold.as_micros()).unwrap_or(u64::MAX))
}

fn mac<S: Serializer>(mac: &MacAddr, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(mac)
}

fn optional_mac<S: Serializer>(mac: &Option<MacAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    mac.map(|mac| mac.to_string()).serialize(serializer)
}

#[derive(Serialize)]
struct File<'a> {
    runtime: &'a Runtime,
    gro: Gro,
    control: &'a Control,
    port: Vec<Port<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bridge: Vec<Bridge<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    group: Vec<Group<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listener: Vec<Listener<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    route: Vec<Route>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    neighbor: Vec<Neighbor<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    multicast: Vec<Multicast<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filter: Vec<Filter<'a>>,
}

#[derive(Serialize)]
struct Port<'a> {
    name: &'a str,
    device: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_mac")]
    mac: Option<MacAddr>,
    mtu: u16,
    addresses: &'a [IpNet],
    #[serde(skip_serializing_if = "Option::is_none")]
    gro: Option<GroMode>,
    host: bool,
}

#[derive(Serialize)]
struct Bridge<'a> {
    name: &'a str,
    ports: Vec<&'a str>,
    snooping: bool,
    ageing_s: u64,
    host: bool,
    querier: bool,
    fast_leave: Vec<&'a str>,
    max_groups: u32,
    max_groups_per_port: u32,
}

#[derive(Serialize)]
struct Group<'a> {
    bridge: &'a str,
    group: IpAddr,
    ports: Vec<&'a str>,
}

#[derive(Serialize)]
struct Listener<'a> {
    bridge: &'a str,
    group: IpAddr,
    port: &'a str,
    #[serde(serialize_with = "mac")]
    mac: MacAddr,
}

#[derive(Serialize)]
struct Route {
    prefix: IpNet,
    via: IpAddr,
}

#[derive(Serialize)]
struct Neighbor<'a> {
    address: IpAddr,
    #[serde(serialize_with = "mac")]
    mac: MacAddr,
    port: &'a str,
}

#[derive(Serialize)]
struct Multicast<'a> {
    group: IpAddr,
    source: String,
    from: &'a str,
    to: Vec<&'a str>,
}

#[derive(Serialize)]
struct Filter<'a> {
    at: &'static str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_pps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_bps: Option<u64>,
    #[serde(rename = "match")]
    matches: Match<'a>,
}

#[derive(Serialize)]
struct Match<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cast: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proto: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<IpNet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst: Option<IpNet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<(u16, u16)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst_port: Option<(u16, u16)>,
}

impl<'a> From<&'a super::Port> for Port<'a> {
    fn from(port: &'a super::Port) -> Self {
        Self {
            name: &port.name,
            device: &port.device,
            mac: port.mac,
            mtu: port.mtu,
            addresses: &port.addresses,
            gro: port.gro,
            host: port.host,
        }
    }
}

impl<'a> Bridge<'a> {
    fn new(config: &'a Config, bridge: &'a super::Bridge) -> Self {
        Self {
            name: &bridge.name,
            ports: config.port_names(&config.without_shadows(&bridge.ports)),
            snooping: bridge.snooping,
            ageing_s: bridge.ageing.as_secs(),
            host: bridge.host,
            querier: bridge.querier,
            fast_leave: config.port_names(&bridge.fast_leave),
            max_groups: bridge.max_groups,
            max_groups_per_port: bridge.max_groups_per_port,
        }
    }
}

impl<'a> Listener<'a> {
    fn new(config: &'a Config, listener: &super::Listener) -> Self {
        let (bridge, port) = (config.bridge_name(listener.bridge), config.port_name(listener.port));
        Self { bridge, group: listener.group, port, mac: listener.mac }
    }
}

impl<'a> Group<'a> {
    fn new(config: &'a Config, group: &super::Group) -> Self {
        let bridge = config.bridge_name(group.bridge);
        Self { bridge, group: group.group, ports: config.port_names(&group.ports) }
    }
}

impl From<&super::Route> for Route {
    fn from(route: &super::Route) -> Self {
        Self { prefix: route.prefix, via: route.via }
    }
}

impl<'a> Neighbor<'a> {
    fn new(config: &'a Config, neighbor: &super::Neighbor) -> Self {
        let port = config.port_name(neighbor.port);
        Self { address: neighbor.address, mac: neighbor.mac, port }
    }
}

impl<'a> Multicast<'a> {
    fn new(config: &'a Config, route: &super::MulticastRoute) -> Self {
        Self {
            group: route.group,
            source: route.source.map_or("any".to_owned(), |source| source.to_string()),
            from: config.port_name(route.from),
            to: config.port_names(&route.to),
        }
    }
}

impl<'a> Filter<'a> {
    fn new(config: &'a Config, filter: &super::Filter) -> Self {
        let to = match filter.action {
            Action::Mirror(to) => Some(config.port_name(to)),
            Action::Accept | Action::Drop => None,
        };
        let matches = &filter.matches;
        Self {
            at: filter.at.name(),
            action: filter.action.name(),
            to,
            rate_pps: filter.rate_pps,
            rate_bps: filter.rate_bps,
            matches: Match {
                port: matches.port.map(|port| config.port_name(port)),
                cast: matches.cast.map(super::Cast::name),
                proto: matches.proto.map(super::Protocol::name),
                src: matches.src,
                dst: matches.dst,
                src_port: matches.src_port,
                dst_port: matches.dst_port,
            },
        }
    }
}
