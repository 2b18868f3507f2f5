use etherparse::icmpv4::DestUnreachableHeader as V4;
use etherparse::icmpv6::DestUnreachableCode as V6;
use etherparse::{Icmpv4Type, Icmpv6Type, NetSlice, SlicedPacket, TransportSlice};
use gateway::forward::answer::Unreachable;
use proptest::prelude::*;

use super::*;

fn udp(payload: usize) -> Vec<u8> {
    let len = (payload + 8) as u16;
    [&[0x13, 0x8c, 0x17, 0x74][..], &len.to_be_bytes(), &[0x12, 0x34], &vec![0x5a; payload]]
        .concat()
}

/// Type and quote of an ICMPv4 error, everything else verified.
fn read_v4(frame: &[u8]) -> (Icmpv4Type, Vec<u8>) {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let link = packet.link.unwrap().to_header().unwrap().ethernet2().unwrap();
    assert_eq!((link.destination, link.source), (THEIRS.0, OURS.0));
    let Some(NetSlice::Ipv4(ip)) = packet.net else { panic!("{frame:02x?}") };
    let header = ip.header().to_header();
    assert_eq!((header.source, header.destination), (OURS4, THEIRS4));
    assert_eq!((header.time_to_live, header.dscp.value()), (64, 48));
    assert_eq!(header.header_checksum, header.calc_header_checksum());
    assert_eq!(usize::from(header.total_len), frame.len() - 14);
    let Some(TransportSlice::Icmpv4(icmp)) = packet.transport else { panic!("{frame:02x?}") };
    let header = icmp.header();
    assert_eq!(header.checksum, header.icmp_type.calc_checksum(icmp.payload()));
    (icmp.icmp_type(), icmp.payload().to_vec())
}

/// Type and quote of an ICMPv6 error, everything else verified.
fn read_v6(frame: &[u8]) -> (Icmpv6Type, Vec<u8>) {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let link = packet.link.unwrap().to_header().unwrap().ethernet2().unwrap();
    assert_eq!((link.destination, link.source), (THEIRS.0, OURS.0));
    let Some(NetSlice::Ipv6(ip)) = packet.net else { panic!("{frame:02x?}") };
    let header = ip.header().to_header();
    assert_eq!((header.source, header.destination), (OURS6, THEIRS6));
    assert_eq!(header.hop_limit, 64);
    assert_eq!(usize::from(header.payload_length), frame.len() - 54);
    let Some(TransportSlice::Icmpv6(icmp)) = packet.transport else { panic!("{frame:02x?}") };
    assert!(icmp.is_checksum_valid(header.source, header.destination));
    (icmp.icmp_type(), icmp.payload().to_vec())
}

#[test]
fn every_error_over_ipv4() {
    let frame = ipv4(17, &udp(40), |_| {});
    for (kind, expected) in [
        (IcmpError::TimeExceeded, None),
        (IcmpError::TooBig { mtu: 1400 }, Some(V4::FragmentationNeeded { next_hop_mtu: 1400 })),
        (IcmpError::Unreachable(Unreachable::NoRoute), Some(V4::Network)),
        (IcmpError::Unreachable(Unreachable::Host), Some(V4::Host)),
        (IcmpError::Unreachable(Unreachable::Port), Some(V4::Port)),
        (IcmpError::Unreachable(Unreachable::Prohibited), Some(V4::FilterProhibited)),
    ] {
        let expected = match expected {
            Some(code) => Icmpv4Type::DestinationUnreachable(code),
            None => {
                Icmpv4Type::TimeExceeded(etherparse::icmpv4::TimeExceededCode::TtlExceededInTransit)
            }
        };
        let quoted = frame[14..].to_vec();
        assert_eq!(read_v4(&error(kind, &frame, false).unwrap()), (expected, quoted));
    }
}

