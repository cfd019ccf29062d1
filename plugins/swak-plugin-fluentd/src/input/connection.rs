//! One connection of `in.Fluentd`: messages in, acks out.

use std::io;
use std::ops::Range;
use std::pin::pin;

use swak_sdk::data::Block;
use swak_sdk::plugin::{Shutdown, Stopped};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::mpsc;

use super::Limits;
use super::answer::{Unanswered, answer};
use super::deliver::Deliver;
use crate::forward::{ForwardError, decode};
use crate::msgpack::{ScanError, Scanner};

/// How much is read at once.
const READ: usize = 64 * 1024;

/// How many chunks of one peer may wait for their delivery.
const MAX_UNANSWERED: usize = 256;

/// Why a connection ended that the peer did not end in order.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error(transparent)]
    Forward(#[from] ForwardError),
    #[error("the peer left in the middle of a message")]
    Truncated,
    #[error("nothing came for {0:?}")]
    Idle(std::time::Duration),
    #[error("what it sent could not be delivered; it should send it again")]
    NotDelivered,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads messages and answers them, until the peer leaves or the agent stops and all that was read
/// is answered.
pub(super) async fn serve(
    stream: TcpStream,
    limits: Limits,
    deliver: Deliver,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let (reader, writer) = stream.into_split();
    let (unanswered, waiting) = mpsc::channel(MAX_UNANSWERED);
    let mut answering = pin!(answer(writer, waiting));
    let read = tokio::select! {
        read = read_messages(reader, limits, deliver, unanswered, shutdown) => read,
        answered = &mut answering => return answered,
    };
    // Garbage after a good message does not take its answer away.
    answering.await.and(read)
}

async fn read_messages(
    mut reader: OwnedReadHalf,
    limits: Limits,
    mut deliver: Deliver,
    unanswered: mpsc::Sender<Unanswered>,
    mut shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let mut incoming = Incoming::new(limits.max_message);
    loop {
        let read = tokio::select! {
            read = read_some(&mut reader, &mut incoming.bytes, limits) => read?,
            () = shutdown.triggered() => return Ok(()),
        };
        if read == 0 {
            let complete = incoming.bytes.is_empty();
            return if complete { Ok(()) } else { Err(ConnectionError::Truncated) };
        }
        let garbage = incoming.find_messages();
        if let Some((block, messages)) = incoming.take_messages() {
            for range in messages {
                let message = block.slice(range.start, range.end);
                let message = match decode(&message, limits.max_message) {
                    Ok(Some(message)) => message,
                    Ok(None) => continue,
                    Err(error) => {
                        // What came before it is good; whether it is still wanted or not, this is
                        // the end.
                        let _ = deliver.flush().await;
                        return Err(error.into());
                    }
                };
                if deliver.message(message, &unanswered).await == Err(Stopped) {
                    return Ok(());
                }
            }
            if deliver.flush().await == Err(Stopped) {
                return Ok(());
            }
        }
        garbage.map_err(ForwardError::Scan)?;
    }
}

/// What came in and is not yet handed on.
struct Incoming {
    bytes: Vec<u8>,
    scanner: Scanner,
    max: usize,
    messages: Vec<Range<usize>>,
}

impl Incoming {
    fn new(max: usize) -> Self {
        Incoming { bytes: Vec::new(), scanner: Scanner::default(), max, messages: Vec::new() }
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
}

async fn read_some(
    reader: &mut OwnedReadHalf,
    bytes: &mut Vec<u8>,
    limits: Limits,
) -> Result<usize, ConnectionError> {
    bytes.reserve(READ);
    let mut some = pin!(reader.read_buf(bytes));
    match limits.idle_timeout {
        None => Ok(some.await?),
        Some(limit) => match tokio::time::timeout(limit, &mut some).await {
            Ok(read) => Ok(read?),
            Err(_) => Err(ConnectionError::Idle(limit)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_once_and_the_rest_waits() {
        let mut incoming = Incoming::new(100);
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
