//! Frames and configurations for this room's tests. Headers are etherparse's.

use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

use etherparse::PacketBuilder;

use super::{Between, Forwarder, PlainRouter, PlainWay, PortFacts, Tables};
use crate::config::{Bridge, Config, Control, Gro, GroMode, Port, Route, Runtime};
use crate::packet::{Coalesce, Decision, FrameInfo, MacAddr, Network, NextHop, PortId, PortMask};
use crate::time::Nanos;
use crate::wire::{Ethernet, Ipv4, Ipv6, protocol, view};

/// The link address of port `index`.
pub(super) const fn port_mac(index: u16) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, index as u8])
}

/// A station that is no port.
pub(super) const fn station_mac(index: u8) -> MacAddr {
    MacAddr([2, 0xaa, 0, 0, 0, index])
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A frame and what ingress would say of it.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) info: FrameInfo,
    pub(super) bytes: Vec<u8>,
}

impl Frame {
    /// A UDP datagram with 64 hops left, received on `port`.
    pub(super) fn udp(port: u16, src_mac: MacAddr, dst_mac: MacAddr, src: &str, dst: &str) -> Self {
        Self::udp_with(port, [src_mac, dst_mac], [ip(src), ip(dst)], 64)
    }

    pub(super) fn udp_with(port: u16, macs: [MacAddr; 2], ips: [IpAddr; 2], hops: u8) -> Self {
        let builder = PacketBuilder::ethernet2(macs[0].0, macs[1].0);
        let builder = match (ips[0], ips[1]) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => builder.ipv4(src.octets(), dst.octets(), hops),
            (IpAddr::V6(src), IpAddr::V6(dst)) => builder.ipv6(src.octets(), dst.octets(), hops),
            _ => panic!("one family"),
        };
        let mut bytes = Vec::new();
        builder.udp(5000, 5001).write(&mut bytes, &[7; 100]).unwrap();
        Self::ip(port, bytes, 17)
    }

    /// An ICMPv6 message of these bytes; the checksum is filled in.
    pub(super) fn icmpv6(port: u16, macs: [MacAddr; 2], ips: [&str; 2], message: &[u8]) -> Self {
        let octets = ips.map(|text| match ip(text) {
            IpAddr::V6(address) => address.octets(),
            IpAddr::V4(_) => panic!("IPv6"),
        });
        let first_8 = message[4..8].try_into().unwrap();
        let mut bytes = Vec::new();
        PacketBuilder::ethernet2(macs[0].0, macs[1].0)
            .ipv6(octets[0], octets[1], 255)
            .icmpv6_raw(message[0], message[1], first_8)
            .write(&mut bytes, &message[8..])
            .unwrap();
        Self::ip(port, bytes, 58)
    }

    pub(super) fn arp(port: u16, dst_mac: MacAddr, message: &crate::wire::Arp) -> Self {
        use zerocopy::IntoBytes;
        let mut bytes = [&dst_mac.0[..], &message.sender_mac.0, &[0x08, 0x06]].concat();
        bytes.extend_from_slice(message.as_bytes());
        let mut frame = Self::other(port, bytes);
        frame.info.network = Network::Arp;
        frame
    }

    /// A frame of no known type.
    pub(super) fn other(port: u16, bytes: Vec<u8>) -> Self {
        let info = FrameInfo {
            port: PortId(port),
            frame_len: bytes.len() as u32,
            l2_len: 14,
            tags: 0,
            vlan: 0,
            ethertype: u16::from_be_bytes([bytes[12], bytes[13]]),
            network: Network::Other,
            l4_offset: 14,
            ip_len: 0,
            protocol: 0,
            coalesce: Coalesce::Foreign,
        };
        Self { info, bytes }
    }

    fn ip(port: u16, bytes: Vec<u8>, protocol: u8) -> Self {
        let mut frame = Self::other(port, bytes);
        let is_v4 = frame.info.ethertype == 0x0800;
        frame.info.network = if is_v4 { Network::Ipv4 } else { Network::Ipv6 };
        frame.info.l4_offset = if is_v4 { 34 } else { 54 };
        frame.info.ip_len = frame.info.frame_len - 14;
        frame.info.protocol = protocol;
        frame
    }

    /// With one VLAN tag.
    pub(super) fn tagged(mut self, vlan: u16) -> Self {
        let tag = [0x81, 0, (vlan >> 8) as u8, vlan as u8];
        self.bytes.splice(12..12, tag);
        self.info.frame_len += 4;
        self.info.l2_len += 4;
        self.info.l4_offset += 4;
        self.info.tags = 1;
        self.info.vlan = vlan;
        self
    }
}

