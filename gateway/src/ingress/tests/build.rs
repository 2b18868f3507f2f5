use etherparse::{EtherType, Ethernet2Header, IpNumber, Ipv4Header, Ipv6Header, UdpHeader};

pub(super) const SRC4: [u8; 4] = [10, 1, 0, 2];
pub(super) const DST4: [u8; 4] = [10, 2, 0, 2];
pub(super) const SRC6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
pub(super) const DST6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
const PORTS: (u16, u16) = (5004, 6004);

pub(super) fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let header = Ethernet2Header {
        destination: [2, 0, 0, 0, 0, 1],
        source: [2, 0, 0, 0, 0, 2],
        ether_type: EtherType(ethertype),
    };
    [&header.to_bytes(), payload].concat()
}

/// With tags between the addresses and the type: (identifier, VLAN id).
pub(super) fn tagged(frame: &[u8], tags: &[(u16, u16)]) -> Vec<u8> {
    let tags: Vec<u8> = tags
        .iter()
        .flat_map(|(id, vlan)| [id.to_be_bytes(), vlan.to_be_bytes()].concat())
        .collect();
    [&frame[..12], &tags, &frame[12..]].concat()
}

/// An IPv4 packet in a frame, after `edit`; the header checksum is filled in afterwards.
pub(super) fn ipv4(protocol: u8, payload: &[u8], edit: impl FnOnce(&mut Ipv4Header)) -> Vec<u8> {
    let len = payload.len() as u16;
    let mut header = Ipv4Header::new(len, 64, IpNumber(protocol), SRC4, DST4).unwrap();
    edit(&mut header);
    header.header_checksum = header.calc_header_checksum();
    ethernet(0x0800, &[&header.to_bytes(), payload].concat())
}

/// An IPv6 packet in a frame, after `edit`.
pub(super) fn ipv6(next: u8, payload: &[u8], edit: impl FnOnce(&mut Ipv6Header)) -> Vec<u8> {
    let mut header = Ipv6Header {
        payload_length: payload.len() as u16,
        next_header: IpNumber(next),
        hop_limit: 64,
        source: SRC6,
        destination: DST6,
        ..Default::default()
    };
    edit(&mut header);
    ethernet(0x86dd, &[&header.to_bytes()[..], payload].concat())
}

/// UDP header and payload, with the checksum for the IPv4 addresses above.
pub(super) fn udp4(payload: &[u8]) -> Vec<u8> {
    let ip = Ipv4Header::new(0, 64, IpNumber::UDP, SRC4, DST4).unwrap();
    let header = UdpHeader::with_ipv4_checksum(PORTS.0, PORTS.1, &ip, payload).unwrap();
    [&header.to_bytes(), payload].concat()
}

/// UDP header and payload, with the checksum for the IPv6 addresses above.
pub(super) fn udp6(payload: &[u8]) -> Vec<u8> {
    let ip = Ipv6Header { source: SRC6, destination: DST6, ..Default::default() };
    let header = UdpHeader::with_ipv6_checksum(PORTS.0, PORTS.1, &ip, payload).unwrap();
    [&header.to_bytes(), payload].concat()
}

/// A plain datagram over IPv4, large enough not to need padding.
pub(super) fn plain4() -> Vec<u8> {
    ipv4(17, &udp4(&[0xa5; 100]), |_| {})
}

/// A plain datagram over IPv6.
pub(super) fn plain6() -> Vec<u8> {
    ipv6(17, &udp6(&[0xa5; 100]), |_| {})
}

/// An extension header of `len` bytes (a multiple of 8) with padding options.
pub(super) fn extension(next: u8, len: usize) -> Vec<u8> {
    let padding = (len - 4) as u8;
    [vec![next, (len / 8 - 1) as u8, 1, padding], vec![0; len - 4]].concat()
}

/// An IPv6 fragment header.
pub(super) fn fragment_header(next: u8, offset_more: u16) -> Vec<u8> {
    [&[next, 0], &offset_more.to_be_bytes()[..], &[0, 0, 0, 7]].concat()
}
