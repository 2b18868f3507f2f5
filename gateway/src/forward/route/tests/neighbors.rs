//! ARP and neighbour discovery.

use super::*;

const ANSWER: Decision = Decision::Answer(Answer::NeighborAdvertisement);
const BAD: Decision = Decision::Drop(DropReason::BadNeighborMessage);
const ALL_NODES: MacAddr = MacAddr([0x33, 0x33, 0, 0, 0, 1]);

fn arp(operation: u16, sender: &str, target: &str) -> Decision {
    arp_of(operation, station_mac(1), sender, target)
}

fn arp_of(operation: u16, sender_mac: MacAddr, sender: &str, target: &str) -> Decision {
    let [sender, target] = [sender, target].map(|text| text.parse::<Ipv4Addr>().unwrap().octets());
    let message = Arp::new(operation, (sender_mac, sender), (MacAddr([0; 6]), target));
    decide(&forwarder(&routed()), &Frame::arp(0, MacAddr::BROADCAST, &message))
}

#[test]
fn requests_for_the_ports_address_are_answered() {
    let reply = Decision::Answer(Answer::ArpReply);
    assert_eq!(arp(Arp::REQUEST, "10.1.0.2", "10.1.0.1"), reply);
    assert_eq!(arp(Arp::REQUEST, "0.0.0.0", "10.1.0.1"), reply, "a probe, RFC 5227");
    assert_eq!(arp(Arp::REQUEST, "192.168.9.9", "10.1.0.1"), reply, "from a wrong network");
}

#[test]
fn other_arp_is_heard() {
    assert_eq!(arp(Arp::REQUEST, "10.1.0.2", "10.1.0.3"), Decision::Consume);
    assert_eq!(arp(Arp::REQUEST, "10.1.0.2", "10.2.0.1"), Decision::Consume, "another port's");
    assert_eq!(arp(Arp::REQUEST, "10.1.0.2", "10.1.0.2"), Decision::Consume, "gratuitous");
    assert_eq!(arp(Arp::REPLY, "10.1.0.2", "10.1.0.1"), Decision::Consume);
}

#[test]
fn arp_that_is_not_to_be_believed() {
    assert_eq!(arp(Arp::REQUEST, "10.1.0.1", "10.1.0.1"), BAD, "our address at another station");
    assert_eq!(arp(Arp::REPLY, "10.1.0.1", "10.1.0.2"), BAD);
    for sender in ["127.0.0.1", "239.1.1.1", "255.255.255.255", "0.0.0.1"] {
        assert_eq!(arp(Arp::REQUEST, sender, "10.1.0.1"), BAD);
    }
    for sender_mac in [MacAddr::BROADCAST, MacAddr([0; 6])] {
        assert_eq!(arp_of(Arp::REQUEST, sender_mac, "10.1.0.2", "10.1.0.1"), BAD);
    }
    for operation in [0, 3, 8, 25] {
        assert_eq!(arp(operation, "10.1.0.2", "10.1.0.1"), BAD);
    }
}

#[test]
fn arp_for_another_station_is_not_read() {
    let message =
        Arp::new(Arp::REQUEST, (station_mac(1), [10, 1, 0, 2]), (MacAddr([0; 6]), [10, 1, 0, 1]));
    let frame = Frame::arp(0, station_mac(2), &message);
    assert_eq!(decide(&forwarder(&routed()), &frame), drops(DropReason::OtherMac));
    let tagged = Frame::arp(0, MacAddr::BROADCAST, &message).tagged(5);
    assert_eq!(decide(&forwarder(&routed()), &tagged), drops(DropReason::Tagged));
}

const SOURCE_OPTION: [u8; 8] = [1, 1, 2, 0xaa, 0, 0, 0, 1];

/// A neighbour solicitation on port 0, to the target's solicited-node group.
fn solicitation(src: &str, target: &str, options: &[u8]) -> Frame {
    let IpAddr::V6(address) = ip(target) else { panic!("IPv6") };
    let [.., a, b, c] = address.octets();
    let group = format!("ff02::1:ff{a:02x}:{b:02x}{c:02x}");
    let mac = MacAddr([0x33, 0x33, 0xff, a, b, c]);
    message([station_mac(1), mac], [src, &group], 135, target, options)
}

fn message(macs: [MacAddr; 2], ips: [&str; 2], kind: u8, target: &str, options: &[u8]) -> Frame {
    let IpAddr::V6(target) = ip(target) else { panic!("IPv6") };
    let body = [&[kind, 0, 0, 0, 0, 0, 0, 0][..], &target.octets(), options].concat();
    Frame::icmpv6(0, macs, ips, &body)
}

fn nd(frame: &Frame) -> Decision {
    decide(&forwarder(&routed()), frame)
}

/// The link-local address of port 0, whose link address is 02:00:00:00:00:00.
const LINK_LOCAL: &str = "fe80::ff:fe00:0";

