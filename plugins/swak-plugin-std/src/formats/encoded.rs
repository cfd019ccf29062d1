//! A chunk as the bytes that are to be written.

use std::ops::Range;

/// A chunk as bytes: parts of the encoder's buffer, and parts of blocks that need no copy.
pub(crate) struct Encoded<'a> {
    buffer: &'a [u8],
    pieces: Vec<Piece<'a>>,
    replaced: usize,
}

pub(super) enum Piece<'a> {
    Buffered(Range<usize>),
    Borrowed(&'a [u8]),
}

impl<'a> Encoded<'a> {
    pub(super) fn new(buffer: &'a [u8], pieces: Vec<Piece<'a>>, replaced: usize) -> Self {
        Encoded { buffer, pieces, replaced }
    }

    /// How many values held bytes that had to be replaced, as they are not UTF-8.
    pub(crate) fn replaced(&self) -> usize {
        self.replaced
    }

    /// The bytes in order.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &'a [u8]> + Clone + '_ {
        let buffer = self.buffer;
        self.pieces.iter().map(move |piece| match piece {
            Piece::Buffered(range) => &buffer[range.clone()],
            Piece::Borrowed(bytes) => bytes,
        })
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.slices().map(<[u8]>::len).sum()
    }

    /// Appends all bytes.
    pub(crate) fn copy_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len());
        for slice in self.slices() {
            out.extend_from_slice(slice);
        }
    }
}

/// Adds a range of the buffer; what follows on another range becomes one with it.
pub(super) fn push_buffered(pieces: &mut Vec<Piece<'_>>, range: Range<usize>) {
    match pieces.last_mut() {
        _ if range.is_empty() => {}
        Some(Piece::Buffered(last)) if last.end == range.start => last.end = range.end,
        _ => pieces.push(Piece::Buffered(range)),
    }
}
