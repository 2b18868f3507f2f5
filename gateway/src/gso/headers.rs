use arrayvec::ArrayVec;

use crate::packet::{FrameInfo, Geometry, Network};
use crate::wire::checksum::{checksum, pseudo_v4, pseudo_v6};
use crate::wire::{Ethernet, Ipv4, Ipv6, MAX_EXT_LEN, Udp, VlanTag, protocol, view, view_mut};

/// Bytes of the longest headers: two tags, IPv6 with as many extension headers as ingress passes.
pub(super) const HEADERS_MAX: usize =
    Ethernet::LEN + 2 * VlanTag::LEN + Ipv6::LEN + MAX_EXT_LEN + Udp::LEN;

/// The headers of the segment last made.
pub(super) struct Headers {
    bytes: ArrayVec<u8, HEADERS_MAX>,
    l2_len: usize,
    l4_offset: usize,
    network: Network,
    first_id: u16,
    id_delta: u16,
    udp_checksum: bool,
}

impl Headers {
    /// Begins with those of the first segment; `None` if they are longer than [`HEADERS_MAX`] or
    /// not what `info` says.
    pub(super) fn new(headers: &[u8], info: &FrameInfo, geometry: &Geometry) -> Option<Self> {
        let ip_len = if info.network == Network::Ipv4 { Ipv4::LEN } else { Ipv6::LEN };
        if usize::from(info.l4_offset) < usize::from(info.l2_len) + ip_len {
            return None;
        }
        let mut bytes = ArrayVec::new();
        bytes.try_extend_from_slice(headers).ok()?;
        let first_id = match info.network {
            Network::Ipv4 => view::<Ipv4>(headers, info.l2_len.into())?.id.get(),
            _ => 0,
        };
        Some(Self {
            bytes,
            l2_len: info.l2_len.into(),
            l4_offset: info.l4_offset.into(),
            network: info.network,
            first_id,
            id_delta: geometry.id_step.delta(),
            udp_checksum: geometry.udp_checksum,
        })
    }

    /// The headers of segment `number`, whose payload has this length and folded sum.
    pub(super) fn of_segment(&mut self, number: usize, payload_len: usize, sum: u16) -> &[u8] {
        // views fit: `new` has seen the IP header, and the UDP header is the last of `bytes`
        let _ = self.write(number, payload_len, sum);
        &self.bytes
    }

    fn write(&mut self, number: usize, payload_len: usize, payload_sum: u16) -> Option<()> {
        let udp_len = (Udp::LEN + payload_len) as u16;
        let ip_headers = self.l4_offset - self.l2_len;
        let pseudo = if self.network == Network::Ipv4 {
            let id = self.first_id.wrapping_add(self.id_delta.wrapping_mul(number as u16));
            let ip: &mut Ipv4 = view_mut(&mut self.bytes, self.l2_len)?;
            ip.total_len.set(ip_headers as u16 + udp_len);
            ip.id.set(id);
            ip.checksum.set(0);
            let pseudo = pseudo_v4(ip.src, ip.dst, protocol::UDP, udp_len);
            let header = checksum(self.bytes.get(self.l2_len..self.l4_offset)?); // with options
            view_mut::<Ipv4>(&mut self.bytes, self.l2_len)?.checksum.set(header);
            pseudo
        } else {
            let ip: &mut Ipv6 = view_mut(&mut self.bytes, self.l2_len)?;
            ip.payload_len.set((ip_headers - Ipv6::LEN) as u16 + udp_len);
            pseudo_v6(ip.src, ip.dst, protocol::UDP, udp_len.into())
        };
        let udp: &mut Udp = view_mut(&mut self.bytes, self.l4_offset)?;
        udp.len.set(udp_len);
        if self.udp_checksum {
            let ports = pseudo.word(udp.src_port.get()).word(udp.dst_port.get()).word(udp_len);
            udp.checksum.set(ports.word(payload_sum).udp_checksum());
        } else {
            udp.checksum.set(0);
        }
        Some(())
    }
}
