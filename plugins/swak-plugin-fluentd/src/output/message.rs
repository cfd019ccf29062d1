//! From a chunk to the messages that carry it.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use swak_sdk::data::{Batch, Chunk, RecordRef};
use swak_sdk::options::{Scope, Template};

use crate::forward::write_packed_forward;

/// The messages of one chunk, in a buffer that is used again.
pub(super) struct Messages {
    bytes: Vec<u8>,
    ids: Option<ChunkIds>,
    unanswered: BTreeSet<Vec<u8>>,
}

impl Messages {
    /// With ids, each message asks for an ack.
    pub(super) fn new(ids: Option<ChunkIds>) -> Self {
        Messages { bytes: Vec::new(), ids, unanswered: BTreeSet::new() }
    }

    /// Writes the messages of a chunk: one for each run of records with the same tag, so that
    /// their order stays.
    pub(super) fn write(&mut self, chunk: &Chunk, tag: &Template) {
        self.bytes.clear();
        self.unanswered.clear();
        let mut run: Vec<RecordRef<'_>> = Vec::new();
        let mut run_tag = String::new();
        for batch in chunk.batches() {
            for record in batch.iter() {
                let tag = tag_of(tag, batch, record);
                if tag != run_tag {
                    self.message(&run_tag, &mut run);
                    run_tag = tag;
                }
                run.push(record);
            }
        }
        self.message(&run_tag, &mut run);
    }

    /// What is to be sent.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The chunk ids for which an ack must come.
    pub(super) fn unanswered(&self) -> BTreeSet<Vec<u8>> {
        self.unanswered.clone()
    }

    fn message(&mut self, tag: &str, run: &mut Vec<RecordRef<'_>>) {
        if run.is_empty() {
            return;
        }
        let id = self.ids.as_mut().map(ChunkIds::next);
        write_packed_forward(&mut self.bytes, tag, id.as_deref(), run.drain(..));
        self.unanswered.extend(id.map(String::into_bytes));
    }
}

/// Ids that no other sender uses.
pub(super) struct ChunkIds {
    sender: u64,
    next: u64,
}

impl ChunkIds {
    pub(super) fn new() -> Self {
        ChunkIds { sender: RandomState::new().hash_one(std::process::id()), next: 0 }
    }

    fn next(&mut self) -> String {
        self.next += 1;
        format!("{:016x}-{:x}", self.sender, self.next)
    }
}

/// A template that fails on a record, or comes to nothing, must not stop the others.
fn tag_of(template: &Template, batch: &Batch, record: RecordRef<'_>) -> String {
    match template.render(&Scope::new(batch, record)) {
        Ok(tag) if !tag.is_empty() => tag,
        _ => batch.tag.to_string(),
    }
}
