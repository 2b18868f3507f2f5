use super::Observer;
use crate::control::{
    FdbEntry, FdbReport, FibEntry, MdbEntry, MfibEntry, NeighborEntry, Origin, TableUse,
};

/// Where a destination leads that the kernel settles itself.
const HOST: &str = "(host)";

impl Observer {
    pub(super) fn fdb_reports(&self) -> Vec<FdbReport> {
        let config = self.running.config();
        let now = self.clock.now();
        let tables = self.running.tables().current();
        let bridges = config.bridges.iter().zip(tables.bridges());
        let reports = bridges.map(|(config, bridge)| {
            let fdb = bridge.fdb();
            let entries = fdb.entries(now).map(|entry| FdbEntry {
                mac: entry.station.mac().to_string(),
                vlan: entry.station.vlan(),
                port: self.port_name(entry.port),
                age_s: entry.idle.map_or(0, |idle| idle.as_secs()),
            });
            FdbReport {
                bridge: config.name.clone(),
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
            ports: self.port_names(&group.ports),
            listener: None,
            origin: Origin::Static,
        });
        let listeners = config.listeners.iter().map(|listener| MdbEntry {
            bridge: config.bridge_name(listener.bridge).to_owned(),
            group: listener.group.to_string(),
            ports: self.port_names(&[listener.port]),
            listener: Some(listener.mac.to_string()),
            origin: Origin::Static,
        });
        groups.chain(listeners).collect()
    }

    pub(super) fn fib_entries(&self) -> Vec<FibEntry> {
        let (config, file) = (self.running.effective(), self.running.config());
        let connected = config.ports.iter().flat_map(|port| {
            port.addresses.iter().map(|address| FibEntry {
                prefix: address.trunc().to_string(),
                via: None,
                port: port.name.clone(),
                origin: Origin::Connected,
            })
        });
        let routes = config.routes.iter().enumerate().map(|(index, route)| FibEntry {
            prefix: route.prefix.to_string(),
            via: Some(route.via.to_string()),
            port: self.port_name(route.port),
            origin: origin(index, file.routes.len()),
        });
        let on_link = config.on_link.iter().map(|(prefix, port)| FibEntry {
            prefix: prefix.to_string(),
            via: None,
            port: self.port_name(*port),
            origin: Origin::Kernel,
        });
        let kernel = config.kernel_routes.iter().map(|prefix| FibEntry {
            prefix: prefix.to_string(),
            via: None,
            port: HOST.to_owned(),
            origin: Origin::Kernel,
        });
        connected.chain(routes).chain(on_link).chain(kernel).collect()
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
        fdb.chain(gro).collect()
    }
}

/// What the kernel adds stands behind what the file says.
fn origin(index: usize, in_file: usize) -> Origin {
    if index < in_file { Origin::Static } else { Origin::Kernel }
}
