//! What runs beside the other steps: it takes in and hands on, and leaves the disk to a thread.

use std::sync::Arc;
use std::sync::mpsc;

use swak_sdk::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::DiskBuffer;
use super::worker::Worker;

/// How many chunks may wait for the disk. They are in memory: one counts as several if it is larger than
/// this many bytes.
const WAITING: usize = 64;
const USUAL_SIZE: usize = 64 << 10;

/// What the thread is told.
pub(super) enum Event {
    /// This came in. The permit goes when it is written; there is none at a stop.
    Chunk(Chunk, Option<OwnedSemaphorePermit>),
    /// The input waits for what came in to be stored.
    Hurry,
    /// Nothing more will come in.
    End,
    /// It is time to stop.
    Stop,
    /// A frame was not handed on, because of the stop.
    Returned(u64),
    /// This became of a frame.
    Settled(u64, Outcome),
    /// The task is gone.
    Abandoned,
}

/// A frame that is to be handed on.
pub(super) struct Ready {
    pub(super) seq: u64,
    pub(super) chunk: Chunk,
}

/// Tells the thread when the task is gone, also when it is cut off.
struct Guard(mpsc::Sender<Event>);

impl Drop for Guard {
    fn drop(&mut self) {
        // A thread that has ended needs not be told.
        let _ = self.0.send(Event::Abandoned);
    }
}

impl Buffer for DiskBuffer {
    async fn run(self, inbox: Inbox, out: BufferEmitter, shutdown: Shutdown) -> Result<()> {
        let (events, inner) = mpsc::channel();
        let (ready_sender, ready) = unbounded_channel();
        let _guard = Guard(events.clone());
        let emitter = out.clone();
        let thread = tokio::task::spawn_blocking(move || {
            match Worker::open(&self, emitter, ready_sender, inner)? {
                Some(worker) => worker.run(),
                None => Ok(()),
            }
        });
        let disk = async {
            match thread.await {
                Ok(result) => result,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(error) => Err(error.into()),
                },
            }
        };
        // Only the thread knows when all is done; the others tell of a task that goes down.
        let handing = async {
            match hand_on(ready, &out, &shutdown, &events).await {
                Ok(()) => std::future::pending().await,
                Err(stopped) => Err(stopped),
            }
        };
        tokio::select! {
            result = disk => result,
            result = handing => result,
            never = feed(inbox, out.pressure(), shutdown.clone(), &events) => match never {},
        }
    }
}

/// Takes in until nothing more will come, and tells when it is time to stop.
async fn feed(
    mut inbox: Inbox,
    mut pressure: watch::Receiver<usize>,
    mut shutdown: Shutdown,
    events: &mpsc::Sender<Event>,
) -> std::convert::Infallible {
    // It may wait since before anybody looked.
    pressure.mark_changed();
    let room = Arc::new(Semaphore::new(WAITING));
    let mut is_stopping = false;
    // How large one is shows only when it is there: the next one takes its room.
    let mut more_room = 0;
    // A thread that has ended says so itself.
    let tell = |event| {
        let _ = events.send(event);
    };
    loop {
        let next = async {
            // At a stop all must come in that is on its way, or its end is never reached.
            let permit = match is_stopping {
                true => None,
                false => {
                    let room = Arc::clone(&room).acquire_many_owned(1 + more_room).await;
                    Some(room.expect("it is never closed"))
                }
            };
            (inbox.recv().await, permit)
        };
        tokio::select! {
            biased;
            () = shutdown.triggered(), if !is_stopping => {
                is_stopping = true;
                tell(Event::Stop);
            }
            Ok(()) = pressure.changed() => {}
            (chunk, permit) = next => match chunk {
                Some(chunk) => {
                    more_room = (chunk.size() / USUAL_SIZE).min(WAITING / 2) as u32;
                    tell(Event::Chunk(chunk, permit));
                }
                None => break,
            }
        }
        if *pressure.borrow() > 0 {
            tell(Event::Hurry);
        }
    }
    tell(Event::End);
    if !is_stopping {
        // Handing on what is kept may take days.
        shutdown.triggered().await;
        tell(Event::Stop);
    }
    std::future::pending().await
}

/// Hands on what the thread has read.
async fn hand_on(
    mut ready: UnboundedReceiver<Ready>,
    out: &BufferEmitter,
    shutdown: &Shutdown,
    events: &mpsc::Sender<Event>,
) -> Result<()> {
    while let Some(Ready { seq, chunk }) = ready.recv().await {
        if shutdown.is_triggered() {
            let _ = events.send(Event::Returned(seq));
            continue;
        }
        let events = events.clone();
        let settled = move |outcome| {
            let _ = events.send(Event::Settled(seq, outcome));
        };
        out.emit(chunk, settled).await?;
    }
    Ok(())
}
