use std::collections::HashSet;

use ipnet::IpNet;

use super::Observer;
use crate::config::{Config, Snooped};
use crate::control::{
    FdbEntry, FdbReport, FibEntry, MdbEntry, MfibEntry, NeighborEntry, Origin, TableUse,
};
use crate::packet::{PortId, PortMask};

/// Where a destination leads that the kernel settles itself.
const HOST: &str = "(host)";
/// Groups that nobody has joined, by family.
const OTHERS: [&str; 2] = ["(other IPv4)", "(other IPv6)"];

impl Observer {
    pub(super) fn fdb_reports(&self) -> Vec<FdbReport> {
        let config = self.running.config();
        let now = self.clock.now();
        let tables = self.running.tables().current();
        let reports = tables.bridges().iter().enumerate().map(|(index, bridge)| {
            let fdb = bridge.fdb();
            let entries = fdb.entries(now).map(|entry| FdbEntry {
                mac: entry.station.mac().to_string(),
                vlan: entry.station.vlan(),
                port: member_name(&config, index, entry.port),
                age_s: entry.idle.map_or(0, |idle| idle.as_secs()),
            });
            FdbReport {
                bridge: config.bridge_name(index).to_owned(),
                used: u64::from(fdb.used()),
                limit: u64::from(fdb.limit()),
                entries: entries.collect(),
            }
        });
        reports.collect()
    }

    pub(super) fn mdb_entries(&self) -> Vec<MdbEntry> {
        let config = self.running.effective();
        let groups = config.groups.iter().map(|group| MdbEntry {
            bridge: config.bridge_name(group.bridge).to_owned(),
            group: group.group.to_string(),
            source: None,
            ports: self.port_names(&group.ports),
            listener: None,
            origin: Origin::Static,
        });
        let listeners = config.listeners.iter().map(|listener| MdbEntry {
            bridge: config.bridge_name(listener.bridge).to_owned(),
            group: listener.group.to_string(),
            source: None,
            ports: self.port_names(&[listener.port]),
            listener: Some(listener.mac.to_string()),
            origin: Origin::Static,
        });
        let snooped = config.snooped.iter().flat_map(|bridge| snooped_entries(&config, bridge));
        groups.chain(listeners).chain(snooped).collect()
    }

    pub(super) fn fib_entries(&self) -> Vec<FibEntry> {
        let config = self.running.effective();
        let connected = config.ports.iter().flat_map(|port| {
            port.addresses.iter().map(|address| FibEntry {
                prefix: address.trunc().to_string(),
                via: None,
                port: port.name.clone(),
                origin: Origin::Connected,
            })
        });
        let routes = config.routes.iter().map(|route| FibEntry {
            prefix: route.prefix.to_string(),
            via: Some(route.via.to_string()),
            port: self.port_name(route.port),
            origin: Origin::Static,
        });
        connected.chain(routes).chain(self.kernel_routes(&config)).collect()
    }

    /// Those that nothing else with the same prefix takes the place of.
    fn kernel_routes(&self, config: &Config) -> impl Iterator<Item = FibEntry> {
        let connected = config.ports.iter().flat_map(|port| &port.addresses).map(IpNet::trunc);
        let settled: HashSet<_> =
            config.routes.iter().map(|route| route.prefix).chain(connected).collect();
        let kernel = &config.kernel_routes;
        let routed = kernel.routed.iter().map(|route| (route.prefix, Some(route.via), route.port));
        let on_link = kernel.on_link.iter().map(|(prefix, port)| (*prefix, None, *port));
        let over_ports = routed.chain(on_link).map(|(prefix, via, port)| {
            (prefix, via.map(|via| via.to_string()), self.port_name(port))
        });
        let own = kernel.own.iter().map(|prefix| (*prefix, None, HOST.to_owned()));
        let others = over_ports.chain(own).filter(move |(prefix, ..)| !settled.contains(prefix));
        others.map(|(prefix, via, port)| FibEntry {
            prefix: prefix.to_string(),
            via,
            port,
            origin: Origin::Kernel,
        })
    }

