//! From a chunk to the messages that carry it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use swak_sdk::data::{Batch, Chunk, RecordRef};
use swak_sdk::options::{Scope, Template};

use crate::forward::write_packed_forward;

/// After how many bytes a message ends and another begins: receivers refuse those that are too large.
const MESSAGE_SIZE: usize = 4 << 20;

/// How much memory the buffer keeps for the next chunk.
const KEPT_SIZE: usize = 2 * MESSAGE_SIZE;

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
    pub(super) fn write(&mut self, chunk: &Chunk, tag: &Tag) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_SIZE);
        self.unanswered.clear();
        let mut run: Vec<RecordRef<'_>> = Vec::new();
        let mut run_tag = Cow::Borrowed("");
        for batch in chunk.batches() {
            for record in batch.iter() {
                let tag = tag.of(batch, record);
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
        let mut records = run.drain(..).peekable();
        while records.peek().is_some() {
            let id = self.ids.as_mut().map(ChunkIds::next);
            write_packed_forward(&mut self.bytes, tag, id.as_deref(), &mut records, MESSAGE_SIZE);
            self.unanswered.extend(id.map(String::into_bytes));
        }
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
    fn of<'a>(&'a self, batch: &'a Batch, record: RecordRef<'a>) -> Cow<'a, str> {
        match self {
            Tag::OfBatch => Cow::Borrowed(&batch.tag),
            Tag::Fixed(tag) => Cow::Borrowed(tag),
            // A template that fails on one record must not stop the others.
            Tag::Template(template) => match template.render(&Scope::new(batch, record)) {
                Ok(tag) if !tag.is_empty() => Cow::Owned(tag),
                _ => Cow::Borrowed(&batch.tag),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use swak_sdk::data::{Name, Record, Slice, Timestamp};

    use super::*;
    use crate::forward::{Message, decode};
    use crate::msgpack::Scanner;

    /// Tag, number of events and chunk id of each message.
    fn messages(tag: &str, ids: Option<ChunkIds>) -> Vec<(String, usize, Option<String>)> {
        let batch = |tag: &str, hosts: &[&str]| {
            let record = |host: &&str| {
                let fields = [("host", *host)].into_iter().collect();
                Record::from_fields(fields, Timestamp::default())
            };
            Batch::new(hosts.iter().map(record).collect()).with_tag(Name::from(tag))
        };
        let chunk =
            Chunk::new(vec![batch("x", &["a", "a"]), batch("x", &["b"]), batch("y", &[""])]);
        let mut messages = Messages::new(ids);
        messages.write(&chunk, &Tag::from(Template::new(tag).unwrap()));
        let (mut found, mut at) = (Vec::new(), 0);
        while at < messages.bytes().len() {
            let rest = &messages.bytes()[at..];
            let len = Scanner::default().advance(rest, rest.len()).unwrap().unwrap();
            let message = decode(&Slice::from(&rest[..len]), 1000).unwrap().unwrap();
            let Message { tag, mut entries, chunk } = message;
            let now = Timestamp::default();
            let events = std::iter::from_fn(|| entries.next(now)).filter(Result::is_ok).count();
            let chunk = chunk.map(|id| String::from_utf8(id.to_vec()).unwrap());
            found.push((tag.to_string(), events, chunk));
            at += len;
        }
        let asked = found.iter().filter_map(|(_, _, id)| id.clone().map(String::into_bytes));
        assert_eq!(asked.collect::<BTreeSet<_>>(), messages.unanswered());
        found
    }

    fn without_ids(tag: &str) -> Vec<(String, usize)> {
        messages(tag, None).into_iter().map(|(tag, n, _)| (tag, n)).collect()
    }

    #[test]
    fn records_with_one_tag_travel_in_one_message() {
        let pairs = |pairs: &[(&str, usize)]| -> Vec<_> {
            pairs.iter().map(|(tag, n)| ((*tag).to_owned(), *n)).collect()
        };
        assert_eq!(without_ids("{{ tag }}"), pairs(&[("x", 3), ("y", 1)]));
        assert_eq!(without_ids("fixed"), pairs(&[("fixed", 4)]));
        assert_eq!(without_ids("{{ host }}"), pairs(&[("a", 2), ("b", 1), ("y", 1)]));
        assert_eq!(
            without_ids("{{ tag }}.{{ host }}"),
            pairs(&[("x.a", 2), ("x.b", 1), ("y.", 1)])
        );
    }

    #[test]
    fn a_large_chunk_becomes_several_messages() {
        let line = Record::from_line(vec![b'x'; MESSAGE_SIZE / 3], Timestamp::default());
        let mut messages = Messages::new(Some(ChunkIds::new()));
        messages.write(&Batch::new(vec![line; 7]).into(), &Tag::Fixed("t".to_owned()));
        assert_eq!(messages.unanswered().len(), 3);
    }

    #[test]
    fn every_message_has_an_id_of_its_own() {
        let ids: Vec<_> = messages("{{ tag }}", Some(ChunkIds::new()))
            .into_iter()
            .map(|(_, _, id)| id.expect("acks are asked for"))
            .collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 2);
        assert_ne!(ChunkIds::new().next(), ChunkIds::new().next());
    }
}
