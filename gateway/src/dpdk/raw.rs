//! A pointer to a live mbuf and its members by offset. Everything above is safe code over this.
//!
//! Members are reached by the offsets of the headers DPDK was compiled with (`dpdk_sys::MBUF_*`),
//! never through a reference to the whole struct: the reference count changes under other threads.

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use dpdk_sys as sys;

use crate::ideas;
use crate::packet::Trail;

/// A pointer to one mbuf, the head of its chain or a later piece.
///
/// *Invariant:* whoever made it (see [`Raw::new`]) guarantees that the mbuf is out of its pool, and
/// that nobody else writes the members it reads, as long as any copy of the pointer is used.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Raw(NonNull<sys::rte_mbuf>);

/// A member of `struct rte_mbuf`: its offset and its type.
pub(super) struct Field<T>(usize, PhantomData<T>);

impl<T> Field<T> {
    const fn at(offset: u32) -> Self {
        Self(offset as usize, PhantomData)
    }
}

const BUF_ADDR: Field<*mut u8> = Field::at(sys::MBUF_BUF_ADDR);
const REFCNT: Field<AtomicU16> = Field::at(sys::MBUF_REFCNT);
pub(super) const DATA_OFF: Field<u16> = Field::at(sys::MBUF_DATA_OFF);
pub(super) const SEGMENTS: Field<u16> = Field::at(sys::MBUF_NB_SEGS);
pub(super) const FLAGS: Field<u64> = Field::at(sys::MBUF_OL_FLAGS);
pub(super) const FRAME_LEN: Field<u32> = Field::at(sys::MBUF_PKT_LEN);
pub(super) const DATA_LEN: Field<u16> = Field::at(sys::MBUF_DATA_LEN);
pub(super) const BUF_LEN: Field<u16> = Field::at(sys::MBUF_BUF_LEN);
/// `hash.usr`, "user defined tags": what a driver may have put there nobody here asks for.
const MARK: Field<AtomicU32> = Field::at(sys::MBUF_HASH);
const NEXT: Field<Option<Raw>> = Field::at(sys::MBUF_NEXT);

/// The bytes are another mbuf's, or nobody's of a pool (`RTE_MBUF_DIRECT` negated).
const NOT_DIRECT: u64 = sys::RTE_MBUF_F_INDIRECT | sys::RTE_MBUF_F_EXTERNAL;

impl Raw {
    /// # Safety
    /// `mbuf` is out of its pool until the last use of the value and its copies, and its members
    /// but the reference count are written through them only, or by nobody.
    pub(super) const unsafe fn new(mbuf: NonNull<sys::rte_mbuf>) -> Self {
        Self(mbuf)
    }

    pub(super) const fn as_ptr(self) -> *mut sys::rte_mbuf {
        self.0.as_ptr()
    }

    fn member<T>(self, field: &Field<T>) -> *mut T {
        self.0.as_ptr().wrapping_byte_add(field.0).cast()
    }

    pub(super) fn read<T: Copy>(self, field: &Field<T>) -> T {
        // SAFETY: the mbuf is live (type invariant); the offset and type are the header's, so the
        // member is in bounds, aligned and initialised by the allocation; nobody writes it now.
        unsafe { self.member(field).read() }
    }

    pub(super) fn write<T: Copy>(self, field: &Field<T>, value: T) {
        // SAFETY: as for `read`; writers hold the packet by `&mut` or by value.
        unsafe { self.member(field).write(value) }
    }

    pub(super) fn set_flags(self, flags: u64) {
        self.write(&FLAGS, self.read(&FLAGS) | flags);
    }

    pub(super) fn next(self) -> Option<Self> {
        self.read(&NEXT)
    }

    pub(super) fn set_next(self, next: Option<Self>) {
        self.write(&NEXT, next);
    }

    /// The piece and all behind it.
    pub(super) fn chain(self) -> impl Iterator<Item = Self> {
        core::iter::successors(Some(self), |piece| piece.next())
    }

