//! A datagram as a description, and the frame etherparse makes of it.
#![allow(dead_code)] // every test uses a part of it

use etherparse::{
    EtherType, Ethernet2Header, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header,
    Ipv6RawExtHeader, SingleVlanHeader, UdpHeader,
};
use gateway::packet::RxChecksum;

/// Everything that distinguishes datagrams here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Datagram {
    /// Ingress port.
    pub(crate) port: u16,
    /// Which MAC pair.
    pub(crate) macs: u8,
    /// Outer tag first.
    pub(crate) tags: Vec<Tag>,
    /// Which address pair.
    pub(crate) hosts: u8,
    /// Which pair of UDP ports.
    pub(crate) ports: u16,
    pub(crate) ip: Ip,
    /// Bytes of UDP payload.
    pub(crate) payload: usize,
    pub(crate) checksum: UdpChecksum,
    /// Bytes behind the IP packet.
    pub(crate) padding: usize,
    pub(crate) fragment: bool,
    /// IPv4 only.
    pub(crate) bad_header_checksum: bool,
    /// Payload bytes in the head piece; all when `None`.
    pub(crate) split: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tag {
    pub(crate) id: u16,
    pub(crate) priority: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ip {
    V4 { ttl: u8, tos: u8, df: bool, id: u16, options: bool },
    V6 { hop_limit: u8, class: u8, label: u32, extension: Option<u8> },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum UdpChecksum {
    /// Right, and the port said so.
    Good,
    /// Right, and the port did not look.
    Unknown,
    /// Wrong, and the port said so.
    Bad,
    /// Wrong, and the port did not look.
    Spoilt,
    /// None.
    Zero,
}

impl Datagram {
    /// IPv4, untagged, 100 bytes, nothing unusual.
    pub(crate) fn v4(ports: u16, id: u16) -> Self {
        Self {
            port: 0,
            macs: 0,
            tags: vec![],
            hosts: 0,
            ports,
            ip: Ip::V4 { ttl: 64, tos: 0, df: true, id, options: false },
            payload: 100,
            checksum: UdpChecksum::Good,
            padding: 0,
            fragment: false,
            bad_header_checksum: false,
            split: None,
        }
    }

    /// The same over IPv6.
    pub(crate) fn v6(ports: u16) -> Self {
        let ip = Ip::V6 { hop_limit: 255, class: 0, label: 0x12345, extension: None };
        Self { ip, ..Self::v4(ports, 0) }
    }

    pub(crate) fn len(self, payload: usize) -> Self {
        Self { payload, ..self }
    }

    pub(crate) fn is_v4(&self) -> bool {
        matches!(self.ip, Ip::V4 { .. })
    }

    pub(crate) fn rx_checksum(&self) -> RxChecksum {
        match self.checksum {
            UdpChecksum::Good => RxChecksum::Good,
            UdpChecksum::Bad => RxChecksum::Bad,
            UdpChecksum::Unknown | UdpChecksum::Spoilt | UdpChecksum::Zero => RxChecksum::Unknown,
        }
    }

    /// The frame; `serial` makes payloads differ.
    pub(crate) fn frame(&self, serial: usize) -> Vec<u8> {
        let payload: Vec<u8> = (0..self.payload).map(|i| (i + serial * 7) as u8).collect();
        let mut frame = self.link_header();
        match self.ip {
            Ip::V4 { ttl, tos, df, id, options } => {
                let mut ip = Ipv4Header::new(0, ttl, IpNumber::UDP, V4[0], V4[0]).unwrap();
                (ip.source, ip.destination) = self.v4_hosts();
                (ip.dscp, ip.ecn) = ((tos >> 2).try_into().unwrap(), (tos & 3).try_into().unwrap());
                (ip.dont_fragment, ip.identification) = (df, id);
                ip.more_fragments = self.fragment;
                if options {
                    ip.options = [1, 1, 1, 0].into(); // no operation
                }
                let udp = self.udp(|udp| udp.calc_checksum_ipv4(&ip, &payload).unwrap());
                ip.set_payload_len(8 + payload.len()).unwrap();
                ip.header_checksum = ip.calc_header_checksum();
                ip.header_checksum ^= u16::from(self.bad_header_checksum);
                frame.extend_from_slice(&ip.to_bytes());
                frame.extend_from_slice(&udp.to_bytes());
            }
            Ip::V6 { hop_limit, class, label, extension } => {
                let mut extensions = Vec::new();
                let mut next_header = IpNumber::UDP;
                if self.fragment {
                    let header =
                        Ipv6FragmentHeader::new(next_header, 0.try_into().unwrap(), true, 9);
                    extensions.splice(0..0, header.to_bytes());
                    next_header = IpNumber::IPV6_FRAGMENTATION_HEADER;
                }
                if let Some(value) = extension {
                    // an unknown option to skip, of four bytes (RFC 8200 4.2)
                    let option = [0x1e, 4, value, 0, 0, 0];
                    let header = Ipv6RawExtHeader::new_raw(next_header, &option).unwrap();
                    extensions.splice(0..0, header.to_bytes());
                    next_header = IpNumber::IPV6_DESTINATION_OPTIONS;
                }
                let (source, destination) = self.v6_hosts();
                let ip = Ipv6Header {
                    traffic_class: class,
                    flow_label: label.try_into().unwrap(),
                    payload_length: (extensions.len() + 8 + payload.len()) as u16,
                    next_header,
                    hop_limit,
                    source,
                    destination,
                };
                let udp = self.udp(|udp| udp.calc_checksum_ipv6(&ip, &payload).unwrap());
                frame.extend_from_slice(&ip.to_bytes());
                frame.extend_from_slice(&extensions);
                frame.extend_from_slice(&udp.to_bytes());
            }
        }
        frame.extend_from_slice(&payload);
        frame.resize(frame.len() + self.padding, 0);
        frame
    }

    fn link_header(&self) -> Vec<u8> {
        let network = if self.is_v4() { EtherType::IPV4 } else { EtherType::IPV6 };
        let mut kinds = match self.tags.len() {
            0 => vec![],
            1 => vec![EtherType::VLAN_TAGGED_FRAME],
            _ => vec![EtherType::PROVIDER_BRIDGING, EtherType::VLAN_TAGGED_FRAME],
        };
        kinds.push(network);
        let ethernet = Ethernet2Header {
            source: [2, 0, 0, 0, 1, self.macs],
            destination: [2, 0, 0, 0, 2, self.macs],
            ether_type: kinds[0],
        };
        let mut bytes = ethernet.to_bytes().to_vec();
        for (tag, &ether_type) in self.tags.iter().zip(&kinds[1..]) {
            let tag = SingleVlanHeader {
                pcp: tag.priority.try_into().unwrap(),
                drop_eligible_indicator: false,
                vlan_id: tag.id.try_into().unwrap(),
                ether_type,
            };
            bytes.extend_from_slice(&tag.to_bytes());
        }
        bytes
    }

    fn udp(&self, right: impl FnOnce(&UdpHeader) -> u16) -> UdpHeader {
        let mut udp = UdpHeader {
            source_port: 5000 + self.ports,
            destination_port: 6000,
            length: 8 + self.payload as u16,
            checksum: 0,
        };
        udp.checksum = match self.checksum {
            UdpChecksum::Good | UdpChecksum::Unknown => right(&udp),
            UdpChecksum::Bad | UdpChecksum::Spoilt => right(&udp) ^ 0x0101,
            UdpChecksum::Zero => 0,
        };
        udp
    }

    fn v4_hosts(&self) -> ([u8; 4], [u8; 4]) {
        (V4[usize::from(self.hosts)], V4[3])
    }

    fn v6_hosts(&self) -> ([u8; 16], [u8; 16]) {
        let host = |last| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
        (host(self.hosts), host(9))
    }
}

const V4: [[u8; 4]; 4] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 1, 1], [10, 9, 9, 9]];
