//! Frames of hosts in memory and of recordings, written and judged by etherparse: another hand
//! than the gateway's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail, ensure};
use etherparse::{
    ArpHardwareId, ArpOperation, ArpPacket, EtherType, IpFragOffset, IpHeaders, IpNumber,
    Ipv4Header, Ipv6FlowLabel, Ipv6Header, LinkSlice, NetSlice, PacketBuilder, SlicedPacket,
    TransportSlice,
};

use crate::packet::MacAddr;

/// Who sends what to whom, on one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Source link address.
    pub src_mac: MacAddr,
    /// Destination link address.
    pub dst_mac: MacAddr,
    /// Source.
    pub src: SocketAddr,
    /// Destination, of the same family.
    pub dst: SocketAddr,
    /// TTL or hop limit.
    pub hops: u8,
    /// IPv6 flow label; nothing in IPv4.
    pub flow_label: u32,
    /// UDP payload.
    pub payload: &'a [u8],
}

impl Datagram<'_> {
    /// As a frame with complete checksums; `identification` is IPv4's.
    ///
    /// # Errors
    /// When the families differ or the payload is too long.
    pub fn to_frame(&self, identification: u16) -> Result<Vec<u8>> {
        let ip = match (self.src.ip(), self.dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let mut header =
                    Ipv4Header::new(0, self.hops, IpNumber::UDP, src.octets(), dst.octets())?;
                header.identification = identification;
                IpHeaders::Ipv4(header, Default::default())
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => IpHeaders::Ipv6(
                Ipv6Header {
                    flow_label: Ipv6FlowLabel::try_new(self.flow_label)?,
                    hop_limit: self.hops,
                    source: src.octets(),
                    destination: dst.octets(),
                    next_header: IpNumber::UDP,
                    ..Ipv6Header::default()
                },
                Default::default(),
            ),
            _ => bail!("{} and {} are of different families", self.src, self.dst),
        };
        let builder = PacketBuilder::ethernet2(self.src_mac.0, self.dst_mac.0)
            .ip(ip)
            .udp(self.src.port(), self.dst.port());
        let mut frame = Vec::with_capacity(builder.size(self.payload.len()));
        builder.write(&mut frame, self.payload)?;
        Ok(frame)
    }
}

/// Reads a UDP datagram out of a frame; `None` for anything else.
///
/// # Errors
/// When it is UDP, but fragmented or with a wrong checksum.
pub fn read_datagram(frame: &[u8]) -> Result<Option<Datagram<'_>>> {
    let packet = SlicedPacket::from_ethernet(frame).context("a broken frame")?;
    let (Some(LinkSlice::Ethernet2(link)), Some(net)) = (&packet.link, &packet.net) else {
        return Ok(None);
    };
    let Some(TransportSlice::Udp(udp)) = &packet.transport else { return Ok(None) };
    let (src, dst, hops, flow_label, checksum) = match net {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            ensure!(header.header_checksum() == header.to_header().calc_header_checksum());
            ensure!(!header.more_fragments() && header.fragments_offset() == IpFragOffset::ZERO);
            let sum = udp.to_header().calc_checksum_ipv4_raw(
                header.source(),
                header.destination(),
                udp.payload(),
            )?;
            (header.source_addr().into(), header.destination_addr().into(), header.ttl(), 0, sum)
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            let sum = udp.to_header().calc_checksum_ipv6_raw(
                header.source(),
                header.destination(),
                udp.payload(),
            )?;
            let (src, dst): (IpAddr, IpAddr) =
                (header.source_addr().into(), header.destination_addr().into());
            (src, dst, header.hop_limit(), header.flow_label().value(), sum)
        }
        NetSlice::Arp(_) => return Ok(None),
    };
    ensure!(udp.checksum() == checksum, "a wrong UDP checksum");
    Ok(Some(Datagram {
        src_mac: MacAddr(link.source()),
        dst_mac: MacAddr(link.destination()),
        src: SocketAddr::new(src, udp.source_port()),
        dst: SocketAddr::new(dst, udp.destination_port()),
        hops,
        flow_label,
        payload: udp.payload(),
    }))
}

/// An ARP announcement (RFC 5227 2.3): a bridge learns from it where a station is.
///
/// # Errors
/// None for Ethernet and IPv4.
pub fn announcement(mac: MacAddr, address: Ipv4Addr) -> Result<Vec<u8>> {
    let arp = ArpPacket::new(
        ArpHardwareId::ETHERNET,
        EtherType::IPV4,
        ArpOperation::REQUEST,
        &mac.0,
        &address.octets(),
        &[0; 6],
        &address.octets(),
    )?;
    let builder = PacketBuilder::ethernet2(mac.0, MacAddr::BROADCAST.0).arp(arp);
    let mut frame = Vec::with_capacity(builder.size());
    builder.write(&mut frame)?;
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram<'a>(src: &str, dst: &str, payload: &'a [u8]) -> Datagram<'a> {
        let (src, dst): (SocketAddr, SocketAddr) = (src.parse().unwrap(), dst.parse().unwrap());
        Datagram {
            src_mac: MacAddr([2, 0, 0, 0, 0, 1]),
            dst_mac: MacAddr::of_group(dst.ip()),
            src,
            dst,
            hops: 255,
            flow_label: if dst.is_ipv6() { 0xabcde } else { 0 },
            payload,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for (src, dst) in [("10.0.0.1:5", "239.129.2.3:6"), ("[fe80::1]:5353", "[ff02::fb]:5353")] {
            let sent = datagram(src, dst, b"payload");
            let mut frame = sent.to_frame(7).unwrap();
            assert_eq!(read_datagram(&frame).unwrap(), Some(sent));
            *frame.last_mut().unwrap() ^= 1;
            read_datagram(&frame).unwrap_err();
        }
    }
}
