//! The repeated sections: `[[port]]`, `[[bridge]]`, `[[group]]`, `[[listener]]`, `[[route]]`,
//! `[[neighbor]]` and `[[multicast]]`, each key read into its type.

use core::fmt::Display;
use core::time::Duration;
use std::net::IpAddr;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::DeValue;

use super::super::problem::{Problem, Problems};
use super::super::reader::{Key, Reader, as_text, key, parse_text};
use super::settings::MODES;
use super::{RawBridge, RawGroup, RawListener, RawMulticast, RawNeighbor, RawPort, RawRoute, Text};
use crate::packet::MacAddr;

const NAME: Key = key("name", r#""p0""#);
const BRIDGE_NAME: Key = key("name", r#""br0""#);
const DEVICE: Key = key("device", r#""0000:03:00.0" or "net_af_packet0,iface=eth1""#);
const MAC: Key = key("mac", r#""02:00:00:00:00:01""#);
const ADDRESSES: Key = key("addresses", r#"["10.1.0.1/24"]"#);
const GRO: Key = key("gro", r#""off""#);
const HOST: Key = key("host", "false");
const PORTS: Key = key("ports", r#"["p1", "p2"]"#);
const SNOOPING: Key = key("snooping", "true");
const QUERIER: Key = key("querier", "false");
const FAST_LEAVE: Key = key("fast_leave", r#"["p1"]"#);
const BRIDGE: Key = key("bridge", r#""br0""#);
const GROUP: Key = key("group", r#""239.1.1.1""#);
const PREFIX: Key = key("prefix", r#""10.2.0.0/16""#);
const VIA: Key = key("via", r#""10.1.0.2""#);
const ADDRESS: Key = key("address", r#""10.1.0.2""#);
const PORT: Key = key("port", r#""p0""#);
const SOURCE: Key = key("source", r#""any""#);
const FROM: Key = key("from", r#""p0""#);
const TO: Key = key("to", r#"["p1", "p2"]"#);
const AN_ADDRESS: &str = "an IP address";
/// Bounds the comparison of every next hop with every network.
const ADDRESSES_MAX: usize = 64;

impl RawPort {
    pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Self {
        Self {
            name: r.required(NAME, problems),
            device: r.required(DEVICE, problems),
            mac: station(r, MAC, problems),
            mtu: r.number("mtu", 68..=9600, 1500, problems),
            addresses: addresses(r, problems),
            gro: r.word(GRO, MODES, problems),
            host: host(r, problems),
        }
    }
}

impl RawBridge {
    pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Self {
        Self {
            name: r.required(BRIDGE_NAME, problems),
            ports: port_names(r, PORTS, problems),
            snooping: r.flag(SNOOPING, problems).is_none_or(Spanned::into_inner),
            ageing: Duration::from_secs(
                r.number("ageing_s", 1..=1_000_000_u32, 300, problems).into(),
            ),
            host: host(r, problems),
            querier: r.flag(QUERIER, problems).filter(|querier| *querier.get_ref()),
            fast_leave: names(r, FAST_LEAVE, problems),
            max_groups: max_groups(r, "max_groups", problems),
            max_groups_per_port: max_groups(r, "max_groups_per_port", problems),
        }
    }
}

fn max_groups(
    r: &mut Reader<'_, '_>,
    name: &'static str,
    problems: &mut Problems,
) -> Option<Spanned<u32>> {
    let limit = r.number(name, 0..=65_536, 0, problems);
    r.value(name).filter(|_| limit > 0).map(|value| Spanned::new(value.span(), limit))
}

impl RawGroup {
    pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Self {
        Self {
            bridge: r.required(BRIDGE, problems),
            group: required(r, GROUP, AN_ADDRESS, problems),
            ports: port_names(r, PORTS, problems),
        }
    }
}

impl RawListener {
    pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Self {
        r.require(MAC, problems);
        Self {
            bridge: r.required(BRIDGE, problems),
            group: required(r, GROUP, AN_ADDRESS, problems),
            port: r.required(PORT, problems),
            mac: station(r, MAC, problems),
        }
    }
}

impl RawRoute {
    pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Self {
        r.require(PREFIX, problems);
        let prefix = r.value(PREFIX.name).and_then(|value| network(value, PREFIX, problems));
        Self { prefix, via: required(r, VIA, AN_ADDRESS, problems) }
    }
}

impl RawNeighbor {
    pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Self {
        let address = required(r, ADDRESS, AN_ADDRESS, problems);
        r.require(MAC, problems);
        Self { address, mac: station(r, MAC, problems), port: r.required(PORT, problems) }
    }
}

impl RawMulticast {
    pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Self {
        let group = required(r, GROUP, AN_ADDRESS, problems);
        let source = r
            .value(SOURCE.name)
            .filter(|value| value.get_ref().as_str() != Some("any"))
            .and_then(|value| parse_text(value, SOURCE, r#"an IP address or "any""#, problems));
        let from = r.required(FROM, problems);
        Self { group, source, from, to: port_names(r, TO, problems) }
    }
}

fn required<T: core::str::FromStr>(
    r: &mut Reader<'_, '_>,
    key: Key,
    what: &str,
    problems: &mut Problems,
) -> Option<Spanned<T>> {
    r.require(key, problems);
    r.parsed(key, what, problems)
}

/// A link address that a station can have.
fn station(r: &mut Reader<'_, '_>, key: Key, problems: &mut Problems) -> Option<MacAddr> {
    let mac = r.parsed::<MacAddr>(key, "an Ethernet address", problems)?;
    if !mac.get_ref().is_station() {
        let what = if mac.get_ref().is_group() { "a group address" } else { "all zero" };
        problems.push(
            Problem::new(mac.span(), "`mac` must be the address of one station")
                .label(format!("this is {what}"))
                .hint("the lowest bit of the first octet must be 0, as in 02:00:00:00:00:01"),
        );
    }
    Some(mac.into_inner())
}

fn addresses(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Vec<Spanned<IpNet>> {
    let list = r.list(ADDRESSES, problems);
    if let Some(beyond) = list.get(ADDRESSES_MAX) {
        problems.push(
            Problem::new(beyond.span(), "too many addresses on one port")
                .label(format!("the limit is {ADDRESSES_MAX}"))
                .hint("remove addresses, or route further networks with [[route]]"),
        );
    }
    let nets = list.iter().take(ADDRESSES_MAX);
    nets.filter_map(|value| network(value, ADDRESSES, problems)).collect()
}

/// An address with a prefix length.
fn network(
    value: &Spanned<DeValue<'_>>,
    key: Key,
    problems: &mut Problems,
) -> Option<Spanned<IpNet>> {
    let text = as_text(value, key, problems)?;
    if let Ok(bare) = text.parse::<IpAddr>() {
        let example = if bare.is_ipv4() { 24 } else { 64 };
        problems.push(
            Problem::new(value.span(), format!("`{}` needs a prefix length", key.name))
                .label("an address alone")
                .hint(format!("write \"{bare}/{example}\", with the length of the network")),
        );
        return None;
    }
    parse_text(value, key, "an IP address with a prefix length", problems)
}

/// A list of port names that must be there, not be empty, and name each port once.
fn port_names(r: &mut Reader<'_, '_>, key: Key, problems: &mut Problems) -> Vec<Text> {
    r.require(key, problems);
    let value = r.value(key.name);
    let place = value.map_or(r.span(), Spanned::span);
    let empty = value.and_then(|v| v.get_ref().as_array()).is_some_and(|list| list.is_empty());
    if empty {
        problems.push(
            Problem::new(place, format!("`{}` names no port", key.name))
                .label("the list is empty")
                .hint(format!("write {} = {}", key.name, key.example)),
        );
    }
    names(r, key, problems)
}

/// A list that names each port once.
fn names(r: &mut Reader<'_, '_>, key: Key, problems: &mut Problems) -> Vec<Text> {
    let mut names: Vec<Text> = Vec::new();
    for name in r.texts(key, problems) {
        match names.iter().find(|earlier| **earlier == name) {
            Some(earlier) => problems.push(listed_twice(&name, earlier)),
            None => names.push(name),
        }
    }
    names
}

fn listed_twice<T: Display>(again: &Spanned<T>, first: &Spanned<T>) -> Problem {
    Problem::new(again.span(), format!("port `{again}` is listed twice"))
        .label("again here")
        .related(first.span(), "first here")
        .hint("remove one of them")
}

/// Where a shadow in the kernel is asked for.
fn host(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Option<Spanned<bool>> {
    r.flag(HOST, problems).filter(|host| *host.get_ref())
}
