//! How many records are written at once.

use std::collections::VecDeque;
use std::time::Duration;

use swak_sdk::data::{Batch, Chunk};
use swak_sdk::options::DeliveryOptions;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// The most that is written at once, and how long it is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    records: usize,
    bytes: usize,
    wait: Duration,
}

impl Limits {
    /// `None` when the recipe says nothing: chunks are written as they come.
    pub(crate) fn new(options: &DeliveryOptions) -> Option<Self> {
        if options.batch_records.is_none() && options.batch_bytes.is_none() {
            return None;
        }
        Some(Limits {
            records: options.batch_records.unwrap_or(usize::MAX),
            bytes: options.batch_bytes.map_or(usize::MAX, |bytes| bytes.as_usize()),
            wait: *options.batch_wait,
        })
    }

    /// What suits the most demanding of several outputs; the others cut what they get.
    pub(crate) fn widest(all: impl Iterator<Item = Limits>) -> Option<Self> {
        all.reduce(|a, b| Limits {
            records: a.records.max(b.records),
            bytes: a.bytes.max(b.bytes),
            wait: a.wait.min(b.wait),
        })
    }

    /// The chunk in pieces that keep to the limits, in order.
    pub(crate) fn cut(&self, chunk: Chunk) -> Vec<Chunk> {
        let mut pile = Pile::default();
        pile.add(chunk);
        let mut pieces = Vec::new();
        while !pile.batches.is_empty() {
            pieces.push(pile.take(self));
        }
        pieces
    }
}

/// Gathers what comes until a limit is reached, the first of it has waited long enough, or the input
/// waits for what is held here.
pub(crate) struct Batcher {
    limits: Option<Limits>,
    pile: Pile,
    /// How many wait for what is held here.
    pressure: watch::Receiver<usize>,
    ended: bool,
}

impl Batcher {
    /// `pressure` says how many wait for what is held here.
    pub(crate) fn new(limits: Option<Limits>, pressure: watch::Receiver<usize>) -> Self {
        Batcher { limits, pile: Pile::default(), pressure, ended: false }
    }

    /// What is to be written next; `None` when nothing more will come. May be cut off at any `await`.
    pub(crate) async fn next(&mut self, inbox: &mut mpsc::Receiver<Chunk>) -> Option<Chunk> {
        loop {
            let Some(limits) = &mut self.limits else { return inbox.recv().await };
            let full = self.pile.records >= limits.records || self.pile.bytes >= limits.bytes;
            let holds_some = !self.pile.batches.is_empty();
            let is_waited_for = *self.pressure.borrow_and_update() > 0;
            if full || (holds_some && (self.ended || is_waited_for)) {
                return Some(self.pile.take(limits));
            }
            if self.ended {
                return None;
            }
            // A wait that no clock can count is one without end.
            let alarm = self.pile.since().and_then(|since| since.checked_add(limits.wait));
            let alarm = async {
                match alarm {
                    Some(alarm) => sleep_until(alarm).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // What has come in first: it may be what is waited for.
                biased;
                received = inbox.recv() => match received {
                    Some(chunk) => self.pile.add(chunk),
                    None => self.ended = true,
                },
                Ok(()) = self.pressure.changed() => {}
                () = alarm => return Some(self.pile.take(limits)),
            }
        }
    }
}

/// Batches that wait, in order.
#[derive(Default)]
struct Pile {
    batches: VecDeque<Waiting>,
    records: usize,
    bytes: usize,
}

struct Waiting {
    batch: Batch,
    bytes: usize,
    since: Instant,
}

impl Pile {
    fn add(&mut self, chunk: Chunk) {
        let since = Instant::now();
        for batch in chunk {
            let bytes = batch.size();
            self.records += batch.len();
            self.bytes += bytes;
            self.batches.push_back(Waiting { batch, bytes, since });
        }
    }

    fn since(&self) -> Option<Instant> {
        self.batches.front().map(|waiting| waiting.since)
    }

    /// As much as the limits let through, and at least one record.
    fn take(&mut self, limits: &Limits) -> Chunk {
        let mut chunk = Chunk::default();
        let (mut records, mut bytes) = (0, 0);
        while let Some(next) = self.batches.pop_front() {
            let room = limits.bytes.saturating_sub(bytes);
            if next.batch.len() > limits.records - records || next.bytes > room {
                let least = usize::from(records == 0);
                let at = prefix(&next.batch, limits.records - records, room).max(least);
                match at {
                    0 => self.batches.push_front(next),
                    at if at < next.batch.len() => {
                        self.cut(next, at, limits);
                        let first = self.batches.pop_front().expect("it was cut into two at least");
                        self.hand_over(first, &mut chunk);
                    }
                    _ => self.hand_over(next, &mut chunk),
                }
                return chunk;
            }
            records += next.batch.len();
            bytes += next.bytes;
            self.hand_over(next, &mut chunk);
        }
        chunk
    }

    /// Puts a batch back in pieces that keep to the limits; the first one has so many records. It is
    /// cut from its end, so that no record is moved more than once.
    fn cut(&mut self, Waiting { mut batch, since, .. }: Waiting, first: usize, limits: &Limits) {
        let mut starts = vec![first];
        let (mut records, mut bytes) = (0, 0);
        for (i, record) in batch.iter().enumerate().skip(first) {
            let size = record.size();
            let fits = records < limits.records && size <= limits.bytes.saturating_sub(bytes);
            if records > 0 && !fits {
                starts.push(i);
                (records, bytes) = (0, 0);
            }
            records += 1;
            bytes += size;
        }
        let mut put = |batch: Batch| {
            let bytes = batch.size();
            self.batches.push_front(Waiting { batch, bytes, since });
        };
        while let Some(start) = starts.pop() {
            put(batch.split_off(start));
        }
        put(batch);
    }

