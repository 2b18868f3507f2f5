//! From a description to bytes, by etherparse's headers.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header};
use gateway::packet::RxChecksum;

use super::{Kind, Link, Oddity, Packet, To, groups_of};
use crate::world::{Mac, group_mac, host_mac, host_v4, host_v6, port_mac};

/// Bytes on their way to a port.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) ingress: usize,
    pub(crate) bytes: Vec<u8>,
    /// Lengths of the first pieces.
    pub(crate) pieces: Vec<usize>,
    pub(crate) checksum: RxChecksum,
}

impl Packet {
    /// `ports`: which of them are routed.
    pub(crate) fn build(&self, ports: &[bool], serial: u32) -> Frame {
        let destination = self.destination(ports.len());
        let mut bytes = self.link_header(destination, ports);
        let start = bytes.len();
        match self.kind {
            Kind::Ask { .. } if !self.v6 => bytes.extend(self.arp()),
            Kind::Other(_) => bytes.extend(self.data(serial)),
            _ if self.v6 => bytes.extend(self.ipv6(destination, serial)),
            _ => bytes.extend(self.ipv4(destination, serial)),
        }
        match self.oddity {
            Oddity::Padding(len) => bytes.resize(bytes.len() + len, 0xee),
            Oddity::Truncated(len) => bytes.truncate(len.min(start + 60)),
            _ => {}
        }
        let is_right = matches!(self.kind, Kind::Udp)
            && matches!(self.oddity, Oddity::None | Oddity::Padding(_) | Oddity::AllOnes);
        let checksum = match self.oddity {
            Oddity::BadChecksum if self.verified => RxChecksum::Bad,
            _ if is_right && self.verified => RxChecksum::Good,
            _ => RxChecksum::Unknown,
        };
        Frame { ingress: self.ingress, bytes, pieces: self.pieces.clone(), checksum }
    }

    fn destination(&self, ports: usize) -> IpAddr {
        let further = |port: usize| (self.ingress + port) % ports;
        let of =
            |v4: Ipv4Addr, v6: Ipv6Addr| -> IpAddr { if self.v6 { v6.into() } else { v4.into() } };
        let text = |v4: &str, v6: &str| of(v4.parse().unwrap(), v6.parse().unwrap());
        match self.to {
            To::Host { port, host } => {
                of(host_v4(further(port), host), host_v6(further(port), host))
            }
            To::Far(n) => match n % 4 {
                0 => text("10.100.0.9", "2001:db8:64::9"),
                1 => text("10.100.1.9", "2001:db8:64:1::9"),
                2 => text("10.101.2.9", "2001:db8:65::9"),
                _ => of(
                    Ipv4Addr::new(203, 0, 113, n),
                    Ipv6Addr::new(0x2400, 0, 0, 0, 0, 0, 0, n.into()),
                ),
            },
            To::Group(n) => {
                let groups = groups_of(self.v6);
                groups[usize::from(n) % groups.len()]
            }
            To::Own(port) => of(host_v4(further(port), 1), host_v6(further(port), 1)),
            To::Broadcast(port) => of(host_v4(further(port), 255), host_v6(further(port), 255)),
            To::Strange(n) => match n % 4 {
                0 => text("0.1.2.3", "::"),
                1 => text("127.0.0.1", "::1"),
                2 => text("255.255.255.255", "fe80::9"),
                _ => text("250.0.0.1", "ff12::9"),
            },
        }
    }

    fn source(&self) -> IpAddr {
        let Some(n) = self.strange_source else {
            let (v4, v6) = (host_v4(self.ingress, self.host), host_v6(self.ingress, self.host));
            return if self.v6 { v6.into() } else { v4.into() };
        };
        let strange = if self.v6 {
            ["::", "::1", "ff02::1", "fe80::7", "2001:db8:1::1", "::ffff:10.1.0.2"]
        } else {
            ["0.0.0.0", "127.9.9.9", "239.1.1.1", "255.255.255.255", "10.1.0.1", "10.0.0.255"]
        };
        strange[usize::from(n) % strange.len()].parse().unwrap()
    }

