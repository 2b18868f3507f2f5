//! Realistic frames of every kind a gateway meets, and what may be wrong with them: chosen by a
//! fuzzer or by chance, from bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use arbitrary::Arbitrary;
use etherparse::{
    Ethernet2Header, IpNumber, Ipv4Header, Ipv4HeaderSlice, Ipv6Header, Ipv6HeaderSlice, UdpHeader,
};

/// Ports of the gateways these frames are for.
pub(crate) const PORTS: usize = 3;

const V4: u16 = 0x0800;
const V6: u16 = 0x86dd;
const UDP: u8 = 17;
const ICMP4: u8 = 1;
const ICMP6: u8 = 58;
const GROUP4: [u8; 4] = [239, 1, 1, 1];
const GROUP6: [u8; 16] = [0xff, 0x3e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ALL_NODES: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// One or more frames in a row: a seed, made longer, damaged, and sent in pieces.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) struct Hostile {
    /// Where it comes in.
    pub(crate) ingress: u8,
    kind: Kind,
    /// Which of a few flows.
    flow: u8,
    size: Size,
    /// How often, with IPv4 identifications that go on.
    repeat: u8,
    /// Bytes to overwrite, the place counted from the Ethernet type on.
    edits: [Option<(u8, u8)>; 3],
    /// Whether checksums are made right after the edits.
    repair: bool,
    trouble: Trouble,
    /// Bytes in the first piece, of two.
    pub(crate) split: Option<u8>,
}

/// What a frame is before it is damaged.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Udp4,
    Udp6,
    Group4,
    Group6,
    Mdns4,
    Mdns6,
    NoChecksum,
    Options,
    FirstFragment4,
    LaterFragment4,
    Fragment6,
    HopByHop,
    Routing,
    DestinationOptions,
    Tagged,
    DoubleTagged,
    Echo4,
    Echo6,
    EchoToGateway,
    ArpRequest,
    ArpReply,
    Solicitation,
    Advertisement,
    IgmpQuery,
    IgmpReport,
    IgmpRecords,
    MldQuery,
    MldReport,
    MldRecords,
    Tcp,
    IcmpError,
    LastHop,
    LinkReserved,
    Unknown,
}

/// Bytes of payload.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Size {
    Any(u8),
    Hundreds(u8),
    Full,
}

/// What is wrong with the frame as a whole.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Trouble {
    Nothing,
    Cut(u8),
    Padding(u8),
    OtherStation,
}

/// How a world addresses frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// To the host behind the next port.
    Bridged,
    /// To the gateway.
    Routed,
}

impl Hostile {
    /// The port it comes in by.
    pub(crate) fn port(&self) -> usize {
        usize::from(self.ingress) % PORTS
    }

    /// The frames, in order.
    pub(crate) fn frames(&self, way: Way) -> Vec<Vec<u8>> {
        let count = 1 + u16::from(self.repeat % 8);
        (0..count).map(|number| self.frame(way, number)).collect()
    }

    fn frame(&self, way: Way, number: u16) -> Vec<u8> {
        let ends = Ends { from: self.port(), way };
        let mut frame = ends.build(self.kind, u16::from(self.flow % 3), self.size.bytes(), number);
        for (place, value) in self.edits.iter().flatten() {
            if let Some(byte) = frame.get_mut(12 + usize::from(*place)) {
                *byte = *value;
            }
        }
        if self.repair {
            repair(&mut frame);
        }
        match self.trouble {
            Trouble::Nothing => {}
            Trouble::Cut(bytes) => frame.truncate(frame.len().saturating_sub(bytes.into())),
            Trouble::Padding(bytes) => frame.resize(frame.len() + usize::from(bytes), 0xee),
            Trouble::OtherStation => frame[..6].copy_from_slice(&[2, 9, 9, 9, 9, 9]),
        }
        frame
    }
}

impl Size {
    fn bytes(self) -> usize {
        match self {
            Self::Any(bytes) => bytes.into(),
            Self::Hundreds(bytes) => usize::from(bytes % 16) * 100,
            Self::Full => 1472,
        }
    }
}

/// Where frames come from and go to: hosts 10.N.0.2 and 2001:db8:N::2 behind port N.
#[derive(Clone, Copy)]
struct Ends {
    from: usize,
    way: Way,
}

impl Ends {
    fn to(self) -> u8 {
        ((self.from + 1) % PORTS) as u8
    }

    fn src4(self) -> [u8; 4] {
        [10, self.from as u8, 0, 2]
    }

