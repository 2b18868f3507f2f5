use super::build::*;
use super::*;
use crate::packet::Malformed;

const BAD_HEADER: Network = Network::Broken(Malformed::IpHeader);

/// A frame with one byte xor-ed.
fn flipped(mut frame: Vec<u8>, at: usize, bits: u8) -> Vec<u8> {
    frame[at] ^= bits;
    frame
}

fn expect(name: &str, frame: &[u8], network: Network, coalesce: Coalesce) -> FrameInfo {
    let info = whole(frame);
    check_invariants(&info, frame, frame.len());
    assert_eq!((info.network, info.coalesce), (network, coalesce), "{name}: {info:?}");
    info
}

#[test]
fn plain_datagrams_are_candidates() {
    let info = expect("ipv4", &plain4(), Network::Ipv4, Coalesce::Candidate);
    assert_eq!((info.port, info.l2_len, info.l4_offset), (PortId(3), 14, 34));
    assert_eq!((info.ip_len, info.protocol, info.udp_payload()), (128, 17, 100));
    let info = expect("ipv6", &plain6(), Network::Ipv6, Coalesce::Candidate);
    assert_eq!((info.ip_len, info.l4_offset, info.udp_payload()), (148, 54, 100));
    for frame in [plain4(), plain6()] {
        let short_cut = parse_plain(PortId(3), &frame, frame.len(), RxChecksum::Unknown);
        assert_eq!(short_cut, Some(whole(&frame)));
        assert_eq!(plain_in_vlan(&frame), Some((0, 14)));
        assert_eq!(plain_in_vlan(&tagged(&frame, &[(0x88a8, 1), (0x8100, 2)])), None);
    }
}

#[test]
fn two_tags_are_read_and_a_third_is_payload() {
    let one = tagged(&plain4(), &[(0x8100, 0xe007)]);
    let info = expect("one", &one, Network::Ipv4, Coalesce::Candidate);
    assert_eq!((info.tags, info.l2_len, info.vlan, info.ethertype), (1, 18, 7, 0x0800));
    assert_eq!(plain_in_vlan(&one), Some((7, 18)));
    let two = tagged(&plain6(), &[(0x88a8, 100), (0x8100, 7)]);
    let info = expect("two", &two, Network::Ipv6, Coalesce::Candidate);
    assert_eq!((info.tags, info.l2_len, info.vlan, info.l4_offset), (2, 22, 100, 62));
    let three = tagged(&plain4(), &[(0x9100, 1), (0x8100, 2), (0x8100, 3)]);
    let info = expect("three", &three, Network::Other, Coalesce::Foreign);
    assert_eq!((info.tags, info.l2_len, info.vlan, info.ethertype), (2, 22, 1, 0x8100));
    let cut = &one[..16];
    let info = expect("cut", cut, Network::Other, Coalesce::Foreign);
    assert_eq!((info.tags, info.l2_len, info.ethertype), (0, 14, 0x8100));
}

#[test]
fn what_goes_alone_over_ipv4() {
    let alone = |name, frame: &[u8]| expect(name, frame, Network::Ipv4, Coalesce::Alone);
    let options = ipv4(17, &udp4(&[1; 100]), |ip| {
        ip.options = [1, 1, 1, 0].into();
        ip.set_payload_len(108).unwrap();
    });
    assert_eq!(alone("options", &options).l4_offset, 38);

    let bad_sum = Network::Broken(Malformed::IpChecksum);
    let info = expect("bad checksum", &flipped(plain4(), 22, 1), bad_sum, Coalesce::Alone);
    assert_eq!((info.ip_len, info.l4_offset), (128, 34));

    assert_eq!(alone("padding", &[plain4(), vec![0]].concat()).trailing(), 1);
    assert_eq!(alone("empty", &ipv4(17, &udp4(&[]), |_| {})).udp_payload(), 0);
    let zero = [&udp4(&[1; 40])[..6], &[0, 0], &[1; 40]].concat();
    alone("no checksum", &ipv4(17, &zero, |_| {}));
    for len in [0, 7, 8, 47, 49, 0xffff_u16] {
        let mut datagram = udp4(&[1; 40]);
        datagram[4..6].copy_from_slice(&len.to_be_bytes());
        alone("udp length", &ipv4(17, &datagram, |_| {}));
    }
}