    fn link_header(&self, destination: IpAddr, ports: &[bool]) -> Vec<u8> {
        let right: Mac = match self.to {
            _ if destination.is_multicast() => group_mac(destination),
            To::Strange(2) | To::Broadcast(_) if !self.v6 => [0xff; 6],
            _ if matches!(self.kind, Kind::Ask { .. }) => {
                if self.v6 {
                    port_mac(self.ingress)
                } else {
                    [0xff; 6]
                }
            }
            _ if ports[self.ingress] => port_mac(self.ingress),
            To::Host { port, host } => host_mac((self.ingress + port) % ports.len(), host),
            _ => [2, 9, 9, 9, 9, 9],
        };
        let home = self.ingress + usize::from(self.moved);
        let source = host_mac(home % ports.len(), self.host);
        let (destination, source) = match self.link {
            Link::Right => (right, source),
            Link::Broadcast => ([0xff; 6], source),
            Link::OtherGroup => ([1, 0, 0x5e, 7, 7, 7], source),
            Link::Reserved => ([1, 0x80, 0xc2, 0, 0, 0x0e], source),
            Link::Nobody => ([2, 8, 8, 8, 8, 8], source),
            Link::GroupSource => (right, [3, 0, 0, 0, 0, 9]),
        };
        let mut bytes = [destination, source].concat();
        for tag in &self.tags {
            bytes.extend(tag.kind.to_be_bytes());
            bytes.extend((u16::from(tag.priority) << 13 | tag.id).to_be_bytes());
        }
        let ethertype: u16 = match self.kind {
            Kind::Other(ethertype) => ethertype,
            Kind::Ask { .. } if !self.v6 => 0x0806,
            _ if self.v6 => 0x86dd,
            _ => 0x0800,
        };
        bytes.extend(ethertype.to_be_bytes());
        bytes
    }

    fn arp(&self) -> Vec<u8> {
        let Kind::Ask { ours, operation, probe } = self.kind else { return vec![] };
        let sender = if probe { Ipv4Addr::UNSPECIFIED } else { host_v4(self.ingress, self.host) };
        let target = host_v4(self.ingress, if ours { 1 } else { 99 });
        let mac = host_mac(self.ingress, self.host);
        let mut bytes = vec![0, 1, 8, 0, 6, 4];
        bytes.extend(operation.to_be_bytes());
        bytes.extend(mac.iter().chain(&sender.octets()).chain(&[0; 6]).chain(&target.octets()));
        bytes.resize(46, 0);
        bytes
    }

    fn ipv4(&self, destination: IpAddr, serial: u32) -> Vec<u8> {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (self.source(), destination) else {
            panic!("mixed families");
        };
        let protocol = match self.kind {
            Kind::Udp => IpNumber::UDP,
            Kind::Tcp => IpNumber::TCP,
            Kind::Membership => IpNumber::IGMP,
            Kind::Experimental => IpNumber(253),
            _ => IpNumber::ICMP,
        };
        let mut ip =
            Ipv4Header::new(0, self.ttl, protocol, source.octets(), destination.octets()).unwrap();
        ip.identification = self.id;
        ip.dont_fragment = self.df;
        (ip.dscp, ip.ecn) =
            ((self.tos >> 2).try_into().unwrap(), (self.tos & 3).try_into().unwrap());
        match self.oddity {
            Oddity::FirstFragment => ip.more_fragments = true,
            Oddity::LaterFragment(offset) => {
                ip.fragment_offset = IpFragOffset::try_new(offset & 0x1fff).unwrap();
            }
            Oddity::Extension(n) => {
                ip.options = match n % 3 {
                    0 => [1, 1, 1, 0].into(),
                    1 => [0x94, 4, 0, 0].into(),
                    _ => [7, 7, 4, 0, 0, 0, 0, 1].into(),
                };
            }
            _ => {}
        }
        let pseudo = [&source.octets()[..], &destination.octets()].concat();
        let message = self.message(&pseudo, serial);
        ip.set_payload_len(message.len()).unwrap();
        ip.header_checksum = ip.calc_header_checksum();
        let mut bytes = ip.to_bytes().to_vec();
        match self.oddity {
            Oddity::BadIpChecksum => bytes[10] ^= 0x11,
            Oddity::Reserved => {
                bytes[6] |= 0x80;
                bytes[10..12].fill(0);
                let sum = !ones_complement(&[&bytes]);
                bytes[10..12].copy_from_slice(&sum.to_be_bytes());
            }
            _ => {}
        }
        bytes.extend(message);
        bytes
    }

    fn ipv6(&self, destination: IpAddr, serial: u32) -> Vec<u8> {
        let (IpAddr::V6(mut source), IpAddr::V6(mut destination)) = (self.source(), destination)
        else {
            panic!("mixed families");
        };
        let mut hop_limit = self.ttl;
        if let Kind::Ask { probe, .. } = self.kind {
            hop_limit = 255;
            destination = host_v6(self.ingress, 1);
            if probe {
                source = Ipv6Addr::UNSPECIFIED;
            }
        }
        let pseudo = [&source.octets()[..], &destination.octets()].concat();
        let message = self.message(&pseudo, serial);
        let (next_header, extensions) = self.extensions();
        let ip = Ipv6Header {
            traffic_class: self.tos,
            flow_label: (self.label & 0xf_ffff).try_into().unwrap(),
            payload_length: (extensions.len() + message.len()) as u16,
            next_header,
            hop_limit,
            source: source.octets(),
            destination: destination.octets(),
        };
        let mut bytes = [&ip.to_bytes()[..], &extensions, &message].concat();
        if matches!(self.oddity, Oddity::BadIpChecksum) {
            bytes[0] = 0x50;
        }
        bytes
    }

