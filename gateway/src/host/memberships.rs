//! Groups that programs on the host have joined on shadows: /proc/net/igmp and /proc/net/igmp6 (their
//! formats: net/ipv4/igmp.c and net/ipv6/mcast.c of Linux). Netlink tells of IPv4 ones only since
//! Linux 6.15.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Interface and group, of both families. No file: no memberships.
pub(super) fn read() -> Vec<(String, IpAddr)> {
    let file = |name| fs::read_to_string(name).unwrap_or_default();
    let mut joined = parse_igmp(&file("/proc/thread-self/net/igmp"));
    joined.extend(parse_igmp6(&file("/proc/thread-self/net/igmp6")));
    joined
}

/// A line per interface, `2 gw-p0 : 1 V3` with tabs, and below it one per group, the address in
/// hexadecimal as the machine reads it from the wire.
fn parse_igmp(text: &str) -> Vec<(String, IpAddr)> {
    let (mut interface, mut joined) = (String::new(), Vec::new());
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        if line.starts_with(char::is_whitespace) {
            let group = words.next().and_then(|word| u32::from_str_radix(word, 16).ok());
            let group = group.map(|group| Ipv4Addr::from(group.to_ne_bytes()));
            joined.extend(group.map(|group| (interface.clone(), IpAddr::V4(group))));
        } else if let Some(name) = words.nth(1) {
            name.trim_end_matches(':').clone_into(&mut interface);
        }
    }
    joined
}

/// `2    gw-p0           ff0200000000000000000000000000fb     1 00000004 0`
fn parse_igmp6(text: &str) -> Vec<(String, IpAddr)> {
    let line = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let interface = words.next()?.to_owned();
        let group = u128::from_str_radix(words.next()?, 16).ok()?;
        Some((interface, IpAddr::V6(Ipv6Addr::from(group))))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn reads_what_linux_writes() {
        let text = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
                    1\tlo        :     1      V3\n\t\t\t\tE0000001     1 0:00000000\t\t0\n\
                    22\tgw-p0     :     2      V3\n\t\t\t\t010101EF     1 0:00000000\t\t1\n\
                    \t\t\t\t010000E0     1 0:00000000\t\t0\n";
        let joined = parse_igmp(text);
        assert_eq!(joined[1], ("gw-p0".to_owned(), "239.1.1.1".parse().unwrap()));
        assert_eq!(joined[2], ("gw-p0".to_owned(), "224.0.0.1".parse().unwrap()));
        let six = "22   gw-p0           ff3e0000000000000000000000000001     1 00000004 0\n";
        assert_eq!(parse_igmp6(six), [("gw-p0".to_owned(), "ff3e::1".parse().unwrap())]);
        assert!(parse_igmp("").is_empty() && parse_igmp6("nonsense\n").is_empty());
    }
}
