//! Outputs.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;

use super::erased::AnyBacklog;
use super::{Plugin, Progress, TimeLimit};
use crate::data::Chunk;
use crate::{Error, Result, bail};

/// Hands records to the outside.
///
/// How much one write gets, how long it may take, how often it is tried again and over how many
/// connections at once is the engine's concern: every output has the
/// [`DeliveryOptions`](crate::options::DeliveryOptions) besides its own. With several `workers` there
/// are as many instances, each made, connected and written to by itself.
pub trait Output: Plugin {
    /// Opens what is to be written to. Called before the first write, and again after
    /// [`WriteError::NotConnected`]. May be cut off at any `await`, after which it is called again.
    ///
    /// # Errors
    /// The engine tries again with back-off, for ever unless the recipe says otherwise.
    fn connect(&mut self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Writes a chunk. `Ok` is a promise: the records are where they were to go. Called for one
    /// chunk after the other; may be cut off at any `await`, after which the engine connects again.
    ///
    /// # Errors
    /// Each says what the engine does: see [`WriteError`]. An error that is passed on with `?` becomes
    /// [`WriteError::Retry`]: the same chunk is written again, for ever. So say `Reject` where the
    /// records are at fault, and `NotConnected` where the connection is; an [`anyhow`] error has no
    /// such conversion, so that its kind is always chosen: `.map_err(WriteError::Retry)?`.
    ///
    /// [`anyhow`]: crate::anyhow
    fn write(&mut self, chunk: &Chunk) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Finishes: called once, after the last write, also when it was never connected. What `write`
    /// has promised must not depend on it: it is not called when the task fails.
    ///
    /// # Errors
    /// Counted and logged; nothing is tried again, and the task ends as it would have.
    fn close(&mut self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Whether one instance alone may write there at a time, such as to one file: a recipe can then
    /// not give it several `workers`. Asked without I/O, by `check` too.
    fn is_exclusive(&self) -> bool {
        false
    }

    /// How many of the first records of the chunk are where they were to go, though its write failed or
    /// was cut off. Asked after each such write: they are settled, and written neither here nor
    /// elsewhere again.
    fn delivered(&mut self) -> usize {
        0
    }

    /// Where it says that a write goes on. The engine's `timeout` then counts from the last time that it
    /// said so, and not from the beginning of the write: who is slow and works is not taken for one
    /// that hangs. Asked once, when the output was made; each instance has its own.
    fn progress(&self) -> Option<Progress> {
        None
    }

    /// How long it waits by itself, where the recipe says so with options of its own. `check` tells when
    /// the engine's `timeout` ends such a wait before. Asked without I/O.
    fn time_limits(&self) -> Vec<TimeLimit> {
        Vec::new()
    }

    /// The file that is written to, where that is known without a record: `check` refuses two outputs
    /// that get into each other's way. Asked without I/O.
    fn writes_to(&self) -> Option<Destination> {
        None
    }

    /// Whether [`take_back`](Output::take_back) can hand back what was written, as the `last` of a
    /// `failover(…, drain_back=True)` must. Asked without I/O, by `check` too.
    ///
    /// # Errors
    /// Why it cannot, as a person reads it after the plugin's name.
    fn hands_back(&self) -> Result<HandsBack> {
        bail!("it cannot hand back what was written to it")
    }

    /// What is written will be taken back: called once, before anything else, where it stands as the
    /// `last` of a `failover(…, drain_back=True)`. Nobody else may write there from the first write on.
    fn expect_take_back(&mut self) {}

    /// Sets aside what was written and not handed back yet, by earlier runs too, and hands it back,
    /// the oldest part first; `None` when there is nothing. Called between writes, and again when the
    /// [`Backlog`] of the last call has come to its end and is dropped. What is written from now on goes
    /// elsewhere, even while the backlog is still read. The output may not be connected. May be cut off
    /// at any `await`, after which it is called again.
    ///
    /// # Errors
    /// Counted, logged, and tried again with back-off.
    fn take_back(&mut self) -> impl Future<Output = Result<Option<BoxBacklog>>> + Send {
        async { Ok(None) }
    }
}

/// The file that an output writes to: see [`Output::writes_to`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Where it is, as the recipe says it.
    pub path: PathBuf,
    /// Why no other output may write there, as a person reads it: "it empties the file". `None` when
    /// others may.
    pub alone: Option<String>,
}

/// What comes back of what was written: see [`Output::hands_back`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandsBack {
    /// Records as they were.
    Whole,
    /// Records that lack something, or look otherwise. `check` says what, as a warning: "keeps only
    /// lines".
    Changed(String),
}

/// What an output has stored, handed back piece by piece: see [`Output::take_back`]. The engine reads
/// it beside the flow and writes the pieces to another output.
///
/// What was not confirmed with [`delivered`](Backlog::delivered) must be there after a kill at any
/// instruction, and after the backlog is dropped: the next [`Output::take_back`] begins with it.
pub trait Backlog: Send + 'static {
    /// The oldest piece that is not delivered, without an ack, and small enough to be held in memory;
    /// the same one again until it is delivered. `None` when everything was.
    ///
    /// # Errors
    /// Counted, logged, and tried again with back-off. What can never be read must be passed over,
    /// counted and kept for people to look at, and is no error.
    fn next(&mut self) -> impl Future<Output = Result<Option<Chunk>>> + Send;

    /// The piece that `next` gave last was delivered, or is in the dead letters: it is never given
    /// again, and may be removed.
    ///
    /// # Errors
    /// Counted, logged, and tried again with back-off.
    fn delivered(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// A backlog of any type; made with `Box::new`.
pub type BoxBacklog = Box<dyn AnyBacklog>;

/// Why a chunk was not written, and with that, what the engine does.
#[derive(Debug)]
pub enum WriteError {
    /// The connection is gone: connect again, then write the chunk again.
    NotConnected(Error),
    /// It may work later: write the chunk again, with back-off.
    Retry(Error),
    /// These records can never be written, and none of them was: the engine writes the halves of the
    /// chunk, and so on, until what is left are the records that are at fault. They go to the task's
    /// dead letters, or are dropped and counted.
    Reject(Error),
    /// Nothing can ever be written here again, such as to a closed standard output: the task ends
    /// for good. In a failover the others take over, and the task ends when none is left.
    Fatal(Error),
}

impl WriteError {
    /// What happened.
    pub fn error(&self) -> &Error {
        match self {
            WriteError::NotConnected(e)
            | WriteError::Retry(e)
            | WriteError::Reject(e)
            | WriteError::Fatal(e) => e,
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error())
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for WriteError {
    /// An error that is only passed on with `?` is tried again.
    fn from(error: E) -> Self {
        WriteError::Retry(error.into())
    }
}
