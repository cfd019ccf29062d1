//! One connection of `in.Fluentd`: messages in, acks out.

use std::io;
use std::ops::Range;
use std::pin::pin;
use std::time::Duration;

use swak_sdk::data::{Block, Slice};
use swak_sdk::plugin::{Shutdown, Stopped};
use tokio::io::{AsyncRead, AsyncReadExt, ReadHalf};
use tokio::time::timeout;

use super::Limits;
use super::answer::{Answering, answers};
use super::budget::{Exhausted, Share};
use super::deliver::Deliver;
use crate::forward::{ForwardError, decode, is_compressed};
use crate::msgpack::{Malformed, ScanError, Scanner};
use crate::transport::{Stream, TlsError};

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

/// Reads messages and answers them, until the peer leaves or the agent stops and all that was read
/// is answered.
pub(super) async fn serve(
    stream: Stream,
    incoming: Incoming,
    limits: Limits,
    deliver: Deliver,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let (reader, writer) = tokio::io::split(stream);
    let (answering, answers) = answers();
    let mut answers = pin!(answers.run(writer));
    let read = tokio::select! {
        read = read_messages(reader, incoming, limits, deliver, answering, shutdown) => read,
        answered = &mut answers => return answered,
    };
    // Garbage after a good message does not take its answer away.
    answers.await.and(read)
}

async fn read_messages(
    mut reader: ReadHalf<Stream>,
    mut incoming: Incoming,
    limits: Limits,
    mut deliver: Deliver,
    answering: Answering,
    mut shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    loop {
        // What is taken now stays taken until the messages in it are handed on.
        incoming.count().await?;
        let garbage = incoming.find_messages();
        if let Some((block, messages)) = incoming.take_messages() {
            for range in messages {
                let bytes = block.slice(range.start, range.end);
                let _room = match is_compressed(&bytes) {
                    true => Some(incoming.share.room_to_unpack().await),
                    false => None,
                };
                let message = match decode(&bytes, limits.max_message) {
                    Ok(Some(message)) => message,
                    Ok(None) => continue,
                    Err(error) => {
                        // What came before it is good; whether it is still wanted or not, this is
                        // the end.
                        let _ = deliver.flush().await;
                        return Err(error.into());
                    }
                };
                if deliver.message(message, &bytes, &answering).await == Err(Stopped) {
                    return Ok(());
                }
            }
            if deliver.flush().await == Err(Stopped) {
                return Ok(());
            }
        }
        garbage.map_err(ForwardError::Scan)?;
        incoming.count().await?;
        let read = tokio::select! {
            read = read_some(&mut reader, &mut incoming, limits.idle_timeout) => read,
            () = shutdown.triggered() => return Ok(()),
        };
        match read {
            Ok(0) if incoming.bytes.is_empty() => return Ok(()),
            Ok(0) => return Err(ConnectionError::Truncated),
            // It is we who keep it waiting.
            Err(ConnectionError::Idle(_)) if answering.is_owing() => {}
            read => drop(read?),
        }
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
        Some((Block::from(bytes), std::mem::take(&mut self.messages)))
    }

    /// Takes what is left, beyond what every peer may have, from what all have together.
    async fn count(&mut self) -> Result<(), Exhausted> {
        self.share.set(self.bytes.len().saturating_sub(READ)).await
    }
}

/// Reads what there is; 0 when the peer has closed its side.
pub(super) async fn read_some(
    reader: &mut (impl AsyncRead + Unpin),
    incoming: &mut Incoming,
    idle_timeout: Option<Duration>,
) -> Result<usize, ConnectionError> {
    incoming.bytes.reserve(READ);
    let mut some = pin!(reader.read_buf(&mut incoming.bytes));
    let read = match idle_timeout {
        None => some.await,
        Some(limit) => timeout(limit, &mut some).await.map_err(|_| ConnectionError::Idle(limit))?,
    };
    match read {
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
