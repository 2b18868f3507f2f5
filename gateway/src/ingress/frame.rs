use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::ParseError;
use crate::wire::view;

/// The head piece of a frame, and how long the frame is.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    head: &'a [u8],
    len: usize,
}

impl<'a> Frame<'a> {
    /// A frame is at least as long as its head.
    #[inline]
    pub(super) fn new(head: &'a [u8], len: usize) -> Self {
        Self { head, len: len.max(head.len()) }
    }

    /// Bytes in all pieces.
    #[inline]
    pub(super) fn len(self) -> usize {
        self.len
    }

    /// The header at `offset`; `None` if the frame ends before its end.
    #[inline]
    pub(super) fn header<T>(self, offset: usize) -> Result<Option<&'a T>, ParseError>
    where
        T: FromBytes + Immutable + KnownLayout + Unaligned,
    {
        match view(self.head, offset) {
            Some(header) => Ok(Some(header)),
            None if offset + size_of::<T>() <= self.len => Err(ParseError::Split),
            None => Ok(None),
        }
    }

    /// The bytes `from..to`; those behind the end of the frame are missing.
    #[inline]
    pub(super) fn bytes(self, from: usize, to: usize) -> Result<&'a [u8], ParseError> {
        let to = to.min(self.len);
        match self.head.get(from..to) {
            Some(bytes) => Ok(bytes),
            None if to > self.head.len() => Err(ParseError::Split),
            None => Ok(&[]),
        }
    }

    /// The part of `from..to` that is in the head piece.
    #[inline]
    pub(super) fn in_head(self, from: usize, to: usize) -> &'a [u8] {
        self.head.get(from..to.min(self.head.len())).unwrap_or(&[])
    }
}
