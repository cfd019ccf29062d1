//! The thread that has the queue: what it does, in rounds.

mod direct;
mod handing;
mod intake;
mod losses;
mod trouble;

use std::collections::{HashSet, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use swak_buffer::{FileSystem, LockError, Queue};
use swak_sdk::ledger::{Count, Pressing};
use swak_sdk::prelude::*;
use tokio::sync::mpsc::UnboundedSender;

use super::DiskBuffer;
use super::content::Content;
use super::options::{SyncPolicy, WhenFull};
use super::stage::{Event, Ready};

use direct::Direct;
use intake::Waiting;
use losses::{count, given_up};
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
    queue: Queue<FileSystem, Content>,
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
    /// What was handed on and is not written.
    direct: Direct,
    segment_size: u64,
    /// Until then what comes in may wait, while much is not delivered.
    patience: Instant,
    /// Until then it does.
    waits_until: Option<Instant>,
    /// What of the chunk that is written lies in no block.
    bytes: Vec<u8>,
    /// What is written and does not count as stored: the acks, and how many records each is for.
    written: Vec<(Ack, Count)>,
    written_bytes: usize,
    written_since: Option<Instant>,
    /// What was handed on and is not settled.
    in_flight: HashSet<u64>,
    /// What was handed on and is on its way or would come again after a kill: frames that the stored read
    /// position has not moved over, with their sizes, in their order.
    handed_on: VecDeque<(u64, usize)>,
    handed_on_bytes: usize,
    /// When something of it arrived last.
    last_landing: Instant,
    /// Asks those behind it to let go of what they hold.
    pressing: Option<Pressing>,
    /// Since when the read position is not synced.
    unsynced_position: Option<Instant>,
    /// Since when what was written was not looked for, where nothing is synced.
    unverified: Option<Instant>,
    /// When a disk that failed is tried again.
    store_again: Option<Instant>,
    read_again: Option<Instant>,
    save_again: Option<Instant>,
    /// The input waits for a sync.
    is_in_hurry: bool,
    has_ended: bool,
    is_stopping: bool,
    is_abandoned: bool,
    storing: Trouble,
    reading: Trouble,
    saving: Trouble,
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
        let queue = Queue::open_keeping(storage, buffer.settings)
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
        if opened.trusts_disk {
            tracing::warn!(
                "the disk of the buffer in {folder} is full: what it had not synced before could not be \
                 written anew"
            );
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
        out.holds(count(holds), given_up(opened.gone));
        Ok(Some(Worker {
            queue,
            out,
            ready,
            events,
            early,
            sync: buffer.sync,
            when_full: buffer.when_full,
            max_unacked: buffer.max_unacked,
            waiting: VecDeque::new(),
            direct: Direct::default(),
            segment_size: buffer.settings.segment_size,
            patience: Instant::now(),
            waits_until: None,
            bytes: Vec::new(),
            written: Vec::new(),
            written_bytes: 0,
            written_since: None,
            in_flight: HashSet::new(),
            handed_on: VecDeque::new(),
            handed_on_bytes: 0,
            last_landing: Instant::now(),
            pressing: None,
            unsynced_position: None,
            unverified: None,
            store_again: None,
            read_again: None,
            save_again: None,
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
            // What was delivered makes room for more when that is written down.
            self.save_position();
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
                self.leave();
                return Ok(());
            }
        }
    }

    /// The task is gone: what was written should not come again, nor what was delivered.
    fn leave(mut self) {
        // What cannot be written now comes again by itself.
        self.must_write_direct();
        let _ = self.write_direct();
        let is_stored = self.sync == SyncPolicy::Never || self.queue.sync().is_ok();
        if self.queue.sync_position().is_ok() && is_stored {
            // Before the folder is free for the next run, which counts what it finds there.
            self.tell_stored();
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
        let is_stored = (self.written.is_empty()
            || (self.is_stopping && self.save_again.is_some()))
            && ((self.waiting.is_empty() && self.direct.is_empty())
                || (self.is_stopping && self.store_again.is_some()));
        let is_empty = self.is_stopping || self.queue.holds().frames == 0;
        self.has_ended && is_stored && is_empty && self.in_flight.is_empty()
    }

    fn finish(mut self) -> Result<()> {
        self.queue.sync().context("cannot sync the buffer")?;
        self.queue.sync_position().context("cannot write the read position of the buffer")?;
        self.tell_stored();
        let left = self.waiting.len() + self.direct.len();
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
        let again = [self.store_again, self.read_again, self.save_again, self.waits_until];
        let again = again.into_iter().chain([self.direct_due()]);
        let due =
            [self.sync_due(), self.verify_due(), position_due, stalls].into_iter().chain(again);
        let due = due.flatten().min();
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
        self.save_again.take_if(|at| *at <= now);
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
            Event::Returned(number) => {
                let seq = self.number_of(number);
                self.landed(seq);
            }
            Event::Settled(seq, outcome) => self.settled(seq, outcome),
            Event::Abandoned => self.is_abandoned = true,
        }
    }

    /// Writes the read position when it has moved, and syncs it every now and then.
    fn save_position(&mut self) {
        if self.save_again.is_some() {
            return;
        }
        if !self.queue.is_saved() {
            let saved = self.queue.save_position();
            self.saving.note(&self.out, saved);
            self.note_saved();
        }
        if !self.queue.is_position_synced() {
            self.unsynced_position.get_or_insert_with(Instant::now);
        }
        if self.position_due().is_some_and(|due| due <= Instant::now()) {
            let synced = self.queue.sync_position();
            self.unsynced_position = synced.is_err().then(Instant::now);
            self.saving.note(&self.out, synced);
            self.note_saved();
        }
    }

    /// What the written position has moved over does not come again.
    fn note_saved(&mut self) {
        if !self.queue.is_saved() {
            self.save_again = Some(Instant::now() + RETRY);
            return;
        }
        let read = self.queue.position().seq;
        // One that was discarded may be on its way still.
        let in_flight = &self.in_flight;
        let is_done = |(seq, _): &mut (u64, usize)| *seq < read && !in_flight.contains(seq);
        while let Some((_, size)) = self.handed_on.pop_front_if(is_done) {
            self.handed_on_bytes -= size;
        }
    }

    /// When the read position must be synced.
    fn position_due(&self) -> Option<Instant> {
        let since = self.unsynced_position.filter(|_| self.save_again.is_none())?;
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
