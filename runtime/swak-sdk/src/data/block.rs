//! Shared blocks of bytes and slices of them: how a line travels without being copied.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

/// A block of bytes that was read at once and is never changed again.
///
/// All slices of it share it; when the last one is gone, the memory goes back to the [`BlockPool`]
/// it came from, because copying into memory that was never touched is several times slower than
/// into memory that was.
#[derive(Clone)]
pub struct Block(Arc<Inner>);

struct Inner {
    data: Vec<u8>,
    pool: Option<BlockPool>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.put(std::mem::take(&mut self.data));
        }
    }
}

impl Block {
    /// The largest block: offsets in it are 32 bits wide.
    pub const MAX: usize = u32::MAX as usize;

    /// How many bytes of memory it takes: more than it holds when less was read than there was room for.
    pub fn memory(&self) -> usize {
        self.0.data.capacity()
    }

    /// The whole block as a slice.
    pub fn slice_all(&self) -> Slice {
        Slice { block: self.clone(), start: 0, len: self.0.data.len() as u32 }
    }

    /// The bytes from `start` to `end`.
    ///
    /// # Panics
    /// If the range does not lie in the block.
    pub fn slice(&self, start: usize, end: usize) -> Slice {
        assert!(start <= end && end <= self.0.data.len(), "slice {start}..{end} out of the block");
        Slice { block: self.clone(), start: start as u32, len: (end - start) as u32 }
    }

    /// The slice that holds just these bytes, when they are borrowed from this block.
    pub fn subset(&self, part: &[u8]) -> Option<Slice> {
        let start = (part.as_ptr() as usize).checked_sub(self.as_ptr() as usize)?;
        let end = start.checked_add(part.len())?;
        (end <= self.len()).then(|| self.slice(start, end))
    }
}

impl From<Vec<u8>> for Block {
    /// # Panics
    /// If there are more than [`Block::MAX`] bytes.
    fn from(data: Vec<u8>) -> Self {
        assert!(data.len() <= Block::MAX, "a block holds less than 4 GiB");
        Block(Arc::new(Inner { data, pool: None }))
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0.data
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} bytes)", self.0.data.len())
    }
}

/// Buffers that are used again.
#[derive(Clone)]
pub struct BlockPool(Arc<PoolInner>);

struct PoolInner {
    free: Mutex<Vec<Vec<u8>>>,
    capacity: usize,
    keep: usize,
}

impl BlockPool {
    /// A pool of buffers of `capacity` bytes that keeps at most `keep` of them unused.
    pub fn new(capacity: usize, keep: usize) -> Self {
        BlockPool(Arc::new(PoolInner { free: Mutex::new(Vec::new()), capacity, keep }))
    }

    /// An empty buffer.
    pub fn take(&self) -> Vec<u8> {
        let used = self.0.free.lock().expect("no panic while the pool is locked").pop();
        used.unwrap_or_else(|| Vec::with_capacity(self.0.capacity))
    }

    /// Makes a block whose memory comes back to this pool.
    ///
    /// # Panics
    /// If there are more than [`Block::MAX`] bytes.
    pub fn seal(&self, data: Vec<u8>) -> Block {
        assert!(data.len() <= Block::MAX, "a block holds less than 4 GiB");
        Block(Arc::new(Inner { data, pool: Some(self.clone()) }))
    }

    fn put(&self, mut data: Vec<u8>) {
        // A buffer that had to grow for one long line is not kept for ever.
        if data.capacity() > self.0.capacity * 2 {
            return;
        }
        data.clear();
        let mut free = self.0.free.lock().expect("no panic while the pool is locked");
        if free.len() < self.0.keep {
            free.push(data);
        }
    }
}

/// Some bytes of a [`Block`]. Cloning it copies nothing.
#[derive(Clone)]
pub struct Slice {
    block: Block,
    start: u32,
    len: u32,
}

impl Slice {
    /// A part of this slice.
    ///
    /// # Panics
    /// If the range does not lie in the slice.
    pub fn slice(&self, start: usize, end: usize) -> Slice {
        assert!(start <= end && end <= self.len as usize, "slice {start}..{end} out of the slice");
        Slice {
            block: self.block.clone(),
            start: self.start + start as u32,
            len: (end - start) as u32,
        }
    }

    /// The slice that holds just these bytes, when they are borrowed from this one.
    ///
    /// This is how a parser that works on `&[u8]` gives back slices instead of copies.
    pub fn subset(&self, part: &[u8]) -> Option<Slice> {
        let offset = (part.as_ptr() as usize).checked_sub(self.as_ptr() as usize)?;
        (offset + part.len() <= self.len as usize).then(|| self.slice(offset, offset + part.len()))
    }

    /// The block that it is a part of.
    pub fn block(&self) -> &Block {
        &self.block
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block.0.data[self.start as usize..(self.start + self.len) as usize]
    }
}

impl From<Vec<u8>> for Slice {
    fn from(data: Vec<u8>) -> Self {
        Block::from(data).slice_all()
    }
}

impl From<&[u8]> for Slice {
    fn from(data: &[u8]) -> Self {
        Slice::from(data.to_vec())
    }
}

impl From<&str> for Slice {
    fn from(text: &str) -> Self {
        Slice::from(text.as_bytes())
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self))
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_goes_back_to_the_pool_with_the_last_slice() {
        let pool = BlockPool::new(64, 2);
        let mut buffer = pool.take();
        buffer.extend_from_slice(b"one two");
        let address = buffer.as_ptr();
        let block = pool.seal(buffer);
        let word = block.slice(4, 7);
        drop(block);
        assert_eq!(&*word, b"two");
        drop(word);
        let again = pool.take();
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
    }

    #[test]
    fn a_grown_buffer_is_let_go() {
        let pool = BlockPool::new(8, 2);
        drop(pool.seal(vec![0; 100]));
        assert_eq!(pool.take().capacity(), 8);
    }

    #[test]
    fn subset_finds_borrowed_parts_only() {
        let slice = Slice::from("GET /index.html");
        assert_eq!(slice.subset(&slice[4..]), Some(Slice::from("/index.html")));
        assert_eq!(slice.slice(4, 15).subset(&slice[0..3]), None);
        assert_eq!(slice.subset(b"GET"), None);
    }
}
