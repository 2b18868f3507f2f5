use core::fmt;
use std::vec::Drain;

use super::{FrameInfo, PacketBuf};
use crate::time::Nanos;

/// Datagrams of one flow, in order, with one decision: the *list* form. Every segment keeps its own
/// buffer and headers, so boundaries are exact by construction. One or more segments; split by
/// consuming it.
///
/// It borrows the storage it was gathered in, so neither gathering nor splitting allocates.
pub struct SuperPacket<'a, B: PacketBuf> {
    info: FrameInfo,
    segments: Drain<'a, B>,
    waited: Nanos,
}

impl<'a, B: PacketBuf> SuperPacket<'a, B> {
    /// Takes all packets out of `segments`; `None` if there are none. `info` is the first one's.
    pub fn from_segments(info: FrameInfo, segments: &'a mut Vec<B>) -> Option<Self> {
        if segments.is_empty() {
            return None;
        }
        Some(Self { info, segments: segments.drain(..), waited: Nanos(0) })
    }

    /// The first segment was held so long.
    #[must_use]
    pub fn after(self, waited: Nanos) -> Self {
        Self { waited, ..self }
    }

    /// How long the first segment was held.
    pub fn waited(&self) -> Nanos {
        self.waited
    }

    /// What ingress found out about the first segment; offsets hold for every segment.
    pub fn info(&self) -> &FrameInfo {
        &self.info
    }

    /// The segments, in order; at least one.
    pub fn segments(&self) -> &[B] {
        self.segments.as_slice()
    }

    /// The first segment and the others, in order. What is not taken is freed. (`Err` only without
    /// a segment, which cannot be.)
    pub fn split_first(
        mut self,
    ) -> Result<(B, impl ExactSizeIterator<Item = B> + DoubleEndedIterator + use<'a, B>), Self>
    {
        match self.segments.next() {
            Some(first) => Ok((first, self.segments)),
            None => Err(self),
        }
    }

    /// The segments one by one, in order. What is not taken is freed.
    pub fn into_segments(self) -> impl ExactSizeIterator<Item = B> + use<'a, B> {
        self.segments
    }
}

impl<B: PacketBuf> fmt::Debug for SuperPacket<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuperPacket")
            .field("info", &self.info)
            .field("segments", &self.segments.len())
            .finish()
    }
}