    fn hand_over(&mut self, waiting: Waiting, chunk: &mut Chunk) {
        self.records -= waiting.batch.len();
        self.bytes -= waiting.bytes.min(self.bytes);
        chunk.push(waiting.batch);
    }
}

/// How many of the first records are no more than this.
fn prefix(batch: &Batch, records: usize, bytes: usize) -> usize {
    let mut left = bytes;
    let fits = |record: &swak_sdk::data::RecordRef<'_>| {
        let size = record.size();
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    };
    batch.iter().take(records).take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use swak_sdk::ack::{Ack, Outcome};
    use swak_sdk::data::{Record, Timestamp};

    use super::*;

    fn batch(lines: &[&str]) -> Batch {
        let record = |line: &&str| Record::from_line(line.as_bytes(), Timestamp::now());
        Batch::new(lines.iter().map(record).collect())
    }

    fn shape(chunks: &[Chunk]) -> Vec<Vec<String>> {
        let text = |r: swak_sdk::data::RecordRef<'_>| {
            String::from_utf8_lossy(r.line().expect("a line")).into_owned()
        };
        chunks.iter().map(|chunk| chunk.iter().map(text).collect()).collect()
    }

    fn limits(records: usize, bytes: usize) -> Limits {
        Limits { records, bytes, wait: Duration::from_secs(3600) }
    }

    async fn through(limits: Limits, chunks: Vec<Chunk>) -> Vec<Vec<String>> {
        let (sender, mut inbox) = mpsc::channel(100);
        for chunk in chunks {
            sender.send(chunk).await.expect("the receiver is there");
        }
        drop(sender);
        let mut batcher = Batcher::new(Some(limits), watch::channel(0).1);
        let mut out = Vec::new();
        while let Some(chunk) = batcher.next(&mut inbox).await {
            out.push(chunk);
        }
        shape(&out)
    }

    #[tokio::test]
    async fn chunks_are_merged_and_cut_by_count_in_order() {
        let chunks = vec![
            Chunk::new(vec![batch(&["a"]), batch(&["b", "c"])]),
            Chunk::new(vec![batch(&["d", "e", "f", "g", "h"])]),
            Chunk::new(vec![batch(&["i"])]),
        ];
        let out = through(limits(4, usize::MAX), chunks).await;
        assert_eq!(out, [vec!["a", "b", "c", "d"], vec!["e", "f", "g", "h"], vec!["i"]]);
    }

    #[tokio::test]
    async fn no_piece_is_larger_than_the_bytes_unless_one_record_is() {
        let size = batch(&["12345"]).size();
        let chunks = vec![
            Chunk::new(vec![batch(&["12345", "12345", "12345"])]),
            Chunk::new(vec![batch(&["this one alone is larger than all that", "12345"])]),
        ];
        let out = through(limits(usize::MAX, 2 * size), chunks).await;
        let long = "this one alone is larger than all that";
        assert_eq!(out, [vec!["12345", "12345"], vec!["12345"], vec![long], vec!["12345"]]);
    }

    #[tokio::test]
    async fn what_has_waited_long_enough_is_written() {
        let (sender, mut inbox) = mpsc::channel(1);
        let wait = Duration::from_millis(5);
        let limits = Limits { records: 10, bytes: usize::MAX, wait };
        let mut batcher = Batcher::new(Some(limits), watch::channel(0).1);
        sender.send(batch(&["a"]).into()).await.expect("the receiver is there");
        // The sender stays: nothing but the time lets it go.
        let chunk = batcher.next(&mut inbox).await.expect("something");
        assert_eq!(shape(&[chunk]), [["a"]]);
        drop(sender);
        assert!(batcher.next(&mut inbox).await.is_none());
    }

    #[tokio::test]
    async fn nothing_waits_when_the_input_waits_for_it() {
        let (sender, mut inbox) = mpsc::channel(1);
        let (pressure, receiver) = watch::channel(0);
        let mut batcher = Batcher::new(Some(limits(10, usize::MAX)), receiver);
        sender.send(batch(&["a"]).into()).await.expect("the receiver is there");
        pressure.send_replace(1);
        // The second one has come after the word.
        for line in ["a", "b"] {
            let chunk = batcher.next(&mut inbox).await.expect("something");
            assert_eq!(shape(&[chunk]), [[line]]);
            sender.send(batch(&["b"]).into()).await.expect("the receiver is there");
        }
    }

    #[test]
    fn the_ack_of_a_batch_that_is_cut_waits_for_all_pieces() {
        let (ack, mut delivery) = Ack::channel();
        let mut pieces =
            limits(1, usize::MAX).cut(batch(&["a", "b"]).with_ack(ack).into()).into_iter();
        let settle = |chunk: Chunk| chunk.into_iter().for_each(|b| b.settle(Outcome::Delivered));
        settle(pieces.next().expect("two pieces"));
        assert_eq!(delivery.peek(), None);
        settle(pieces.next().expect("two pieces"));
        assert_eq!(delivery.peek(), Some(Outcome::Delivered));
    }

    #[test]
    fn several_outputs_get_what_the_widest_can_take() {
        let all = [limits(10, usize::MAX), limits(5, 100)];
        assert_eq!(Limits::widest(all.into_iter()), Some(limits(10, usize::MAX)));
        assert_eq!(Limits::widest(std::iter::empty()), None);
    }
}
