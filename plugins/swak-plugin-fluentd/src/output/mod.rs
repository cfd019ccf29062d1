//! `out.Fluentd`: sends the Forward protocol.

mod asked;
mod connection;
mod handshake;
mod kept;
mod message;
mod options;
mod peer;

use std::time::Duration;

use swak_sdk::prelude::*;

use self::connection::{Connection, ConnectionError, Pace};
use self::kept::Kept;
use self::message::{Messages, Tag};
pub use self::options::OutFluentdOptions;
use self::peer::Peer;
use tokio::time::timeout;

/// How long it may take to say goodbye, to a receiver that has everything.
const CLOSING: Duration = Duration::from_secs(1);

pub(crate) struct OutFluentd {
    peer: Peer,
    tag: Tag,
    messages: Messages,
    kept: Kept,
    keepalive: bool,
    ack_timeout: Placed<Duration>,
    write_timeout: Placed<Duration>,
    progress: Progress,
    /// Whether the messages are those of the chunk that was written last.
    begun: bool,
}

impl Output for OutFluentd {
    async fn connect(&mut self) -> Result<()> {
        // Not the one of before: it is what failed.
        drop(self.kept.take().await);
        let connection = self.open().await?;
        self.kept.put(connection);
        Ok(())
    }

    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        self.begun = false;
        // Taken out, so that a write that is cut off leaves no connection with half a message.
        let mut connection = self.ready().await.map_err(WriteError::NotConnected)?;
        self.messages.write(chunk, &self.tag);
        self.begun = true;
        let (pieces, asked) = self.messages.parts();
        let pace = Pace::new(*self.write_timeout, *self.ack_timeout, &self.progress);
        let sent = connection.exchange(pieces, asked, pace).await;
        sent.map_err(|error| WriteError::NotConnected(self.told(error)))?;
        self.messages.delivered();
        if self.keepalive && connection.keepalive {
            self.kept.put(connection);
        } else {
            // What was sent is delivered, however it ends.
            let _ = timeout(CLOSING, connection.close()).await;
        }
        Ok(())
    }

    fn delivered(&mut self) -> usize {
        if self.begun { self.messages.take_acknowledged() } else { 0 }
    }

    fn progress(&self) -> Option<Progress> {
        Some(self.progress.clone())
    }

    fn time_limits(&self) -> Vec<TimeLimit> {
        let limits = [
            ("connect_timeout", self.peer.connect_timeout),
            ("write_timeout", self.write_timeout),
            ("ack_timeout", self.ack_timeout),
        ];
        let given = limits.into_iter().filter(|(_, limit)| limit.span != Span::default());
        given.map(|(option, limit)| TimeLimit { option, limit }).collect()
    }

    async fn close(&mut self) -> Result<()> {
        match self.kept.take().await {
            Some(connection) => Ok(connection.close().await?),
            None => Ok(()),
        }
    }
}

impl OutFluentd {
    /// A connection that is open, as far as one can know.
    async fn ready(&mut self) -> Result<Connection> {
        if let Some(mut connection) = self.kept.take().await {
            match connection.check_open().await {
                Ok(()) => return Ok(connection),
                // It was idle for too long for the receiver, or that was started anew.
                Err(error @ ConnectionError::Closed) => {
                    tracing::debug!(peer = %self.peer, "{error}");
                }
                Err(error) => return Err(self.told(error)),
            }
        }
        self.open().await
    }

    async fn open(&self) -> Result<Connection> {
        // What failed, the engine says.
        self.kept.ask().await.with_context(|| self.peer.to_string())?;
        self.peer.connect().await.map_err(|error| self.told(error))
    }

    fn told(&self, error: ConnectionError) -> Error {
        Error::new(error).context(self.peer.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_told_with_its_peer_and_reason_and_no_more() {
        // A port that no one can listen on without being root, and that nobody does.
        let host = Literal::bare(LiteralValue::Str("127.0.0.1:1".to_owned()));
        let args = Args { positional: vec![host], ..Args::default() };
        let options = OutFluentdOptions::read(&args).expect("an address");
        let mut output =
            OutFluentd::new(options, &BuildContext::for_check()).expect("defaults go together");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let error = runtime.expect("a runtime").block_on(output.connect()).unwrap_err();
        let told = format!("{error:#}");
        assert!(told.starts_with("127.0.0.1:1: "), "{told}");
        assert_eq!(told.to_lowercase().matches("refused").count(), 1, "{told}");
    }
}
