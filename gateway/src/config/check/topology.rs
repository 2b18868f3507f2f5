//! Which ports and bridges there are, which port is in which bridge, and whose network an address
//! belongs to.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use toml::Spanned;

use super::super::Bridge;
use super::super::problem::{Problem, Problems};
use super::super::raw::{RawBridge, RawPort, Text};
use super::super::suggest::did_you_mean;
use super::ports::check_name;
use crate::packet::PortId;

pub(super) struct Topology<'r> {
    ports: &'r [RawPort],
    port_ids: HashMap<&'r str, PortId>,
    bridge_ids: HashMap<&'r str, usize>,
    /// Of each port: its bridge, and where that is said.
    bridge_of: Vec<Option<(usize, &'r Text)>>,
}

impl<'r> Topology<'r> {
    pub(super) fn new(
        ports: &'r [RawPort],
        bridges: &'r [RawBridge],
        problems: &mut Problems,
    ) -> Self {
        unique_names(ports, bridges, problems);
        let ids = |name: &'r Option<Text>| name.as_ref().map(|name| name.get_ref().as_str());
        let port_ids = ports.iter().map(|port| ids(&port.name)).enumerate();
        let bridge_ids = bridges.iter().map(|bridge| ids(&bridge.name)).enumerate();
        let mut topology = Self {
            ports,
            port_ids: port_ids.filter_map(|(id, name)| Some((name?, PortId(id as u16)))).collect(),
            bridge_ids: bridge_ids.filter_map(|(id, name)| Some((name?, id))).collect(),
            bridge_of: vec![None; ports.len()],
        };
        for (index, bridge) in bridges.iter().enumerate() {
            for member in &bridge.ports {
                topology.join(index, member, problems);
            }
        }
        topology
    }

    /// The port of this name.
    pub(super) fn port(&self, name: &Text, problems: &mut Problems) -> Option<PortId> {
        let found = self.port_ids.get(name.get_ref().as_str());
        if found.is_none() {
            problems.push(unknown(name, "port", self.port_ids.keys()));
        }
        found.copied()
    }

    /// The port of this name, which must not be in a bridge; `use_` says what needs it.
    pub(super) fn routed_port(
        &self,
        name: &Text,
        use_: &str,
        problems: &mut Problems,
    ) -> Option<PortId> {
        let port = self.port(name, problems)?;
        if let Some((_, membership)) = self.bridge_of[port.index()] {
            problems.push(
                Problem::new(name.span(), format!("{use_} needs a routed port"))
                    .label(format!("`{}` is in a bridge", name.get_ref()))
                    .related(membership.span(), "its bridge")
                    .hint("name a routed port, or take this port out of the bridge"),
            );
            return None;
        }
        Some(port)
    }

    /// The bridge of this name.
    pub(super) fn bridge(&self, name: &Text, problems: &mut Problems) -> Option<usize> {
        let found = self.bridge_ids.get(name.get_ref().as_str());
        if found.is_none() {
            problems.push(unknown(name, "bridge", self.bridge_ids.keys()));
        }
        found.copied()
    }

    /// The bridge a port is in, and where that is said.
    pub(super) fn bridge_of(&self, port: PortId) -> Option<(usize, &'r Text)> {
        self.bridge_of[port.index()]
    }

    /// The networks of a port.
    pub(super) fn networks(&self, port: PortId) -> &'r [Spanned<IpNet>] {
        &self.ports[port.index()].addresses
    }

    /// The ports that have this address in one of their networks: one at most, unless it is
    /// link-local.
    pub(super) fn ports_towards(&self, address: IpAddr) -> Vec<(PortId, &'r Spanned<IpNet>)> {
        let ids = (0..self.ports.len()).map(|id| PortId(id as u16));
        ids.filter_map(|id| {
            Some((id, self.networks(id).iter().find(|net| net.get_ref().contains(&address))?))
        })
        .collect()
    }

    /// Where the gateway itself has this address.
    pub(super) fn own(&self, address: IpAddr) -> Option<&'r Spanned<IpNet>> {
        let mut all = self.ports.iter().flat_map(|port| &port.addresses);
        all.find(|net| net.get_ref().addr() == address)
    }

    /// Bridges once everything is known to be right.
    pub(super) fn bridges(&self, raw: &[RawBridge]) -> Vec<Bridge> {
        let port = |name: &Text| self.port_ids.get(name.get_ref().as_str()).copied();
        let bridge = |raw: &RawBridge| {
            Some(Bridge {
                name: raw.name.as_ref()?.get_ref().clone(),
                ports: raw.ports.iter().filter_map(port).collect(),
                snooping: raw.snooping,
                ageing: raw.ageing,
                host: raw.host.is_some(),
                querier: raw.querier.is_some(),
                fast_leave: raw.fast_leave.iter().filter_map(port).collect(),
                max_groups: raw.max_groups.as_ref().map_or(0, |max| *max.get_ref()),
                max_groups_per_port: raw
                    .max_groups_per_port
                    .as_ref()
                    .map_or(0, |max| *max.get_ref()),
            })
        };
        raw.iter().filter_map(bridge).collect()
    }

    fn join(&mut self, bridge: usize, member: &'r Text, problems: &mut Problems) {
        let Some(port) = self.port(member, problems) else { return };
        match self.bridge_of[port.index()] {
            Some((_, first)) => problems.push(
                Problem::new(
                    member.span(),
                    format!("port `{}` is in two bridges", member.get_ref()),
                )
                .label("again here")
                .related(first.span(), "first here")
                .hint("a port is in one bridge only: remove it from one of them"),
            ),
            None => self.bridge_of[port.index()] = Some((bridge, member)),
        }
    }
}

/// Ports and bridges share one space of names: both are interfaces of the gateway.
fn unique_names(ports: &[RawPort], bridges: &[RawBridge], problems: &mut Problems) {
    let names = ports.iter().map(|port| &port.name).chain(bridges.iter().map(|b| &b.name));
    let mut seen: HashMap<&str, &Text> = HashMap::new();
    for name in names.flatten() {
        check_name(name, problems);
        if let Some(first) = seen.insert(name.get_ref(), name) {
            problems.push(
                Problem::new(name.span(), format!("the name `{}` is used twice", name.get_ref()))
                    .label("again here")
                    .related(first.span(), "first here")
                    .hint("give every port and every bridge a name of its own"),
            );
        }
    }
}

fn unknown<'a>(name: &Text, kind: &str, known: impl Iterator<Item = &'a &'a str>) -> Problem {
    let mut known: Vec<&str> = known.copied().collect();
    known.sort_unstable();
    let hint = did_you_mean(name.get_ref(), &known).unwrap_or_else(|| match known.len() {
        0 => format!("add [[{kind}]] with name = \"{}\"", name.get_ref()),
        _ => format!("the {kind}s are {}", known.join(", ")),
    });
    Problem::new(name.span(), format!("there is no {kind} `{}`", name.get_ref()))
        .label(format!("not the name of a [[{kind}]]"))
        .hint(hint)
}
