//! Buffers of peers that say much: what was read into one is a block as it is, without a copy.

use swak_sdk::data::{Block, BlockPool};

/// Where large buffers come from, and where they go when no record needs them any more. Clones share
/// them.
#[derive(Clone)]
pub(crate) struct Buffers(BlockPool);

impl Buffers {
    /// The bytes of a large buffer. More would be no faster: what is made of them should fit into the
    /// caches of a processor.
    pub(crate) const SIZE: usize = 128 * 1024;

    /// How many are kept for the next who need one.
    const KEEP: usize = 8;

    pub(crate) fn new() -> Self {
        Buffers(BlockPool::new(Buffers::SIZE, Buffers::KEEP))
    }

    /// Whether it is worth keeping.
    pub(crate) fn is_large(buffer: &Vec<u8>) -> bool {
        buffer.capacity() >= Buffers::SIZE
    }

    /// A large buffer with these bytes.
    pub(crate) fn take(&self, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = self.0.take();
        buffer.extend_from_slice(bytes);
        buffer
    }

    /// The block of a buffer's first bytes, and the buffer to go on with, which has the others.
    ///
    /// A block must not hold much more memory than the records in it need: of a buffer that is small
    /// or mostly empty it is a copy.
    pub(crate) fn split(&self, buffer: &mut Vec<u8>, at: usize) -> Block {
        if Buffers::is_large(buffer) && at >= buffer.capacity() / 2 {
            let rest = self.take(&buffer[at..]);
            let mut full = std::mem::replace(buffer, rest);
            full.truncate(at);
            self.0.seal(full)
        } else {
            let block = Block::from(buffer[..at].to_vec());
            buffer.drain(..at);
            block
        }
    }

    /// Changes a large buffer for one with room for `room` bytes more.
    pub(crate) fn give_back(&self, buffer: &mut Vec<u8>, room: usize) {
        let mut small = Vec::with_capacity(buffer.len() + room);
        small.extend_from_slice(buffer);
        // What nobody holds a slice of is free at once.
        drop(self.0.seal(std::mem::replace(buffer, small)));
    }
}
