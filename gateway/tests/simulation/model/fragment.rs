//! IPv4 fragmentation (RFC 791 3.2) of a datagram that a router has already rewritten.

use super::rewrite::fill_checksum;

/// The fragments of the frame `out`, whose IP packet begins at `l3`; `None`: it cannot be.
pub(super) fn fragments(out: &[u8], l3: usize, ip_len: usize, mtu: usize) -> Option<Vec<Vec<u8>>> {
    let (link, ip) = (&out[..l3], &out[l3..l3 + ip_len]);
    let header_len = usize::from(ip[0] & 15) * 4;
    let (header, payload) = ip.split_at(header_len);
    let word = u16::from_be_bytes([ip[6], ip[7]]);
    if usize::from(word & 0x1fff) * 8 + payload.len() > 0xffff {
        return None;
    }
    // What fits is not cut: the last part need not be a multiple of 8.
    let fits = mtu - header_len;
    let size = fits / 8 * 8;
    let (mut parts, mut rest) = (Vec::new(), payload);
    while rest.len() > fits {
        let (part, later) = rest.split_at(size);
        parts.push(part);
        rest = later;
    }
    parts.push(rest);
    let mut fragments = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        let mut header = header.to_vec();
        if n > 0 {
            blank_options(&mut header[20..]);
        }
        let more = if n + 1 < parts.len() { 0x2000 } else { 0 };
        let word = (word + (n * size / 8) as u16) | more;
        header[6..8].copy_from_slice(&word.to_be_bytes());
        header[2..4].copy_from_slice(&((header_len + part.len()) as u16).to_be_bytes());
        fill_checksum(&mut header);
        fragments.push([link, &header, part].concat());
    }
    Some(fragments)
}

/// Only options with the copied flag are in later fragments; the others' places are "no operation".
fn blank_options(options: &mut [u8]) {
    let mut at = 0;
    while at < options.len() && options[at] != 0 {
        let len =
            if options[at] == 1 { 1 } else { usize::from(*options.get(at + 1).unwrap_or(&0)) };
        if len == 0 || at + len > options.len() {
            break;
        }
        if options[at] < 0x80 {
            options[at..at + len].fill(1);
        }
        at += len;
    }
}