    fn dst4(self) -> [u8; 4] {
        [10, self.to(), 0, 2]
    }

    fn src6(self) -> [u8; 16] {
        host6(self.from as u8, 2)
    }

    fn dst6(self) -> [u8; 16] {
        host6(self.to(), 2)
    }

    /// The address of the gateway's port.
    fn own4(self) -> [u8; 4] {
        [10, self.from as u8, 0, 1]
    }

    fn own6(self) -> [u8; 16] {
        host6(self.from as u8, 1)
    }

    fn build(self, kind: Kind, flow: u16, len: usize, number: u16) -> Vec<u8> {
        let body: Vec<u8> = (0..len).map(|i| (i as u16 + number * 7 + flow) as u8).collect();
        let (src4, dst4, src6, dst6) = (self.src4(), self.dst4(), self.src6(), self.dst6());
        let udp4 = |dst| udp4(src4, dst, flow, &body);
        let udp6 = |dst| udp6(src6, dst, flow, &body);
        let plain4 = |protocol, payload: &[u8]| {
            self.over4(dst4, protocol, payload, |ip| ip.identification = number)
        };
        match kind {
            Kind::Udp4 => plain4(UDP, &udp4(dst4)),
            Kind::Udp6 => self.over6(dst6, UDP, &udp6(dst6)),
            Kind::Group4 => self.over4(GROUP4, UDP, &udp4(GROUP4), |ip| ip.identification = number),
            Kind::Group6 => self.over6(GROUP6, UDP, &udp6(GROUP6)),
            Kind::Mdns4 => self.over4([224, 0, 0, 251], UDP, &udp4([224, 0, 0, 251]), |_| {}),
            Kind::Mdns6 => self.over6(ALL_NODES, UDP, &udp6(ALL_NODES)),
            Kind::NoChecksum => {
                let mut datagram = udp4(dst4);
                datagram[6..8].fill(0);
                plain4(UDP, &datagram)
            }
            Kind::Options => self.over4(dst4, UDP, &udp4(dst4), |ip| {
                ip.options = [7, 7, 4, 0, 0, 0, 0, 1].into(); // record route, no operation
            }),
            Kind::FirstFragment4 => self.over4(dst4, UDP, &udp4(dst4), |ip| {
                (ip.identification, ip.more_fragments) = (number, true);
            }),
            Kind::LaterFragment4 => self.over4(dst4, UDP, &body, |ip| {
                ip.fragment_offset = 20.try_into().unwrap();
            }),
            Kind::Fragment6 => {
                self.over6(dst6, 44, &[&[UDP, 0, 0, 1, 0, 0, 0, 7], &udp6(dst6)[..]].concat())
            }
            Kind::HopByHop => self.over6(dst6, 0, &behind_options(UDP, &udp6(dst6))),
            Kind::DestinationOptions => self.over6(dst6, 60, &behind_options(UDP, &udp6(dst6))),
            Kind::Routing => {
                self.over6(dst6, 43, &[&[UDP, 0, 4, 0, 0, 0, 0, 0], &udp6(dst6)[..]].concat())
            }
            Kind::Tagged => tagged(&plain4(UDP, &udp4(dst4)), &[0x81, 0, 0x20, 5]),
            Kind::DoubleTagged => {
                let tags = [0x88, 0xa8, 0, 9, 0x81, 0, 0x60, 5];
                tagged(&self.over6(dst6, UDP, &udp6(dst6)), &tags)
            }
            Kind::Echo4 => plain4(ICMP4, &icmp4(8, &body)),
            Kind::Echo6 => self.over6(dst6, ICMP6, &icmp6(128, src6, dst6, &body)),
            Kind::EchoToGateway => self.over4(self.own4(), ICMP4, &icmp4(8, &body), |_| {}),
            Kind::IcmpError => {
                let about = plain4(UDP, &udp4(dst4));
                plain4(ICMP4, &icmp4(3, &about[14..about.len().min(60)]))
            }
            Kind::Tcp => plain4(6, &[&[0x13, 0x88, 0, 80][..], &[0; 16], &body].concat()),
            Kind::LastHop => self.over4(dst4, UDP, &udp4(dst4), |ip| ip.time_to_live = 1),
            Kind::LinkReserved => {
                ethernet([1, 0x80, 0xc2, 0, 0, 0], self.mac(), 0x0027, &[0x42, 0x42, 3, 0, 0])
            }
            Kind::Unknown => ethernet(self.next_mac(), self.mac(), 0x88b5, &body),
            other => self.control(other, &body),
        }
    }

