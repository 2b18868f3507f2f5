//! Who has which address: ARP and neighbour discovery.

use etherparse::{Ipv6Header, PacketBuilder};

use super::{ROUTER, V4, datagram};
use crate::compare::{Case, case};
use crate::edit::{pad, set};
use crate::harness::host;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = arp();
    cases.extend(discovery());
    cases.push(case("no neighbour", vec![datagram((V4.0, "10.1.0.77"), 50)]));
    cases
}

/// RFC 826, from the host on p0.
fn request(sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mac = host(0).0;
    let head = [&[0xff; 6][..], &mac, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &mac, &sender];
    [&head.concat()[..], &[0; 6], &target].concat()
}

fn arp() -> Vec<Case> {
    let (us, router) = ([10, 0, 0, 2], [10, 0, 0, 1]);
    let plain = request(us, router);
    let one = |name: &str, frame: Vec<u8>| case(format!("ARP, {name}"), vec![frame]);
    vec![
        one("request", plain.clone()),
        one("request, padded", pad(&plain, 60, 0)),
        one("request to the router's link address", set(&plain, 0, &ROUTER.0)),
        one("request to another station's link address", set(&plain, 0, &[2, 0, 0, 0, 9, 9])),
        one("request for a host of the network", request(us, [10, 0, 0, 7])),
        one("request for the router's address on another port", request(us, [10, 1, 0, 1])),
        one("request for a host behind the router", request(us, [10, 1, 0, 2])),
        one("request from another network", request([192, 0, 2, 1], router)),
        one("probe", request([0; 4], router)),
        one("announcement", request(us, us)),
        one("announcement of the router's address", request(router, router)),
        one("reply", set(&set(&plain, 20, &[0, 2]), 0, &ROUTER.0)),
        one("request from a group's link address", set(&plain, 22, &[1, 0, 0x5e, 1, 1, 1])),
        one("request with another sender than the frame's", set(&plain, 22, &[2, 0, 0, 0, 9, 9])),
        one("unknown hardware type", set(&plain, 14, &[0, 9])),
        one("unknown protocol type", set(&plain, 16, &[0x86, 0xdd])),
        one("unknown operation", set(&plain, 20, &[0, 9])),
        one("cut short", plain[..40].to_vec()),
    ]
}

/// A neighbour solicitation (RFC 4861 4.3) with these options.
fn solicitation(src: &str, dst: &str, target: &str, hops: u8, options: &[u8]) -> Vec<u8> {
    let [src, dst, target] = [src, dst, target].map(|a| a.parse::<std::net::Ipv6Addr>().unwrap());
    let mac = if dst.is_multicast() {
        let [.., a, b, c, d] = dst.octets();
        [0x33, 0x33, a, b, c, d]
    } else {
        ROUTER.0
    };
    let ip = Ipv6Header {
        source: src.octets(),
        destination: dst.octets(),
        hop_limit: hops,
        ..Ipv6Header::default()
    };
    let builder = PacketBuilder::ethernet2(host(0).0, mac)
        .ip(etherparse::IpHeaders::Ipv6(ip, etherparse::Ipv6Extensions::default()))
        .icmpv6_raw(135, 0, [0; 4]);
    let mut frame = Vec::new();
    builder.write(&mut frame, &[&target.octets()[..], options].concat()).unwrap();
    frame
}

fn discovery() -> Vec<Case> {
    let (us, router, group) = ("2001:db8:0::2", "2001:db8:0::1", "ff02::1:ff00:1");
    let source_option = [&[1, 1][..], &host(0).0].concat();
    let ask =
        |src, dst, target, hops, options: &[u8]| solicitation(src, dst, target, hops, options);
    let plain = ask(us, group, router, 255, &source_option);
    let one = |name: &str, frame: Vec<u8>| case(format!("ND, {name}"), vec![frame]);
    vec![
        one("solicitation", plain.clone()),
        one("solicitation to the address itself", ask(us, router, router, 255, &source_option)),
        one("solicitation without option", ask(us, router, router, 255, &[])),
        one("solicitation of a group without option", ask(us, group, router, 255, &[])),
        one("solicitation from ::", ask("::", group, router, 255, &[])),
        one("solicitation from :: with an option", ask("::", group, router, 255, &source_option)),
        one("solicitation from :: to the address itself", ask("::", router, router, 255, &[])),
        one("solicitation over a hop", ask(us, group, router, 254, &source_option)),
        one(
            "solicitation for another host",
            ask(us, group, "2001:db8:0::ff00:1", 255, &source_option),
        ),
        one(
            "solicitation for the router's address on another port",
            ask(us, group, "2001:db8:1::1", 255, &source_option),
        ),
        one("solicitation for a group", ask(us, group, "ff02::1", 255, &source_option)),
        one(
            "solicitation with an empty option",
            ask(us, group, router, 255, &[1, 0, 0, 0, 0, 0, 0, 0]),
        ),
        one(
            "solicitation with a cut option",
            ask(us, group, router, 255, &[1, 2, 0, 0, 0, 0, 0, 0]),
        ),
        one(
            "solicitation with an unknown option",
            ask(us, group, router, 255, &[200, 1, 0, 0, 0, 0, 0, 0]),
        ),
        one("solicitation with a wrong checksum", set(&plain, 56, &[0x12, 0x34])),
        one("solicitation with code 1", ask_with_code(&plain)),
    ]
}

/// Code 1 and the checksum that belongs to it (RFC 1624).
fn ask_with_code(frame: &[u8]) -> Vec<u8> {
    let sum = u16::from_be_bytes([frame[56], frame[57]]);
    let (less, borrow) = sum.overflowing_sub(1);
    set(&set(frame, 55, &[1]), 56, &less.wrapping_sub(u16::from(borrow)).to_be_bytes())
}
