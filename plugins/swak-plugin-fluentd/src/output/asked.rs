//! Chunk ids, and the acks that must come for them.

use std::ops::Range;

use crate::host::random;

/// The chunk ids for which acks must come: numbers one after the other.
#[derive(Debug, Default)]
pub(super) struct Asked {
    sender: u64,
    pub(super) first: u64,
    /// Of each number, its message.
    messages: Vec<Sent>,
    left: usize,
}

/// A message that asks for an ack.
#[derive(Debug)]
struct Sent {
    /// Where it ends in the bytes of all; it begins where the one before it ends.
    end: usize,
    records: usize,
    /// Whether its ack is still to come.
    open: bool,
}

/// An ack for a chunk that was not asked for, or has it already.
#[derive(Debug, PartialEq)]
pub(super) struct UnknownChunk;

impl Asked {
    pub(super) fn begin(&mut self, first: u64, sender: Option<u64>) {
        self.sender = sender.unwrap_or_default();
        self.first = first;
        self.messages.clear();
        self.left = 0;
    }

    /// The number after the last.
    pub(super) fn end(&self) -> u64 {
        self.first + self.messages.len() as u64
    }

    /// The next number is that of a message that ends here.
    pub(super) fn ask(&mut self, end: usize, records: usize) {
        self.messages.push(Sent { end, records, open: true });
        self.left += 1;
    }

    /// Forgets the first messages up to one whose ack is still to come: where they end, and how many
    /// records they hold.
    pub(super) fn take_acknowledged(&mut self) -> (usize, usize) {
        let n = self.messages.iter().take_while(|message| !message.open).count();
        let (mut end, mut records) = (0, 0);
        for message in self.messages.drain(..n) {
            end = message.end;
            records += message.records;
        }
        self.first += n as u64;
        self.messages.iter_mut().for_each(|message| message.end -= end);
        (end, records)
    }

    /// Where the messages lie whose acks are still to come; those that follow each other in one.
    pub(super) fn unacknowledged(&self) -> Vec<Range<usize>> {
        let (mut ranges, mut start) = (Vec::<Range<usize>>::new(), 0);
        for message in &self.messages {
            match ranges.last_mut() {
                _ if !message.open => {}
                Some(last) if last.end == start => last.end = message.end,
                _ => ranges.push(start..message.end),
            }
            start = message.end;
        }
        ranges
    }

    /// Whether all acks have come.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Takes note of an ack.
    pub(super) fn answered(&mut self, id: &[u8]) -> Result<(), UnknownChunk> {
        let (sender, number) = read_id(id).ok_or(UnknownChunk)?;
        let i = number.checked_sub(self.first).and_then(|i| usize::try_from(i).ok());
        let message = i.and_then(|i| self.messages.get_mut(i)).filter(|message| message.open);
        let message = message.filter(|_| sender == self.sender).ok_or(UnknownChunk)?;
        message.open = false;
        self.left -= 1;
        Ok(())
    }
}

/// Ids that no other sender uses.
pub(super) struct ChunkIds {
    pub(super) sender: u64,
}

impl ChunkIds {
    pub(super) fn new() -> Self {
        ChunkIds { sender: u64::from_be_bytes(random()) }
    }

    pub(super) fn id(&self, number: u64) -> String {
        format!("{:016x}-{number:016x}", self.sender)
    }
}

fn read_id(id: &[u8]) -> Option<(u64, u64)> {
    let (sender, number) = std::str::from_utf8(id).ok()?.split_once('-')?;
    if sender.len() != 16 || number.len() != 16 {
        return None;
    }
    Some((u64::from_str_radix(sender, 16).ok()?, u64::from_str_radix(number, 16).ok()?))
}
