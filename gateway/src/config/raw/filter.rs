//! `[[filter]]`: its syntax is checked, then refused, because no filter is applied yet and a rule
//! that is silently ignored is worse than an error.

use ipnet::IpNet;
use toml::Spanned;
use toml::de::DeValue;

use super::super::problem::{Problem, Problems};
use super::super::reader::{Key, Reader, as_number, key, type_of};

const AT: Key = key("at", r#""ingress""#);
const ACTION: Key = key("action", r#""accept""#);
const PORT: Key = key("port", r#""p0""#);
const PROTO: Key = key("proto", r#""udp""#);
const SRC: Key = key("src", r#""10.0.0.0/8""#);
const DST: Key = key("dst", r#""239.0.0.0/8""#);
const NETWORK: &str = "a network";
/// Packets or bits per second, up to a terabit.
const RATE_MAX: u64 = 1_000_000_000_000;

pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) {
    r.require(AT, problems);
    r.require(ACTION, problems);
    let places = ["ingress", "forward", "egress", "local"].map(|word| (word, ()));
    r.word(AT, &places, problems);
    let actions = ["accept", "drop", "mirror"].map(|word| (word, ()));
    r.word(ACTION, &actions, problems);
    r.number("rate_pps", 1..=RATE_MAX, RATE_MAX, problems);
    r.number("rate_bps", 1..=RATE_MAX, RATE_MAX, problems);
    if let Some(value) = r.value("match") {
        matches(value, problems);
    }
    problems.push(
        Problem::new(r.span(), "`[[filter]]` is not supported in this version")
            .label("this rule would not be applied")
            .hint("remove the section, and filter before or behind the gateway"),
    );
}

fn matches(value: &Spanned<DeValue<'_>>, problems: &mut Problems) {
    let DeValue::Table(table) = value.get_ref() else {
        problems.push(
            Problem::new(value.span(), "`match` must be a table")
                .label(format!("this is {}", type_of(value.get_ref())))
                .hint(r#"write match = { proto = "udp", dst_port = [5000, 5999] }"#),
        );
        return;
    };
    let mut r = Reader::new(table, value.span(), "match");
    r.text(PORT, problems);
    let protocols = ["udp", "tcp", "icmp", "icmpv6", "igmp", "any"].map(|word| (word, ()));
    r.word(PROTO, &protocols, problems);
    r.parsed::<IpNet>(SRC, NETWORK, problems);
    r.parsed::<IpNet>(DST, NETWORK, problems);
    for name in ["src_port", "dst_port"] {
        port_range(&mut r, name, problems);
    }
    r.finish(problems);
}

/// A UDP or TCP port, or the first and last of a range.
fn port_range(r: &mut Reader<'_, '_>, name: &'static str, problems: &mut Problems) {
    let Some(value) = r.value(name) else { return };
    let DeValue::Array(list) = value.get_ref() else {
        as_number(value, name, 0..=u16::MAX, problems);
        return;
    };
    let ends: Vec<_> =
        list.iter().filter_map(|end| as_number(end, name, 0..=u16::MAX, problems)).collect();
    let ordered = ends.first() <= ends.last();
    if list.len() != 2 || (ends.len() == 2 && !ordered) {
        problems.push(
            Problem::new(value.span(), format!("`{name}` is not a range"))
                .label("a range is its first and its last port")
                .hint(format!("write {name} = [5000, 5999]")),
        );
    }
}
