//! What comes to a multicast router: two groups of the host on p0, one to p1 and p2, one to all.

use std::process::{Child, Command, Stdio};

use gateway::demo::topology::Lab;

use super::{V4, V6, configuration, datagram, numbered, without_df};
use crate::compare::{Case, case};
use crate::edit::{fragments, set, udp_checksum, v4, v6};
use crate::frames::group_mac;
use crate::trains::trains;

/// Group, source, ports.
const ROUTES: [(&str, &str, &[usize]); 4] = [
    ("239.1.1.1", V4.0, &[1, 2]),
    ("239.1.1.3", V4.0, &[1, 2, 3]),
    ("ff3e::1", "2001:db8::2", &[1, 2]),
    ("ff0e::5", "2001:db8::2", &[1]),
];

pub(crate) fn multicast_configuration() -> String {
    let route = |&(group, source, to): &(&str, &str, &[usize])| {
        let to: Vec<_> = to.iter().map(|port| format!("\"p{port}\"")).collect();
        format!(
            "[[multicast]]\ngroup = \"{group}\"\nsource = \"{source}\"\nfrom = \"p0\"\nto = [{}]\n",
            to.join(", ")
        )
    };
    configuration() + &ROUTES.iter().map(route).collect::<String>()
}

/// Whoever holds the kernel's multicast routes: they go with it.
pub(crate) struct Routes(Child);

impl Drop for Routes {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it may have ended by itself
        let _ = self.0.wait();
    }
}

/// Gives Linux the same routes. They can be set through a socket option only (ip-mroute(8) shows
/// them), for which python has no need of unsafe code.
pub(crate) fn multicast_routes(lab: &Lab) -> Routes {
    let words = ROUTES.iter().map(|(group, source, to)| {
        let to: Vec<_> = to.iter().map(ToString::to_string).collect();
        format!("{source},{group},{}", to.join("+"))
    });
    let words: Vec<_> = words.collect();
    let start = || {
        let mut python = Command::new("python3");
        python.arg("-c").arg(include_str!("../mroute.py")).args(words);
        Ok(python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
    };
    let mut python = lab.middle.enter(start).unwrap();
    let mut ready = [0; 6];
    let read = std::io::Read::read_exact(python.stdout.as_mut().unwrap(), &mut ready);
    assert!(read.is_ok() && &ready == b"ready\n", "no multicast routing in this kernel");
    Routes(python)
}

/// A datagram to a group, in a frame to that group.
fn to_group(source: &str, group: &str, number: usize, len: usize) -> Vec<u8> {
    set(&numbered((source, group), number, len), 0, &group_mac(group).0)
}

pub(crate) fn multicast_cases() -> Vec<Case> {
    let four = |group, len| without_df(&to_group(V4.0, group, 0x5a, len));
    let six = |len| to_group(V6.0, "ff3e::1", 0x5a, len);
    let one = |name: &str, frame: Vec<u8>| case(name, vec![frame]);
    let df = |len| v4(&four("239.1.1.3", len), |ip| ip.dont_fragment = true);
    let ttls = |n: u8| v4(&four("239.1.1.1", 90), |ip| ip.time_to_live = n);
    let hops = |n: u8| v6(&six(90), |ip| ip.hop_limit = n);
    let elsewhere = |frame: Vec<u8>| vec![(1, frame)];
    let mut cases = vec![
        case("IPv4", (0..=1240).step_by(31).map(|len| four("239.1.1.1", len)).collect()),
        case("IPv6", (0..=1220).step_by(31).map(six).collect()),
        case("TTLs", [255, 2, 1, 0].map(ttls).into()),
        case("hop limits", [255, 2, 1, 0].map(hops).into()),
        case("a group to all ports", vec![four("239.1.1.3", 500)]),
        case(
            "too big for some, fragmented",
            (560..=1472).step_by(13).map(|len| four("239.1.1.3", len)).collect(),
        ),
        case("too big for some, DF", [572, 573, 1252, 1253, 1472].map(df).into()),
        case("too big for some, IPv6", [1232, 1233, 1400].map(six).into()),
        case("fragments", fragments(&four("239.1.1.1", 900), 304)),
        one("options", v4(&four("239.1.1.1", 90), |ip| ip.options = [1; 8].into())),
        one("bad UDP checksum", udp_checksum(&four("239.1.1.1", 90), |sum| sum ^ 1)),
        one("UDP checksum 0", udp_checksum(&four("239.1.1.1", 90), |_| 0)),
        one("unknown group", four("239.9.9.9", 90)),
        one("unknown group, IPv6", to_group(V6.0, "ff3e::9", 1, 90)),
        one("unknown source", to_group("10.0.0.9", "239.1.1.1", 1, 90)),
        one("unknown source, IPv6", to_group("2001:db8::9", "ff3e::1", 1, 90)),
        one("in a frame to the router", datagram((V4.0, "239.1.1.1"), 90)),
        one("in a frame to everybody", set(&four("239.1.1.1", 90), 0, &[0xff; 6])),
        one(
            "in a frame to another group",
            set(&four("239.1.1.1", 90), 0, &group_mac("239.2.2.2").0),
        ),
        Case { name: "from another port".into(), arrivals: elsewhere(four("239.1.1.1", 90)) },
        Case { name: "from another port, IPv6".into(), arrivals: elsewhere(six(90)) },
    ];
    let v4_train = |number: usize, len: usize| {
        let frame = to_group(V4.0, "239.1.1.3", number, len.min(1200));
        v4(&frame, |ip| (ip.identification, ip.dont_fragment) = (number as u16, false))
    };
    let v6_train = |number, len: usize| to_group(V6.0, "ff3e::1", number, len.min(1200));
    cases.extend(trains("IPv4", &v4_train));
    cases.extend(trains("IPv6", &v6_train));
    cases
}
