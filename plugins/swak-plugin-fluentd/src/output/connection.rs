//! The connection of `out.Fluentd` to its receiver.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use swak_sdk::data::Slice;
use swak_sdk::plugin::Progress;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep, timeout};

use super::asked::Asked;
use crate::forward::{is_helo, read_ack};
use crate::msgpack::{Malformed, ScanError, Scanner};
use crate::transport::{Stream, TlsError};

/// The largest answer of a receiver. An ack takes about forty bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The message that says nothing: nil.
const HEARTBEAT: &[u8] = b"\xc0";

/// A connection without half-sent messages and without open answers.
pub(super) struct Connection {
    stream: Stream,
    answers: Answers,
    /// Whether the receiver lets it be used for more than one chunk.
    pub(super) keepalive: bool,
}

/// How long an exchange may stand still: whoever is slow and works is waited for.
pub(super) struct Pace<'a> {
    /// While there is something to send.
    write_timeout: Duration,
    /// When all is sent.
    ack_timeout: Duration,
    began: Instant,
    /// When the receiver took or acknowledged something; the engine hears of it too.
    progress: &'a Progress,
}

impl<'a> Pace<'a> {
    /// Of an exchange that begins now.
    pub(super) fn new(
        write_timeout: Duration,
        ack_timeout: Duration,
        progress: &'a Progress,
    ) -> Self {
        Pace { write_timeout, ack_timeout, began: Instant::now(), progress }
    }

    /// Waits until nothing has gone on for as long as it may.
    async fn stands_still(&self, all_is_sent: bool) -> ConnectionError {
        let limit = if all_is_sent { self.ack_timeout } else { self.write_timeout };
        loop {
            let left = limit.saturating_sub(self.progress.last(self.began).elapsed());
            if left.is_zero() {
                return match all_is_sent {
                    true => ConnectionError::AckTimeout(limit),
                    false => ConnectionError::WriteTimeout(limit),
                };
            }
            sleep(left).await;
        }
    }
}

/// What was received and not yet read.
#[derive(Default)]
struct Answers {
    scanner: Scanner,
    unread: Vec<u8>,
}

