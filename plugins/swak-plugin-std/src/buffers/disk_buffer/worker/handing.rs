//! What goes out: read in order, handed on, and acknowledged once it is settled.

use std::time::Instant;

use swak_buffer::{Frame, Next};
use swak_sdk::data::Block;
use swak_sdk::data::codec::{self, DecodeError};
use swak_sdk::ledger::Count;
use swak_sdk::prelude::*;

use super::{InFlight, RETRY, Worker, count};
use crate::buffers::disk_buffer::stage::Ready;

/// The reason with which records are counted as dropped whose frames are damaged or gone.
const DAMAGED: &str = "damaged on disk";
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
    pub(super) fn landed(&mut self, seq: u64) -> Option<Count> {
        let landed = self.in_flight.remove(&seq)?;
        self.in_flight_bytes -= landed.size;
        self.last_landing = Instant::now();
        Some(landed.count)
    }

    /// This became of a frame.
    pub(super) fn settled(&mut self, seq: u64, outcome: Outcome) {
        let landed = self.landed(seq);
        if outcome != Outcome::Errored {
            self.queue.ack(seq);
        } else if let Some(count) = landed
            && seq < self.queue.position().seq
        {
            // It was discarded while it was on its way, so it cannot be handed on again.
            self.out.lost(count, Worker::DISCARDED);
        }
        // Else it is read again: the task starts anew.
    }

    pub(super) fn may_hand_on(&self) -> bool {
        self.in_flight.is_empty()
            || (self.in_flight_bytes < self.max_unacked && self.in_flight.len() < MOST_IN_FLIGHT)
    }

    fn send(&mut self, frame: Frame) -> Result<()> {
        self.reading.note(&self.out, Ok(()));
        let Frame { seq, payload, records, bytes } = frame;
        let (size, count) = (payload.len(), Count { records, bytes });
        match codec::decode(&Block::from(payload)) {
            Ok(chunk) => {
                self.in_flight.insert(seq, InFlight { size, count });
                self.in_flight_bytes += size;
                // Nobody is there when the task is gone, which is told as well.
                let _ = self.ready.send(Ready { seq, chunk });
            }
            Err(error @ DecodeError::Newer(_)) => return Err(error.into()),
            Err(error) => {
                let place = self.out.counters().place();
                tracing::error!("{place}: {records} records are lost: {error}");
                self.out.lost(count, DAMAGED);
                self.queue.ack(seq);
            }
        }
        Ok(())
    }
}

/// Whether a disk says that it cannot read what is on it: `EIO`, and on Windows `ERROR_CRC`,
/// `ERROR_READ_FAULT` and `ERROR_IO_DEVICE`.
fn is_damage(error: &std::io::Error) -> bool {
    let codes: &[i32] = if cfg!(windows) { &[23, 30, 1117] } else { &[5] };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
