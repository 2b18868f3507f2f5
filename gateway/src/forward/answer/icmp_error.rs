use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zerocopy::big_endian::{U16, U32};
use zerocopy::{Immutable, IntoBytes};

use super::HOPS;
use super::eligible::may_report;
use crate::packet::{FrameInfo, MacAddr, Network};
use crate::wire::{Ethernet, Icmpv4, Icmpv6, Ipv4, Ipv6, checksum, ethertype, protocol, view};

/// Bytes of the largest IPv4 error datagram (RFC 1812 4.3.2.3).
const MAX_V4: usize = 576;
/// Bytes of the largest IPv6 error packet: the minimum IPv6 MTU (RFC 4443 2.4 (c)).
const MAX_V6: usize = 1280;
/// Bytes of the largest frame [`icmp_error`] writes.
pub const MAX_ERROR_FRAME: usize = Ethernet::LEN + MAX_V6;
/// Bytes behind the IP header that every error must quote (RFC 792).
const MIN_QUOTE: usize = 8;
/// Precedence 6, internetwork control (RFC 1812 4.3.2.5).
const TOS_CONTROL: u8 = 0xc0;

/// What is wrong with a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IcmpError {
    /// TTL or hop limit ran out in transit.
    TimeExceeded,
    /// Too long for the next link, and may not be fragmented.
    TooBig {
        /// IP MTU of that link.
        mtu: u16,
    },
    /// Cannot be delivered.
    Unreachable(Unreachable),
}

/// Why a datagram cannot be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreachable {
    /// No route to the destination.
    NoRoute,
    /// The destination does not answer on its link.
    Host,
    /// Nobody listens on the port.
    Port,
    /// Forbidden by a filter.
    Prohibited,
}

impl IcmpError {
    /// Type, code and next hop MTU (RFC 792, RFC 1191 4, RFC 1812 5.2.7.1).
    const fn v4(self) -> (u8, u8, u16) {
        match self {
            Self::TimeExceeded => (Icmpv4::TIME_EXCEEDED, 0, 0),
            Self::TooBig { mtu } => (Icmpv4::UNREACHABLE, Icmpv4::FRAGMENTATION_NEEDED, mtu),
            Self::Unreachable(Unreachable::NoRoute) => (Icmpv4::UNREACHABLE, 0, 0),
            Self::Unreachable(Unreachable::Host) => (Icmpv4::UNREACHABLE, 1, 0),
            Self::Unreachable(Unreachable::Port) => (Icmpv4::UNREACHABLE, 3, 0),
            Self::Unreachable(Unreachable::Prohibited) => (Icmpv4::UNREACHABLE, 13, 0),
        }
    }

    /// Type, code and MTU (RFC 4443 3).
    const fn v6(self) -> (u8, u8, u16) {
        match self {
            Self::TimeExceeded => (Icmpv6::TIME_EXCEEDED, 0, 0),
            Self::TooBig { mtu } => (Icmpv6::PACKET_TOO_BIG, 0, mtu),
            Self::Unreachable(Unreachable::NoRoute) => (Icmpv6::UNREACHABLE, 0, 0),
            Self::Unreachable(Unreachable::Prohibited) => (Icmpv6::UNREACHABLE, 1, 0),
            Self::Unreachable(Unreachable::Host) => (Icmpv6::UNREACHABLE, 3, 0),
            Self::Unreachable(Unreachable::Port) => (Icmpv6::UNREACHABLE, 4, 0),
        }
    }
}

/// How an error gets back to the sender of the datagram it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReturnPath {
    /// An address of the gateway, of the datagram's family.
    pub source: IpAddr,
    /// Link address of the port it leaves by.
    pub src_mac: MacAddr,
    /// Link address of the sender, or of the next hop to it.
    pub dst_mac: MacAddr,
    /// IP MTU of the port it leaves by.
    pub mtu: u16,
}

