//! The frames of a case, by etherparse. Addresses are those RFC 2544 and RFC 5180 set aside for
//! benchmarks, and l3fwd has in its tables: network N is 198.18.N.0/24 and 2001:200:0:N::/64.

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use anyhow::Context;
use etherparse::PacketBuilder;
use pcap_file::pcap::{PcapPacket, PcapWriter};

use crate::{Case, Journey};

/// The gateway's address on port N ends in N.
pub const GATEWAY_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0];
/// The sender behind port 0.
pub const SENDER_MAC: [u8; 6] = [2, 0, 0, 0, 1, 0];
/// The receiver behind port 1.
pub const RECEIVER_MAC: [u8; 6] = [2, 0, 0, 0, 2, 1];
/// The group; ipv4_multicast finds the ports in its last bits.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 1, 1, 100);
/// The group of IPv6.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 1, 1);

/// Address `host` in network `network`.
pub fn host_v4(network: usize, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, network as u8, host)
}

/// Address `host` in network `network`.
pub fn host_v6(network: usize, host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0x200, 0, network as u16, 0, 0, 0, host)
}

/// The n-th of many routes beside the connected ones: a /24 from 20.0.0.0 on.
pub fn route_v4(n: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x1400_0000 + ((n as u32) << 8))
}

/// The n-th of many routes: a /48 from 2001:db8:: on.
pub fn route_v6(n: usize) -> Ipv6Addr {
    Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + ((n as u128) << 80))
}

/// The group that tells ipv4_multicast to copy to ports 1 to `copies`.
fn group_v4(copies: usize) -> Ipv4Addr {
    let mask = if copies < 4 { (1_u8 << (copies + 1)) - 2 } else { 0 };
    let [a, b, c, d] = GROUP_V4.octets();
    Ipv4Addr::new(a, b, c, d + mask)
}

/// A VLAN tag.
const TAG: [u8; 4] = [0x81, 0, 0, 7];
/// Hosts that flows come from in turn, and stations that they go to.
const HOSTS: u8 = 200;

/// One datagram of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Item {
    flow: usize,
    payload: usize,
}

impl Case {
    /// The n-th of its IPv4 groups; of one, the one that ipv4_multicast understands.
    pub fn group_v4(&self, n: usize) -> Ipv4Addr {
        match self.groups {
            ..2 => group_v4(self.copies),
            _ => Ipv4Addr::from_bits(0xef02_0000 + n as u32),
        }
    }

    /// The frames in order.
    pub fn frames(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let items = if self.mix { self.mix_of_traffic() } else { self.trains() };
        items.into_iter().map(|item| self.frame(item)).collect()
    }

    /// The frames as a capture file, for net_pcap to replay.
    pub fn write_pcap(&self, path: &Path) -> anyhow::Result<()> {
        write_pcap(path, &self.frames()?)
    }

    fn trains(&self) -> Vec<Item> {
        let item = |n| Item { flow: n / self.train % self.flows, payload: self.payload };
        (0..self.frames).map(item).collect()
    }

    /// Bursts of QUIC with a short tail, IPTV in pairs, RTP and DNS one by one: by datagrams about
    /// 70, 15, 10 and 5 %. The same on every machine.
    fn mix_of_traffic(&self) -> Vec<Item> {
        let mut random = Lcg(1);
        let mut items = Vec::with_capacity(self.frames + 64);
        while items.len() < self.frames {
            let flow = random.below(self.flows / 4 + 1) * 4;
            match random.below(100) {
                0..20 => {
                    let bulk = 2 + random.below(15);
                    items.extend([Item { flow, payload: 1252 }].repeat(bulk));
                    items.push(Item { flow, payload: 80 + random.below(1100) });
                }
                20..40 => items.extend([Item { flow: flow + 1, payload: 1316 }; 2]),
                40..75 => items.push(Item { flow: flow + 2, payload: 172 }),
                _ => items.push(Item { flow: flow + 3, payload: 30 + random.below(90) }),
            }
        }
        items.truncate(self.frames);
        items
    }

