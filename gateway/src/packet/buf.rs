//! The ownership traits. Two buffers obey them: `dpdk::Mbuf` and `sim::HeapBuf`; one conformance
//! suite (`tests/conformance`) holds for both.
//!
//! ```text
//!   pool.alloc() ──► PacketBuf ──share()──► SharedBuf (Clone = reference +1, read-only for ever)
//!                        ▲                      │
//!                        ├── with_private_header ┤  header bytes copied, payload shared
//!                        ├── copy ───────────────┤  all bytes copied
//!                        └── try_unshare ────────┘  only if nobody else holds it
//!   either ──into_tx()──► TxBuf ──tx_burst──► the port's queue owns it
//! ```
//!
//! *Invariant:* a `PacketBuf` alone owns the metadata of all its pieces and the bytes of its head
//! piece. The bytes of later pieces may be shared with others, so they can be read only.

use super::{Missing, Trail};

/// A uniquely owned packet: a head piece and, rarely, further pieces. Not `Clone`.
pub trait PacketBuf: Sized {
    /// The read-only form after [`share`](Self::share).
    type Shared: SharedBuf<Owned = Self>;
    /// What a transmit queue takes.
    type Tx: TxBuf<Shared = Self::Shared>;
    /// Where buffers come from.
    type Pool: BufPool<Buf = Self>;

    /// Bytes in all pieces.
    fn frame_len(&self) -> usize;
    /// Number of pieces, at least 1.
    fn piece_count(&self) -> usize;
    /// The pieces in order; the head first.
    fn pieces(&self) -> impl Iterator<Item = &[u8]>;
    /// The bytes of the head piece.
    fn head(&self) -> &[u8];
    /// The bytes of the head piece, which this packet alone owns.
    fn head_mut(&mut self) -> &mut [u8];

    /// Makes room for `len` bytes before the head; `None` (unchanged) without that much headroom.
    fn prepend(&mut self, len: usize) -> Option<&mut [u8]>;
    /// Adds `len` bytes of unspecified content behind a packet of one piece; `None` (unchanged)
    /// without that much tailroom or with several pieces.
    fn append(&mut self, len: usize) -> Option<&mut [u8]>;
    /// Removes `len` bytes at the front of the head; `false` (unchanged) if the head is shorter.
    #[must_use]
    fn trim_front(&mut self, len: usize) -> bool;
    /// Keeps the first `len` bytes; pieces left empty are freed, the head stays. A `len` beyond
    /// the frame changes nothing.
    fn truncate(&mut self, len: usize);
    /// Appends the pieces of `tail` behind this packet's.
    fn chain(&mut self, tail: Self);
    /// Takes the pieces behind the head off, as a packet of their own. `None` (unchanged) if there
    /// are none, or if the first of them shows bytes that are another's: it cannot be a head.
    fn detach(&mut self) -> Option<Self>;

    /// Says that the first bytes of the head will be looked at soon; changes nothing.
    #[inline]
    fn prefetch(&self) {}

    /// What the port said of the transport checksum on reception.
    fn rx_checksum(&self) -> RxChecksum;

    /// Marks the head's buffer, for the census (see [`Trail`]).
    fn mark(&mut self, trail: Trail);

    /// Gives up writing for good: the result can be cloned and read.
    fn share(self) -> Self::Shared;
    /// Hands the packet over for transmission.
    fn into_tx(self) -> Self::Tx;

    /// Copies bytes from `offset` on into `out`; returns how many there were.
    fn read(&self, offset: usize, out: &mut [u8]) -> usize {
        read_pieces(self.pieces(), offset, out)
    }
    /// A packet with all bytes in one fresh piece. `None` if the pool is dry or the frame does not
    /// fit one buffer.
    fn copy(&self, pool: &Self::Pool) -> Option<Self> {
        let mut copy = pool.alloc()?;
        self.copy_into(&mut copy).then_some(copy)
    }
    /// Appends all bytes to a packet of one piece; `false` (unchanged) if they do not fit.
    #[inline]
    fn copy_into(&self, copy: &mut Self) -> bool {
        let Some(room) = copy.append(self.frame_len()) else { return false };
        let head = self.head();
        if head.len() == room.len() {
            room.copy_from_slice(head);
        } else {
            self.read(0, room);
        }
        true
    }
    /// All bytes in one vector (tests, captures, the control side).
    fn to_vec(&self) -> Vec<u8> {
        self.pieces().flatten().copied().collect()
    }
}

