//! The thread that has the queue: what it does, in rounds.

mod handing;
mod intake;
mod trouble;

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use swak_buffer::{FileSystem, LockError, Queue};
use swak_sdk::ledger::{Count, Pressing};
use swak_sdk::prelude::*;
use tokio::sync::mpsc::UnboundedSender;

use super::DiskBuffer;
use super::options::{SyncPolicy, WhenFull};
use super::stage::{Event, Ready};

use intake::Waiting;
use trouble::Trouble;

/// How long a failing disk is left alone before it is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often the read position is synced where no option says so. What was delivered since comes again
/// when the system fails; it is written much more often, for a kill.
const SYNC_POSITION: Duration = Duration::from_millis(500);
/// How long nothing of what was handed on may arrive before whoever holds it is asked to let it go.
const STALL: Duration = Duration::from_millis(200);
/// How long the folder may still belong to the task's last run, which is just ending.
const HANDOVER: Duration = Duration::from_secs(30);

/// Has the queue, and does all that touches the disk.
pub(super) struct Worker {
    queue: Queue<FileSystem>,
    out: BufferEmitter,
    ready: UnboundedSender<Ready>,
    events: Receiver<Event>,
    /// What came before the folder was free.
    early: VecDeque<Event>,
    sync: SyncPolicy,
    when_full: WhenFull,
    max_unacked: usize,
    /// What came in and is not written.
    waiting: VecDeque<Waiting>,
    /// What is written and does not count as stored.
    written: Vec<Chunk>,
    written_bytes: usize,
    written_since: Option<Instant>,
    /// What was handed on and is not settled.
    in_flight: HashMap<u64, InFlight>,
    in_flight_bytes: usize,
    /// When something of it arrived last.
    last_landing: Instant,
    /// Asks those behind it to let go of what they hold.
    pressing: Option<Pressing>,
    /// Where reading stood and up to where frames were stored when that was written last, and since when
    /// it is not synced.
    saved: (u64, u64),
    unsynced_position: Option<Instant>,
    /// When a disk that failed is tried again.
    store_again: Option<Instant>,
    read_again: Option<Instant>,
    /// The input waits for a sync.
    is_in_hurry: bool,
    has_ended: bool,
    is_stopping: bool,
    is_abandoned: bool,
    storing: Trouble,
    reading: Trouble,
    saving: Trouble,
}

struct InFlight {
    size: usize,
    count: Count,
}

impl Worker {
    /// Opens the folder and tells what is in it. `None` when the task is gone before that.
    pub(super) fn open(
        buffer: &DiskBuffer,
        out: BufferEmitter,
        ready: UnboundedSender<Ready>,
        events: Receiver<Event>,
    ) -> Result<Option<Self>> {
        let mut early = VecDeque::new();
        let Some(storage) = lock(buffer, &events, &mut early)? else { return Ok(None) };
        let folder = buffer.folder.display();
        let queue = Queue::open(storage, buffer.settings)
            .with_context(|| format!("cannot open the buffer in {folder}"))?;
        let opened = queue.opened();
        if opened.position_lost {
            tracing::warn!(
                "the buffer in {folder} has lost its read position: all that is in it is delivered \
                 again"
            );
        }
        for name in &opened.put_aside {
            tracing::warn!("the buffer in {folder} cannot use a file, which is now called {name}");
        }
        let gone = if opened.is_new { out.known() } else { Count::default() };
        if gone != Count::default() {
            tracing::error!(
                "the buffer in {folder} was removed, and {} records with it",
                gone.records
            );
            out.lost(gone, "the folder was removed");
        }
        let holds = opened.holds;
        if holds.frames > 0 {
            tracing::info!("the buffer in {folder} holds {} records", holds.records);
        }
        out.holds(count(holds));
        Ok(Some(Worker {
            saved: (queue.position().seq, queue.stored().seq),
            queue,
            out,
            ready,
            events,
            early,
            sync: buffer.sync,
            when_full: buffer.when_full,
            max_unacked: buffer.max_unacked,
            waiting: VecDeque::new(),
            written: Vec::new(),
            written_bytes: 0,
            written_since: None,
            in_flight: HashMap::new(),
            in_flight_bytes: 0,
            last_landing: Instant::now(),
            pressing: None,
            unsynced_position: None,
            store_again: None,
            read_again: None,
            is_in_hurry: false,
            has_ended: false,
            is_stopping: false,
            is_abandoned: false,
            storing: Trouble::new("store records"),
            reading: Trouble::new("read back records"),
            saving: Trouble::new("write the read position"),
        }))
    }

    /// Works until all is done or the task is gone.
    pub(super) fn run(mut self) -> Result<()> {
        loop {
            self.take_in()?;
            // What comes after need not wait for the disk.
            self.hand_on()?;
            self.store()?;
            self.save_position();
            self.press();
            if self.is_done() {
                return self.finish();
            }
            self.wait();
            if self.is_abandoned {
                // What is not stored is given again; what was delivered should not be.
                let _ = self.queue.sync_position();
                return Ok(());
            }
        }
    }

