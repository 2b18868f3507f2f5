//! Addresses that mean something else than a host somewhere.

use super::{V4, V6, datagram};
use crate::compare::{Case, case};
use crate::edit::set;
use crate::frames::group_mac;

const SOURCES: [&str; 12] = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "127.9.9.9",
    "224.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "10.0.0.1",
    "10.1.0.1",
    "10.0.0.255",
    "10.0.0.0",
    "169.254.1.1",
];
const DESTINATIONS: [&str; 11] = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "10.0.0.1",
    "10.1.0.1",
    "10.1.0.255",
    "10.1.0.0",
    "169.254.1.1",
    "10.0.0.255",
];
const SOURCES6: [&str; 8] = [
    "::",
    "::1",
    "ff02::1",
    "ff05::1",
    "fe80::9",
    "2001:db8:0::1",
    "2001:db8:1::1",
    "::ffff:10.0.0.2",
];
const DESTINATIONS6: [&str; 7] =
    ["::", "::1", "fe80::9", "2001:db8:0::1", "2001:db8:1::1", "2001:db8:1::", "::ffff:10.1.0.2"];
const GROUPS: [&str; 8] = [
    "224.0.0.1",
    "224.0.0.251",
    "239.1.1.1",
    "232.1.1.1",
    "ff01::1",
    "ff02::1",
    "ff02::fb",
    "ff05::1",
];

pub(super) fn cases() -> Vec<Case> {
    let one = |name: String, flow| case(name, vec![datagram(flow, 80)]);
    let mut cases = Vec::new();
    cases.extend(SOURCES.map(|src| one(format!("from {src}"), (src, V4.1))));
    cases.extend(DESTINATIONS.map(|dst| one(format!("to {dst}"), (V4.0, dst))));
    cases.extend(SOURCES6.map(|src| one(format!("from {src}"), (src, V6.1))));
    cases.extend(DESTINATIONS6.map(|dst| one(format!("to {dst}"), (V6.0, dst))));
    for group in GROUPS {
        let source = if group.contains(':') { V6.0 } else { V4.0 };
        let frame = datagram((source, group), 80);
        cases.push(case(format!("group {group}"), vec![set(&frame, 0, &group_mac(group).0)]));
        cases.push(case(format!("group {group} to the router's link address"), vec![frame]));
    }
    let broadcast = datagram((V4.0, "255.255.255.255"), 80);
    cases.push(case("to 255.255.255.255 and everybody", vec![set(&broadcast, 0, &[0xff; 6])]));
    cases
}