#[test]
fn the_reserved_bit_goes_alone() {
    let mut frame = plain4();
    frame[20] |= 0x80;
    let ip: &mut crate::wire::Ipv4 = crate::wire::view_mut(&mut frame, 14).unwrap();
    ip.fill_checksum();
    expect("reserved bit", &frame, Network::Ipv4, Coalesce::Alone);
}

#[test]
fn the_port_may_say_that_the_checksum_is_bad() {
    for frame in [plain4(), plain6()] {
        for (said, coalesce) in [
            (RxChecksum::Unknown, Coalesce::Candidate),
            (RxChecksum::Good, Coalesce::Candidate),
            (RxChecksum::Bad, Coalesce::Alone),
        ] {
            let info = parse(PortId(0), &frame, frame.len(), said).unwrap();
            assert_eq!(info.coalesce, coalesce);
        }
    }
}

#[test]
fn fragments_over_ipv4() {
    let fragment = |protocol, more, offset: u16| {
        ipv4(protocol, &udp4(&[1; 40]), |ip| {
            ip.dont_fragment = false;
            ip.more_fragments = more;
            ip.fragment_offset = offset.try_into().unwrap();
        })
    };
    expect("first", &fragment(17, true, 0), Network::Ipv4, Coalesce::Fragment);
    expect("middle", &fragment(17, true, 185), Network::Ipv4, Coalesce::Fragment);
    expect("last", &fragment(17, false, 1), Network::Ipv4, Coalesce::Fragment);
    expect("tcp", &fragment(6, true, 185), Network::Ipv4, Coalesce::Foreign);
    let short = ipv4(17, &[0, 1, 0, 2, 0, 8, 0], |_| {});
    expect("no room for udp", &short, Network::Ipv4, Coalesce::Fragment);
}

#[test]
fn broken_ipv4_keeps_its_place_among_udp() {
    for (name, frame) in [
        ("version", flipped(plain4(), 14, 0x20)),
        ("header length 0", flipped(plain4(), 14, 0x05)),
        ("header length 60", flipped(ipv4(17, &[0; 8], |_| {}), 14, 0x0a)),
        ("total length above", flipped(plain4(), 16, 0x01)),
        ("total length below", flipped(plain4(), 17, 0x90)),
    ] {
        expect(name, &frame, BAD_HEADER, Coalesce::Fragment);
    }
    let icmp = ipv4(1, &[8; 40], |_| {});
    expect("icmp", &flipped(icmp, 14, 0x20), BAD_HEADER, Coalesce::Foreign);
    expect("cut", &plain4()[..33], BAD_HEADER, Coalesce::Foreign);
}

#[test]
fn other_protocols_are_foreign() {
    let icmp = expect("icmp", &ipv4(1, &[8; 40], |_| {}), Network::Ipv4, Coalesce::Foreign);
    assert_eq!((icmp.protocol, icmp.l4_offset), (1, 34));
    expect("empty", &ipv4(6, &[], |_| {}), Network::Ipv4, Coalesce::Foreign);
    let none = expect("none", &ipv6(59, &[], |_| {}), Network::Ipv6, Coalesce::Foreign);
    assert_eq!((none.protocol, none.ip_len, none.l4_offset), (59, 40, 54));
    let other = ethernet(0x88cc, &[0; 46]);
    let info = expect("lldp", &other, Network::Other, Coalesce::Foreign);
    assert_eq!((info.ip_len, info.protocol, info.l4_offset, info.trailing()), (0, 0, 14, 0));
    let llc = ethernet(46, &[0; 46]);
    assert_eq!(expect("802.3", &llc, Network::Other, Coalesce::Foreign).ethertype, 46);
}