#[test]
fn solicitations_for_the_ports_addresses_are_answered() {
    for target in ["2001:db8:1::1", LINK_LOCAL] {
        for src in ["2001:db8:1::2", "fe80::2"] {
            assert_eq!(nd(&solicitation(src, target, &SOURCE_OPTION)), ANSWER);
            // To the address itself, as a neighbour does that checks whether we are still here.
            let macs = [station_mac(1), port_mac(0)];
            assert_eq!(nd(&message(macs, [src, target], 135, target, &[])), ANSWER);
        }
        assert_eq!(nd(&solicitation("::", target, &[])), ANSWER, "duplicate address detection");
    }
}

#[test]
fn other_discovery_is_heard() {
    let consumed = Decision::Consume;
    assert_eq!(nd(&solicitation("fe80::2", "2001:db8:1::3", &SOURCE_OPTION)), consumed);
    assert_eq!(nd(&solicitation("fe80::2", "2001:db8:2::1", &SOURCE_OPTION)), consumed);
    let macs = [station_mac(1), ALL_NODES];
    for kind in [133, 134, 136, 137] {
        assert_eq!(nd(&message(macs, ["fe80::2", "ff02::1"], kind, "fe80::2", &[])), consumed);
    }
    // What is not neighbour discovery stays on its link all the same.
    let mld = message(macs, ["fe80::2", "ff02::1"], 130, "::", &[]);
    assert_eq!(nd(&mld), drops(DropReason::LinkLocal));
}

#[test]
fn solicitations_must_pass_rfc_4861_7_1_1() {
    let good = solicitation("fe80::2", "2001:db8:1::1", &SOURCE_OPTION);
    assert_eq!(nd(&good), ANSWER);
    let broken = |change: fn(&mut Frame)| {
        let mut frame = good.clone();
        change(&mut frame);
        nd(&frame)
    };
    assert_eq!(broken(|frame| frame.bytes[14 + 7] = 254), BAD, "hop limit");
    assert_eq!(broken(|frame| frame.bytes[54 + 2] ^= 1), BAD, "checksum");
    assert_eq!(broken(|frame| frame.info.ip_len -= 8), BAD, "cut short");
    // With a right checksum: code, length, group as target, option of length 0.
    let macs = [station_mac(1), ALL_NODES];
    let raw = |body: &[u8]| nd(&Frame::icmpv6(0, macs, ["fe80::2", "ff02::1"], body));
    let IpAddr::V6(target) = ip("2001:db8:1::1") else { panic!("IPv6") };
    let head = |code: u8| [&[135, code, 0, 0, 0, 0, 0, 0][..], &target.octets()].concat();
    assert_eq!(raw(&head(0)), ANSWER);
    assert_eq!(raw(&head(1)), BAD);
    assert_eq!(raw(&head(0)[..20]), BAD);
    assert_eq!(raw(&[&head(0)[..], &[1, 0, 0, 0, 0, 0, 0, 0]].concat()), BAD);
    assert_eq!(nd(&message(macs, ["fe80::2", "ff02::1"], 135, "ff02::1", &[])), BAD);
}

#[test]
fn probes_must_be_anonymous_and_to_the_solicited_node_group() {
    assert_eq!(nd(&solicitation("::", "2001:db8:1::1", &SOURCE_OPTION)), BAD);
    let to_all = [station_mac(1), ALL_NODES];
    assert_eq!(nd(&message(to_all, ["::", "ff02::1"], 135, "2001:db8:1::1", &[])), BAD);
    let to_us = [station_mac(1), port_mac(0)];
    assert_eq!(nd(&message(to_us, ["::", LINK_LOCAL], 135, LINK_LOCAL, &[])), BAD);
}

#[test]
fn solicitations_nobody_can_have_sent() {
    for src in ["2001:db8:1::1", LINK_LOCAL, "ff02::1", "::1"] {
        assert_eq!(nd(&solicitation(src, "2001:db8:1::1", &[])), BAD, "{src}");
    }
}

#[test]
fn a_solicitation_to_a_group_in_a_frame_for_one_station_is_refused() {
    let macs = [station_mac(1), port_mac(0)];
    let ips = ["fe80::2", "ff02::1:ff00:1"];
    let frame = message(macs, ips, 135, "2001:db8:1::1", &SOURCE_OPTION);
    // The link-local source is named first: as a router sees it, all of that frame is wrong.
    assert_eq!(nd(&frame), drops(DropReason::LinkLocal));
    let ips = ["2001:db8:1::2", "ff02::1:ff00:1"];
    let frame = message(macs, ips, 135, "2001:db8:1::1", &SOURCE_OPTION);
    assert_eq!(nd(&frame), drops(DropReason::AddressKindMismatch));
}

#[test]
fn discovery_addressed_beyond_us_is_routed() {
    let macs = [station_mac(1), port_mac(0)];
    let ips = ["2001:db8:1::2", "2001:db8:2::2"];
    assert_eq!(nd(&message(macs, ips, 135, "2001:db8:2::2", &[])), hop(1, 2));
}
