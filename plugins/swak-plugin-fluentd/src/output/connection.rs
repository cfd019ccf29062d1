//! The connection of `out.Fluentd` to its receiver.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use swak_sdk::data::Slice;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::forward::read_ack;
use crate::keepalive;
use crate::msgpack::{Malformed, ScanError, Scanner};

/// The largest answer of a receiver. An ack takes about thirty bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// A connection without half-sent messages and without open answers.
pub(super) struct Connection {
    stream: TcpStream,
    scanner: Scanner,
    unread: Vec<u8>,
}

/// Why a connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("connecting took longer than {0:?}")]
    ConnectTimeout(Duration),
    #[error("sending took longer than {0:?}")]
    WriteTimeout(Duration),
    #[error("no ack came within {0:?}")]
    AckTimeout(Duration),
    #[error("the receiver closed the connection")]
    Closed,
    #[error("the answer is not MessagePack")]
    Scan(#[from] ScanError),
    #[error("the answer is not an ack")]
    NotAnAck(#[from] Malformed),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Connection {
    /// Connects to the first address of the host that answers.
    pub(super) async fn open(
        address: (&str, u16),
        limit: Duration,
    ) -> Result<Self, ConnectionError> {
        let stream = timeout(limit, TcpStream::connect(address))
            .await
            .map_err(|_| ConnectionError::ConnectTimeout(limit))??;
        stream.set_nodelay(true)?;
        keepalive::enable(&stream);
        Ok(Connection { stream, scanner: Scanner::default(), unread: Vec::new() })
    }

    /// Sends all of the bytes.
    pub(super) async fn send(
        &mut self,
        bytes: &[u8],
        limit: Duration,
    ) -> Result<(), ConnectionError> {
        self.check_open()?;
        timeout(limit, self.stream.write_all(bytes))
            .await
            .map_err(|_| ConnectionError::WriteTimeout(limit))??;
        Ok(())
    }

    /// Waits until each of these chunks is answered, in whichever order.
    pub(super) async fn wait_for_acks(
        &mut self,
        mut unanswered: BTreeSet<Vec<u8>>,
        limit: Duration,
    ) -> Result<(), ConnectionError> {
        let end = Instant::now() + limit;
        while !unanswered.is_empty() {
            let answer = timeout_at(end, self.answer())
                .await
                .map_err(|_| ConnectionError::AckTimeout(limit))??;
            // The ack of another chunk says nothing of these.
            unanswered.remove(&read_ack(&answer)?);
        }
        Ok(())
    }

    /// Says that nothing more will come.
    pub(super) async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// A receiver that went away while the connection was idle is noticed before anything is sent
    /// to it; a receiver that sends what nobody asked for has it thrown away.
    fn check_open(&mut self) -> Result<(), ConnectionError> {
        let mut bytes = [0; 1024];
        loop {
            match self.stream.try_read(&mut bytes) {
                Ok(0) => return Err(ConnectionError::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn answer(&mut self) -> Result<Slice, ConnectionError> {
        loop {
            if let Some(len) = self.scanner.advance(&self.unread, MAX_ANSWER)? {
                let rest = self.unread.split_off(len);
                return Ok(std::mem::replace(&mut self.unread, rest).into());
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Err(ConnectionError::Closed);
            }
        }
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
            (Malformed { expected: "a map" }.into(), "expected a map"),
        ] {
            let error = format!("{:#}", Error::new(error).context("127.0.0.1:1"));
            assert_eq!(error.matches(told).count(), 1, "{error}");
        }
    }
}