#[test]
fn extension_headers() {
    let datagram = udp6(&[1; 40]);
    let behind = |first, headers: &[Vec<u8>]| {
        ipv6(first, &[&headers.concat()[..], &datagram].concat(), |_| {})
    };
    let usual = behind(0, &[extension(43, 8), extension(60, 16), extension(17, 24)]);
    let info = expect("usual", &usual, Network::Ipv6, Coalesce::Candidate);
    assert_eq!((info.protocol, info.l4_offset, info.udp_payload()), (17, 54 + 48, 40));
    let mobility = behind(135, &[extension(17, 8)]);
    expect("mobility", &mobility, Network::Ipv6, Coalesce::Alone);
    let authenticated = behind(51, &[vec![17, 4], vec![0; 22]]);
    expect("authentication", &authenticated, Network::Ipv6, Coalesce::Alone);
    let mld = ipv6(0, &[extension(58, 8), vec![143; 8]].concat(), |_| {});
    let info = expect("mld", &mld, Network::Ipv6, Coalesce::Foreign);
    assert_eq!((info.protocol, info.l4_offset), (58, 62));
    expect("many", &behind(60, &vec![extension(60, 8); 9]), Network::Ipv6, Coalesce::Fragment);
    expect("long", &behind(60, &[extension(17, 520)]), Network::Ipv6, Coalesce::Fragment);
    let cut = ipv6(60, &extension(17, 24)[..16], |_| {});
    expect("cut", &cut, Network::Ipv6, Coalesce::Fragment);
    expect("ports cut", &ipv6(17, &datagram[..7], |_| {}), Network::Ipv6, Coalesce::Fragment);
}

#[test]
fn fragments_over_ipv6() {
    let datagram = udp6(&[1; 40]);
    let fragment = |next, offset_more| {
        ipv6(44, &[&fragment_header(next, offset_more)[..], &datagram].concat(), |_| {})
    };
    for offset_more in [0, 1, 1481, 1480] {
        let frame = fragment(17, offset_more);
        let info = expect("udp", &frame, Network::Ipv6, Coalesce::Fragment);
        assert_eq!((info.protocol, info.l4_offset), (17, 62));
        expect("options", &fragment(60, offset_more), Network::Ipv6, Coalesce::Fragment);
        expect("icmpv6", &fragment(58, offset_more), Network::Ipv6, Coalesce::Foreign);
    }
}

#[test]
fn broken_ipv6_keeps_its_place_among_udp() {
    expect("version", &flipped(plain6(), 14, 0x20), BAD_HEADER, Coalesce::Fragment);
    expect("length", &flipped(plain6(), 18, 0x80), BAD_HEADER, Coalesce::Fragment);
    let icmp = ipv6(58, &[128; 40], |_| {});
    expect("icmpv6", &flipped(icmp, 18, 0x80), BAD_HEADER, Coalesce::Foreign);
    let jumbo = ipv6(0, &[extension(17, 8), udp6(&[1; 40])].concat(), |ip| ip.payload_length = 0);
    expect("jumbogram", &jumbo, BAD_HEADER, Coalesce::Fragment);
    expect("cut", &plain6()[..53], BAD_HEADER, Coalesce::Foreign);
}

#[test]
fn arp_for_ipv4_over_ethernet() {
    let message = etherparse::ArpEthIpv4Packet {
        operation: etherparse::ArpOperation::REQUEST,
        sender_mac: [2, 0, 0, 0, 0, 2],
        sender_ipv4: SRC4,
        target_mac: [0; 6],
        target_ipv4: DST4,
    };
    let frame = ethernet(0x0806, &[&message.to_bytes()[..], &[0; 18]].concat());
    expect("request", &frame, Network::Arp, Coalesce::Foreign);
    let broken = Network::Broken(Malformed::Arp);
    expect("cut", &frame[..41], broken, Coalesce::Foreign);
    expect("hardware", &flipped(frame, 15, 2), broken, Coalesce::Foreign);
}
