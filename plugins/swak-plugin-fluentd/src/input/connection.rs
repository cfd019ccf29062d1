//! One connection of `in.Fluentd`: messages in, acks out.

use std::io;
use std::ops::Range;
use std::pin::pin;
use std::time::Duration;

use swak_sdk::data::{Block, Slice};
use swak_sdk::plugin::{Shutdown, Stopped};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::time::sleep;

use super::Limits;
use super::answer::{Answering, Owed, answers};
use super::budget::{Exhausted, Share};
use super::deliver::{Deliver, Left, has_left};
use crate::forward::{ForwardError, Glance, decode};
use crate::msgpack::{Malformed, ScanError, Scanner};
use crate::transport::{Closing, Reader, Stream, TlsError, Watch, split};

/// How much is read at once.
const READ: usize = 64 * 1024;

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
/// Of a peer that has left, what it wants acks for and the task has not taken is let go of: it sends it
/// again. What it wants none for is handed on all the same, however long that takes.
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
    let messages = Messages { reader, incoming, limits, deliver, left, answering, shutdown };
    let mut reading = pin!(messages.read());
    let mut gone = pin!(gone(watch));
    let read = tokio::select! {
        read = &mut reading => read,
        answered = &mut answers => return answered,
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
        let Messages { reader, incoming, limits, answering, shutdown, .. } = self;
        let begun = !incoming.bytes.is_empty();
        let Incoming { bytes, share, .. } = incoming;
        tokio::select! {
            read = read_some(reader, bytes) => read,
            error = silence(begun, *limits, answering.owed()) => Err(error),
            () = share.is_needed(limits.message_timeout) => Err(ConnectionError::TooSlow),
            // What has begun is dropped, and nobody was told that it had come.
            () = shutdown.triggered() => {
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

/// What came in and is not yet handed on.
pub(super) struct Incoming {
    bytes: Vec<u8>,
    scanner: Scanner,
    max: usize,
    messages: Vec<Range<usize>>,
    share: Share,
}

impl Incoming {
    /// For messages of up to `max` bytes. What there is of them comes from `share`.
    pub(super) fn new(max: usize, share: Share) -> Self {
        let (bytes, messages) = (Vec::new(), Vec::new());
        Incoming { bytes, scanner: Scanner::default(), max, messages, share }
    }

    /// The next value, when it is whole and of up to `max` bytes.
    pub(super) fn take_one(&mut self, max: usize) -> Result<Option<Slice>, ScanError> {
        let found = self.scanner.advance(&self.bytes, max)?;
        Ok(found.map(|len| Slice::from(self.bytes.drain(..len).collect::<Vec<u8>>())))
    }

    /// Reads what there is; 0 when the peer has closed its side.
    pub(super) async fn read_from(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
    ) -> Result<usize, ConnectionError> {
        read_some(reader, &mut self.bytes).await
    }

    /// Looks for complete messages. Those before what is no MessagePack are found all the same.
    fn find_messages(&mut self) -> Result<(), ScanError> {
        let mut start = 0;
        while let Some(len) = self.scanner.advance(&self.bytes[start..], self.max)? {
            self.messages.push(start..start + len);
            start += len;
        }
        Ok(())
    }

    /// The complete messages, all in one block.
    fn take_messages(&mut self) -> Option<(Block, Vec<Range<usize>>)> {
        let end = self.messages.last()?.end;
        let rest = self.bytes.split_off(end);
        let mut bytes = std::mem::replace(&mut self.bytes, rest);
        // Records must not hold the memory that a buffer has in reserve.
        bytes.shrink_to_fit();
        self.share.finished();
        Some((Block::from(bytes), std::mem::take(&mut self.messages)))
    }

    /// Takes what is left, beyond what every peer may have, from what all have together.
    async fn count(&mut self) -> Result<(), Exhausted> {
        self.share.set(self.bytes.len().saturating_sub(READ)).await
    }
}

/// Reads what there is; 0 when the peer has closed its side.
async fn read_some(
    reader: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
) -> Result<usize, ConnectionError> {
    if bytes.capacity() - bytes.len() < READ {
        // Not twice as much as before: what is in reserve is not counted.
        bytes.reserve_exact(READ.max(bytes.len() / 8));
    }
    match reader.read_buf(bytes).await {
        // TLS peers that go without a word; whether a message is cut short shows the message.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        read => Ok(read?),
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::*;

    #[test]
    fn messages_are_found_once_and_the_rest_waits() {
        let mut incoming = Incoming::new(100, Budget::new(0, 100).share());
        incoming.bytes.extend_from_slice(b"\xa1a\xa2bc\xa3d");
        incoming.find_messages().unwrap();
        let (block, ranges) = incoming.take_messages().unwrap();
        assert_eq!(ranges, [0..2, 2..5]);
        assert_eq!(&block[..], b"\xa1a\xa2bc");
        assert_eq!(incoming.bytes, b"\xa3d");
        incoming.find_messages().unwrap();
        assert!(incoming.take_messages().is_none());
        incoming.bytes.extend_from_slice(b"ef\xc1");
        assert_eq!(incoming.find_messages(), Err(ScanError::Reserved));
        assert_eq!(incoming.take_messages().unwrap().1.last(), Some(&(0..4)));
    }
}
