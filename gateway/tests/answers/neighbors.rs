use etherparse::icmpv6::NeighborAdvertisementHeader;
use etherparse::{
    ArpEthIpv4Packet, ArpOperation, Icmpv6Header, Icmpv6Type, NetSlice, SlicedPacket,
    TransportSlice,
};
use gateway::forward::answer::{arp_reply, neighbor_advertisement};

use super::*;

const UNSPECIFIED: [u8; 16] = [0; 16];
const SOLICITED_NODE: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 1];

fn request(sender_ipv4: [u8; 4]) -> Vec<u8> {
    let message = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: THEIRS.0,
        sender_ipv4,
        target_mac: [0; 6],
        target_ipv4: OURS4,
    };
    ethernet(MacAddr::BROADCAST, 0x0806, &message.to_bytes())
}

fn solicitation(src: [u8; 16], options: &[u8]) -> Vec<u8> {
    let body = [&OURS6[..], options].concat();
    let header =
        Icmpv6Header::with_checksum(Icmpv6Type::NeighborSolicitation, src, SOLICITED_NODE, &body);
    let message = [&header.unwrap().to_bytes(), &body[..]].concat();
    let mut frame = ipv6(58, &message, |ip| {
        (ip.source, ip.destination, ip.hop_limit) = (src, SOLICITED_NODE, 255);
    });
    frame[..6].copy_from_slice(&[0x33, 0x33, 0xff, 0, 0, 1]);
    frame
}

fn advertise(frame: &[u8]) -> Vec<u8> {
    let mut out = [0xdd; 128];
    let len = neighbor_advertisement(&info(frame), frame, OURS, &mut out).unwrap();
    out[..len].to_vec()
}

/// Addresses and flags of an advertisement, its checksum and option verified.
fn read(frame: &[u8]) -> ([u8; 6], [u8; 16], NeighborAdvertisementHeader) {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let link = packet.link.unwrap().to_header().unwrap().ethernet2().unwrap();
    let Some(NetSlice::Ipv6(ip)) = packet.net else { panic!("{frame:02x?}") };
    let Some(TransportSlice::Icmpv6(icmp)) = packet.transport else { panic!("{frame:02x?}") };
    let (src, dst) = (ip.header().source(), ip.header().destination());
    assert!(icmp.is_checksum_valid(src, dst));
    assert_eq!((link.source, src, ip.header().hop_limit()), (OURS.0, OURS6, 255));
    assert_eq!(icmp.payload(), [&OURS6[..], &[2, 1], &OURS.0].concat());
    assert_eq!(frame.len(), 14 + 40 + 24 + 8);
    let Icmpv6Type::NeighborAdvertisement(header) = icmp.icmp_type() else { panic!("{icmp:?}") };
    (link.destination, dst, header)
}

#[test]
fn a_request_is_answered() {
    for sender in [THEIRS4, [0; 4]] {
        let frame = request(sender);
        let mut out = [0xdd; 64];
        assert_eq!(arp_reply(&info(&frame), &frame, OURS, &mut out), Some(60));
        let expected = ArpEthIpv4Packet {
            operation: ArpOperation::REPLY,
            sender_mac: OURS.0,
            sender_ipv4: OURS4,
            target_mac: THEIRS.0,
            target_ipv4: sender,
        };
        assert_eq!(out[..12], [THEIRS.0, OURS.0].concat());
        assert_eq!(out[12..14], [8, 6]);
        assert_eq!(out[14..42], expected.to_bytes()[..]);
        assert_eq!(out[42..60], [0; 18], "padding leaks nothing");
        assert_eq!(arp_reply(&info(&frame), &frame, OURS, &mut out[..59]), None);
    }
}

#[test]
fn a_reply_has_the_tags_of_the_request() {
    let frame = request(THEIRS4);
    let frame = [&frame[..12], &[0x81, 0, 0, 7], &frame[12..]].concat();
    let mut out = [0xdd; 64];
    assert_eq!(arp_reply(&info(&frame), &frame, OURS, &mut out), Some(60));
    assert_eq!(out[12..18], [0x81, 0, 0, 7, 8, 6]);
}

#[test]
fn a_solicitation_is_answered() {
    let told = [2, 0, 0, 0, 0, 9];
    let option = [&[1, 1], &told[..]].concat();
    let nonce = [14, 1, 1, 2, 3, 4, 5, 6];
    for (options, expected) in [
        (vec![], THEIRS.0),
        ([&nonce[..], &option].concat(), told),
        ([&[1, 1][..], &[0xff; 6]].concat(), THEIRS.0),
    ] {
        let (mac, dst, flags) = read(&advertise(&solicitation(THEIRS6, &options)));
        assert_eq!((mac, dst), (expected, THEIRS6));
        assert!(flags.router && flags.solicited && flags.r#override);
    }
}

/// RFC 4861 7.2.4: to all nodes, not solicited.
#[test]
fn a_probe_for_a_duplicate_is_answered() {
    let (mac, dst, flags) = read(&advertise(&solicitation(UNSPECIFIED, &[])));
    assert_eq!(mac, [0x33, 0x33, 0, 0, 0, 1]);
    assert_eq!(dst, [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert!(flags.router && !flags.solicited && flags.r#override);
}

#[test]
fn a_short_buffer_or_frame_gives_none() {
    let frame = solicitation(THEIRS6, &[]);
    let info = info(&frame);
    for len in 0..86 {
        assert_eq!(neighbor_advertisement(&info, &frame, OURS, &mut vec![0; len]), None);
    }
    for len in 0..frame.len() {
        let mut out = [0; 128];
        assert_eq!(neighbor_advertisement(&info, &frame[..len], OURS, &mut out), None);
        assert_eq!(arp_reply(&info, &frame[..len.min(41)], OURS, &mut out), None);
    }
}