    /// Messages that say who is where and who listens.
    fn control(self, kind: Kind, body: &[u8]) -> Vec<u8> {
        let (src6, own6) = (self.src6(), self.own6());
        let source_list = &body[..body.len().min(32) / 16 * 16];
        let igmp = |dst, head: [u8; 8], behind: &[u8]| {
            let message = with_checksum([&head[..], behind].concat(), 2);
            self.over4(dst, 2, &message, |ip| {
                (ip.time_to_live, ip.options) = (1, [0x94, 4, 0, 0].into()); // router alert
            })
        };
        let mld = |kind, dst, body: &[u8]| {
            self.over6(dst, 0, &behind_options(ICMP6, &icmp6(kind, src6, dst, body)))
        };
        match kind {
            Kind::ArpRequest => self.arp(1, self.own4()),
            Kind::ArpReply => self.arp(2, self.own4()),
            Kind::Solicitation => {
                let asked = [&[0; 4][..], &own6, &[1, 1], &self.mac()].concat();
                self.over6(own6, ICMP6, &icmp6(135, src6, own6, &asked))
            }
            Kind::Advertisement => {
                let told = [&[0x60, 0, 0, 0][..], &src6, &[2, 1], &self.mac()].concat();
                self.over6(ALL_NODES, ICMP6, &icmp6(136, src6, ALL_NODES, &told))
            }
            Kind::IgmpQuery => igmp([224, 0, 0, 1], [0x11, 100, 0, 0, 0, 0, 0, 0], &[]),
            Kind::IgmpReport => igmp(GROUP4, [0x16, 0, 0, 0, 239, 1, 1, 1], &[]),
            Kind::IgmpRecords => {
                let sources = (source_list.len() / 4) as u8;
                let record = [&[4, 0, 0, sources][..], &GROUP4, source_list].concat();
                igmp([224, 0, 0, 22], [0x22, 0, 0, 0, 0, 0, 0, 1], &record)
            }
            Kind::MldQuery => mld(130, ALL_NODES, &[&[0x27, 0x10, 0, 0][..], &[0; 16]].concat()),
            Kind::MldReport => mld(131, GROUP6, &[&[0; 4][..], &GROUP6].concat()),
            _ => {
                let record = [&[4, 0, 0, (source_list.len() / 16) as u8][..], &GROUP6, source_list];
                mld(143, ALL_NODES, &[&[0, 0, 0, 1][..], &record.concat()].concat())
            }
        }
    }

    fn arp(self, operation: u8, target: [u8; 4]) -> Vec<u8> {
        let head = [0, 1, 8, 0, 6, 4, 0, operation];
        let message = [&head[..], &self.mac(), &self.src4(), &[0; 6], &target, &[0; 18]].concat();
        ethernet([0xff; 6], self.mac(), 0x0806, &message)
    }

    /// Of the host that sends.
    fn mac(self) -> [u8; 6] {
        [2, 0, 0, 0, 1, self.from as u8]
    }

    /// Where unicast frames go.
    fn next_mac(self) -> [u8; 6] {
        match self.way {
            Way::Bridged => [2, 0, 0, 0, 1, self.to()],
            Way::Routed => [2, 0, 0, 0, 0, self.from as u8],
        }
    }

    fn over4(
        self,
        dst: [u8; 4],
        protocol: u8,
        payload: &[u8],
        edit: impl FnOnce(&mut Ipv4Header),
    ) -> Vec<u8> {
        let mut ip = Ipv4Header::new(0, 64, IpNumber(protocol), self.src4(), dst).unwrap();
        edit(&mut ip);
        ip.set_payload_len(payload.len()).unwrap();
        ip.header_checksum = ip.calc_header_checksum();
        let [_, b, c, d] = dst;
        let group = Ipv4Addr::from(dst).is_multicast();
        let mac = if group { [1, 0, 0x5e, b & 0x7f, c, d] } else { self.next_mac() };
        ethernet(mac, self.mac(), V4, &[&ip.to_bytes(), payload].concat())
    }

    fn over6(self, dst: [u8; 16], next: u8, payload: &[u8]) -> Vec<u8> {
        let ip = Ipv6Header {
            payload_length: payload.len() as u16,
            next_header: IpNumber(next),
            hop_limit: 255,
            source: self.src6(),
            destination: dst,
            ..Default::default()
        };
        let group = Ipv6Addr::from(dst).is_multicast();
        let mac =
            if group { [0x33, 0x33, dst[12], dst[13], dst[14], dst[15]] } else { self.next_mac() };
        ethernet(mac, self.mac(), V6, &[&ip.to_bytes()[..], payload].concat())
    }
}

