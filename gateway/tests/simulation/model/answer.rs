//! Frames of the gateway's own: ARP replies, neighbour advertisements, ICMP errors.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{IpNumber, Ipv4Header, Ipv6Header};
use gateway::packet::DropReason;

use super::fate::{ErrorKind, Fate, Told};
use super::read::{Arp, Frame, Net, Reach, V6};
use super::rewrite::fill_checksum;
use super::router::{self, own_v6};
use crate::packet::ones_complement;
use crate::world::{Mac, World, host_v4, host_v6, port_mac};

pub(super) fn arp(port: usize, frame: &Frame<'_>, message: &Arp) -> Fate {
    let own = host_v4(port, 1);
    let sender = message.sender;
    let is_host = sender.is_unspecified() || !matches!(sender.octets()[0], 0 | 127 | 224..);
    let mac = message.sender_mac;
    if mac[0] & 1 == 1 || mac == [0; 6] || !is_host || sender == own {
        return Fate::dropped(DropReason::BadNeighborMessage);
    }
    match message.operation {
        1 if message.target == own => {
            let mut reply = [&mac[..], &port_mac(port), &frame.bytes[12..frame.l3]].concat();
            reply.extend([0, 1, 8, 0, 6, 4, 0, 2]);
            reply.extend(port_mac(port).iter().chain(&own.octets()));
            reply.extend(mac.iter().chain(&sender.octets()));
            reply.resize(60, 0);
            Fate { answers: vec![(port, reply)], ..Fate::consumed() }
        }
        1 | 2 => Fate::consumed(),
        _ => Fate::dropped(DropReason::BadNeighborMessage),
    }
}

/// RFC 4861; `None`: not neighbour discovery, or not for this link.
pub(super) fn discovery(port: usize, frame: &Frame<'_>, ip: &V6) -> Option<Fate> {
    let message = &frame.ip(ip.ip_len)[40..];
    if ip.next != 58 || frame.bytes.len() < ip.l4 + 8 || !matches!(message.first(), Some(133..=137))
    {
        return None;
    }
    let own = own_v6(port);
    let is_for_link = matches!(ip.dst.octets(), [0xff, scope, ..] if scope & 15 <= 2);
    if !is_for_link && !own.contains(&ip.dst) {
        return None;
    }
    let bad = Some(Fate::dropped(DropReason::BadNeighborMessage));
    let pseudo = pseudo_v6(ip.src, ip.dst, message.len());
    let is_host = ip.src.is_unspecified() || !router::is_martian_source_v6(ip.src);
    if message.len() < 8
        || ip.hops != 255
        || ones_complement(&[&pseudo, message]) != 0xffff
        || message[1] != 0
        || !is_host
    {
        return bad;
    }
    if message[0] != 135 {
        return Some(Fate::consumed());
    }
    let Some(target) = message.get(8..24) else { return bad };
    let target = Ipv6Addr::from(<[u8; 16]>::try_from(target).unwrap());
    let Some(told) = link_address(&message[24..]) else { return bad };
    let is_probe = ip.src.is_unspecified();
    let to_solicited = ip.dst.octets()[..13] == [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
    let source_is_right =
        if is_probe { to_solicited && told.is_none() } else { !own.contains(&ip.src) };
    if target.is_multicast() || !source_is_right {
        return bad;
    }
    if !own.contains(&target) {
        return Some(Fate::consumed());
    }
    let all_nodes = (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), [0x33, 0x33, 0, 0, 0, 1]);
    let asker = told.filter(|mac| mac[0] & 1 == 0 && *mac != [0; 6]).unwrap_or(frame.src);
    let (dst, mac) = if is_probe { all_nodes } else { (ip.src, asker) };
    let mut advertisement = vec![136, 0, 0, 0, if is_probe { 0xa0 } else { 0xe0 }, 0, 0, 0];
    advertisement.extend(target.octets());
    advertisement.extend([2, 1].iter().chain(&port_mac(port)));
    let ip = v6_header(target, dst, 255, advertisement.len());
    fill_icmpv6(target, dst, &mut advertisement);
    let link = [&mac[..], &port_mac(port), &frame.bytes[12..frame.l3]].concat();
    let reply = [link, ip, advertisement].concat();
    Some(Fate { answers: vec![(port, reply)], ..Fate::consumed() })
}

/// The first source link-layer address option, if there is one; `None`: options do not fit.
fn link_address(mut options: &[u8]) -> Option<Option<Mac>> {
    let mut found = None;
    while !options.is_empty() {
        let len = usize::from(*options.get(1)?) * 8;
        if len == 0 || len > options.len() {
            return None;
        }
        if options[0] == 1 && found.is_none() {
            found = Some(options[2..8].try_into().unwrap());
        }
        options = &options[len..];
    }
    Some(found)
}

