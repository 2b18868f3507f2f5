//! A packet of heap pieces. `Slab` is the data of one mbuf, `Piece` its metadata; a piece made by
//! `with_private_header` is DPDK's indirect mbuf: a buffer of its own that points at another's data.

use std::sync::Arc;

use super::HeapPool;
use super::pool::Ticket;
use crate::packet::{BufPool, PacketBuf, RxChecksum, SharedBuf, Trail, TxBuf};

/// A uniquely owned packet on the heap.
pub struct HeapBuf {
    /// Never empty; the head's slab is held by nobody else.
    pieces: Vec<Piece>,
    rx_checksum: RxChecksum,
}

/// A packet on the heap that several may hold.
#[derive(Clone)]
pub struct HeapShared {
    packet: Arc<HeapBuf>,
}

/// A packet on its way into a simulated queue.
pub enum HeapTx {
    /// Was owned.
    Owned(HeapBuf),
    /// One of several references.
    Shared(HeapShared),
}

/// The data room of one buffer.
pub(super) struct Slab {
    bytes: Box<[u8]>,
    ticket: Ticket,
}

struct Piece {
    slab: Arc<Slab>,
    start: usize,
    len: usize,
    /// The buffer of an indirect piece itself.
    indirect: Option<Ticket>,
}

impl Slab {
    pub(super) fn new(len: usize, ticket: Ticket) -> Self {
        Self { bytes: vec![0; len].into_boxed_slice(), ticket }
    }
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        &self.slab.bytes[self.start..self.start + self.len]
    }

    /// What DPDK's reference count of 1 says of an mbuf.
    fn is_sole(&self) -> bool {
        self.indirect.is_some() || Arc::strong_count(&self.slab) == 1
    }

    fn mark(&self, trail: Trail) {
        self.indirect.as_ref().unwrap_or(&self.slab.ticket).mark(trail);
    }

    fn attach(&self, skip: usize, pool: &HeapPool) -> Option<Self> {
        Some(Self {
            slab: Arc::clone(&self.slab),
            start: self.start + skip,
            len: self.len - skip,
            indirect: Some(pool.take()?),
        })
    }
}

impl HeapBuf {
    pub(super) fn fresh(slab: Slab, headroom: usize) -> Self {
        let head = Piece { slab: Arc::new(slab), start: headroom, len: 0, indirect: None };
        Self { pieces: vec![head], rx_checksum: RxChecksum::Unknown }
    }

    /// Sets what the receiving port said of the transport checksum.
    pub fn set_rx_checksum(&mut self, checksum: RxChecksum) {
        self.rx_checksum = checksum;
    }
}

impl PacketBuf for HeapBuf {
    type Shared = HeapShared;
    type Tx = HeapTx;
    type Pool = HeapPool;

    fn frame_len(&self) -> usize {
        self.pieces.iter().map(|p| p.len).sum()
    }

    fn piece_count(&self) -> usize {
        self.pieces.len()
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(Piece::bytes)
    }

    fn head(&self) -> &[u8] {
        self.pieces[0].bytes()
    }

    fn head_mut(&mut self) -> &mut [u8] {
        let head = &mut self.pieces[0];
        let slab = Arc::get_mut(&mut head.slab).expect("an owned packet alone holds its head");
        &mut slab.bytes[head.start..head.start + head.len]
    }

    fn prepend(&mut self, len: usize) -> Option<&mut [u8]> {
        let head = &mut self.pieces[0];
        head.start = head.start.checked_sub(len)?;
        head.len += len;
        Some(&mut self.head_mut()[..len])
    }

    fn append(&mut self, len: usize) -> Option<&mut [u8]> {
        let [head] = self.pieces.as_mut_slice() else { return None };
        let old = head.len;
        if head.slab.bytes.len() - head.start - old < len {
            return None;
        }
        head.len += len;
        Some(&mut self.head_mut()[old..])
    }

    fn trim_front(&mut self, len: usize) -> bool {
        let head = &mut self.pieces[0];
        if len > head.len {
            return false;
        }
        head.start += len;
        head.len -= len;
        true
    }

    fn truncate(&mut self, len: usize) {
        let mut left = len;
        for piece in &mut self.pieces {
            piece.len = piece.len.min(left);
            left -= piece.len;
        }
        let mut first = true;
        self.pieces.retain(|p| std::mem::take(&mut first) || p.len > 0);
    }