#[test]
fn every_error_over_ipv6() {
    let frame = ipv6(17, &udp(40), |_| {});
    let exceeded = etherparse::icmpv6::TimeExceededCode::HopLimitExceeded;
    for (kind, expected) in [
        (IcmpError::TimeExceeded, Icmpv6Type::TimeExceeded(exceeded)),
        (IcmpError::TooBig { mtu: 1400 }, Icmpv6Type::PacketTooBig { mtu: 1400 }),
        (
            IcmpError::Unreachable(Unreachable::NoRoute),
            Icmpv6Type::DestinationUnreachable(V6::NoRoute),
        ),
        (
            IcmpError::Unreachable(Unreachable::Host),
            Icmpv6Type::DestinationUnreachable(V6::Address),
        ),
        (IcmpError::Unreachable(Unreachable::Port), Icmpv6Type::DestinationUnreachable(V6::Port)),
        (
            IcmpError::Unreachable(Unreachable::Prohibited),
            Icmpv6Type::DestinationUnreachable(V6::Prohibited),
        ),
    ] {
        let quoted = frame[14..].to_vec();
        assert_eq!(read_v6(&error(kind, &frame, true).unwrap()), (expected, quoted));
    }
}

proptest! {
    /// As much as fits 576 and 1280 bytes, of the packet alone, however the frame is cut.
    #[test]
    fn quotes_what_fits(
        payload in 0usize..2000, cut in 0usize..3000, v6: bool, padding in 0usize..20, mtu in 68u16..,
    ) {
        let frame =
            if v6 { ipv6(17, &udp(payload), |_| {}) } else { ipv4(17, &udp(payload), |_| {}) };
        let packet = frame[14..].to_vec();
        let frame = [frame, vec![0xee; padding]].concat();
        let cut = if v6 { 62 } else { 42 } + cut;
        let (head, rest) = frame.split_at(cut.min(frame.len()));
        let info = parse(PortId(0), head, frame.len(), RxChecksum::Unknown).unwrap();
        let mut out = [0xdd; MAX_ERROR_FRAME];
        let path = ReturnPath { mtu, ..path(v6) };
        let pieces = [head, &[], rest].into_iter();
        let len = icmp_error(IcmpError::TimeExceeded, &info, pieces, &path, &mut out);
        let (headers, limit) = if v6 { (48, 1280) } else { (28, 576) };
        let fits = packet.len().min(limit.min(usize::from(mtu)) - headers);
        let minimum = packet.len().min(if v6 { 48 } else { 28 });
        prop_assert_eq!(len, (fits >= minimum).then_some(14 + headers + fits));
        if let Some(len) = len {
            let out = &out[..len];
            let quoted = if v6 { read_v6(out).1 } else { read_v4(out).1 };
            prop_assert_eq!(&quoted[..], &packet[..fits]);
        }
    }
}

/// The longest header, with the TTL that arrived.
#[test]
fn quotes_the_datagram_as_received() {
    let frame = ipv4(17, &udp(1000), |ip| {
        ip.options = [1; 40].into();
        ip.set_payload_len(1008).unwrap();
        ip.time_to_live = 1;
    });
    let (_, quoted) = read_v4(&error(IcmpError::TimeExceeded, &frame, false).unwrap());
    assert_eq!(quoted, frame[14..14 + 576 - 28]);
    for (mtu, expected) in [(95, None), (96, Some(14 + 96))] {
        let mut out = [0; MAX_ERROR_FRAME];
        let path = ReturnPath { mtu, ..path(false) };
        let pieces = [&frame[..]].into_iter();
        let len = icmp_error(IcmpError::TimeExceeded, &info(&frame), pieces, &path, &mut out);
        assert_eq!(len, expected, "60 bytes of header and 8 behind them, or nothing");
    }
}

#[test]
fn a_short_buffer_or_missing_bytes_give_none() {
    for (v6, frame) in [(false, ipv4(17, &udp(9), |_| {})), (true, ipv6(17, &udp(9), |_| {}))] {
        let info = info(&frame);
        let full = error(IcmpError::TimeExceeded, &frame, v6).unwrap();
        for len in 0..full.len() {
            let mut out = vec![0; len];
            let pieces = [&frame[..]].into_iter();
            let written = icmp_error(IcmpError::TimeExceeded, &info, pieces, &path(v6), &mut out);
            assert_eq!(written, None, "{len}");
        }
        for len in 0..frame.len() {
            let pieces = [&frame[..len]].into_iter();
            let mut out = [0; MAX_ERROR_FRAME];
            let written = icmp_error(IcmpError::TimeExceeded, &info, pieces, &path(v6), &mut out);
            assert_eq!(written, None, "{len}");
        }
    }
}