    fn frame(&self, item: Item) -> anyhow::Result<Vec<u8>> {
        let builder = PacketBuilder::ethernet2(self.link_source(item), self.link_destination(item));
        let from = source_host(item);
        let builder = if self.v6 {
            builder.ipv6(host_v6(0, from.into()).octets(), self.to_v6(item).octets(), 64)
        } else {
            builder.ipv4(host_v4(0, from).octets(), self.to_v4(item).octets(), 64)
        };
        let builder = builder.udp(source_port(item), destination_port(item));
        let mut frame = Vec::with_capacity(builder.size(item.payload));
        builder.write(&mut frame, &vec![item.flow as u8; item.payload])?;
        if self.vlan {
            frame.splice(12..12, TAG); // behind the addresses (IEEE 802.1Q 9.3)
        }
        Ok(frame)
    }

    /// A frame from each station behind port 1.
    pub fn stations(&self) -> Vec<Vec<u8>> {
        let tag = if self.vlan { &TAG[..] } else { &[] };
        let frame = |host| {
            let mut frame = [&SENDER_MAC[..], &station(RECEIVER_MAC, host), tag].concat();
            frame.resize(60, 0);
            frame
        };
        (2..2 + HOSTS).map(frame).collect()
    }

    fn link_source(&self, item: Item) -> [u8; 6] {
        match self.path {
            Journey::Station => station(SENDER_MAC, source_host(item)),
            Journey::Route | Journey::Multicast | Journey::Flood => SENDER_MAC,
        }
    }

    fn link_destination(&self, item: Item) -> [u8; 6] {
        match self.path {
            Journey::Route => GATEWAY_MAC,
            Journey::Station => station(RECEIVER_MAC, source_host(item)),
            Journey::Multicast | Journey::Flood if self.v6 => [0x33, 0x33, 0, 1, 0, 1],
            Journey::Multicast | Journey::Flood => {
                let [_, b, c, d] = self.group_of(item).octets();
                [1, 0, 0x5e, b & 0x7f, c, d]
            }
        }
    }

    fn to_v4(&self, item: Item) -> Ipv4Addr {
        match self.path {
            Journey::Route if self.routes > 1 => {
                Ipv4Addr::from_bits(route_v4(scatter(item.flow, self.routes)).to_bits() + 2)
            }
            Journey::Route | Journey::Station => host_v4(1, 2),
            Journey::Multicast | Journey::Flood => self.group_of(item),
        }
    }

    fn group_of(&self, item: Item) -> Ipv4Addr {
        self.group_v4(scatter(item.flow, self.groups))
    }

    fn to_v6(&self, item: Item) -> Ipv6Addr {
        match self.path {
            Journey::Route if self.routes > 1 => {
                Ipv6Addr::from_bits(route_v6(scatter(item.flow, self.routes)).to_bits() + 2)
            }
            Journey::Route | Journey::Station => host_v6(1, 2),
            Journey::Multicast | Journey::Flood => GROUP_V6,
        }
    }
}

/// Writes frames as a capture.
pub fn write_pcap(path: &Path, frames: &[Vec<u8>]) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut writer = PcapWriter::new(std::io::BufWriter::new(file))?;
    for frame in frames {
        writer.write_packet(&PcapPacket::new(Default::default(), frame.len() as u32, frame))?;
    }
    Ok(())
}

/// No flow has the host of the flow before it.
fn source_host(item: Item) -> u8 {
    2 + (item.flow % usize::from(HOSTS)) as u8
}

/// One of many stations beside this one.
fn station(beside: [u8; 6], host: u8) -> [u8; 6] {
    let [a, b, c, d, e, _] = beside;
    [a, b, c, d, e, host]
}

fn source_port(item: Item) -> u16 {
    1024 + (item.flow & 0x7fff) as u16
}

fn destination_port(item: Item) -> u16 {
    4000 + (item.flow >> 15) as u16
}

/// Which of so many routes a flow takes: neighbours in time are none in the table.
fn scatter(flow: usize, routes: usize) -> usize {
    (flow as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize % routes.max(1)
}

/// A linear congruential generator (Knuth's MMIX constants): the same traffic everywhere.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}
