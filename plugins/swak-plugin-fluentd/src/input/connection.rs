//! One connection of `in.Fluentd`: messages in, acks out.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use swak_sdk::data::Slice;
use swak_sdk::plugin::{Shutdown, Stopped};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::Limits;
use super::answer::{Answering, Owed, answers};
use super::budget::Exhausted;
use super::deliver::{Deliver, Left, has_left};
use super::incoming::{Incoming, read_some};
use crate::forward::{ForwardError, Glance, decode};
use crate::msgpack::Malformed;
use crate::transport::{Closing, Reader, Stream, TlsError, Watch, split};

/// Why a connection ended that the peer did not end in order.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error(transparent)]
    Forward(#[from] ForwardError),
    #[error("the peer left in the middle of a message")]
    Truncated,
    #[error("nothing came for {0:?}")]
    Idle(Duration),
    #[error("it stopped in the middle of a message, for {0:?}")]
    Stalled(Duration),
    #[error("it took too long for a message, and others need the room (`max_pending`)")]
    TooSlow,
    #[error("it left before it had its acks")]
    LeftUnanswered,
    #[error("what it sent could not be delivered; it should send it again")]
    NotDelivered,
    #[error("it does not read its acks")]
    AcksUnread,
    #[error("no room for what it sends, beside what others do: `max_pending` is reached")]
    NoRoom,
    #[error("it was not ready to send within {0:?}")]
    Slow(Duration),
    #[error("it left in the handshake: does it have a shared key?")]
    NoHandshake,
    #[error("it did not answer the handshake: does it have a shared key?")]
    NoPing(#[source] Malformed),
    #[error("`{host}` is not let in: {reason}")]
    NotAdmitted { host: String, reason: &'static str },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Exhausted> for ConnectionError {
    fn from(_: Exhausted) -> Self {
        ConnectionError::NoRoom
    }
}

/// How often it is looked whether a peer is still there.
const LOOK: Duration = Duration::from_secs(1);

/// How long a peer that sends nothing more may still wait for acks. There are some that close only the
/// side on which they send; one that is gone looks the same, and must not keep its place while the
/// outputs are down.
const WAIT_FOR_ACKS: Duration = Duration::from_secs(5);

/// Reads messages and answers them, until the peer leaves or the agent stops and all that was read
/// is answered.
///
/// Of a peer that has left or can get no acks any more, what it wants acks for and the task has not taken
/// is let go of: it sends it again. What it wants none for is handed on all the same, however long that
/// takes.
pub(super) async fn serve(
    stream: Stream,
    incoming: Incoming,
    limits: Limits,
    deliver: impl FnOnce(Left) -> Deliver,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let (reader, writer, watch) = split(stream);
    let (leaves, left) = watch::channel(false);
    let (answering, answers) = answers();
    let owed = answering.owed();
    let mut answers = pin!(answers.run(writer));
    let deliver = deliver(left.clone());
    let enough = Arc::new(Notify::new());
    let read_no_more = Arc::clone(&enough);
    let messages =
        Messages { reader, incoming, limits, deliver, left, answering, shutdown, enough };
    let mut reading = pin!(messages.read());
    let mut gone = pin!(gone(watch));
    let read = tokio::select! {
        read = &mut reading => read,
        answered = &mut answers => {
            leaves.send_replace(true);
            // What a peer had sent before its connection broke comes to an end by itself. One that is
            // still there has been told by the end of the answers.
            if !matches!(answered, Err(ConnectionError::Io(_))) {
                read_no_more.notify_one();
            }
            let read = reading.await;
            return answered.and(read);
        }
        error = &mut gone => {
            leaves.send_replace(true);
            let read = reading.await;
            return if owed.is_some() { read.and(Err(error)) } else { read };
        }
    };
    tokio::select! {
        // Garbage after a good message does not take its answer away.
        answered = answers => answered.and(read),
        error = gone => read.and(Err(error)),
    }
}

/// Waits until the peer waits for nothing any more.
async fn gone(watch: Watch) -> ConnectionError {
    let mut silent = Duration::ZERO;
    while silent < WAIT_FOR_ACKS {
        sleep(LOOK).await;
        match watch.closing() {
            Closing::Open => {}
            Closing::Half => silent += LOOK,
            Closing::Full => break,
        }
    }
    ConnectionError::LeftUnanswered
}

/// The messages of a peer, on their way into the task.
struct Messages {
    reader: Reader,
    incoming: Incoming,
    limits: Limits,
    deliver: Deliver,
    left: Left,
    answering: Answering,
    shutdown: Shutdown,
    /// Told when what was read is to be handed on, and nothing more to be read.
    enough: Arc<Notify>,
}

impl Messages {
    /// Reads until there are no more.
    async fn read(mut self) -> Result<(), ConnectionError> {
        loop {
            // What is taken now stays taken until the messages in it are handed on.
            self.incoming.count().await?;
            let garbage = self.incoming.find_messages();
            if let Some((block, messages)) = self.incoming.take_messages() {
                for range in messages {
                    let message = block.slice(range.start, range.end);
                    if self.hand_on(message).await? == Err(Stopped) {
                        return Ok(());
                    }
                }
                if self.deliver.flush().await == Err(Stopped) {
                    return Ok(());
                }
            }
            garbage.map_err(ForwardError::Scan)?;
            self.incoming.count().await?;
            if self.more().await? == 0 {
                return match self.incoming.bytes.is_empty() {
                    true => Ok(()),
                    false => Err(ConnectionError::Truncated),
                };
            }
        }
    }

    async fn hand_on(&mut self, bytes: Slice) -> Result<Result<(), Stopped>, ConnectionError> {
        let Messages { incoming, limits, deliver, left, answering, .. } = self;
        let glance = match *left.borrow() {
            true => Glance::at(&bytes),
            false => Glance::at_packed(&bytes),
        };
        let not_wanted = async {
            match glance.asks_for_ack {
                true => has_left(left).await,
                false => std::future::pending().await,
            }
        };
        let room = async {
            match glance.compressed {
                true => Some(incoming.share.room_to_unpack().await),
                false => None,
            }
        };
        let _room = tokio::select! {
            biased;
            () = not_wanted => {
                answering.let_go();
                return Ok(Ok(()));
            }
            room = room => room,
        };
        match decode(&bytes, limits.max_message) {
            Ok(Some(message)) => Ok(deliver.message(message, &bytes, answering).await),
            Ok(None) => Ok(Ok(())),
            Err(error) => {
                // What came before it is good; whether it is still wanted or not, this is the end.
                let _ = deliver.flush().await;
                Err(error.into())
            }
        }
    }

    /// Reads what there is; 0 when nothing more will come.
    async fn more(&mut self) -> Result<usize, ConnectionError> {
        let Messages { reader, incoming, limits, answering, shutdown, enough, .. } = self;
        let begun = !incoming.bytes.is_empty();
        let Incoming { bytes, share, .. } = incoming;
        tokio::select! {
            read = read_some(reader, bytes) => Ok(read?),
            error = silence(begun, *limits, answering.owed()) => Err(error),
            () = share.is_needed(limits.message_timeout) => Err(ConnectionError::TooSlow),
            // What has begun is dropped, and nobody was told that it had come.
            () = shutdown.triggered() => {
                bytes.clear();
                Ok(0)
            }
            () = enough.notified() => {
                bytes.clear();
                Ok(0)
            }
        }
    }
}

/// Waits until the peer has been silent for too long, in the middle of a message or between two.
async fn silence(begun: bool, limits: Limits, owed: Owed) -> ConnectionError {
    let stalled = async {
        match begun {
            true => sleep(limits.message_timeout).await,
            false => std::future::pending().await,
        }
        ConnectionError::Stalled(limits.message_timeout)
    };
    let idle = async {
        let Some(limit) = limits.idle_timeout else { return std::future::pending().await };
        sleep(limit).await;
        while owed.is_some() {
            // It is we who keep it waiting.
            sleep(limit).await;
        }
        ConnectionError::Idle(limit)
    };
    tokio::select! {
        error = stalled => error,
        error = idle => error,
    }
}
