//! Storm control: rates by port, by whom a frame reaches and by group, counted.

use gateway::packet::{DropReason, MacAddr};

use crate::frames::{Udp, experimental, group_mac};
use crate::harness::{Gateway, bridge};

const A: MacAddr = MacAddr([2, 0, 0, 0, 9, 1]);
const B: MacAddr = MacAddr([2, 0, 0, 0, 9, 2]);
const STORM: usize = 300;

fn rule(matches: &str, pps: u64) -> String {
    format!(
        "[[filter]]\nat = \"ingress\"\nmatch = {{ {matches} }}\naction = \"accept\"\nrate_pps = {pps}\n"
    )
}

fn to(group: &str) -> Vec<u8> {
    let dst_mac = group_mac(group);
    Udp { src_mac: A, dst_mac, src: "10.0.0.1", dst: group, ports: (5, 5), ttl: 9 }.frame(&[1; 64])
}

/// A tenth of a second's worth passes at once, as of every rate; the rest of the storm is dropped
/// there, and nothing else is.
#[test]
fn a_storm_of_one_kind_from_one_port_is_limited() {
    let rules = rule("port = \"p0\", dst = \"239.7.7.7/32\"", 200)
        + &rule("port = \"p0\", cast = \"multicast\"", 500)
        + &rule("port = \"p0\", cast = \"broadcast\"", 100);
    let mut gateway = Gateway::new(&bridge(3, &rules));
    let (broadcast, unicast) = (experimental(A, MacAddr::BROADCAST), experimental(A, B));
    let (one_group, groups) = (to("239.7.7.7"), to("239.8.8.8"));
    for frame in [&broadcast, &unicast, &one_group, &groups] {
        for _ in 0..STORM {
            gateway.ports[0].inject(frame.clone());
        }
    }
    for _ in 0..STORM {
        gateway.ports[1].inject(experimental(B, MacAddr::BROADCAST));
    }
    gateway.run();
    let sent = gateway.sent();
    let left = |frame: &Vec<u8>| sent[2].iter().filter(|sent| *sent == frame).count();
    let limited = [&broadcast, &one_group, &groups].map(left);
    assert_eq!(limited, [10, 20, 50]);
    assert_eq!((left(&unicast), left(&experimental(B, MacAddr::BROADCAST))), (0, STORM));
    assert_eq!(sent[1].iter().filter(|sent| **sent == unicast).count(), STORM, "no storm");
    let dropped = 3 * STORM - limited.iter().sum::<usize>();
    assert_eq!(gateway.drops(DropReason::RateLimited), dropped as u64);
    gateway.finish();
}
