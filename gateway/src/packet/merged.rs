use core::fmt;

use super::{FrameInfo, PacketBuf};

/// The most segments a super-packet may have.
pub const MAX_SEGMENTS: usize = 128;

/// Datagrams of one flow as one packet: the first one's headers, then all payloads. The *merge*
/// form. Split by consuming it.
///
/// The headers are the first datagram's to the byte, lengths included; edits of them hold for all.
/// How the payload falls into datagrams is apart from the bytes and never changes.
pub struct Merged<B: PacketBuf> {
    packet: B,
    info: FrameInfo,
    geometry: Geometry,
}

/// How a merged packet falls into datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// UDP payload per segment, in bytes; the last one's may be shorter.
    pub gso_size: u16,
    /// Number of segments.
    pub segments: u16,
    /// From each segment's IPv4 identification to the next one's.
    pub id_step: IdStep,
    /// Whether segments have a UDP checksum; it is 0 in all of them otherwise.
    pub udp_checksum: bool,
}

/// How the IPv4 identification goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdStep {
    /// The same in all segments. IPv6 has none.
    Constant,
    /// One more each, modulo 2^16.
    Increment,
}

impl<B: PacketBuf> Merged<B> {
    /// Takes the caller's word: what is impossible is refused when it is split. `info` is the first
    /// datagram's, or of a peer's whole packet; offsets and network layer are used.
    pub fn new(packet: B, info: FrameInfo, geometry: Geometry) -> Self {
        Self { packet, info, geometry }
    }

    /// What is known of the headers.
    pub fn info(&self) -> &FrameInfo {
        &self.info
    }

    /// How it falls into datagrams.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Headers and payloads.
    pub fn packet(&self) -> &B {
        &self.packet
    }

    /// Bytes of headers before each payload, up to and with the UDP header.
    pub fn headers_len(&self) -> usize {
        usize::from(self.info.l4_offset) + 8
    }

    /// The headers, for edits that hold for every segment; empty if they are in several pieces.
    pub fn headers_mut(&mut self) -> &mut [u8] {
        let len = self.headers_len();
        self.packet.head_mut().get_mut(..len).unwrap_or_default()
    }

    /// Bytes of all datagrams as frames of their own: what statistics and policers count.
    pub fn wire_bytes(&self) -> u64 {
        let further = u64::from(self.geometry.segments.saturating_sub(1));
        self.packet.frame_len() as u64 + further * self.headers_len() as u64
    }

    /// Its parts.
    pub fn into_parts(self) -> (B, FrameInfo, Geometry) {
        (self.packet, self.info, self.geometry)
    }
}

impl IdStep {
    /// From one identification to the next.
    pub const fn delta(self) -> u16 {
        match self {
            Self::Constant => 0,
            Self::Increment => 1,
        }
    }
}

impl<B: PacketBuf> fmt::Debug for Merged<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merged")
            .field("info", &self.info)
            .field("geometry", &self.geometry)
            .finish_non_exhaustive()
    }
}