    /// Asks for what it waits for: at the end, and when nothing can be handed on any more.
    fn press(&mut self) {
        let has_stalled = self.is_held_up() && self.last_landing.elapsed() >= STALL;
        let is_ending = (self.has_ended || self.is_stopping) && !self.in_flight.is_empty();
        self.pressing = match has_stalled || is_ending {
            true => self.pressing.take().or_else(|| Some(self.out.press())),
            false => None,
        };
    }

    fn is_held_up(&self) -> bool {
        !self.may_hand_on() && self.queue.unread().frames > 0
    }

    fn is_done(&self) -> bool {
        // A disk that takes nothing is not waited for at a stop.
        let is_stored = self.written.is_empty()
            && (self.waiting.is_empty() || (self.is_stopping && self.store_again.is_some()));
        let is_empty = self.is_stopping || self.queue.holds().frames == 0;
        self.has_ended && is_stored && is_empty && self.in_flight.is_empty()
    }

    fn finish(mut self) -> Result<()> {
        self.queue.sync().context("cannot sync the buffer")?;
        self.queue.sync_position().context("cannot write the read position of the buffer")?;
        let left = self.waiting.len();
        if left > 0 {
            // Whoever gave it has it still, and gives it again after the next start.
            tracing::warn!(
                "{}: {left} chunks could not be stored before the stop; the input reads them again",
                self.out.counters().place()
            );
        }
        Ok(())
    }

    /// Waits for the next event, and takes all that have come meanwhile: one sync is for all of them.
    fn wait(&mut self) {
        let position_due = self.position_due();
        let stalls = self.is_held_up().then(|| self.last_landing + STALL);
        let stalls = stalls.filter(|_| self.pressing.is_none());
        let due = [self.sync_due(), self.store_again, self.read_again, position_due, stalls];
        let due = due.into_iter().flatten().min();
        let first = match (self.early.pop_front(), due) {
            (Some(event), _) => Some(event),
            (None, None) => Some(self.events.recv().unwrap_or(Event::Abandoned)),
            (None, Some(due)) => {
                match self.events.recv_timeout(due.saturating_duration_since(Instant::now())) {
                    Ok(event) => Some(event),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => Some(Event::Abandoned),
                }
            }
        };
        if let Some(event) = first {
            self.heed(event);
        }
        while let Some(event) = self.early.pop_front().or_else(|| self.events.try_recv().ok()) {
            self.heed(event);
        }
        let now = Instant::now();
        self.store_again.take_if(|at| *at <= now);
        self.read_again.take_if(|at| *at <= now);
    }

    fn heed(&mut self, event: Event) {
        match event {
            Event::Chunk(chunk, permit) => self.waiting.push_back(Waiting::new(chunk, permit)),
            Event::Hurry => self.is_in_hurry = true,
            Event::End => self.has_ended = true,
            Event::Stop => {
                self.is_stopping = true;
                // Nothing leaves it any more, and what is on its way must go somewhere.
                self.queue.lift_limit();
            }
            Event::Returned(seq) => {
                self.landed(seq);
            }
            Event::Settled(seq, outcome) => self.settled(seq, outcome),
            Event::Abandoned => self.is_abandoned = true,
        }
    }

    /// Writes the read position when it has moved, and syncs it every now and then.
    fn save_position(&mut self) {
        // Without the second, what is lost at the end after a kill would look as if it had never been.
        let position = (self.queue.position().seq, self.queue.stored().seq);
        if position != self.saved {
            let saved = self.queue.save_position();
            if saved.is_ok() {
                self.saved = position;
            }
            self.saving.note(&self.out, saved);
            self.unsynced_position.get_or_insert_with(Instant::now);
        }
        if self.position_due().is_some_and(|due| due <= Instant::now()) {
            let synced = self.queue.sync_position();
            self.unsynced_position = synced.is_err().then(Instant::now);
            self.saving.note(&self.out, synced);
        }
    }

    /// When the read position must be synced.
    fn position_due(&self) -> Option<Instant> {
        let since = self.unsynced_position?;
        match self.sync {
            SyncPolicy::Every(interval) => Some(since + interval.max(SYNC_POSITION)),
            SyncPolicy::Always => Some(since + SYNC_POSITION),
            SyncPolicy::Never => None,
        }
    }
}

/// Takes the folder; waits for this process's own last run to leave it.
fn lock(
    buffer: &DiskBuffer,
    events: &Receiver<Event>,
    early: &mut VecDeque<Event>,
) -> Result<Option<FileSystem>> {
    let deadline = Instant::now() + HANDOVER;
    loop {
        let error = match FileSystem::lock(&buffer.folder) {
            Ok(storage) => return Ok(Some(storage)),
            Err(error) => error,
        };
        let own = |process: Option<u32>| process.is_none_or(|id| id == std::process::id());
        let is_own = matches!(error, LockError::Locked { process, .. } if own(process));
        if !is_own || Instant::now() >= deadline {
            return Err(error.into());
        }
        match events.recv_timeout(Duration::from_millis(20)) {
            Ok(Event::Abandoned) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Ok(event) => early.push_back(event),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// As the ledger counts.
fn count(count: swak_buffer::Count) -> Count {
    Count { records: count.records, bytes: count.bytes }
}
