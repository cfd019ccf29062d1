//! From a chunk to the messages that carry it.

use std::borrow::Cow;

use swak_sdk::data::{Batch, Chunk, LineRange, RecordRef, Timestamp};
use swak_sdk::options::{Scope, Template};

use super::asked::{Asked, ChunkIds};
use crate::forward::Encoder;

/// How much memory the buffer keeps for the next chunk.
const KEPT_SIZE: usize = 8 << 20;

/// The messages of one chunk, in a buffer that is used again.
///
/// A chunk that is sent again has the ids that it had: a receiver that has it already, and whose ack
/// was lost, can tell. Of a chunk that is sent again only those messages are that were not acknowledged
/// before. So, until it is known to be delivered, its bytes are kept to compare with.
pub(super) struct Messages {
    encoder: Encoder,
    bytes: Vec<u8>,
    ids: Option<ChunkIds>,
    /// What was written before, while it may still come again.
    before: Vec<u8>,
    /// The first id of what was written last, until it is known to be delivered.
    in_doubt: Option<u64>,
    asked: Asked,
    tag: String,
    /// Whether a message has begun, and how many records it holds.
    open: bool,
    records: usize,
    /// After how many bytes of events it ends.
    message_size: usize,
}

impl Messages {
    /// With ids, each message asks for an ack.
    pub(super) fn new(encoder: Encoder, ids: Option<ChunkIds>, message_size: usize) -> Self {
        Messages {
            encoder,
            bytes: Vec::new(),
            ids,
            before: Vec::new(),
            in_doubt: None,
            asked: Asked::default(),
            tag: String::new(),
            open: false,
            records: 0,
            message_size,
        }
    }

    /// Writes the messages of a chunk: one for each run of records with the same tag, so that
    /// their order stays.
    pub(super) fn write(&mut self, chunk: &Chunk, tag: &Tag) {
        let next = self.asked.end();
        match self.in_doubt.take() {
            Some(first) => {
                std::mem::swap(&mut self.bytes, &mut self.before);
                let before = std::mem::take(&mut self.asked);
                self.write_from(first, chunk, tag);
                if self.bytes == self.before {
                    // The same chunk, whose messages are those of before.
                    self.asked = before;
                } else {
                    self.write_from(next, chunk, tag);
                }
                self.before = Vec::new();
            }
            None => self.write_from(next, chunk, tag),
        }
        self.in_doubt = self.ids.is_some().then_some(self.asked.first);
    }

    /// What is to be sent, and for what an ack must come.
    pub(super) fn parts(&mut self) -> (Vec<&[u8]>, &mut Asked) {
        let pieces = match self.ids {
            Some(_) => {
                let unsent = self.asked.unacknowledged().into_iter();
                unsent.map(|range| &self.bytes[range]).collect()
            }
            None => vec![&*self.bytes],
        };
        (pieces, &mut self.asked)
    }

    /// What was written is delivered.
    pub(super) fn delivered(&mut self) {
        self.in_doubt = None;
    }

    /// Forgets the first messages that were acknowledged, and says how many records they hold. What is
    /// then written again is the rest, under the ids that it had.
    pub(super) fn take_acknowledged(&mut self) -> usize {
        if self.in_doubt.is_none() {
            return 0;
        }
        let (end, records) = self.asked.take_acknowledged();
        self.bytes.drain(..end);
        self.in_doubt = (!self.bytes.is_empty()).then_some(self.asked.first);
        records
    }

    fn write_from(&mut self, first: u64, chunk: &Chunk, tag: &Tag) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_SIZE);
        self.asked.begin(first, self.ids.as_ref().map(|ids| ids.sender));
        for batch in chunk.batches() {
            match tag.of_all(batch) {
                Some(tag) => {
                    self.switch_to(tag);
                    match batch.lines().filter(|_| !self.encoder.is_one_each()) {
                        Some((block, lines)) if !lines.is_empty() => {
                            self.lines(block, lines, batch.get(0).time());
                        }
                        _ => batch.iter().for_each(|record| self.event(record)),
                    }
                }
                None => {
                    for record in batch.iter() {
                        self.switch_to(&tag.of(batch, record));
                        self.event(record);
                    }
                }
            }
        }
        self.end_message();
    }

    fn switch_to(&mut self, tag: &str) {
        if tag != self.tag {
            self.end_message();
            tag.clone_into(&mut self.tag);
        }
    }

    /// Lines of a block that were all read at this time.
    fn lines(&mut self, block: &[u8], lines: &[LineRange], time: Timestamp) {
        let mut lines = self.encoder.begin_lines(block, lines, time);
        while !lines.is_done() {
            self.begin_message();
            self.records += self.encoder.lines(&mut self.bytes, &mut lines, self.message_size);
            if self.encoder.size(&self.bytes) >= self.message_size {
                self.end_message();
            }
        }
    }

    #[inline]
    fn event(&mut self, record: RecordRef<'_>) {
        self.begin_message();
        self.records += 1;
        self.encoder.event(&mut self.bytes, record);
        if self.encoder.is_one_each() || self.encoder.size(&self.bytes) >= self.message_size {
            self.end_message();
        }
    }

    /// Unless one is open.
    #[inline]
    fn begin_message(&mut self) {
        if !self.open {
            self.encoder.begin(&mut self.bytes, &self.tag, self.ids.is_some());
            self.open = true;
            self.records = 0;
        }
    }

    fn end_message(&mut self) {
        if !self.open {
            return;
        }
        self.open = false;
        match &self.ids {
            Some(ids) => {
                let id = ids.id(self.asked.end());
                self.encoder.end(&mut self.bytes, Some(&id));
                self.asked.ask(self.bytes.len(), self.records);
            }
            None => self.encoder.end(&mut self.bytes, None),
        }
    }
}

/// Where the tag of a record comes from. Most often it is that of its batch, and no template has to
/// be rendered for each record.
pub(super) enum Tag {
    OfBatch,
    Fixed(String),
    Template(Template),
}

impl From<Template> for Tag {
    fn from(template: Template) -> Self {
        match template.as_constant() {
            Some("") => Tag::OfBatch,
            Some(tag) => Tag::Fixed(tag.to_owned()),
            None if matches!(template.as_str(), "{{ tag }}" | "{{tag}}") => Tag::OfBatch,
            None => Tag::Template(template),
        }
    }
}

impl Tag {
    /// The tag of all records of a batch, where it is the same.
    fn of_all<'a>(&'a self, batch: &'a Batch) -> Option<&'a str> {
        match self {
            Tag::OfBatch => Some(&batch.tag),
            Tag::Fixed(tag) => Some(tag),
            Tag::Template(_) => None,
        }
    }

    fn of<'a>(&'a self, batch: &'a Batch, record: RecordRef<'a>) -> Cow<'a, str> {
        match self {
            // A template that fails on one record must not stop the others.
            Tag::Template(template) => match template.render(&Scope::new(batch, record)) {
                Ok(tag) if !tag.is_empty() => Cow::Owned(tag),
                _ => Cow::Borrowed(&batch.tag),
            },
            Tag::OfBatch => Cow::Borrowed(&batch.tag),
            Tag::Fixed(tag) => Cow::Borrowed(tag),
        }
    }
}

#[cfg(test)]
mod tests;
