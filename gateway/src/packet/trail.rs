//! What was last done with a buffer, written into the buffer itself: what is left of a buffer that
//! does not come back. One store each where the path looks at the frame anyway.

use core::fmt;

use super::PortId;

/// A mark in a buffer. It stays when the buffer goes back to its pool, so it is what was *last*
/// done: a buffer that lies in a receive ring has the mark of its life before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Trail(u32);

/// What a mark says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Last {
    /// Nothing: the buffer was never seen by a worker.
    Unseen,
    /// Received from this port.
    Received(PortId),
    /// Taken from the pool for a replica, an answer or a part of one.
    Made,
    /// Queued for this port: then in its transmit buffer, on the way to the worker that owns its
    /// queue, or in the device.
    Queued(PortId),
}

/// Where a mark lies drivers may have put a hash; this is none.
const MAGIC: u32 = 0x5A00_0000;
const KIND: u32 = 0x00FF_0000;
const RECEIVED: u32 = MAGIC | 0x1_0000;
const MADE: u32 = MAGIC | 0x2_0000;
const QUEUED: u32 = MAGIC | 0x3_0000;

impl Trail {
    /// The mark of a replica, an answer or a part of one.
    pub const MADE: Self = Self(MADE);

    /// The mark of a received frame.
    #[inline]
    pub const fn received(port: PortId) -> Self {
        Self(RECEIVED | port.0 as u32)
    }

    /// The mark of a frame with an egress port.
    #[inline]
    pub const fn queued(port: PortId) -> Self {
        Self(QUEUED | port.0 as u32)
    }

    /// As it lies in a buffer.
    #[inline]
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// Whatever lies in a buffer.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// What it says.
    pub const fn last(self) -> Last {
        let port = PortId(self.0 as u16);
        match self.0 & (MAGIC | KIND) {
            RECEIVED => Last::Received(port),
            MADE => Last::Made,
            QUEUED => Last::Queued(port),
            _ => Last::Unseen,
        }
    }
}

/// A buffer that is out of its pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Missing {
    /// What was last done with it.
    pub trail: Trail,
    /// Its reference count; 0 where the pool does not know.
    pub references: u16,
    /// Bytes of the frame it is the head of.
    pub frame_len: u32,
    /// Its first bytes: the link header of a head piece.
    pub start: [u8; 14],
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} reference(s), {} bytes, starts", self.references, self.frame_len)?;
        self.start.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_what_was_put_in() {
        let port = PortId(127);
        assert_eq!(Trail::received(port).last(), Last::Received(port));
        assert_eq!(Trail::queued(port).last(), Last::Queued(port));
        assert_eq!(Trail::MADE.last(), Last::Made);
        for hash in [0, 0xdead_beef, 0x0003_0001, u32::MAX] {
            assert_eq!(Trail::from_bits(hash).last(), Last::Unseen, "{hash:x}");
        }
    }
}
