//! Trains of every shape of the design's list of failures, for a bridge and for a router.

use crate::compare::{Case, case};
use crate::edit::{extend, fragments, fragments6, pad, set, udp_checksum, v4, v6};

/// Makes datagram `number` with `len` bytes of payload.
pub(crate) type Make<'a> = &'a dyn Fn(usize, usize) -> Vec<u8>;

/// Trains of one flow of one family.
pub(crate) fn trains(family: &str, make: Make<'_>) -> Vec<Case> {
    let mut cases = shapes(family, make);
    cases.extend(mixtures(family, make));
    cases.extend(if family == "IPv4" { fields4(make) } else { fields6(make) });
    cases
}

/// Lengths only.
fn shapes(family: &str, make: Make<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, lengths: &[usize]| {
        let frames = lengths.iter().enumerate().map(|(number, &len)| make(number, len)).collect();
        cases.push(case(format!("{family} train, {name}"), frames));
    };
    for count in [1, 2, 3, 63, 64, 65] {
        add(&format!("{count} equal"), &vec![700; count]);
        add(&format!("{count} equal and a tail"), &[&vec![700; count][..], &[33]].concat());
    }
    add("a longer one inside", &[1200, 1200, 1300, 1200, 700, 1200]);
    add("empty ones between", &[100, 0, 100, 0, 0, 100]);
    add("one byte each", &[1; 20]);
    add("growing", &[100, 200, 300, 400]);
    add("shrinking", &[400, 300, 200, 100]);
    add("more than 64 KiB", &[1400; 60]);
    add("IPTV", &[1316; 44]);
    add("91 and 62", &[91, 62]);
    add("odd lengths", &[101, 101, 101, 7, 101]);
    cases
}

/// Other datagrams between those of the train.
fn mixtures(family: &str, make: Make<'_>) -> Vec<Case> {
    let between = |name: &str, other: Vec<Vec<u8>>| {
        let mut frames = vec![make(0, 1400), make(1, 1400)];
        frames.extend(other);
        frames.extend([make(5, 1400), make(6, 1400)]);
        case(format!("{family} train, {name}"), frames)
    };
    let plain = make(2, 1400);
    let padded = if family == "IPv4" { 60 } else { 80 };
    let parts = if family == "IPv4" { fragments(&plain, 800) } else { fragments6(&plain, 800) };
    let backwards = parts.iter().rev().cloned().collect();
    let at = if family == "IPv4" { 34 } else { 54 };
    let other_port = set(&plain, at, &[plain[at] - 1]); // 256 less, so the checksum has 256 more
    let other_flow = udp_checksum(&other_port, |sum| {
        let (more, carry) = sum.overflowing_add(0x100);
        more + u16::from(carry)
    });
    let mut cases = vec![
        between("a padded one inside", vec![pad(&make(2, 10), padded, 0)]),
        between("a padded one with noise inside", vec![pad(&make(2, 10), padded, 0xaa)]),
        between("a trailer inside", vec![pad(&plain, plain.len() + 5, 0xaa)]),
        between("fragments inside", parts),
        between("fragments inside, backwards", backwards),
        between("checksum 0 inside", vec![udp_checksum(&plain, |_| 0)]),
        between("bad checksum inside", vec![udp_checksum(&plain, |sum| sum ^ 0x0101)]),
        between("another flow inside", vec![other_flow]),
    ];
    let zero = (0..10).map(|n| udp_checksum(&make(n, 500), |_| 0)).collect();
    cases.push(case(format!("{family} train, checksum 0 throughout"), zero));
    let all_padded = (0..10).map(|n| pad(&make(n, 5), padded, 0)).collect();
    cases.push(case(format!("{family} train, padded throughout"), all_padded));
    cases
}

/// One IPv4 field differs in the middle, or all along.
fn fields4(make: Make<'_>) -> Vec<Case> {
    let vary = |name: &str, edit: &dyn Fn(usize, &mut etherparse::Ipv4Header)| {
        let frame = |number| v4(&make(number, 600), |ip| edit(number, ip));
        case(format!("IPv4 train, {name}"), (0..9).map(frame).collect())
    };
    let odd = |n: usize| n % 4 == 3;
    vec![
        vary("TTL differs", &|n, ip| ip.time_to_live -= u8::from(odd(n))),
        vary("ECN differs", &|n, ip| ip.ecn = u8::from(odd(n)).try_into().unwrap()),
        vary("DSCP differs", &|n, ip| ip.dscp = (4 * u8::from(odd(n))).try_into().unwrap()),
        vary("DF differs", &|n, ip| ip.dont_fragment = odd(n)),
        vary("identification constant", &|_, ip| ip.identification = 77),
        vary("identification zero with DF", &|_, ip| {
            (ip.identification, ip.dont_fragment) = (0, true);
        }),
        vary("identification in steps of 2", &|n, ip| ip.identification = 2 * n as u16),
        vary("identification wraps", &|n, ip| {
            ip.identification = 65_532_u16.wrapping_add(n as u16);
        }),
        vary("identification jumps", &|n, ip| ip.identification = n as u16 * 7919),
        vary("options inside", &|n, ip| {
            if odd(n) {
                ip.options = [1, 1, 1, 0].into(); // no operation
            }
        }),
    ]
}

/// One IPv6 field differs in the middle.
fn fields6(make: Make<'_>) -> Vec<Case> {
    let vary = |name: &str, edit: &dyn Fn(bool, &mut etherparse::Ipv6Header)| {
        let frame = |number| v6(&make(number, 600), |ip| edit(number % 4 == 3, ip));
        case(format!("IPv6 train, {name}"), (0..9).map(frame).collect())
    };
    let extended = |name: &str, same: bool| {
        let option = |n: usize| if same { 7 } else { n as u8 };
        let frame = |n| extend(&make(n, 600), 60, &[0, 0, 0x1e, 4, option(n), 0, 0, 0]);
        case(format!("IPv6 train, {name}"), (0..9).map(frame).collect())
    };
    vec![
        vary("hop limit differs", &|odd, ip| ip.hop_limit -= u8::from(odd)),
        vary("traffic class differs", &|odd, ip| ip.traffic_class = u8::from(odd)),
        vary("flow label differs", &|odd, ip| ip.flow_label = u32::from(odd).try_into().unwrap()),
        extended("destination options alike", true),
        extended("destination options differ", false),
    ]
}
