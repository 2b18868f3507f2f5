//! What holds for every result of ingress, and what etherparse says of the same frame.

use etherparse::{IpNumber, LinkExtSlice, NetSlice, SlicedPacket, TransportSlice};
use gateway::packet::{Coalesce, FrameInfo, Network};

/// What holds for every result, whatever the frame.
pub(crate) fn check_invariants(info: &FrameInfo, head: &[u8], frame_len: usize) {
    let l2_len = usize::from(info.l2_len);
    let l4_offset = usize::from(info.l4_offset);
    let ip_len = info.ip_len as usize;
    assert_eq!(info.frame_len as usize, frame_len);
    assert_eq!(l2_len, 14 + 4 * usize::from(info.tags));
    assert!(info.tags <= 2 && info.vlan < 4096);
    assert!(l2_len <= l4_offset && l4_offset <= head.len(), "{info:?}");
    assert!(l2_len + ip_len <= frame_len, "{info:?}");
    assert!(ip_len == 0 || l4_offset <= l2_len + ip_len, "{info:?}");
    assert_eq!(info.trailing() as usize, if ip_len == 0 { 0 } else { frame_len - l2_len - ip_len });
    match info.coalesce {
        Coalesce::Candidate => {
            assert!(matches!(info.network, Network::Ipv4 | Network::Ipv6), "{info:?}");
            assert_eq!((info.protocol, info.trailing()), (17, 0));
            assert!(info.udp_payload() >= 1);
            assert_eq!(l4_offset + 8 + info.udp_payload() as usize, frame_len);
        }
        Coalesce::Alone => {
            assert_eq!(info.protocol, 17);
            assert!(l4_offset + 8 <= head.len() && ip_len >= 28, "{info:?}");
        }
        // GRO reads the addresses, where the Ethernet type says they are.
        Coalesce::Fragment => match info.ethertype {
            0x0800 => assert!(head.len() >= l2_len + 20),
            0x86dd => assert!(head.len() >= l2_len + 40),
            _ => panic!("{info:?}"),
        },
        Coalesce::Foreign => {}
    }
}

/// As far as etherparse reads a frame of one piece, it and `ours` agree.
pub(crate) fn agrees_with_etherparse(ours: &FrameInfo, frame: &[u8]) {
    let Some(theirs) = read(frame) else { return };
    assert_eq!(usize::from(ours.l2_len), theirs.l2_len);
    assert_eq!(ours.vlan, theirs.vlan);
    assert_eq!(ours.ip_len as usize, theirs.ip_len);
    // Behind a fragment header we do not read on, and a whole datagram in one counts too.
    let fragment_header = ours.coalesce == Coalesce::Fragment;
    assert!(!theirs.fragmented || ours.protocol != 17 || fragment_header);
    if !fragment_header && !theirs.fragmented {
        assert_eq!(ours.protocol, theirs.protocol);
    }
    if let (Some((offset, src_port)), false) = (theirs.udp, fragment_header) {
        assert_eq!(usize::from(ours.l4_offset), offset);
        assert_eq!(frame[offset..offset + 2].to_vec(), src_port.to_be_bytes());
        assert!(matches!(ours.coalesce, Coalesce::Candidate | Coalesce::Alone));
    }
}

/// What etherparse says, as far as it says it.
struct Read {
    l2_len: usize,
    vlan: u16,
    ip_len: usize,
    protocol: u8,
    fragmented: bool,
    /// Header and ports.
    udp: Option<(usize, u16)>,
}

fn read(frame: &[u8]) -> Option<Read> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let id = |ext: &LinkExtSlice<'_>| match ext {
        LinkExtSlice::Vlan(tag) => Some(tag.vlan_identifier().value()),
        LinkExtSlice::Macsec(_) => None,
    };
    let ids: Vec<u16> = packet.link_exts.iter().map(id).collect::<Option<_>>()?;
    // It reads three tags, we two.
    if ids.len() > 2 {
        return None;
    }
    let l2_len = 14 + 4 * ids.len();
    let (ip_len, payload, protocol) = match packet.net.as_ref()? {
        // It reads on behind an authentication header; over IPv4 that is a protocol like any other.
        NetSlice::Ipv4(ip) => {
            (usize::from(ip.header().total_len()), ip.payload(), ip.header().protocol())
        }
        // Behind a length of 0 it reads to the end of the frame, as if it were a jumbogram's.
        NetSlice::Ipv6(ip) if ip.header().payload_length() == 0 => return None,
        NetSlice::Ipv6(ip) => {
            let payload = ip.payload();
            // It does not read over these extension headers.
            let (mobility, hip, shim6) =
                (IpNumber::MOBILITY_HEADER, IpNumber::HIP, IpNumber::SHIM6);
            if [mobility, hip, shim6].contains(&payload.ip_number) {
                return None;
            }
            (40 + usize::from(ip.header().payload_length()), payload, payload.ip_number)
        }
        NetSlice::Arp(_) => return None,
    };
    let udp = match packet.transport {
        Some(TransportSlice::Udp(udp)) if protocol == IpNumber::UDP => {
            Some((udp.slice().as_ptr() as usize - frame.as_ptr() as usize, udp.source_port()))
        }
        _ => None,
    };
    let vlan = ids.first().copied().unwrap_or(0);
    let fragmented = payload.fragmented;
    Some(Read { l2_len, vlan, ip_len, protocol: protocol.0, fragmented, udp })
}

/// Whether etherparse finds the UDP checksum of a frame right; `None` where it cannot tell.
#[allow(dead_code)] // not every user has payload
pub(crate) fn udp_checksum_is_right(frame: &[u8]) -> Option<bool> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(TransportSlice::Udp(udp)) = packet.transport else { return None };
    let right = match packet.net? {
        NetSlice::Ipv4(ip) => {
            udp.to_header().calc_checksum_ipv4(&ip.header().to_header(), udp.payload())
        }
        // A routing header hides the final destination (RFC 8200 8.1).
        NetSlice::Ipv6(ip) if ip.extensions().slice().is_empty() => {
            udp.to_header().calc_checksum_ipv6(&ip.header().to_header(), udp.payload())
        }
        NetSlice::Ipv6(_) | NetSlice::Arp(_) => return None,
    };
    Some(udp.checksum() != 0 && right.ok()? == udp.checksum())
}
