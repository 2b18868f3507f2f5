//! Packets as mbufs: owned, shared, on their way out.
//!
//! *Invariant of [`Mbuf`]:* every piece has a reference count of 1 and the head is direct, so all
//! metadata and the head's bytes are private. Bytes of later pieces may be another mbuf's (indirect
//! pieces of a private header): they are read only.
//! *Invariant of [`SharedMbuf`] and [`TxMbuf`]:* the handle owns one reference to **every** piece.
//!
//! Threads: all three are `Send`, for references are counted atomically and pools take buffers back
//! from any thread. `Mbuf` is `Sync`: `&Mbuf` reads only. `SharedMbuf` is not: cloning through `&`
//! skips the atomic addition when the count is 1, which holds only if the one handle is used by
//! one thread at a time.

use core::mem::ManuallyDrop;

use dpdk_sys as sys;

use super::Pool;
use super::raw::{BUF_LEN, DATA_LEN, DATA_OFF, FLAGS, FRAME_LEN, Raw, SEGMENTS};
use crate::ingress::finish_checksum;
use crate::packet::{BufPool, PacketBuf, RxChecksum, SharedBuf, Trail, TxBuf, read_pieces};

/// A uniquely owned packet.
#[repr(transparent)]
pub struct Mbuf(Raw);

/// A packet that several may hold, read-only for ever.
#[repr(transparent)]
pub struct SharedMbuf(Raw);

/// A packet on its way into a transmit queue.
#[repr(transparent)]
pub struct TxMbuf(Raw);

// SAFETY: the module head says why a handle may move to another thread.
unsafe impl Send for Mbuf {}
// SAFETY: every method that takes `&Mbuf` only reads, and writers need `&mut`.
unsafe impl Sync for Mbuf {}
// SAFETY: as for Mbuf; the reference count, all that handles on several threads change, is atomic.
unsafe impl Send for SharedMbuf {}
// SAFETY: as for SharedMbuf.
unsafe impl Send for TxMbuf {}

impl Mbuf {
    /// # Safety
    /// `raw` fulfils the invariant of [`Mbuf`], and the caller gives it up.
    pub(super) const unsafe fn from_raw(raw: Raw) -> Self {
        Self(raw)
    }

    pub(super) fn into_raw(self) -> Raw {
        ManuallyDrop::new(self).0
    }

    pub(super) fn raw(&self) -> Raw {
        self.0
    }

    /// Forgets what another transmit queue should have done.
    pub(super) fn clear_tx_flags(&mut self) {
        self.0.write(&FLAGS, self.0.read(&FLAGS) & !sys::RTE_MBUF_F_TX_OFFLOAD_MASK);
    }

    /// Where the port says that the bytes are right and the transport checksum is not: computes it.
    pub(super) fn finish_checksum(&mut self) {
        const MASK: u64 = sys::RTE_MBUF_F_RX_L4_CKSUM_MASK;
        let flags = self.0.read(&FLAGS);
        if flags & MASK != sys::RTE_MBUF_F_RX_L4_CKSUM_NONE {
            return;
        }
        let finished = self.piece_count() == 1 && finish_checksum(self.head_mut());
        let verdict = if finished { sys::RTE_MBUF_F_RX_L4_CKSUM_GOOD } else { 0 };
        self.0.write(&FLAGS, flags & !MASK | verdict);
    }

    fn tailroom(&self) -> usize {
        let used = usize::from(self.0.read(&DATA_OFF)) + usize::from(self.0.read(&DATA_LEN));
        usize::from(self.0.read(&BUF_LEN)) - used
    }

    /// The caller has checked that the lengths fit.
    fn set_head(&mut self, data_off: usize, data_len: usize) {
        let old = u32::from(self.0.read(&DATA_LEN));
        self.0.write(&DATA_OFF, data_off as u16);
        self.0.write(&DATA_LEN, data_len as u16);
        self.0.write(&FRAME_LEN, self.0.read(&FRAME_LEN) - old + data_len as u32);
    }
}

impl PacketBuf for Mbuf {
    type Shared = SharedMbuf;
    type Tx = TxMbuf;
    type Pool = Pool;

    fn frame_len(&self) -> usize {
        self.0.read(&FRAME_LEN) as usize
    }

    fn piece_count(&self) -> usize {
        usize::from(self.0.read(&SEGMENTS))
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        pieces(&self.0)
    }

    fn head(&self) -> &[u8] {
        bytes(&self.0, self.0)
    }

    fn head_mut(&mut self) -> &mut [u8] {
        // SAFETY: the head is direct with a count of 1 (invariant), so its bytes are this packet's
        // alone, borrowed mutably for as long as the result; the driver, or whoever wrote the
        // lengths here, kept them inside the buffer. Pool memory is mapped, hence initialised.
        unsafe { &mut *self.0.data() }
    }