    fn chain(&mut self, tail: Self) {
        self.pieces.extend(tail.pieces);
    }

    fn detach(&mut self) -> Option<Self> {
        let next = self.pieces.get(1)?;
        if next.indirect.is_some() || !next.is_sole() {
            return None;
        }
        Some(Self { pieces: self.pieces.split_off(1), rx_checksum: self.rx_checksum })
    }

    fn rx_checksum(&self) -> RxChecksum {
        self.rx_checksum
    }

    fn mark(&mut self, trail: Trail) {
        self.pieces[0].mark(trail);
    }

    fn share(self) -> HeapShared {
        HeapShared { packet: Arc::new(self) }
    }

    fn into_tx(self) -> HeapTx {
        HeapTx::Owned(self)
    }
}

impl SharedBuf for HeapShared {
    type Owned = HeapBuf;

    fn frame_len(&self) -> usize {
        self.packet.frame_len()
    }

    fn piece_count(&self) -> usize {
        self.packet.piece_count()
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.packet.pieces()
    }

    fn head(&self) -> &[u8] {
        self.packet.head()
    }

    fn with_private_header(&self, header_len: usize, pool: &HeapPool) -> Option<HeapBuf> {
        let [head, rest @ ..] = self.packet.pieces.as_slice() else { return None };
        let mut replica = pool.alloc_from(head.bytes().get(..header_len)?)?;
        if head.len > header_len {
            replica.pieces.push(head.attach(header_len, pool)?);
        }
        for piece in rest {
            replica.pieces.push(piece.attach(0, pool)?);
        }
        replica.rx_checksum = self.packet.rx_checksum;
        Some(replica)
    }

    fn copy(&self, pool: &HeapPool) -> Option<HeapBuf> {
        let mut replica = pool.alloc()?;
        self.packet.read(0, replica.append(self.frame_len())?);
        replica.rx_checksum = self.packet.rx_checksum;
        Some(replica)
    }

    fn try_unshare(self) -> Result<HeapBuf, Self> {
        if !self.packet.pieces.iter().all(Piece::is_sole) {
            return Err(self);
        }
        Arc::try_unwrap(self.packet).map_err(|packet| Self { packet })
    }

    fn into_tx(self) -> HeapTx {
        HeapTx::Shared(self)
    }
}

impl HeapTx {
    /// The frame's bytes, for the far end of a simulated queue.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Owned(packet) => packet.to_vec(),
            Self::Shared(shared) => shared.packet.to_vec(),
        }
    }
}

impl TxBuf for HeapTx {
    type Shared = HeapShared;

    fn arrive(self) -> HeapShared {
        match self {
            Self::Owned(packet) => packet.share(),
            Self::Shared(shared) => shared,
        }
    }

    fn frame_len(&self) -> usize {
        match self {
            Self::Owned(packet) => packet.frame_len(),
            Self::Shared(shared) => shared.frame_len(),
        }
    }

    fn piece_count(&self) -> usize {
        match self {
            Self::Owned(packet) => packet.piece_count(),
            Self::Shared(shared) => shared.piece_count(),
        }
    }

    fn mark(&mut self, trail: Trail) {
        match self {
            Self::Owned(packet) => packet.mark(trail),
            Self::Shared(shared) => shared.packet.pieces[0].mark(trail),
        }
    }

    fn copy_into(&self, out: &mut [u8]) -> usize {
        match self {
            Self::Owned(packet) => packet.read(0, out),
            Self::Shared(shared) => shared.packet.read(0, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_with_a_private_header_keeps_the_others_bytes() {
        let pool = HeapPool::new(8, 2048);
        let shared = pool.alloc_from(b"headerpayload").unwrap().share();
        let mut replica = shared.with_private_header(6, &pool).unwrap();
        assert_eq!(pool.available(), 5); // the packet, the head, the indirect piece
        replica.head_mut().copy_from_slice(b"HEADER");
        assert_eq!(replica.to_vec(), b"HEADERpayload");
        assert_eq!(shared.pieces().flatten().copied().collect::<Vec<_>>(), b"headerpayload");
        let Err(shared) = shared.try_unshare() else { panic!("its data is held by the replica") };
        drop(replica);
        assert!(shared.try_unshare().is_ok());
        assert!(pool.is_full());
    }
}
