//! What `last` has stored, on its way to the outputs that answer again.

use swak_sdk::Error;
use swak_sdk::ack::{Ack, Outcome};
use swak_sdk::data::Chunk;
use swak_sdk::plugin::BoxBacklog;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::Backoff;
use crate::step::{Failure, StepInfo};

/// What `last` has stored, sent on piece by piece.
///
/// A task of its own reads the pieces, so that a slow disk does not hold up the flow; the failover
/// writes one between two live chunks. A piece is removed when its ack says that it is delivered, or
/// in the dead letters: a kill doubles at most the piece that was under way.
pub(crate) struct Drain {
    /// The step of `last`.
    step: StepInfo,
    /// Whether something may be stored that was not taken back.
    stored: bool,
    reader: Option<Reader>,
    /// A piece that is read and not written.
    piece: Option<Chunk>,
    /// Not before this, after a failure.
    again: Option<Instant>,
    backoff: Backoff,
    /// Why the reading ended, if not in order.
    failure: Option<Failure>,
}

struct Reader {
    pieces: mpsc::Receiver<Chunk>,
    task: JoinSet<()>,
}

impl Drain {
    /// Earlier runs may have left something.
    pub(crate) fn new(step: StepInfo, backoff: Backoff) -> Self {
        Drain { step, stored: true, reader: None, piece: None, again: None, backoff, failure: None }
    }

    /// `last` has taken something.
    pub(super) fn more_is_stored(&mut self) {
        self.stored = true;
    }

    /// Whether `last` is to be asked for what it has stored.
    pub(super) fn wants_more(&self) -> bool {
        let is_time = self.again.is_none_or(|again| again <= Instant::now());
        self.stored && self.reader.is_none() && self.piece.is_none() && is_time
    }

    /// What `last` said when it was asked.
    pub(super) fn begin(&mut self, backlog: Result<Option<BoxBacklog>, Error>) {
        self.again = None;
        match backlog {
            Ok(None) => self.stored = false,
            Ok(Some(backlog)) => {
                let (task, step) = (&*self.step.task, &*self.step.label);
                // It may be only the oldest part: `stored` holds until there is nothing.
                tracing::info!(task, step, "what was stored is sent on");
                self.backoff.reset();
                let (sender, pieces) = mpsc::channel(1);
                let mut task = JoinSet::new();
                task.spawn(read(backlog, sender, self.step.clone(), self.backoff));
                self.reader = Some(Reader { pieces, task });
            }
            Err(error) => {
                tell(&self.step, "cannot take back what is stored", &error);
                self.again = Instant::now().checked_add(self.backoff.wait());
            }
        }
    }

    /// Nothing can be taken back any more.
    pub(super) fn end(&mut self) {
        self.stored = false;
    }

    /// A piece that was read, if there is one by now.
    pub(super) fn take_piece(&mut self) -> Result<Option<Chunk>, Failure> {
        if let (None, Some(reader)) = (&self.piece, &mut self.reader) {
            match reader.pieces.try_recv() {
                Ok(piece) => self.piece = Some(piece),
                Err(_) => {
                    if let Some(ended) = reader.task.try_join_next() {
                        self.ended(ended);
                    }
                }
            }
        }
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(self.piece.take()),
        }
    }

    /// What of a piece nobody took.
    pub(super) fn put_back(&mut self, left: Chunk) {
        if !left.batches().is_empty() {
            self.piece = Some(left);
        }
    }

    /// Ends the reading. What is not delivered stays where it is; what is, is removed first.
    pub(super) async fn close(mut self) -> Result<(), Failure> {
        drop(self.piece.take());
        let Some(Reader { pieces, mut task }) = self.reader.take() else { return Ok(()) };
        drop(pieces);
        if let Some(ended) = task.join_next().await {
            self.ended(ended);
        }
        self.failure.map_or(Ok(()), Err)
    }

    fn ended(&mut self, ended: Result<(), JoinError>) {
        self.reader = None;
        if let Err(error) = ended
            && let Ok(panic) = error.try_into_panic()
        {
            self.failure = Some(self.step.panicked(&*panic));
        }
    }
}

/// Waits until there is something to do for the drain: a piece was read, or it is time to ask for
/// what is stored. May be cut off at any `await`.
pub(super) async fn next(drain: &mut Option<Drain>) {
    let Some(drain) = drain else { return std::future::pending().await };
    if drain.piece.is_some() || drain.failure.is_some() || drain.wants_more() {
        return;
    }
    match (&mut drain.reader, drain.again) {
        (Some(reader), _) => match reader.pieces.recv().await {
            Some(piece) => drain.piece = Some(piece),
            // It has ended, or is about to.
            None => {
                if let Some(ended) = reader.task.join_next().await {
                    drain.ended(ended);
                }
            }
        },
        (None, Some(again)) => sleep_until(again).await,
        (None, None) => std::future::pending().await,
    }
}

/// Reads one piece after the other, each when the one before it is delivered.
async fn read(
    mut backlog: BoxBacklog,
    pieces: mpsc::Sender<Chunk>,
    step: StepInfo,
    mut backoff: Backoff,
) {
    loop {
        let piece = match backlog.next().await {
            Ok(Some(piece)) => piece,
            Ok(None) => {
                let (task, step) = (&*step.task, &*step.label);
                tracing::info!(task, step, "all that was stored is sent on");
                return;
            }
            Err(error) => {
                tell(&step, "cannot read what is stored", &error);
                tokio::select! {
                    () = sleep(backoff.wait()) => continue,
                    () = pieces.closed() => return,
                }
            }
        };
        let (ack, delivery) = Ack::channel();
        let piece = with_ack(piece, ack);
        if !piece.is_empty() && pieces.send(piece).await.is_err() {
            return;
        }
        if delivery.await == Outcome::Errored {
            // Nobody has it: the same piece once more, or never again in this run.
            if pieces.is_closed() {
                return;
            }
            sleep(backoff.wait()).await;
            continue;
        }
        while let Err(error) = backlog.delivered().await {
            tell(&step, "cannot remove what is sent on", &error);
            tokio::select! {
                () = sleep(backoff.wait()) => {}
                () = pieces.closed() => return,
            }
        }
        backoff.reset();
    }
}

/// The piece, with one ack for all of it.
fn with_ack(piece: Chunk, ack: Ack) -> Chunk {
    // What holds no record has nobody who could settle it.
    let batches = piece.into_iter().filter(|batch| !batch.is_empty());
    let batches = batches.map(|batch| batch.with_ack(ack.clone())).collect();
    ack.settle(Outcome::Delivered);
    Chunk::new(batches)
}

fn tell(step: &StepInfo, what: &str, error: &Error) {
    step.counters.error();
    let (task, step) = (&*step.task, &*step.label);
    tracing::warn!(task, step, "{what}: {error:#}; will try again");
}