    pub(super) fn mfib_entries(&self) -> Vec<MfibEntry> {
        let (config, file) = (self.running.effective(), self.running.config());
        let routes = config.multicast.iter().enumerate().map(|(index, route)| MfibEntry {
            group: route.group.to_string(),
            source: route.source.map_or_else(|| "any".to_owned(), |source| source.to_string()),
            from: self.port_name(route.from),
            to: self.port_names(&route.to),
            origin: origin(index, file.multicast.len()),
        });
        routes.collect()
    }

    pub(super) fn neighbor_entries(&self) -> Vec<NeighborEntry> {
        let (config, file) = (self.running.effective(), self.running.config());
        let neighbors =
            config.neighbors.iter().enumerate().map(|(index, neighbor)| NeighborEntry {
                address: neighbor.address.to_string(),
                mac: neighbor.mac.to_string(),
                port: self.port_name(neighbor.port),
                origin: origin(index, file.neighbors.len()),
            });
        neighbors.collect()
    }

    pub(super) fn table_uses(&self) -> Vec<TableUse> {
        let fdb = self.fdb_reports().into_iter().map(|fdb| TableUse {
            name: format!("fdb {}", fdb.bridge),
            used: fdb.used,
            limit: fdb.limit,
        });
        let gro = self.gro_reports().into_iter().map(|gro| TableUse {
            name: format!("gro {}", gro.port),
            used: gro.table_used,
            limit: gro.table_limit,
        });
        fdb.chain(gro).chain(self.group_uses()).collect()
    }

    /// Of bridges for which the file has limits; the kernel keeps them.
    fn group_uses(&self) -> Vec<TableUse> {
        let config = self.running.effective();
        let mut uses = Vec::new();
        for (index, bridge) in config.bridges.iter().enumerate() {
            let snooped = config.snooped.iter().find(|snooped| snooped.bridge == index);
            let groups = snooped.map_or(&[][..], |snooped| &snooped.groups);
            let mut note = |of: &str, used: usize, limit: u32| {
                let (name, used) = (format!("groups {of}"), used as u64);
                uses.extend((limit > 0).then_some(TableUse { name, used, limit: limit.into() }));
            };
            note(&bridge.name, groups.len(), bridge.max_groups);
            for port in config.without_shadows(&bridge.ports) {
                let used = groups.iter().filter(|group| group.ports.contains(port)).count();
                note(config.port_name(port), used, bridge.max_groups_per_port);
            }
        }
        uses
    }
}

/// What the kernel's snooping knows of a bridge. Where somebody asks, groups without members have an
/// entry too: they go to routers.
fn snooped_entries(config: &Config, snooped: &Snooped) -> Vec<MdbEntry> {
    let entry = |group: String, source: Option<String>, ports: PortMask| MdbEntry {
        bridge: config.bridge_name(snooped.bridge).to_owned(),
        group,
        source,
        ports: ports.map(|port| member_name(config, snooped.bridge, port)).collect(),
        listener: None,
        origin: Origin::Kernel,
    };
    let others = OTHERS.iter().zip(snooped.families).filter(|(_, family)| family.has_querier);
    let others = others.map(|(name, family)| entry((*name).to_owned(), None, family.routers));
    let groups = snooped.groups.iter().map(|group| {
        let source = group.source.map(|source| source.to_string());
        entry(group.group.to_string(), source, group.ports)
    });
    groups.chain(others).collect()
}

/// A port of a bridge; the host has its bridge's shadow.
fn member_name(config: &Config, bridge: usize, port: PortId) -> String {
    if config.host_of(bridge) == Some(port) {
        config.interface_of(bridge)
    } else {
        config.port_name(port).to_owned()
    }
}

/// What the kernel adds stands behind what the file says.
fn origin(index: usize, in_file: usize) -> Origin {
    if index < in_file { Origin::Static } else { Origin::Kernel }
}