/// A configuration whose ports have these addresses.
pub(super) fn config(addresses: &[&[&str]]) -> Config {
    let port = |addresses: &&[&str]| Port {
        name: String::new(),
        device: String::new(),
        mac: None,
        mtu: 1500,
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        gro: None,
        host: false,
        shadow: None,
    };
    Config {
        kernel_routes: Arc::default(),
        snooped: Vec::new(),
        runtime: Runtime {
            lcores: vec![0],
            hugepages: false,
            memory_mb: 64,
            eal_args: Vec::new(),
            burst: 64,
            pool_buffers: 512,
            buffer_bytes: 2048,
            ring_descriptors: 64,
            tx_buffer: 64,
            handoff: 64,
            fdb_entries: 64,
            idle_sleep_us: 0,
            copy_up_to: 2048,
        },
        gro: Gro {
            mode: GroMode::List,
            max_segments: 64,
            max_hold: Duration::ZERO,
            flows: 64,
            adaptive: false,
        },
        ports: addresses.iter().map(port).collect(),
        bridges: Vec::new(),
        groups: Vec::new(),
        listeners: Vec::new(),
        routes: Vec::new(),
        neighbors: Vec::new(),
        filters: Vec::new(),
        multicast: Vec::new(),
        control: Control { socket: "/nowhere".into(), metrics: None },
    }
}

pub(super) fn bridge(ports: &[u16], snooping: bool) -> Bridge {
    Bridge {
        name: "br0".into(),
        ports: ports.iter().map(|port| PortId(*port)).collect(),
        snooping,
        ageing: Duration::from_secs(300),
        host: false,
        querier: false,
        fast_leave: Vec::new(),
        max_groups: 0,
        max_groups_per_port: 0,
    }
}

pub(super) fn route(prefix: &str, via: &str, port: u16) -> Route {
    Route { prefix: prefix.parse().unwrap(), via: ip(via), port: PortId(port) }
}

pub(super) fn neighbor(address: &str, mac: MacAddr, port: u16) -> crate::config::Neighbor {
    crate::config::Neighbor { address: ip(address), mac, port: PortId(port) }
}

pub(super) fn forwarder(config: &Config) -> Forwarder {
    let ports = 0..config.ports.len() as u16;
    let facts: Vec<_> = ports.map(|index| PortFacts { mac: port_mac(index) }).collect();
    Forwarder::new(Arc::new(Tables::build(config, &facts, 1)))
}

/// The decision on a frame, by the short way as well. In a router that finds the next hop of every
/// datagram that is routed, and of nothing else; in a bridge the port of a station that is known, unless
/// there is something to learn.
pub(super) fn decide(forwarder: &Forwarder, frame: &Frame) -> Decision {
    let decision = forwarder.decide(&frame.info, &frame.bytes, Nanos(0));
    match forwarder.plain(frame.info.port, Nanos(0)) {
        Some(PlainWay::Routed(router)) => {
            let hop = match decision {
                Decision::Route(hop) if frame.info.protocol == protocol::UDP => Some(hop),
                _ => None,
            };
            if let Some(found) = next_hop(router, frame) {
                assert_eq!(found, hop, "{frame:?}");
            }
        }
        Some(PlainWay::Bridged(mut bridge)) => {
            if let Some(port) = between(frame).and_then(|between| bridge.answer(between)) {
                assert_eq!(decision, Decision::Bridge { ports: PortMask::of(port) }, "{frame:?}");
                let learning = forwarder.would_learn(&frame.info, &frame.bytes, Nanos(0));
                assert!(!learning.is_change(), "{frame:?}");
            }
        }
        None => {}
    }
    decision
}

/// What the short way finds for a frame that may take it: a plain datagram to a routed port.
fn next_hop(mut router: PlainRouter<'_>, frame: &Frame) -> Option<Option<NextHop>> {
    let question = match (frame.info.network, frame.info.l4_offset, frame.info.protocol) {
        (Network::Ipv4, 34, protocol::UDP) => router.question::<Ipv4>(view(&frame.bytes, 0)?),
        (Network::Ipv6, 54, protocol::UDP) => router.question::<Ipv6>(view(&frame.bytes, 0)?),
        _ => return None,
    };
    Some(question.and_then(|question| router.answer(question)).copied())
}

/// The stations of a frame.
pub(super) fn between(frame: &Frame) -> Option<Between> {
    let Ethernet { dst, src, .. } = *view(&frame.bytes, 0)?;
    Between::new(src, dst, frame.info.vlan)
}
