//! `[[filter]]`: names resolved, and no rule that cannot mean what its author thinks.

use toml::Spanned;

use super::super::filter::{Action, FILTERS_MAX, Filter, Match, Place};
use super::super::problem::{Problem, Problems};
use super::super::raw::{RawFilter, RawMatch, Verb};
use super::topology::Topology;
use crate::packet::PortId;

pub(super) fn filters(
    raw: &[RawFilter],
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Vec<Filter> {
    if let Some(beyond) = raw.get(FILTERS_MAX) {
        problems.push(
            Problem::new(beyond.span.clone(), format!("{} filters are too many", raw.len()))
                .label(format!("the limit is {FILTERS_MAX}"))
                .hint("join rules: networks and port ranges match many datagrams at once"),
        );
    }
    raw.iter().filter_map(|filter| resolve(filter, topology, problems)).collect()
}

fn resolve(raw: &RawFilter, topology: &Topology<'_>, problems: &mut Problems) -> Option<Filter> {
    families(&raw.matches, problems);
    ports(&raw.matches, problems);
    let port = raw.matches.port.as_ref();
    let port = port.and_then(|name| topology.port(name, problems));
    let action = action(raw, port, topology, problems)?;
    let (src, dst) = (raw.matches.src.as_ref(), raw.matches.dst.as_ref());
    let range = |range: &Option<Spanned<(u16, u16)>>| range.as_ref().map(|range| *range.get_ref());
    let matches = Match {
        port,
        cast: raw.matches.cast,
        proto: raw.matches.proto,
        src: src.map(|net| net.get_ref().trunc()),
        dst: dst.map(|net| net.get_ref().trunc()),
        src_port: range(&raw.matches.src_port),
        dst_port: range(&raw.matches.dst_port),
    };
    let rate = |rate: &Option<Spanned<u64>>| rate.as_ref().map(|rate| *rate.get_ref());
    let (rate_pps, rate_bps) = (rate(&raw.rate_pps), rate(&raw.rate_bps));
    Some(Filter { at: raw.at?, matches, action, rate_pps, rate_bps })
}

fn families(matches: &RawMatch, problems: &mut Problems) {
    let (Some(src), Some(dst)) = (&matches.src, &matches.dst) else { return };
    if src.get_ref().addr().is_ipv4() != dst.get_ref().addr().is_ipv4() {
        problems.push(
            Problem::new(dst.span(), "no datagram can match this rule")
                .label("of another family")
                .related(src.span(), "the source")
                .hint("src and dst are both IPv4 or both IPv6"),
        );
    }
}

fn ports(matches: &RawMatch, problems: &mut Problems) {
    let Some(proto) = matches.proto.filter(|proto| !proto.has_ports()) else { return };
    for range in [&matches.src_port, &matches.dst_port].into_iter().flatten() {
        problems.push(
            Problem::new(range.span(), "no datagram can match this rule")
                .label(format!("{} has no ports", proto.name()))
                .hint("remove the ports, or write proto = \"udp\""),
        );
    }
}

fn action(
    raw: &RawFilter,
    port: Option<PortId>,
    topology: &Topology<'_>,
    problems: &mut Problems,
) -> Option<Action> {
    let verb = raw.action?;
    if verb == Verb::Drop {
        for rate in [&raw.rate_pps, &raw.rate_bps].into_iter().flatten() {
            problems.push(
                Problem::new(rate.span(), "a rate limits what passes, and this rule drops all")
                    .label("has no meaning here")
                    .hint("write action = \"accept\": what is beyond the rate is dropped"),
            );
        }
    }
    match (verb, &raw.to) {
        (Verb::Accept, None) => Some(Action::Accept),
        (Verb::Drop, None) => Some(Action::Drop),
        (Verb::Mirror, None) => {
            problems.push(
                Problem::new(raw.span.clone(), "a mirror needs a port its copies leave by")
                    .hint("add to = \"p1\""),
            );
            None
        }
        (Verb::Mirror, Some(name)) => {
            let to = topology.port(name, problems)?;
            if raw.at != Some(Place::Egress) && port == Some(to) {
                problems.push(
                    Problem::new(name.span(), "copies would go back to where they came from")
                        .label("the port this rule matches")
                        .hint("mirror to another port"),
                );
            }
            Some(Action::Mirror(to))
        }
        (Verb::Accept | Verb::Drop, Some(name)) => {
            problems.push(
                Problem::new(name.span(), "`to` is for mirrors only")
                    .label("this rule makes no copies")
                    .hint("remove it, or write action = \"mirror\""),
            );
            None
        }
    }
}
