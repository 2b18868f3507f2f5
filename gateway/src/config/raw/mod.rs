//! The file as written: every value has its type and range and knows its place, but names are
//! not resolved yet. A value that could not be read is absent here and noted as a problem.

mod filter;
mod sections;
mod settings;

use core::ops::Range;
use core::time::Duration;
use std::net::IpAddr;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::reader::{Reader, type_of};
use super::{Control, Gro, GroMode, Runtime};
use crate::packet::MacAddr;
pub(super) use filter::{RawFilter, RawMatch, Verb};

/// A string and where it stands.
pub(super) type Text = Spanned<String>;

pub(super) struct RawConfig {
    pub(super) runtime: Runtime,
    pub(super) gro: Gro,
    pub(super) control: Control,
    pub(super) ports: Vec<RawPort>,
    pub(super) bridges: Vec<RawBridge>,
    pub(super) groups: Vec<RawGroup>,
    pub(super) listeners: Vec<RawListener>,
    pub(super) routes: Vec<RawRoute>,
    pub(super) neighbors: Vec<RawNeighbor>,
    pub(super) multicast: Vec<RawMulticast>,
    pub(super) filters: Vec<RawFilter>,
}

pub(super) struct RawPort {
    pub(super) name: Option<Text>,
    pub(super) device: Option<Text>,
    pub(super) mac: Option<MacAddr>,
    pub(super) mtu: u16,
    pub(super) addresses: Vec<Spanned<IpNet>>,
    pub(super) gro: Option<GroMode>,
    /// Where `host = true` stands.
    pub(super) host: Option<Spanned<bool>>,
}

pub(super) struct RawBridge {
    pub(super) name: Option<Text>,
    pub(super) ports: Vec<Text>,
    pub(super) snooping: bool,
    pub(super) ageing: Duration,
    /// Where `host = true` stands.
    pub(super) host: Option<Spanned<bool>>,
    /// Where `querier = true` stands.
    pub(super) querier: Option<Spanned<bool>>,
    pub(super) fast_leave: Vec<Text>,
    /// Where they are not 0.
    pub(super) max_groups: Option<Spanned<u32>>,
    pub(super) max_groups_per_port: Option<Spanned<u32>>,
}

pub(super) struct RawGroup {
    pub(super) bridge: Option<Text>,
    pub(super) group: Option<Spanned<IpAddr>>,
    pub(super) ports: Vec<Text>,
}

pub(super) struct RawListener {
    pub(super) bridge: Option<Text>,
    pub(super) group: Option<Spanned<IpAddr>>,
    pub(super) port: Option<Text>,
    pub(super) mac: Option<MacAddr>,
}

pub(super) struct RawRoute {
    pub(super) prefix: Option<Spanned<IpNet>>,
    pub(super) via: Option<Spanned<IpAddr>>,
}

pub(super) struct RawNeighbor {
    pub(super) address: Option<Spanned<IpAddr>>,
    pub(super) mac: Option<MacAddr>,
    pub(super) port: Option<Text>,
}

pub(super) struct RawMulticast {
    pub(super) group: Option<Spanned<IpAddr>>,
    /// `None`: any.
    pub(super) source: Option<Spanned<IpAddr>>,
    pub(super) from: Option<Text>,
    pub(super) to: Vec<Text>,
}

impl RawConfig {
    /// Reads every section; what is wrong with it is noted.
    pub(super) fn read(file: &Spanned<DeTable<'_>>, problems: &mut Problems) -> Self {
        let mut top = Reader::new(file.get_ref(), 0..0, "the file");
        let config = Self {
            runtime: settings::runtime(
                section(&mut top, "runtime", "[runtime]", problems),
                problems,
            ),
            gro: settings::gro(section(&mut top, "gro", "[gro]", problems), problems),
            ports: sections(&mut top, "port", "[[port]]", problems, RawPort::read),
            bridges: sections(&mut top, "bridge", "[[bridge]]", problems, RawBridge::read),
            groups: sections(&mut top, "group", "[[group]]", problems, RawGroup::read),
            listeners: sections(&mut top, "listener", "[[listener]]", problems, RawListener::read),
            routes: sections(&mut top, "route", "[[route]]", problems, RawRoute::read),
            neighbors: sections(&mut top, "neighbor", "[[neighbor]]", problems, RawNeighbor::read),
            multicast: sections(
                &mut top,
                "multicast",
                "[[multicast]]",
                problems,
                RawMulticast::read,
            ),
            filters: sections(&mut top, "filter", "[[filter]]", problems, RawFilter::read),
            control: settings::control(
                section(&mut top, "control", "[control]", problems),
                problems,
            ),
        };
        if !top.has("port") {
            problems.push(no_port());
        }
        top.finish(problems);
        config
    }
}

/// A table that is there at most once; a missing one reads as empty.
fn section<'t, 'i>(
    top: &mut Reader<'t, 'i>,
    name: &'static str,
    heading: &'static str,
    problems: &mut Problems,
) -> Option<Reader<'t, 'i>> {
    let value = top.value(name)?;
    match value.get_ref() {
        DeValue::Table(table) => Some(Reader::new(table, value.span(), heading)),
        other => {
            problems.push(
                Problem::new(place(value), format!("`{name}` must be a section"))
                    .label(format!("this is {}", type_of(other)))
                    .hint(format!("write {heading} once, its keys below")),
            );
            None
        }
    }
}

/// The tables of a section that may be repeated.
fn sections<'t, 'i, T>(
    top: &mut Reader<'t, 'i>,
    name: &'static str,
    heading: &'static str,
    problems: &mut Problems,
    read: fn(&mut Reader<'t, 'i>, &mut Problems) -> T,
) -> Vec<T> {
    let Some(value) = top.value(name) else { return Vec::new() };
    let mut bad = |value: &Spanned<DeValue<'_>>| {
        problems.push(
            Problem::new(value.span(), format!("`{name}` must be a repeated section"))
                .label(format!("this is {}", type_of(value.get_ref())))
                .hint(format!("write {heading} in double brackets, its keys below")),
        );
    };
    let list = match value.get_ref() {
        DeValue::Array(list) if !list.is_empty() => list,
        _ => {
            bad(value);
            return Vec::new();
        }
    };
    let mut tables = Vec::new();
    for item in list {
        match item.get_ref() {
            DeValue::Table(table) => tables.push((table, item.span())),
            _ => bad(item),
        }
    }
    let all = tables.into_iter().map(|(table, span)| {
        let mut reader = Reader::new(table, span, heading);
        let value = read(&mut reader, problems);
        reader.finish(problems);
        value
    });
    all.collect()
}

fn no_port() -> Problem {
    Problem::new(0..0, "the file has no port")
        .label("a gateway needs at least one [[port]]")
        .hint("add [[port]], and below it name = \"p0\" and device = \"0000:03:00.0\"")
}

/// Where a value stands; for repeated tables, the first one.
fn place(value: &Spanned<DeValue<'_>>) -> Range<usize> {
    match value.get_ref() {
        DeValue::Array(list) => list.iter().next().map_or(value.span(), Spanned::span),
        _ => value.span(),
    }
}