/// A packet that several may hold. `Clone` takes a reference; nobody can write, ever.
pub trait SharedBuf: Sized + Clone {
    /// The writable form.
    type Owned: PacketBuf<Shared = Self>;

    /// Bytes in all pieces.
    fn frame_len(&self) -> usize;
    /// Number of pieces, at least 1.
    fn piece_count(&self) -> usize;
    /// The pieces in order; the head first.
    fn pieces(&self) -> impl Iterator<Item = &[u8]>;
    /// The bytes of the head piece.
    fn head(&self) -> &[u8];

    /// A packet whose first `header_len` bytes are a private copy in a fresh head, followed by the
    /// shared rest. Takes one buffer for the head and one for each piece of the rest. `None` if
    /// the pool is dry, the head piece is shorter than `header_len`, or a fresh head is too small.
    fn with_private_header(
        &self,
        header_len: usize,
        pool: &<Self::Owned as PacketBuf>::Pool,
    ) -> Option<Self::Owned>;
    /// A packet with all bytes copied into one fresh piece. `None` if the pool is dry or the frame
    /// does not fit one buffer.
    fn copy(&self, pool: &<Self::Owned as PacketBuf>::Pool) -> Option<Self::Owned>;
    /// The packet itself if nobody else holds any of its pieces.
    fn try_unshare(self) -> Result<Self::Owned, Self>;
    /// Hands this reference over for transmission.
    fn into_tx(self) -> <Self::Owned as PacketBuf>::Tx;
}

/// A packet on its way into a transmit queue: not writable, but for its mark, and readable only as
/// a copy, for captures. Dropping it gives up the reference.
pub trait TxBuf: Sized {
    /// What arrives where both ends of the queue are in this program.
    type Shared: SharedBuf;

    /// At the far end of a queue. Read-only: the near end may have kept references.
    fn arrive(self) -> Self::Shared;
    /// Bytes in all pieces.
    fn frame_len(&self) -> usize;
    /// Number of pieces, at least 1.
    fn piece_count(&self) -> usize;
    /// Marks the head's buffer, for the census. Of several holders the last to mark is seen; what
    /// others read of the packet stays as it is.
    fn mark(&mut self, trail: Trail);
    /// Copies bytes from the start into `out`; returns how many there were.
    fn copy_into(&self, out: &mut [u8]) -> usize;
}

/// A fixed number of equal buffers.
pub trait BufPool {
    /// What the pool hands out.
    type Buf: PacketBuf;

    /// An empty packet (length 0) with default headroom; `None` when the pool is dry.
    fn alloc(&self) -> Option<Self::Buf>;
    /// Appends up to `count` empty packets, never beyond the vector's capacity; fewer when the pool
    /// runs dry.
    fn alloc_many(&self, count: usize, packets: &mut Vec<Self::Buf>) {
        let room = packets.capacity() - packets.len();
        packets.extend((0..count.min(room)).filter_map(|_| self.alloc()));
    }
    /// Bytes that fit behind the default headroom of a fresh buffer.
    fn data_room(&self) -> usize;
    /// Buffers that could be allocated now.
    fn available(&self) -> usize;
    /// Buffers in all.
    fn capacity(&self) -> usize;

    /// The buffers that are out. For the end, when nobody allocates or frees any more: meanwhile
    /// the pool may seem dry to others, and what they hold is described as it happens to be.
    fn missing(&self) -> Vec<Missing>;

    /// A fresh packet with these bytes; `None` when the pool is dry or they do not fit.
    fn alloc_from(&self, bytes: &[u8]) -> Option<Self::Buf> {
        let mut packet = self.alloc()?;
        packet.append(bytes.len())?.copy_from_slice(bytes);
        Some(packet)
    }
}

/// What a port said of the transport checksum of a received frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RxChecksum {
    /// The port did not look.
    #[default]
    Unknown,
    /// Verified and right.
    Good,
    /// Verified and wrong.
    Bad,
}

/// Copies bytes from `offset` on into `out`; returns how many there were.
pub fn read_pieces<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    mut offset: usize,
    out: &mut [u8],
) -> usize {
    let mut done = 0;
    for piece in pieces {
        if offset >= piece.len() {
            offset -= piece.len();
            continue;
        }
        let rest = &piece[offset..];
        let take = rest.len().min(out.len() - done);
        out[done..done + take].copy_from_slice(&rest[..take]);
        done += take;
        offset = 0;
        if done == out.len() {
            break;
        }
    }
    done
}
