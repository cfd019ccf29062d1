//! What came in and is not yet handed on.

use std::io;
use std::ops::Range;

use swak_sdk::data::{Block, Slice};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::budget::{Exhausted, Share};
use crate::msgpack::{ScanError, Scanner};

/// How much is read at once.
const READ: usize = 64 * 1024;

/// What came in of one peer and is not yet handed on.
pub(super) struct Incoming {
    pub(super) bytes: Vec<u8>,
    scanner: Scanner,
    max: usize,
    messages: Vec<Range<usize>>,
    pub(super) share: Share,
}

impl Incoming {
    /// For messages of up to `max` bytes. What there is of them comes from `share`.
    pub(super) fn new(max: usize, share: Share) -> Self {
        let (bytes, messages) = (Vec::new(), Vec::new());
        Incoming { bytes, scanner: Scanner::default(), max, messages, share }
    }

    /// The next value, when it is whole and of up to `max` bytes.
    pub(super) fn take_one(&mut self, max: usize) -> Result<Option<Slice>, ScanError> {
        let found = self.scanner.advance(&self.bytes, max)?;
        Ok(found.map(|len| Slice::from(self.bytes.drain(..len).collect::<Vec<u8>>())))
    }

    /// Reads what there is; 0 when the peer has closed its side.
    pub(super) async fn read_from(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<usize> {
        read_some(reader, &mut self.bytes).await
    }

    /// Looks for complete messages. Those before what is no MessagePack are found all the same.
    pub(super) fn find_messages(&mut self) -> Result<(), ScanError> {
        let mut start = 0;
        while let Some(len) = self.scanner.advance(&self.bytes[start..], self.max)? {
            self.messages.push(start..start + len);
            start += len;
        }
        Ok(())
    }

    /// The complete messages, all in one block.
    pub(super) fn take_messages(&mut self) -> Option<(Block, Vec<Range<usize>>)> {
        let end = self.messages.last()?.end;
        let rest = self.bytes.split_off(end);
        let mut bytes = std::mem::replace(&mut self.bytes, rest);
        // Records must not hold the memory that a buffer has in reserve.
        bytes.shrink_to_fit();
        self.share.finished();
        Some((Block::from(bytes), std::mem::take(&mut self.messages)))
    }

    /// Takes what is left, beyond what every peer may have, from what all have together.
    pub(super) async fn count(&mut self) -> Result<(), Exhausted> {
        self.share.set(self.bytes.len().saturating_sub(READ)).await
    }
}

/// Reads what there is; 0 when the peer has closed its side.
pub(super) async fn read_some(
    reader: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
) -> io::Result<usize> {
    if bytes.capacity() - bytes.len() < READ {
        // Not twice as much as before: what is in reserve is not counted.
        bytes.reserve_exact(READ.max(bytes.len() / 8));
    }
    match reader.read_buf(bytes).await {
        // TLS peers that go without a word; whether a message is cut short shows the message.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::*;

    #[test]
    fn messages_are_found_once_and_the_rest_waits() {
        let mut incoming = Incoming::new(100, Budget::new(0, 100).share());
        incoming.bytes.extend_from_slice(b"\xa1a\xa2bc\xa3d");
        incoming.find_messages().unwrap();
        let (block, ranges) = incoming.take_messages().unwrap();
        assert_eq!(ranges, [0..2, 2..5]);
        assert_eq!(&block[..], b"\xa1a\xa2bc");
        assert_eq!(incoming.bytes, b"\xa3d");
        incoming.find_messages().unwrap();
        assert!(incoming.take_messages().is_none());
        incoming.bytes.extend_from_slice(b"ef\xc1");
        assert_eq!(incoming.find_messages(), Err(ScanError::Reserved));
        assert_eq!(incoming.take_messages().unwrap().1.last(), Some(&(0..4)));
    }
}
