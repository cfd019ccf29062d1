//! What a frame holds, as long as it is in memory.

use swak_sdk::data::Block;
use swak_sdk::data::codec::{self, DecodeError};
use swak_sdk::prelude::*;

/// What a frame holds.
pub(super) enum Content {
    /// The records as they came in, without acks.
    Chunk(Chunk),
    /// What was written of them.
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Content::Bytes(bytes)
    }
}

impl Content {
    /// How much memory records take that are kept as they came in, when that is about as much as their
    /// bytes are: as lines that fill the blocks that they were read into. Of others the bytes are kept:
    /// a few lines must not hold large blocks for as long as they wait.
    pub(super) fn memory_as_chunk(chunk: &Chunk) -> Option<usize> {
        let memory = chunk.batches().iter().map(Batch::lines_memory).sum::<Option<usize>>()?;
        (memory <= 2 * chunk.size()).then_some(memory)
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        match self {
            Content::Chunk(chunk) => chunk.size(),
            Content::Bytes(bytes) => bytes.len(),
        }
    }

    /// The records.
    pub(super) fn into_chunk(self) -> Result<Chunk, DecodeError> {
        match self {
            Content::Chunk(chunk) => Ok(chunk),
            Content::Bytes(bytes) => codec::decode(&Block::from(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_kept_as_they_came_in_where_they_hold_little_else() {
        let text = b"one\ntwo\nthree and a lot more text than there is in the others\n".to_vec();
        let block = Block::from(text);
        let ranges = [(0, 3), (4, 7), (8, 61)].map(|(start, end)| LineRange { start, end });
        let lines = |lines: &[LineRange]| {
            Chunk::from(Batch::from_lines(block.clone(), lines.to_vec(), Timestamp::now()))
        };
        assert_eq!(Content::memory_as_chunk(&lines(&ranges)), Some(block.memory() + 24));
        assert_eq!(Content::memory_as_chunk(&lines(&ranges[..2])), None);
        let mut roomy = Vec::with_capacity(1000);
        roomy.extend_from_slice(b"one");
        let few = Batch::from_lines(roomy.into(), ranges[..1].to_vec(), Timestamp::now());
        assert_eq!(Content::memory_as_chunk(&few.into()), None);
        let text = b"{\"a\":\"a text that is longer than the range of its line\"}".to_vec();
        let all = vec![LineRange { start: 0, end: text.len() as u32 }];
        let mut json = Batch::from_lines(text.into(), all, Timestamp::now());
        assert!(json.read_json_lines(&mut JsonReader::new()));
        assert!(Content::memory_as_chunk(&json.into()).is_some());
        let record = Record::from_fields([("a", 1)].into_iter().collect(), Timestamp::now());
        assert_eq!(Content::memory_as_chunk(&Batch::new(vec![record]).into()), None);
    }
}
