//! What leaves each port, compared per flow in order, and what differs, in one line.

use std::collections::BTreeMap;

/// A frame and the port it comes to.
pub(crate) type Arrival = (usize, Vec<u8>);
/// What leaves, by port.
pub(crate) type Sent = Vec<Vec<Vec<u8>>>;

/// Arrivals of one scenario.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) arrivals: Vec<Arrival>,
}

/// A scenario on port 0.
pub(crate) fn case(name: impl Into<String>, frames: Vec<Vec<u8>>) -> Case {
    Case { name: name.into(), arrivals: frames.into_iter().map(|frame| (0, frame)).collect() }
}

/// Arrivals in a row on one port: what comes to another port comes later.
pub(crate) fn steps(arrivals: &[Arrival]) -> Vec<(usize, Vec<Vec<u8>>)> {
    let mut steps: Vec<(usize, Vec<Vec<u8>>)> = Vec::new();
    for (port, frame) in arrivals {
        match steps.last_mut() {
            Some((last, frames)) if last == port => frames.push(frame.clone()),
            _ => steps.push((*port, vec![frame.clone()])),
        }
    }
    steps
}

/// What differs between `one` and `other`, with a digest of the frames that do; `None`: nothing.
pub(crate) fn difference(one: (&str, &Sent), other: (&str, &Sent)) -> Option<(String, String)> {
    let (mut lines, mut digest) = (Vec::new(), 0xcbf2_9ce4_8422_2325_u64);
    for (port, (ours, theirs)) in one.1.iter().zip(other.1).enumerate() {
        let (ours, theirs) = (flows(ours), flows(theirs));
        let (mut only_ours, mut only_theirs, mut is_order) = (Vec::new(), Vec::new(), false);
        let empty = Vec::new();
        for key in ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key))) {
            let (a, b) = (ours.get(key).unwrap_or(&empty), theirs.get(key).unwrap_or(&empty));
            let (rest_a, rest_b) = (without(a, b), without(b, a));
            is_order |= rest_a.is_empty() && rest_b.is_empty() && !is_in_order(a, b);
            only_ours.extend(rest_a);
            only_theirs.extend(rest_b);
        }
        for byte in only_ours.iter().chain([&vec![0xff]]).chain(&only_theirs).flatten() {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3); // FNV-1a
        }
        if !only_ours.is_empty() || !only_theirs.is_empty() {
            let (ours, theirs) = (only_ours.len(), only_theirs.len());
            lines.push(format!("p{port}: {} {ours}, {} {theirs}", one.0, other.0));
            if std::env::var_os("ORACLE_FRAMES").is_some() {
                only_ours.iter().for_each(|frame| eprintln!("  p{port} {} {}", one.0, hex(frame)));
                only_theirs.iter().for_each(|f| eprintln!("  p{port} {} {}", other.0, hex(f)));
            }
        } else if is_order {
            lines.push(format!("p{port}: order"));
        }
    }
    (!lines.is_empty()).then(|| (lines.join("; "), format!("{:08x}", digest as u32)))
}

/// Frames by what a flow has in common: link header and network addresses.
fn flows(frames: &[Vec<u8>]) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut flows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for frame in frames {
        let mut key = frame.get(..14).unwrap_or(frame).to_vec();
        match key.get(12..14) {
            Some([0x08, 0x00]) => key.extend(frame.get(26..34).unwrap_or_default()),
            Some([0x86, 0xdd]) => key.extend(frame.get(22..54).unwrap_or_default()),
            _ => {}
        }
        flows.entry(key).or_default().push(comparable(frame));
    }
    flows
}

/// Whether the same frames are in the same order, where it matters: within each pair of UDP ports,
/// and between those and what shows no ports (fragments, other protocols).
fn is_in_order(a: &[Vec<u8>], b: &[Vec<u8>]) -> bool {
    a == b
        || a.iter().filter_map(|frame| ports(frame)).all(|pair| {
            let belongs = |frame: &&Vec<u8>| ports(frame).is_none_or(|other| other == pair);
            a.iter().filter(belongs).eq(b.iter().filter(belongs))
        }) && a.iter().any(|frame| ports(frame).is_some())
}

/// The UDP ports of an untagged datagram that is no fragment.
fn ports(frame: &[u8]) -> Option<&[u8]> {
    let is_whole =
        frame.get(20).is_some_and(|flags| flags & 0x3f == 0) && frame.get(21) == Some(&0);
    match frame.get(12..15)? {
        [8, 0, 0x45] if frame.get(23) == Some(&17) && is_whole => frame.get(34..38),
        [0x86, 0xdd, _] if frame.get(20) == Some(&17) => frame.get(54..58),
        _ => None,
    }
}

/// Without what is nobody's concern: a veth does not fill up to the 60 bytes that every Ethernet
/// does; identification and DF of an ICMP error are its sender's own affair (RFC 6864 4.1).
fn comparable(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame.resize(frame.len().max(60), 0);
    let of_router = frame.get(6..11) == Some(&[2, 0, 0, 0, 0]);
    let is_icmp = frame.get(12..15) == Some(&[8, 0, 0x45]) && frame.get(23) == Some(&1);
    if of_router && is_icmp && matches!(frame.get(34), Some(3 | 11 | 12)) {
        frame[18..21].fill(0);
        frame[24..26].fill(0);
    }
    frame
}

/// Frames of `all` that `other` has not, each counted.
fn without(all: &[Vec<u8>], other: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut other = other.to_vec();
    let mut rest = all.to_vec();
    rest.retain(|frame| {
        let at = other.iter().position(|candidate| candidate == frame);
        at.map(|at| other.swap_remove(at)).is_none()
    });
    rest
}

fn hex(frame: &[u8]) -> String {
    frame.iter().map(|byte| format!("{byte:02x}")).collect()
}