/// An error about a frame that came in on `ingress`, if one may be sent. `mtu`: it was too big.
pub(super) fn error(
    world: &World,
    ingress: usize,
    frame: &Frame<'_>,
    mtu: Option<u16>,
) -> Option<Told> {
    if !may_be_told(frame, mtu.is_some()) {
        return None;
    }
    let (source, _) = router::addresses(frame)?;
    let ways = match router::way_to(world, source) {
        ways if ways.is_empty() => vec![(ingress, frame.src)],
        ways => ways,
    };
    let v6 = source.is_ipv6();
    let frames = ways.into_iter().map(|(port, mac)| {
        let out = [&mac[..], &port_mac(port)].concat();
        let room = usize::from(world.ports[port].mtu);
        (port, write_error(out, port, frame, source, mtu, room))
    });
    let kind = if mtu.is_some() { ErrorKind::TooBig { v6 } } else { ErrorKind::Exceeded { v6 } };
    // where not even the least quote fits the way back, nobody is told
    let ways: Option<Vec<_>> = frames.map(|(port, frame)| Some((port, frame?))).collect();
    ways.map(|ways| Told { kind, ways })
}

fn write_error(
    mut out: Vec<u8>,
    port: usize,
    frame: &Frame<'_>,
    to: IpAddr,
    mtu: Option<u16>,
    room: usize,
) -> Option<Vec<u8>> {
    match (to, &frame.net) {
        (IpAddr::V4(to), Net::V4(ip)) => {
            let len = ip.ip_len.min(room.min(576) - 28);
            if len < ip.ip_len.min(ip.header_len + 8) {
                return None;
            }
            let mut message = mtu.map_or(vec![11, 0, 0, 0, 0, 0, 0, 0], |mtu| {
                [&[3, 4, 0, 0, 0, 0][..], &mtu.to_be_bytes()].concat()
            });
            message.extend(&frame.ip(ip.ip_len)[..len]);
            let sum = !ones_complement(&[&message]);
            message[2..4].copy_from_slice(&sum.to_be_bytes());
            let mut header =
                Ipv4Header::new(0, 64, IpNumber::ICMP, host_v4(port, 1).octets(), to.octets())
                    .unwrap();
            header.set_payload_len(message.len()).unwrap();
            (header.dont_fragment, header.dscp) = (true, 48.try_into().unwrap());
            let mut header = header.to_bytes().to_vec();
            fill_checksum(&mut header);
            out.extend([&[8, 0][..], &header, &message].concat());
        }
        (IpAddr::V6(to), Net::V6(ip)) => {
            let len = ip.ip_len.min((room.min(1280)).checked_sub(48)?);
            if len < ip.ip_len.min(ip.l4 - frame.l3 + 8) {
                return None;
            }
            let mut message = mtu.map_or(vec![3, 0, 0, 0, 0, 0, 0, 0], |mtu| {
                [&[2, 0, 0, 0][..], &u32::from(mtu).to_be_bytes()].concat()
            });
            message.extend(&frame.ip(ip.ip_len)[..len]);
            let source = host_v6(port, 1);
            fill_icmpv6(source, to, &mut message);
            out.extend([0x86, 0xdd]);
            out.extend(v6_header(source, to, 64, message.len()));
            out.extend(message);
        }
        _ => return None,
    }
    Some(out)
}

/// RFC 1122 3.2.2, RFC 1812 4.3.2.7, RFC 4443 2.4 (e).
fn may_be_told(frame: &Frame<'_>, too_big: bool) -> bool {
    match &frame.net {
        Net::V4(ip) => {
            let is_host = !matches!(ip.src.octets()[0], 0 | 127 | 224..);
            let kind = frame.bytes.get(frame.l3 + ip.header_len..).filter(|icmp| icmp.len() >= 8);
            let query = matches!(kind.map(|icmp| icmp[0]), Some(0 | 8..=10 | 13..=18 | 42 | 43));
            let to_one = !frame.is_to_group() && !ip.dst.is_multicast() && !ip.dst.is_broadcast();
            is_host && to_one && ip.offset == 0 && (ip.protocol != 1 || query)
        }
        Net::V6(ip) => {
            let is_host =
                !ip.src.is_unspecified() && !ip.src.is_multicast() && !ip.src.is_loopback();
            let kind = frame.bytes.get(ip.l4..ip.l4 + 8).map_or(0, |message| message[0]);
            let is_start = ip.reach != Reach::LaterFragment;
            let is_told = ip.upper != 58 || (is_start && kind >= 128 && kind != 137);
            let to_one = !frame.is_to_group() && !ip.dst.is_multicast();
            is_host && (to_one || too_big) && is_told
        }
        _ => false,
    }
}

fn v6_header(source: Ipv6Addr, destination: Ipv6Addr, hops: u8, len: usize) -> Vec<u8> {
    let header = Ipv6Header {
        traffic_class: 0,
        flow_label: 0.try_into().unwrap(),
        payload_length: len as u16,
        next_header: IpNumber::IPV6_ICMP,
        hop_limit: hops,
        source: source.octets(),
        destination: destination.octets(),
    };
    header.to_bytes().to_vec()
}

fn fill_icmpv6(source: Ipv6Addr, destination: Ipv6Addr, message: &mut [u8]) {
    let pseudo = pseudo_v6(source, destination, message.len());
    let sum = !ones_complement(&[&pseudo, message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
}

fn pseudo_v6(source: Ipv6Addr, destination: Ipv6Addr, len: usize) -> Vec<u8> {
    [&source.octets()[..], &destination.octets(), &(len as u32).to_be_bytes(), &[0, 0, 0, 58]]
        .concat()
}

/// All but a router's own: never a source.
pub(super) fn is_this_network(address: Ipv4Addr) -> bool {
    matches!(address.octets()[0], 0 | 127)
}