/// Why a connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("connecting took longer than {0:?}")]
    ConnectTimeout(Duration),
    #[error("the receiver took nothing for {0:?}")]
    WriteTimeout(Duration),
    #[error("no ack came within {0:?}")]
    AckTimeout(Duration),
    #[error("the receiver closed the connection")]
    Closed,
    #[error("the answer is not MessagePack")]
    Scan(#[from] ScanError),
    #[error("the answer is not an ack")]
    NotAnAck(#[source] Malformed),
    #[error("it acknowledged a chunk that it was not asked for")]
    UnknownChunk,
    #[error("it said something that nobody had asked for")]
    Unasked,
    #[error("it asks for a shared key: give it as `shared_key`")]
    WantsKey,
    #[error("the handshake failed")]
    Handshake(#[source] Malformed),
    #[error("it does not let us in: {0}")]
    Refused(String),
    #[error("it does not have the same shared key")]
    OtherKey,
    #[error("it asks for a user: give `username` and `password`")]
    WantsUser,
    #[error("it calls itself `{0}` as we do: give another `self_hostname`")]
    SameName(String),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Connection {
    /// Of a stream on which nothing was sent yet.
    pub(super) fn new(stream: Stream) -> Self {
        Connection { stream, answers: Answers::default(), keepalive: true }
    }

    /// Sends all of the pieces and waits until each message is acknowledged, in whichever order. Acks
    /// are read while the bytes are still on their way: a receiver whose acks nobody takes would stop
    /// reading. `asked` knows at every moment which have come, also when this fails or is dropped.
    pub(super) async fn exchange(
        &mut self,
        pieces: Vec<&[u8]>,
        asked: &mut Asked,
        pace: Pace<'_>,
    ) -> Result<(), ConnectionError> {
        let Connection { stream, answers, .. } = self;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut sending = pin!(async {
            for mut piece in pieces {
                while !piece.is_empty() {
                    let taken = writer.write(piece).await?;
                    if taken == 0 {
                        return Err(io::Error::from(io::ErrorKind::WriteZero));
                    }
                    piece = &piece[taken..];
                    pace.progress.made();
                }
            }
            writer.flush().await
        });
        let mut receiving = pin!(async {
            while !asked.is_done() {
                let answer = answers.next(&mut reader).await?;
                if is_helo(&answer) {
                    return Err(ConnectionError::WantsKey);
                }
                let chunk = read_ack(&answer).map_err(ConnectionError::NotAnAck)?;
                asked.answered(&chunk).map_err(|_| ConnectionError::UnknownChunk)?;
                pace.progress.made();
            }
            Ok(())
        });
        let (mut all_is_sent, mut all_is_acknowledged) = (false, false);
        while !(all_is_sent && all_is_acknowledged) {
            tokio::select! {
                // What came before the connection broke counts: so acks are read first.
                biased;
                received = &mut receiving, if !all_is_acknowledged => {
                    received?;
                    all_is_acknowledged = true;
                }
                sent = &mut sending, if !all_is_sent => {
                    sent?;
                    all_is_sent = true;
                }
                error = pace.stands_still(all_is_sent) => return Err(error),
            }
        }
        Ok(())
    }

    /// The next value that the receiver sends.
    pub(super) async fn answer(&mut self) -> Result<Slice, ConnectionError> {
        self.answers.next(&mut self.stream).await
    }

    /// Sends a message to which no ack is due.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), ConnectionError> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// Tells the receiver, and whatever watches the connection on the way, that it is still there.
    pub(super) async fn heartbeat(&mut self, limit: Duration) -> Result<(), ConnectionError> {
        self.check_open().await?;
        timeout(limit, self.send(HEARTBEAT))
            .await
            .map_err(|_| ConnectionError::WriteTimeout(limit))?
    }

    /// Says that nothing more will come.
    pub(super) async fn close(mut self) -> io::Result<()> {
        match self.stream.shutdown().await {
            // It was quicker.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            closed => closed,
        }
    }

    /// A receiver that went away while the connection was idle is noticed before anything is sent
    /// to it, and so is one that said what nobody asked for.
    pub(super) async fn check_open(&mut self) -> Result<(), ConnectionError> {
        let mut bytes = [0; 1024];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = poll_fn(|cx| {
            Poll::Ready(match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(read) => Some(read),
                Poll::Pending => None,
            })
        });
        if let Some(read) = read.await {
            match read {
                // Without a word: over TLS, or when the receiver's machine was started anew.
                Err(error) if is_gone(&error) => return Err(ConnectionError::Closed),
                read => read?,
            }
            if buffer.filled().is_empty() {
                return Err(ConnectionError::Closed);
            }
            self.answers.unread.extend_from_slice(buffer.filled());
        }
        match self.answers.take()? {
            Some(answer) if is_helo(&answer) => Err(ConnectionError::WantsKey),
            None if self.answers.unread.is_empty() => Ok(()),
            _ => Err(ConnectionError::Unasked),
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

impl Answers {
    async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Result<Slice, ConnectionError> {
        loop {
            if let Some(answer) = self.take()? {
                return Ok(answer);
            }
            if stream.read_buf(&mut self.unread).await? == 0 {
                return Err(ConnectionError::Closed);
            }
        }
    }

    /// The next value, when it is whole.
    fn take(&mut self) -> Result<Option<Slice>, ConnectionError> {
        let Some(len) = self.scanner.advance(&self.unread, MAX_ANSWER)? else { return Ok(None) };
        Ok(Some(Slice::from(self.unread.drain(..len).collect::<Vec<u8>>())))
    }
}

#[cfg(test)]
mod tests {
    use swak_sdk::Error;

    use super::*;

    #[test]
    fn each_reason_is_told_once() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        for (error, told) in [
            (ConnectionError::from(refused), "connection refused"),
            (ScanError::Reserved.into(), "a byte that MessagePack never uses"),
            (ConnectionError::NotAnAck(Malformed { expected: "a map" }), "expected a map"),
        ] {
            let error = format!("{:#}", Error::new(error).context("127.0.0.1:1"));
            assert_eq!(error.matches(told).count(), 1, "{error}");
        }
    }
}
