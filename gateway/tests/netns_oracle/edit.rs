//! Frames made unusual: edits on frames that etherparse built.

use etherparse::{Ipv4Header, Ipv6Header};

/// Edits the IPv4 header, then sets its checksum and, where options changed, its length.
pub(crate) fn v4(frame: &[u8], edit: impl FnOnce(&mut Ipv4Header)) -> Vec<u8> {
    let (mut ip, rest) = Ipv4Header::from_slice(&frame[14..]).unwrap();
    edit(&mut ip);
    ip.set_payload_len(rest.len()).unwrap();
    ip.header_checksum = ip.calc_header_checksum();
    [&frame[..14], &ip.to_bytes(), rest].concat()
}

/// Edits the IPv6 header.
pub(crate) fn v6(frame: &[u8], edit: impl FnOnce(&mut Ipv6Header)) -> Vec<u8> {
    let (mut ip, rest) = Ipv6Header::from_slice(&frame[14..]).unwrap();
    edit(&mut ip);
    [&frame[..14], &ip.to_bytes(), rest].concat()
}

/// Puts an extension header of type `kind` in front; its first byte is filled in here.
pub(crate) fn extend(frame: &[u8], kind: u8, header: &[u8]) -> Vec<u8> {
    let mut out = [&frame[..54], header, &frame[54..]].concat();
    out[54] = out[20];
    out[20] = kind;
    let len = u16::from_be_bytes([out[18], out[19]]) + header.len() as u16;
    out[18..20].copy_from_slice(&len.to_be_bytes());
    out
}

/// Puts a tag behind the link addresses.
pub(crate) fn tag(frame: &[u8], tpid: u16, tci: u16) -> Vec<u8> {
    [&frame[..12], &tpid.to_be_bytes(), &tci.to_be_bytes(), &frame[12..]].concat()
}

/// Fills up to `len` bytes; a longer frame stays as it is.
pub(crate) fn pad(frame: &[u8], len: usize, byte: u8) -> Vec<u8> {
    let mut out = frame.to_vec();
    out.resize(len.max(frame.len()), byte);
    out
}

/// Overwrites bytes and nothing else.
pub(crate) fn set(frame: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut out = frame.to_vec();
    out[at..at + bytes.len()].copy_from_slice(bytes);
    out
}

/// Overwrites the UDP checksum.
pub(crate) fn udp_checksum(frame: &[u8], change: impl FnOnce(u16) -> u16) -> Vec<u8> {
    let at = if frame[12] == 8 { 14 + 20 + 6 } else { 14 + 40 + 6 };
    let now = u16::from_be_bytes([frame[at], frame[at + 1]]);
    set(frame, at, &change(now).to_be_bytes())
}

/// A datagram cut into IPv4 fragments of `len` payload bytes, a multiple of 8.
pub(crate) fn fragments(frame: &[u8], len: usize) -> Vec<Vec<u8>> {
    let (ip, payload) = Ipv4Header::from_slice(&frame[14..]).unwrap();
    let parts = payload.chunks(len).enumerate();
    let part = |(index, part): (usize, &[u8])| {
        let head = [&frame[..14], &ip.to_bytes(), part].concat();
        v4(&head, |ip| {
            ip.dont_fragment = false;
            ip.more_fragments = (index + 1) * len < payload.len();
            ip.fragment_offset = ((index * len / 8) as u16).try_into().unwrap();
        })
    };
    parts.map(part).collect()
}

/// The same for IPv6 (RFC 8200 4.5).
pub(crate) fn fragments6(frame: &[u8], len: usize) -> Vec<Vec<u8>> {
    let payload = &frame[54..];
    let parts = payload.chunks(len).enumerate();
    let part = |(index, part): (usize, &[u8])| {
        let more = u16::from((index + 1) * len < payload.len());
        let offset = ((index * len) as u16 | more).to_be_bytes();
        let head = [&frame[..54], part].concat();
        let head = set(&head, 18, &(part.len() as u16).to_be_bytes());
        extend(&head, 44, &[0, 0, offset[0], offset[1], 0, 0, 0, 9])
    };
    parts.map(part).collect()
}
