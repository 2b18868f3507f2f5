use core::net::Ipv6Addr;

use crate::config::Cast;
use crate::packet::{FrameInfo, MacAddr, Malformed, Network, PortId};
use crate::wire::{Ethernet, Ipv4, Ipv6, WalkEnd, ethertype, protocol, view, walk};

/// What rules ask of a datagram; the same for all datagrams of a super-packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilterKey {
    /// Where it came from, or at egress leaves.
    pub(super) port: u16,
    /// Whom the frame is addressed to.
    pub(super) cast: Cast,
    /// 4 or 6; 0 for what has no readable IP header.
    pub(super) family: u8,
    pub(super) protocol: u8,
    /// IPv4 addresses in the lowest 32 bits.
    pub(super) src: u128,
    pub(super) dst: u128,
    /// Of UDP or TCP. Only the first fragment of a datagram has them.
    pub(super) ports: Option<(u16, u16)>,
}

impl FilterKey {
    /// From what ingress found in a frame that begins with `head`.
    pub fn of(info: &FrameInfo, head: &[u8]) -> Self {
        let dst = view::<Ethernet>(head, 0).map_or(MacAddr::default(), |ethernet| ethernet.dst);
        let (port, cast) = (info.port.0, Cast::of(dst));
        let none = Self { port, cast, family: 0, protocol: 0, src: 0, dst: 0, ports: None };
        let readable = matches!(
            info.network,
            Network::Ipv4 | Network::Ipv6 | Network::Broken(Malformed::IpChecksum)
        );
        let offset = usize::from(info.l2_len);
        let protocol = info.protocol;
        match info.ethertype {
            ethertype::IPV4 if readable => {
                let Some(ip) = view::<Ipv4>(head, offset) else { return none };
                let (src, dst) = (u32::from_be_bytes(ip.src), u32::from_be_bytes(ip.dst));
                let ports = (ip.fragment_offset() == 0).then(|| ports(info, head)).flatten();
                Self { family: 4, protocol, src: src.into(), dst: dst.into(), ports, ..none }
            }
            ethertype::IPV6 if readable => {
                let Some(ip) = view::<Ipv6>(head, offset) else { return none };
                let whole = ip.next_header == protocol || is_first(ip.next_header, info, head);
                let ports = whole.then(|| ports(info, head)).flatten();
                let (src, dst) =
                    (Ipv6Addr::from(ip.src).to_bits(), Ipv6Addr::from(ip.dst).to_bits());
                Self { family: 6, protocol, src, dst, ports, ..none }
            }
            _ => none,
        }
    }

    /// The same at another port.
    #[must_use]
    pub fn at_port(&self, port: PortId) -> Self {
        Self { port: port.0, ..*self }
    }
}

/// Both begin with their ports.
fn ports(info: &FrameInfo, head: &[u8]) -> Option<(u16, u16)> {
    let offset = usize::from(info.l4_offset);
    let has_ports = matches!(info.protocol, protocol::UDP | protocol::TCP);
    let end = usize::from(info.l2_len) + info.ip_len as usize;
    if !has_ports || offset + 4 > end {
        return None;
    }
    let &[a, b, c, d] = head.get(offset..)?.first_chunk()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// Whether the transport header really is behind these extension headers.
#[cold]
fn is_first(next: u8, info: &FrameInfo, head: &[u8]) -> bool {
    let start = usize::from(info.l2_len) + Ipv6::LEN;
    let end = (usize::from(info.l2_len) + info.ip_len as usize).min(head.len());
    let Some(bytes) = head.get(start..end) else { return false };
    matches!(walk(next, bytes).end, WalkEnd::Transport { .. } | WalkEnd::Fragment { first: true })
}