/// Writes an error about a frame, untagged. `pieces` are those of the frame as it was received, its
/// TTL not yet touched: as much of them is quoted as the standards allow. `None` if no error may be
/// sent about it, or `path` is of the other family.
pub fn icmp_error<'a>(
    error: IcmpError,
    info: &FrameInfo,
    mut pieces: impl Iterator<Item = &'a [u8]>,
    path: &ReturnPath,
    out: &mut [u8],
) -> Option<usize> {
    let head = pieces.next()?;
    if !may_report(error, info, head)? {
        return None;
    }
    let pieces = core::iter::once(head).chain(pieces);
    let ip_offset = info.l2_len.into();
    match (path.source, info.network) {
        (IpAddr::V4(source), Network::Ipv4) => {
            let dst = view::<Ipv4>(head, ip_offset)?.src;
            let (headers, rest) = out.split_at_mut_checked(size_of::<HeadersV4>())?;
            let quote = quote(info, pieces, MAX_V4.min(path.mtu.into()), rest)?;
            HeadersV4::new(error, source, dst.into(), path, quote).write_to(headers).ok()?;
            Some(headers.len() + quote.len())
        }
        (IpAddr::V6(source), Network::Ipv6) => {
            let dst = view::<Ipv6>(head, ip_offset)?.src;
            let (headers, rest) = out.split_at_mut_checked(size_of::<HeadersV6>())?;
            let quote = quote(info, pieces, MAX_V6.min(path.mtu.into()), rest)?;
            HeadersV6::new(error, source, dst.into(), path, quote).write_to(headers).ok()?;
            Some(headers.len() + quote.len())
        }
        _ => None,
    }
}

/// Copies as much of the IP packet as an error of at most `limit` bytes can quote.
fn quote<'a, 'o>(
    info: &FrameInfo,
    pieces: impl Iterator<Item = &'a [u8]>,
    limit: usize,
    out: &'o mut [u8],
) -> Option<&'o [u8]> {
    let (mut skip, ip_len) = (usize::from(info.l2_len), info.ip_len as usize);
    let headers = match info.network {
        Network::Ipv4 => Ipv4::LEN + Icmpv4::LEN,
        _ => Ipv6::LEN + Icmpv6::LEN,
    };
    let len = ip_len.min(limit.checked_sub(headers)?);
    if len < ip_len.min(usize::from(info.l4_offset) - skip + MIN_QUOTE) {
        return None;
    }
    let out = out.get_mut(..len)?;
    let mut left = &mut *out;
    for piece in pieces {
        let bytes = piece.get(skip..).unwrap_or(&[]);
        skip = skip.saturating_sub(piece.len());
        let (now, later) = left.split_at_mut(bytes.len().min(left.len()));
        now.copy_from_slice(bytes.get(..now.len())?);
        left = later;
    }
    if left.is_empty() { Some(out) } else { None }
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct HeadersV4 {
    ethernet: Ethernet,
    ip: Ipv4,
    icmp: Icmpv4,
}

impl HeadersV4 {
    fn new(
        error: IcmpError,
        src: Ipv4Addr,
        dst: Ipv4Addr,
        path: &ReturnPath,
        quote: &[u8],
    ) -> Self {
        let (kind, code, mtu) = error.v4();
        let mut icmp = Icmpv4 {
            kind,
            code,
            checksum: U16::ZERO,
            unused: U16::ZERO,
            next_hop_mtu: U16::new(mtu),
        };
        let sum = checksum::Sum::new().bytes(icmp.as_bytes()).bytes(quote);
        icmp.checksum.set(sum.checksum());
        let mut ip = Ipv4 {
            version_ihl: 0x45,
            tos: TOS_CONTROL,
            total_len: U16::new((Ipv4::LEN + Icmpv4::LEN + quote.len()) as u16),
            // Never fragmented, so any ID will do (RFC 6864 4.1).
            id: U16::ZERO,
            flags_offset: U16::new(Ipv4::DONT_FRAGMENT),
            ttl: HOPS,
            protocol: protocol::ICMPV4,
            checksum: U16::ZERO,
            src: src.octets(),
            dst: dst.octets(),
        };
        ip.fill_checksum();
        Self { ethernet: path.ethernet(ethertype::IPV4), ip, icmp }
    }
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct HeadersV6 {
    ethernet: Ethernet,
    ip: Ipv6,
    icmp: Icmpv6,
}

impl HeadersV6 {
    fn new(
        error: IcmpError,
        src: Ipv6Addr,
        dst: Ipv6Addr,
        path: &ReturnPath,
        quote: &[u8],
    ) -> Self {
        let (kind, code, mtu) = error.v6();
        let mtu = U32::new(mtu.into());
        let mut icmp = Icmpv6 { kind, code, checksum: U16::ZERO, mtu };
        let len = (Icmpv6::LEN + quote.len()) as u16;
        let sum = checksum::pseudo_v6(src.octets(), dst.octets(), protocol::ICMPV6, len.into());
        icmp.checksum.set(sum.bytes(icmp.as_bytes()).bytes(quote).checksum());
        let ip = Ipv6::new(src, dst, protocol::ICMPV6, HOPS, len);
        Self { ethernet: path.ethernet(ethertype::IPV6), ip, icmp }
    }
}

impl ReturnPath {
    fn ethernet(&self, ethertype: u16) -> Ethernet {
        Ethernet { dst: self.dst_mac, src: self.src_mac, ethertype: U16::new(ethertype) }
    }
}
