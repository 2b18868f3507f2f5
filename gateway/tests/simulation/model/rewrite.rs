//! What a router does to every datagram it forwards.

use super::read::{Frame, Net};
use crate::packet::ones_complement;
use crate::world::Mac;

/// New link addresses, one hop less; without what is behind the IP packet, but padded with zeros to
/// 60 bytes if it came so.
pub(super) fn forwarded(frame: &Frame<'_>, dst: Mac, src: Mac) -> Vec<u8> {
    let ip_len = match &frame.net {
        Net::V4(ip) => ip.ip_len,
        Net::V6(ip) => ip.ip_len,
        _ => panic!("only IP is forwarded"),
    };
    let mut out = [&dst[..], &src, &frame.bytes[12..frame.l3 + ip_len]].concat();
    let l3 = frame.l3;
    match &frame.net {
        Net::V4(ip) => {
            out[l3 + 8] -= 1;
            fill_checksum(&mut out[l3..l3 + ip.header_len]);
        }
        _ => out[l3 + 7] -= 1,
    }
    if frame.bytes.len() >= 60 && out.len() < 60 {
        out.resize(60, 0);
    }
    out
}

pub(super) fn fill_checksum(header: &mut [u8]) {
    header[10..12].fill(0);
    let sum = !ones_complement(&[header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}
