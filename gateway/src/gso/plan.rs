use core::fmt;

use super::headers::HEADERS_MAX;
use crate::packet::{MAX_SEGMENTS, Merged, Network, PacketBuf};
use crate::wire::protocol;

/// Why a merged packet cannot be split. Merging never makes such a packet; a peer may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GeometryError {
    /// Not UDP over IPv4 or IPv6.
    NotUdp,
    /// The headers are not all in the head piece, or longer than any ingress lets through.
    SplitHeaders,
    /// The segment size is 0.
    ZeroSize,
    /// The segment size is 0xFFFF, Linux' mark for "by the list" (`GSO_BY_FRAGS`), or makes an IP
    /// packet of more than 65,535 bytes.
    SizeTooLarge,
    /// No segments, or more than [`MAX_SEGMENTS`].
    SegmentCount,
    /// Size and count do not make up the payload.
    PayloadMismatch,
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUdp => "not UDP over IP",
            Self::SplitHeaders => "headers not in the first piece",
            Self::ZeroSize => "segment size 0",
            Self::SizeTooLarge => "segment size too large",
            Self::SegmentCount => "not 1 to 128 segments",
            Self::PayloadMismatch => "segments do not make up the payload",
        })
    }
}

impl std::error::Error for GeometryError {}

/// A split that is possible: all sizes are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    pub(super) headers_len: usize,
    payload: usize,
    gso_size: usize,
    pub(super) segments: usize,
}

impl Plan {
    pub(super) fn new<B: PacketBuf>(merged: &Merged<B>) -> Result<Self, GeometryError> {
        let (info, geometry) = (merged.info(), merged.geometry());
        let headers_len = merged.headers_len();
        let (gso_size, segments) = (geometry.gso_size.into(), geometry.segments.into());
        if !matches!(info.network, Network::Ipv4 | Network::Ipv6) || info.protocol != protocol::UDP
        {
            return Err(GeometryError::NotUdp);
        }
        if headers_len > merged.packet().head().len().min(HEADERS_MAX) {
            return Err(GeometryError::SplitHeaders);
        }
        if gso_size == 0 {
            return Err(GeometryError::ZeroSize);
        }
        let ip_len = headers_len.saturating_sub(info.l2_len.into()) + gso_size;
        if ip_len > usize::from(u16::MAX) {
            return Err(GeometryError::SizeTooLarge);
        }
        if !(1..=MAX_SEGMENTS).contains(&segments) {
            return Err(GeometryError::SegmentCount);
        }
        let payload = merged.packet().frame_len() - headers_len;
        if payload <= (segments - 1) * gso_size || payload > segments * gso_size {
            return Err(GeometryError::PayloadMismatch);
        }
        Ok(Self { headers_len, payload, gso_size, segments })
    }

    /// Payload bytes of a segment below `segments`; at least 1.
    pub(super) fn payload_of(&self, segment: usize) -> usize {
        (self.payload - segment * self.gso_size).min(self.gso_size)
    }
}
