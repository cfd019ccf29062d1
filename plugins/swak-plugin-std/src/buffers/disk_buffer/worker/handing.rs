//! What goes out: read in order, handed on, and acknowledged once it is settled.

use std::time::Instant;

use swak_buffer::{Cause, Frame, Next, is_damage};
use swak_sdk::data::codec::DecodeError;
use swak_sdk::ledger::Count;
use swak_sdk::prelude::*;

use super::losses::{DAMAGED, count, reason};
use super::{RETRY, Worker};
use crate::buffers::disk_buffer::content::Content;
use crate::buffers::disk_buffer::stage::Ready;

/// A limit to how many small chunks are on their way.
const MOST_IN_FLIGHT: usize = 4096;
/// A segment of which the disk says so often that it cannot be read is given up. Whatever else keeps it
/// from being read may pass: descriptors that are used up, rights, a server that does not answer.
const ATTEMPTS: u32 = 5;

impl Worker {
    /// Reads and hands on as much as may be on its way.
    pub(super) fn hand_on(&mut self) -> Result<()> {
        while !self.is_stopping && self.read_again.is_none() && self.may_hand_on() {
            match self.queue.next() {
                Ok(None) => break,
                Ok(Some(Next::Frame(frame))) => self.send(frame)?,
                Ok(Some(Next::Lost(lost))) => {
                    tracing::error!(
                        "{}: {} records are lost: their frames are damaged or gone",
                        self.out.counters().place(),
                        lost.records
                    );
                    self.out.lost(count(lost), DAMAGED);
                }
                Err(error) => {
                    let is_damage = is_damage(&error);
                    self.reading.note(&self.out, Err(error));
                    if is_damage && self.reading.attempts() >= ATTEMPTS {
                        self.queue.skip_segment();
                        self.reading.begin_anew();
                    }
                    self.read_again.get_or_insert_with(|| Instant::now() + RETRY);
                }
            }
        }
        Ok(())
    }

    /// A frame is not on its way any more.
    pub(super) fn landed(&mut self, seq: u64) {
        if self.in_flight.remove(&seq) {
            self.last_landing = Instant::now();
        }
    }

    /// This became of a frame, or of what is in none.
    pub(super) fn settled(&mut self, number: u64, outcome: Outcome) {
        let seq = self.number_of(number);
        self.landed(seq);
        // Else it is read again: the task starts anew.
        if outcome != Outcome::Errored
            && !self.was_direct(seq)
            && let Some((cause, arrived)) = self.queue.ack(seq)
        {
            self.out.found_again(count(arrived), reason(cause));
        }
    }

    pub(super) fn may_hand_on(&self) -> bool {
        self.handed_on.is_empty()
            || (self.handed_on_bytes < self.max_unacked && self.handed_on.len() < MOST_IN_FLIGHT)
    }

    fn send(&mut self, frame: Frame<Content>) -> Result<()> {
        self.reading.note(&self.out, Ok(()));
        let Frame { seq, payload, records, bytes } = frame;
        let size = payload.size();
        match payload.into_chunk() {
            Ok(chunk) => {
                self.in_flight.insert(seq);
                self.handed_on.push_back((seq, size));
                self.handed_on_bytes += size;
                // Nobody is there when the task is gone, which is told as well.
                let _ = self.ready.send(Ready { seq, chunk });
            }
            Err(error @ DecodeError::Newer(_)) => return Err(error.into()),
            Err(error) => {
                let place = self.out.counters().place();
                tracing::error!("{place}: {records} records are lost: {error}");
                self.out.lost(Count { records, bytes }, DAMAGED);
                self.queue.lose(seq, Cause::Damaged);
            }
        }
        Ok(())
    }
}
