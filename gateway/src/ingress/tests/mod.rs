//! Frames come from etherparse, so that no builder of ours is its own oracle.

mod build;
mod classes;
mod oracle;
mod robust;
mod split;
mod udp_checksum;

use super::{ParseError, parse, parse_any};
use crate::packet::{Coalesce, FrameInfo, Network, PortId, RxChecksum};

/// What a frame of one piece is.
fn whole(frame: &[u8]) -> FrameInfo {
    parse(PortId(3), frame, frame.len(), RxChecksum::Unknown).unwrap()
}

/// What holds for every result, whatever the frame.
fn check_invariants(info: &FrameInfo, head: &[u8], frame_len: usize) {
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
