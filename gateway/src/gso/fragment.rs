use core::fmt;

use crate::packet::{BufPool, FrameInfo, Network, PacketBuf};
use crate::wire::checksum::checksum;
use crate::wire::{Ipv4, view, view_mut};

/// The unit of fragment offsets (RFC 791 3.1).
const UNIT: usize = 8;

/// Why a datagram was not fragmented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FragmentError {
    /// Not IPv4, or its header is not in the head piece.
    NotIpv4,
    /// The sender forbids it: ICMP "fragmentation needed" is due.
    DontFragment,
    /// Itself a fragment that reaches beyond the longest datagram: its offset cannot be counted on.
    BeyondDatagram,
    /// No payload fits the IP MTU, or more fragments are needed than there is room for.
    TooMany,
    /// The pool is dry, or a fragment does not fit one buffer.
    NoBuffer,
}

impl fmt::Display for FragmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotIpv4 => "not IPv4",
            Self::DontFragment => "must not be fragmented",
            Self::BeyondDatagram => "fragment beyond the longest datagram",
            Self::TooMany => "too many fragments",
            Self::NoBuffer => "no buffer",
        })
    }
}

impl std::error::Error for FragmentError {}

/// Fragments an IPv4 packet for a link of this IP MTU (RFC 791 3.2), in order, into `out`, which
/// must have room for all (it does not grow). All or nothing: on error `out` is as before. A
/// fragment is fragmented further; bytes behind the IP packet are left out.
///
/// TTL and link header are those of the packet: edit them before.
pub fn fragment<B: PacketBuf>(
    packet: &B,
    info: &FrameInfo,
    ip_mtu: usize,
    pool: &B::Pool,
    out: &mut Vec<B>,
) -> Result<(), FragmentError> {
    let cut = Cut::new(packet.head(), info, ip_mtu)?;
    if out.capacity() - out.len() < cut.count() {
        return Err(FragmentError::TooMany);
    }
    let before = out.len();
    for number in 0..cut.count() {
        let Some(fragment) = cut.fragment(packet, number, pool) else {
            out.truncate(before);
            return Err(FragmentError::NoBuffer);
        };
        out.push(fragment);
    }
    Ok(())
}

/// How a packet falls into fragments.
struct Cut<'a> {
    /// Link and IP header of the packet.
    headers: &'a [u8],
    l2_len: usize,
    /// Flags and offset of the packet.
    flags_offset: u16,
    /// Bytes behind the IP header.
    payload: usize,
    /// Payload of all fragments but the last, a multiple of [`UNIT`].
    size: usize,
    /// Payload the last may have: what fits is not cut (RFC 791 3.2, "if the total length is less
    /// than or equal the maximum transmission unit then submit this datagram").
    last: usize,
}

impl<'a> Cut<'a> {
    fn new(head: &'a [u8], info: &FrameInfo, ip_mtu: usize) -> Result<Self, FragmentError> {
        let l2_len = usize::from(info.l2_len);
        let ip: &Ipv4 = view(head, l2_len)
            .filter(|_| info.network == Network::Ipv4)
            .ok_or(FragmentError::NotIpv4)?;
        if ip.dont_fragment() {
            return Err(FragmentError::DontFragment);
        }
        let header_len = ip.header_len();
        let headers = head.get(..l2_len + header_len).ok_or(FragmentError::NotIpv4)?;
        let payload = (info.ip_len as usize).saturating_sub(header_len);
        if ip.fragment_offset() + payload > usize::from(u16::MAX) {
            return Err(FragmentError::BeyondDatagram);
        }
        let last = ip_mtu.saturating_sub(header_len);
        let size = last / UNIT * UNIT;
        if size == 0 {
            return Err(FragmentError::TooMany);
        }
        Ok(Self { headers, l2_len, flags_offset: ip.flags_offset.get(), payload, size, last })
    }

    fn count(&self) -> usize {
        1 + self.payload.saturating_sub(self.last).div_ceil(self.size)
    }

    fn fragment<B: PacketBuf>(&self, packet: &B, number: usize, pool: &B::Pool) -> Option<B> {
        let start = number * self.size;
        let is_last = number + 1 == self.count();
        let len = if is_last { self.payload - start } else { self.size };
        let mut fragment = pool.alloc()?;
        let (headers, payload) =
            fragment.append(self.headers.len() + len)?.split_at_mut(self.headers.len());
        headers.copy_from_slice(self.headers);
        packet.read(self.headers.len() + start, payload);
        let ip_header = headers.get_mut(self.l2_len..)?;
        if number > 0 {
            keep_copied_options(ip_header.get_mut(Ipv4::LEN..)?);
        }
        let more = if is_last { 0 } else { Ipv4::MORE_FRAGMENTS };
        let ip: &mut Ipv4 = view_mut(ip_header, 0)?;
        ip.total_len.set((ip.header_len() + len) as u16);
        ip.flags_offset.set((self.flags_offset + (start / UNIT) as u16) | more);
        ip.checksum.set(0);
        let sum = checksum(ip_header);
        view_mut::<Ipv4>(ip_header, 0)?.checksum.set(sum);
        Some(fragment)
    }
}

/// Turns options that only the first fragment carries into "no operation" (RFC 791 3.1: the copied
/// flag), as Linux' `ip_options_fragment` does; what cannot be read stays.
fn keep_copied_options(mut options: &mut [u8]) {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    const COPIED: u8 = 0x80;
    while let [kind, rest @ ..] = options {
        let len = match (*kind, rest.first()) {
            (END, _) | (_, None) => return,
            (NO_OPERATION, _) => 1,
            (_, Some(&len)) => usize::from(len),
        };
        if len == 0 || len > options.len() {
            return;
        }
        let (option, behind) = options.split_at_mut(len);
        if option[0] & COPIED == 0 {
            option.fill(NO_OPERATION);
        }
        options = behind;
    }
}