    fn prepend(&mut self, len: usize) -> Option<&mut [u8]> {
        let start = usize::from(self.0.read(&DATA_OFF)).checked_sub(len)?;
        self.set_head(start, usize::from(self.0.read(&DATA_LEN)) + len);
        Some(&mut self.head_mut()[..len])
    }

    fn append(&mut self, len: usize) -> Option<&mut [u8]> {
        if self.piece_count() != 1 || len > self.tailroom() {
            return None;
        }
        let old = usize::from(self.0.read(&DATA_LEN));
        self.set_head(usize::from(self.0.read(&DATA_OFF)), old + len);
        Some(&mut self.head_mut()[old..])
    }

    fn trim_front(&mut self, len: usize) -> bool {
        let old = usize::from(self.0.read(&DATA_LEN));
        if len > old {
            return false;
        }
        self.set_head(usize::from(self.0.read(&DATA_OFF)) + len, old - len);
        true
    }

    fn truncate(&mut self, len: usize) {
        if len >= self.frame_len() {
            return;
        }
        let (mut last, mut left, mut count) = (self.0, len, 1);
        while let Some(next) = last.next().filter(|_| left > usize::from(last.read(&DATA_LEN))) {
            left -= usize::from(last.read(&DATA_LEN));
            last = next;
            count += 1;
        }
        let cut = usize::from(last.read(&DATA_LEN)) - left;
        if let Some(rest) = last.next() {
            // What is freed is a packet, and a packet's head knows the lengths of all of it.
            rest.write(&FRAME_LEN, (self.frame_len() - len - cut) as u32);
            rest.write(&SEGMENTS, self.0.read(&SEGMENTS) - count);
            last.set_next(None);
            // SAFETY: the pieces were this packet's, each with one reference, and are unlinked now.
            unsafe { rest.release() };
        }
        last.write(&DATA_LEN, left as u16);
        self.0.write(&FRAME_LEN, len as u32);
        self.0.write(&SEGMENTS, count);
    }

    fn chain(&mut self, tail: Self) {
        let tail = tail.into_raw();
        let last = self.0.chain().last().unwrap_or(self.0);
        last.set_next(Some(tail));
        self.0.write(&FRAME_LEN, self.0.read(&FRAME_LEN) + tail.read(&FRAME_LEN));
        self.0.write(&SEGMENTS, self.0.read(&SEGMENTS) + tail.read(&SEGMENTS));
    }

    fn detach(&mut self) -> Option<Self> {
        let rest = self.0.next().filter(|next| next.is_direct())?;
        let head_len = u32::from(self.0.read(&DATA_LEN));
        rest.write(&FRAME_LEN, self.0.read(&FRAME_LEN) - head_len);
        rest.write(&SEGMENTS, self.0.read(&SEGMENTS) - 1);
        self.0.set_next(None);
        self.0.write(&FRAME_LEN, head_len);
        self.0.write(&SEGMENTS, 1);
        // SAFETY: each piece has one reference (invariant), which goes over to the new packet now
        // that they are unlinked; its head is direct.
        Some(unsafe { Self::from_raw(rest) })
    }

    #[inline]
    fn prefetch(&self) {
        self.0.prefetch();
    }

    fn rx_checksum(&self) -> RxChecksum {
        match self.0.read(&FLAGS) & sys::RTE_MBUF_F_RX_L4_CKSUM_MASK {
            sys::RTE_MBUF_F_RX_L4_CKSUM_GOOD => RxChecksum::Good,
            sys::RTE_MBUF_F_RX_L4_CKSUM_BAD => RxChecksum::Bad,
            _ => RxChecksum::Unknown,
        }
    }

    #[inline]
    fn mark(&mut self, trail: Trail) {
        self.0.mark(trail);
    }

    fn share(self) -> SharedMbuf {
        SharedMbuf(self.into_raw())
    }

    fn into_tx(self) -> TxMbuf {
        TxMbuf(self.into_raw())
    }
}

impl Drop for Mbuf {
    fn drop(&mut self) {
        // SAFETY: the packet owns one reference to each piece and is gone after this.
        unsafe { self.0.release() }
    }
}

impl SharedMbuf {
    /// A fresh head with the first bytes copied, and one indirect mbuf for each piece of the rest,
    /// as `rte_pktmbuf_clone` makes: metadata private throughout, payload shared.
    fn attach_rest(&self, replica: &mut Mbuf, header_len: usize, pool: &Pool) -> Option<()> {
        let mut skip = header_len;
        for piece in self.0.chain() {
            if skip < usize::from(piece.read(&DATA_LEN)) || piece.as_ptr() != self.0.as_ptr() {
                replica.chain(pool.alloc()?.attached_to(piece, skip));
            }
            skip = 0;
        }
        Some(())
    }
}