/// Makes the IPv4 header's and the UDP checksum of a frame right, where it has them.
fn repair(frame: &mut [u8]) {
    let mut l3 = 14;
    while let Some([0x81 | 0x88, 0 | 0xa8]) = frame.get(l3 - 2..l3) {
        l3 += 4;
    }
    let Some(packet) = frame.get(l3..) else { return };
    let (header, checksum) = if let Ok(ip) = Ipv4HeaderSlice::from_slice(packet) {
        let (len, ip) = (ip.slice().len(), ip.to_header());
        frame[l3 + 10..l3 + 12].copy_from_slice(&ip.calc_header_checksum().to_be_bytes());
        (len, udp_checksum(frame, l3 + len, |udp, body| udp.calc_checksum_ipv4(&ip, body).ok()))
    } else if let Ok(ip) = Ipv6HeaderSlice::from_slice(packet) {
        let ip = ip.to_header();
        (40, udp_checksum(frame, l3 + 40, |udp, body| udp.calc_checksum_ipv6(&ip, body).ok()))
    } else {
        return;
    };
    if let Some(checksum) = checksum {
        frame[l3 + header + 6..l3 + header + 8].copy_from_slice(&checksum.to_be_bytes());
    }
}

fn udp_checksum(
    frame: &[u8],
    l4: usize,
    calculate: impl FnOnce(&UdpHeader, &[u8]) -> Option<u16>,
) -> Option<u16> {
    let (udp, _) = UdpHeader::from_slice(frame.get(l4..)?).ok()?;
    calculate(&udp, frame.get(l4 + 8..l4 + usize::from(udp.length))?)
}

fn host6(network: u8, host: u8) -> [u8; 16] {
    [0x20, 1, 0xd, 0xb8, 0, network, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]
}

fn ethernet(destination: [u8; 6], source: [u8; 6], ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let header = Ethernet2Header { destination, source, ether_type: ether_type.into() };
    [&header.to_bytes(), payload].concat()
}

fn tagged(frame: &[u8], tags: &[u8]) -> Vec<u8> {
    [&frame[..12], tags, &frame[12..]].concat()
}

fn udp4(src: [u8; 4], dst: [u8; 4], flow: u16, body: &[u8]) -> Vec<u8> {
    let ip = Ipv4Header::new(0, 64, IpNumber::UDP, src, dst).unwrap();
    let udp = UdpHeader::with_ipv4_checksum(4000, 5000 + flow, &ip, body).unwrap();
    [&udp.to_bytes(), body].concat()
}

fn udp6(source: [u8; 16], destination: [u8; 16], flow: u16, body: &[u8]) -> Vec<u8> {
    let ip = Ipv6Header { source, destination, ..Default::default() };
    let udp = UdpHeader::with_ipv6_checksum(4000, 5000 + flow, &ip, body).unwrap();
    [&udp.to_bytes(), body].concat()
}

/// Padding options (or, hop by hop, a router alert) in front of `payload`.
fn behind_options(next: u8, payload: &[u8]) -> Vec<u8> {
    [&[next, 0, 5, 2, 0, 0, 1, 0][..], payload].concat()
}

fn icmp4(kind: u8, body: &[u8]) -> Vec<u8> {
    with_checksum([&[kind, 0, 0, 0, 0, 1, 0, 1][..], body].concat(), 2)
}

fn icmp6(kind: u8, src: [u8; 16], dst: [u8; 16], body: &[u8]) -> Vec<u8> {
    let message = [&[kind, 0, 0, 0][..], body].concat();
    let length = (message.len() as u32).to_be_bytes();
    let pseudo = [&src[..], &dst, &length, &[0, 0, 0, ICMP6], &message].concat();
    with_checksum(pseudo, 42).split_off(40)
}

/// The Internet checksum of all bytes, at this place (RFC 1071).
fn with_checksum(mut bytes: Vec<u8>, place: usize) -> Vec<u8> {
    let mut sum = etherparse::checksum::Sum16BitWords::new();
    sum = sum.add_slice(&bytes);
    bytes[place..place + 2].copy_from_slice(&sum.ones_complement().to_ne_bytes());
    bytes
}