    fn extensions(&self) -> (IpNumber, Vec<u8>) {
        let upper = match self.kind {
            Kind::Udp => IpNumber::UDP,
            Kind::Tcp => IpNumber::TCP,
            Kind::Experimental => IpNumber(253),
            _ => IpNumber::IPV6_ICMP,
        };
        let fragment = |offset, more| {
            let offset = IpFragOffset::try_new(offset & 0x1fff).unwrap();
            let header = Ipv6FragmentHeader::new(upper, offset, more, self.id.into());
            (IpNumber::IPV6_FRAGMENTATION_HEADER, header.to_bytes().to_vec())
        };
        match self.oddity {
            Oddity::FirstFragment => fragment(0, true),
            Oddity::LaterFragment(offset) => fragment(offset, false),
            Oddity::Extension(n) => {
                // an option to skip, padding, a routing header that has been used up
                let (kind, body): (_, [u8; 6]) = match n % 3 {
                    0 => (IpNumber::IPV6_HEADER_HOP_BY_HOP, [0x1e, 4, n, 0, 0, 0]),
                    1 => (IpNumber::IPV6_DESTINATION_OPTIONS, [1, 4, 0, 0, 0, 0]),
                    _ => (IpNumber::IPV6_ROUTE_HEADER, [n, 0, 0, 0, 0, 0]),
                };
                (kind, [&[upper.0, 0][..], &body].concat())
            }
            _ if matches!(self.kind, Kind::Membership) => {
                // router alert (RFC 2711)
                (IpNumber::IPV6_HEADER_HOP_BY_HOP, vec![upper.0, 0, 5, 2, 0, 0, 1, 0])
            }
            _ => (upper, vec![]),
        }
    }

    /// What is behind the IP headers. `pseudo`: the addresses that checksums cover.
    fn message(&self, pseudo: &[u8], serial: u32) -> Vec<u8> {
        let data = self.data(serial);
        let icmp = |kind: u8| [&[kind, 0, 0, 0, 0, 0, 0, 0][..], &data].concat();
        let (mut message, protocol, at) = match (self.kind, self.v6) {
            (Kind::Udp, _) => (self.udp(&data), 17u8, 6),
            (Kind::Tcp, _) => {
                let mut tcp = vec![0; 20];
                tcp[..4].copy_from_slice(&[0, 80, 1, self.flow as u8]);
                tcp[12] = 0x50;
                return [tcp, data].concat();
            }
            (Kind::Experimental | Kind::Other(_), _) => return data,
            (Kind::Membership, false) => {
                return [&[0x16, 0, 0, 0, 239, 1, 1, 1][..], &data].concat();
            }
            (Kind::Membership, true) => (icmp(131), 58, 2),
            (Kind::Echo, v6) => (icmp(if v6 { 128 } else { 8 }), 58, 2),
            (Kind::IcmpError, v6) => (icmp(if v6 { 1 } else { 3 }), 58, 2),
            (Kind::Ask { ours, .. }, _) => {
                let target = host_v6(self.ingress, if ours { 1 } else { 99 });
                let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
                message.extend(target.octets());
                (message, 58, 2)
            }
        };
        let len = message.len() as u16;
        if let (Oddity::AllOnes, Some(word)) = (self.oddity, message.get(14..16)) {
            let before = u16::from_be_bytes([word[0], word[1]]);
            let parts = [pseudo, &[0, protocol], &len.to_be_bytes(), &message];
            let rest = [&(!before).to_be_bytes()[..], &parts.concat()].concat();
            let word = 0xffff - ones_complement(&[&rest]);
            message[14..16].copy_from_slice(&word.to_be_bytes());
        }
        let sum = ones_complement(&[pseudo, &[0, protocol], &len.to_be_bytes(), &message]);
        let right = if sum == 0xffff { 0xffff } else { !sum };
        let checksum = match self.oddity {
            Oddity::ZeroChecksum => 0,
            Oddity::BadChecksum => right ^ 0x0101,
            _ => right,
        };
        message[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
        message
    }

    fn udp(&self, data: &[u8]) -> Vec<u8> {
        let source = 4000 + 16 * self.ingress as u16 + self.flow;
        let len = match self.oddity {
            Oddity::UdpLength(more) => (8 + data.len() as u16).wrapping_add_signed(more),
            _ => 8 + data.len() as u16,
        };
        let words = [source, 6000, len, 0];
        [&words.map(u16::to_be_bytes).concat(), data].concat()
    }

    fn data(&self, serial: u32) -> Vec<u8> {
        let front = [&serial.to_be_bytes()[..], &[self.ingress as u8]].concat();
        let rest = (0..).map(|n: usize| (n * 7 + serial as usize) as u8);
        front.into_iter().chain(rest).take(self.payload).collect()
    }
}

/// The sum of RFC 1071; all parts but the last have an even length.
pub(crate) fn ones_complement(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u64;
    for word in parts.iter().flat_map(|part| part.chunks(2)) {
        sum += u64::from(u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