impl SharedBuf for SharedMbuf {
    type Owned = Mbuf;

    fn frame_len(&self) -> usize {
        self.0.read(&FRAME_LEN) as usize
    }

    fn piece_count(&self) -> usize {
        usize::from(self.0.read(&SEGMENTS))
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        pieces(&self.0)
    }

    fn head(&self) -> &[u8] {
        bytes(&self.0, self.0)
    }

    fn with_private_header(&self, header_len: usize, pool: &Pool) -> Option<Mbuf> {
        let mut replica = pool.alloc_from(self.head().get(..header_len)?)?;
        replica.0.write(&FLAGS, self.0.read(&FLAGS) & sys::RTE_MBUF_F_RX_L4_CKSUM_MASK);
        self.attach_rest(&mut replica, header_len, pool)?;
        Some(replica)
    }

    fn copy(&self, pool: &Pool) -> Option<Mbuf> {
        let mut replica = pool.alloc()?;
        let mut room = replica.append(self.frame_len())?;
        for piece in self.pieces() {
            let (to, rest) = room.split_at_mut(piece.len());
            to.copy_from_slice(piece);
            room = rest;
        }
        replica.0.write(&FLAGS, self.0.read(&FLAGS) & sys::RTE_MBUF_F_RX_L4_CKSUM_MASK);
        Some(replica)
    }

    fn try_unshare(self) -> Result<Mbuf, Self> {
        // Heads of our own making are direct; what a queue yields need not be.
        if !self.0.is_direct() || !self.0.chain().all(Raw::is_sole) {
            return Err(self);
        }
        Ok(Mbuf(ManuallyDrop::new(self).0))
    }

    fn into_tx(self) -> TxMbuf {
        TxMbuf(ManuallyDrop::new(self).0)
    }
}

impl Mbuf {
    /// This empty packet, made an indirect mbuf that shows the bytes of `piece` from `skip` on.
    /// It becomes a later piece at once: its bytes are no longer its own.
    fn attached_to(self, piece: Raw, skip: usize) -> Self {
        // SAFETY: rte_pktmbuf_attach asks for a direct mbuf with a count of 1 to attach (fresh from
        // the pool) and a live one to attach to (the caller's SharedMbuf holds it). It writes the
        // latter's reference count only, atomically unless the caller is the sole holder.
        unsafe { sys::sys_pktmbuf_attach(self.0.as_ptr(), piece.as_ptr()) };
        self.0.write(&DATA_OFF, self.0.read(&DATA_OFF) + skip as u16);
        self.0.write(&DATA_LEN, self.0.read(&DATA_LEN) - skip as u16);
        self.0.write(&FRAME_LEN, u32::from(self.0.read(&DATA_LEN)));
        self
    }
}

impl Clone for SharedMbuf {
    fn clone(&self) -> Self {
        // Every piece, not the head alone: a later piece may be freed by its own count.
        self.0.chain().for_each(Raw::retain);
        Self(self.0)
    }
}

impl Drop for SharedMbuf {
    fn drop(&mut self) {
        // SAFETY: the handle owns one reference to each piece and is gone after this.
        unsafe { self.0.release() }
    }
}

impl TxBuf for TxMbuf {
    type Shared = SharedMbuf;

    fn arrive(self) -> SharedMbuf {
        SharedMbuf(ManuallyDrop::new(self).0)
    }

    fn frame_len(&self) -> usize {
        self.0.read(&FRAME_LEN) as usize
    }

    fn piece_count(&self) -> usize {
        usize::from(self.0.read(&SEGMENTS))
    }

    #[inline]
    fn mark(&mut self, trail: Trail) {
        self.0.mark(trail);
    }

    fn copy_into(&self, out: &mut [u8]) -> usize {
        read_pieces(pieces(&self.0), 0, out)
    }
}

impl Drop for TxMbuf {
    fn drop(&mut self) {
        // SAFETY: the handle owns one reference to each piece and is gone after this.
        unsafe { self.0.release() }
    }
}

/// The bytes of one piece of the chain, borrowed as long as the handle's pointer to the head.
fn bytes(_head: &Raw, piece: Raw) -> &[u8] {
    // SAFETY: the piece is live while its handle is borrowed; its lengths stay inside the buffer
    // (see `head_mut`); nobody writes: an owned packet is borrowed here, a shared one is read-only.
    unsafe { &*piece.data() }
}

fn pieces(head: &Raw) -> impl Iterator<Item = &[u8]> {
    head.chain().map(move |piece| bytes(head, piece))
}
