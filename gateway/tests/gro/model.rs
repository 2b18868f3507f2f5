//! What semantics 2 says, as predicates over descriptions. Knows nothing of tables.

use crate::datagram::{Datagram, Ip, UdpChecksum};

/// Whether it may share a super-packet with any other.
pub(crate) fn is_lone(datagram: &Datagram) -> bool {
    datagram.fragment
        || datagram.payload == 0
        || datagram.padding > 0
        || datagram.bad_header_checksum
        || matches!(datagram.checksum, UdpChecksum::Bad | UdpChecksum::Zero)
        || matches!(datagram.ip, Ip::V4 { options: true, .. })
}

/// Whether these, in this order, may be one super-packet.
pub(crate) fn may_be_one(datagrams: &[&Datagram], max_segments: usize) -> bool {
    let [first, rest @ ..] = datagrams else { return false };
    if rest.is_empty() {
        return true;
    }
    let all_but_last = &datagrams[..datagrams.len() - 1];
    let bytes: usize = datagrams.iter().map(|d| d.frame(0).len()).sum();
    datagrams.len() <= max_segments
        && bytes < 65536
        && datagrams.iter().all(|d| !is_lone(d) && same_headers(first, d))
        && all_but_last.iter().all(|d| d.payload == first.payload)
        && rest.iter().all(|d| d.payload <= first.payload)
        && identifications_go_on(datagrams)
}

/// What order is kept by.
pub(crate) type OrderKey = (u16, u8, Vec<u16>, u8, u16, bool);

pub(crate) fn order_key(datagram: &Datagram) -> OrderKey {
    let Datagram { port, macs, tags, hosts, ports, .. } = datagram;
    let ids = tags.iter().map(|tag| tag.id).collect();
    (*port, *macs, ids, *hosts, *ports, datagram.is_v4())
}

/// Whether the second must not leave before the first, which arrived earlier.
pub(crate) fn is_ordered(first: &Datagram, second: &Datagram) -> bool {
    let same_hosts = first.hosts == second.hosts && first.is_v4() == second.is_v4();
    order_key(first) == order_key(second) || (same_hosts && (first.fragment || second.fragment))
}

fn same_headers(a: &Datagram, b: &Datagram) -> bool {
    let fields = |d: &Datagram| match d.ip {
        Ip::V4 { ttl, tos, df, .. } => (ttl, tos, u32::from(df), None),
        Ip::V6 { hop_limit, class, label, extension } => (hop_limit, class, label, extension),
    };
    order_key(a) == order_key(b) && a.tags == b.tags && fields(a) == fields(b)
}

fn identifications_go_on(datagrams: &[&Datagram]) -> bool {
    let id = |d: &Datagram| match d.ip {
        Ip::V4 { id, .. } => id,
        Ip::V6 { .. } => 0,
    };
    let steps: Vec<u16> =
        datagrams.windows(2).map(|pair| id(pair[1]).wrapping_sub(id(pair[0]))).collect();
    steps.iter().all(|&step| step == 0) || steps.iter().all(|&step| step == 1)
}
