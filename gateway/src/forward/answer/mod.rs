//! Frames of the gateway's own: ARP replies, neighbor advertisements and ICMP errors, each written
//! whole into a buffer; the builders return its length, or `None` if the buffer is too short.
//!
//! *Invariant:* no error is built about what RFC 1122 3.2.2, RFC 1812 4.3.2.7 and RFC 4443 2.4 (e)
//! forbid. Absent: deciding whether a request is for us and valid (`route`), rate limits (`rate`),
//! queues. Tested with `ingress`, in `tests/answers.rs`.

mod eligible;
mod icmp_error;
mod neighbor;

pub use icmp_error::{IcmpError, MAX_ERROR_FRAME, ReturnPath, Unreachable, icmp_error};
pub use neighbor::{arp_reply, neighbor_advertisement};

use crate::packet::MacAddr;
use crate::wire::Ethernet;
use zerocopy::IntoBytes;

/// Hops of what the gateway sends, where no standard says otherwise (IANA *IP Time to Live*).
const HOPS: u8 = 64;

/// A buffer filled from the front.
struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len + bytes.len();
        self.out.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }

    /// The length of the frame, padded with zeros to the minimum: not every driver does it.
    fn finish(self) -> Option<usize> {
        let len = self.len.max(Ethernet::MIN_FRAME);
        self.out.get_mut(self.len..len)?.fill(0);
        Some(len)
    }
}

/// Ethernet header and tags of a frame, with other addresses.
fn put_link(writer: &mut Writer<'_>, link: &[u8], dst: MacAddr, src: MacAddr) -> Option<()> {
    writer.put(dst.as_bytes())?;
    writer.put(src.as_bytes())?;
    writer.put(link.get(2 * size_of::<MacAddr>()..)?)
}