    /// The data of this piece. Valid while the mbuf is live.
    pub(super) fn data(self) -> *mut [u8] {
        let start = self.read(&BUF_ADDR).wrapping_add(usize::from(self.read(&DATA_OFF)));
        core::ptr::slice_from_raw_parts_mut(start, usize::from(self.read(&DATA_LEN)))
    }

    /// Has the processor fetch the first bytes of the data into its caches.
    #[inline]
    pub(super) fn prefetch(self) {
        const {
            assert!(ideas::PREFETCH == 0 || cfg!(target_arch = "x86_64"), "no prefetch here");
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch accesses nothing: it faults at no address (Intel SDM, PREFETCHh).
        unsafe {
            core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(
                self.data().cast_const().cast(),
            );
        }
    }

    fn references(&self) -> &AtomicU16 {
        // SAFETY: the mbuf is live while this pointer to it is (type invariant). The member is an
        // aligned u16, and DPDK accesses it atomically as well (RTE_MBUF_REFCNT_ATOMIC, on unless a
        // build turns it off).
        unsafe { &*self.member(&REFCNT) }
    }

    /// Marks the buffer; whoever holds a reference may, for nobody decides by it.
    #[inline]
    pub(super) fn mark(self, trail: Trail) {
        // SAFETY: the mbuf is live (type invariant); the member is an aligned u32 that is accessed
        // atomically wherever several may hold the buffer.
        unsafe { &*self.member(&MARK) }.store(trail.to_bits(), Ordering::Relaxed);
    }

    /// The last mark.
    pub(super) fn trail(self) -> Trail {
        // SAFETY: as for `mark`.
        Trail::from_bits(unsafe { &*self.member(&MARK) }.load(Ordering::Relaxed))
    }

    /// How many hold the piece.
    pub(super) fn reference_count(self) -> u16 {
        self.references().load(Ordering::Relaxed)
    }

    /// Takes one more reference on this piece.
    ///
    /// As `rte_mbuf_refcnt_update`: the sole holder needs no atomic addition, since a count of 1 is
    /// its own. That asks for handles that are used by one thread at a time: they are not `Sync`.
    pub(super) fn retain(self) {
        let count = self.references();
        if count.load(Ordering::Relaxed) == 1 {
            count.store(2, Ordering::Relaxed);
        } else if count.fetch_add(1, Ordering::Relaxed) == u16::MAX {
            // 65,535 references: the next release would free under the others' hands.
            std::process::abort();
        }
    }

    /// Whether this is the only reference to the piece: no other handle, no indirect mbuf on it.
    pub(super) fn is_sole(self) -> bool {
        // Acquire: what another holder read happened before it gave its reference up.
        self.references().load(Ordering::Acquire) == 1
    }

    /// Whether the bytes are the mbuf's own.
    pub(super) fn is_direct(self) -> bool {
        self.read(&FLAGS) & NOT_DIRECT == 0
    }

    /// Whether lengths, counts and links of the chain agree, by DPDK's own check.
    fn is_packet(self) -> bool {
        let mut reason = core::ptr::null();
        // SAFETY: the mbuf is live (type invariant), and so is every piece that it links to.
        unsafe { sys::rte_mbuf_check(self.as_ptr(), 1, &raw mut reason) == 0 }
    }

    /// Gives up one reference to every piece of the chain.
    ///
    /// # Safety
    /// The caller owns one reference to every piece and uses no copy of the pointer after.
    pub(super) unsafe fn release(self) {
        debug_assert!(self.is_packet(), "what is freed is no packet");
        // SAFETY: rte_pktmbuf_free takes a packet whose pieces the caller holds one reference to
        // each (this function's condition); it works on any thread, registered or not.
        unsafe { sys::sys_pktmbuf_free(self.as_ptr()) }
    }
}
