//! `[[filter]]`: every key read into its type; names of ports are not resolved yet.

use ipnet::IpNet;
use toml::Spanned;
use toml::de::DeValue;

use super::super::filter::{Cast, Place, Protocol};
use super::super::problem::{Problem, Problems};
use super::super::reader::{Key, Reader, as_number, key, type_of};
use super::Text;

const AT: Key = key("at", r#""ingress""#);
const ACTION: Key = key("action", r#""accept""#);
const TO: Key = key("to", r#""p1""#);
const PORT: Key = key("port", r#""p0""#);
const CAST: Key = key("cast", r#""broadcast""#);
const PROTO: Key = key("proto", r#""udp""#);
const SRC: Key = key("src", r#""10.0.0.0/8""#);
const DST: Key = key("dst", r#""239.0.0.0/8""#);
const NETWORK: &str = "a network";
/// Packets or bits per second, up to a terabit.
const RATE_MAX: u64 = 1_000_000_000_000;
const PLACES: [(&str, Place); 4] = [
    (Place::Ingress.name(), Place::Ingress),
    (Place::Forward.name(), Place::Forward),
    (Place::Egress.name(), Place::Egress),
    (Place::Local.name(), Place::Local),
];
const CASTS: [(&str, Cast); 3] = [
    (Cast::Unicast.name(), Cast::Unicast),
    (Cast::Multicast.name(), Cast::Multicast),
    (Cast::Broadcast.name(), Cast::Broadcast),
];
const PROTOCOLS: [(&str, Option<Protocol>); 6] = [
    (Protocol::Udp.name(), Some(Protocol::Udp)),
    (Protocol::Tcp.name(), Some(Protocol::Tcp)),
    (Protocol::Icmp.name(), Some(Protocol::Icmp)),
    (Protocol::Icmpv6.name(), Some(Protocol::Icmpv6)),
    (Protocol::Igmp.name(), Some(Protocol::Igmp)),
    ("any", None),
];

/// The words for what a filter does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Verb {
    Accept,
    Drop,
    Mirror,
}

/// `[[filter]]`
pub(in crate::config) struct RawFilter {
    pub(in crate::config) span: core::ops::Range<usize>,
    pub(in crate::config) at: Option<Place>,
    pub(in crate::config) matches: RawMatch,
    pub(in crate::config) action: Option<Verb>,
    pub(in crate::config) to: Option<Text>,
    pub(in crate::config) rate_pps: Option<Spanned<u64>>,
    pub(in crate::config) rate_bps: Option<Spanned<u64>>,
}

#[derive(Default)]
pub(in crate::config) struct RawMatch {
    pub(in crate::config) port: Option<Text>,
    pub(in crate::config) cast: Option<Cast>,
    pub(in crate::config) proto: Option<Protocol>,
    pub(in crate::config) src: Option<Spanned<IpNet>>,
    pub(in crate::config) dst: Option<Spanned<IpNet>>,
    pub(in crate::config) src_port: Option<Spanned<(u16, u16)>>,
    pub(in crate::config) dst_port: Option<Spanned<(u16, u16)>>,
}

impl RawFilter {
    pub(super) fn read(r: &mut Reader<'_, '_>, problems: &mut Problems) -> Self {
        r.require(AT, problems);
        r.require(ACTION, problems);
        let at = r.word(AT, &PLACES, problems);
        let actions = [("accept", Verb::Accept), ("drop", Verb::Drop), ("mirror", Verb::Mirror)];
        let action = r.word(ACTION, &actions, problems);
        let mut rate = |name| {
            let value = r.value(name)?;
            as_number(value, name, 1..=RATE_MAX, problems)
        };
        let (rate_pps, rate_bps) = (rate("rate_pps"), rate("rate_bps"));
        let to = r.text(TO, problems);
        let matches = r.value("match").map(|value| read_match(value, problems));
        let matches = matches.unwrap_or_default();
        Self { span: r.span(), at, matches, action, to, rate_pps, rate_bps }
    }
}

fn read_match(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> RawMatch {
    let DeValue::Table(table) = value.get_ref() else {
        problems.push(
            Problem::new(value.span(), "`match` must be a table")
                .label(format!("this is {}", type_of(value.get_ref())))
                .hint(r#"write match = { proto = "udp", dst_port = [5000, 5999] }"#),
        );
        return RawMatch::default();
    };
    let mut r = Reader::new(table, value.span(), "match");
    let matches = RawMatch {
        port: r.text(PORT, problems),
        cast: r.word(CAST, &CASTS, problems),
        proto: r.word(PROTO, &PROTOCOLS, problems).flatten(),
        src: r.parsed::<IpNet>(SRC, NETWORK, problems),
        dst: r.parsed::<IpNet>(DST, NETWORK, problems),
        src_port: port_range(&mut r, "src_port", problems),
        dst_port: port_range(&mut r, "dst_port", problems),
    };
    r.finish(problems);
    matches
}

/// A UDP or TCP port, or the first and last of a range.
fn port_range(
    r: &mut Reader<'_, '_>,
    name: &'static str,
    problems: &mut Problems,
) -> Option<Spanned<(u16, u16)>> {
    let value = r.value(name)?;
    let DeValue::Array(list) = value.get_ref() else {
        let port = as_number(value, name, 0..=u16::MAX, problems)?.into_inner();
        return Some(Spanned::new(value.span(), (port, port)));
    };
    let ends: Vec<_> =
        list.iter().filter_map(|end| as_number(end, name, 0..=u16::MAX, problems)).collect();
    match ends.as_slice() {
        [first, last] if list.len() == 2 && first.get_ref() <= last.get_ref() => {
            Some(Spanned::new(value.span(), (*first.get_ref(), *last.get_ref())))
        }
        // An end that is no port has been noted already.
        ends if list.len() == 2 && ends.len() < 2 => None,
        _ => {
            problems.push(
                Problem::new(value.span(), format!("`{name}` is not a range"))
                    .label("a range is its first and its last port")
                    .hint(format!("write {name} = [5000, 5999]")),
            );
            None
        }
    }
}
