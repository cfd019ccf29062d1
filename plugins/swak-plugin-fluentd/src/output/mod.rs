//! `out.Fluentd`: sends the Forward protocol.

mod connection;
mod message;

use std::time::Duration;

use swak_sdk::prelude::*;

use self::connection::Connection;
use self::message::{ChunkIds, Messages, Tag};

/// Sends records to Fluentd, Fluent Bit or another Swak.
///
/// It speaks the Forward protocol, version 1, over TCP: PackedForward with EventTime, one message
/// for each tag of a chunk. A record that is still a line is sent as the field `message`: text when
/// it is UTF-8, binary when it is not. Times in fields are sent as RFC 3339 text.
///
/// With `require_ack` a chunk counts as delivered once the receiver has said that it has all of it.
///
/// ```swak
/// task(
///     in.FileTailing("/var/log/nginx/access.log"),
///     failover(
///         out.Fluentd("logs1.example.com", tag="nginx.access"),
///         out.Fluentd("logs2.example.com", tag="nginx.access")
///     )
/// )
/// ```
#[derive(Options)]
#[plugin(output, name = "Fluentd")]
pub struct OutFluentdOptions {
    /// The receiver: a name or an IP address, with or without a port.
    #[option(positional, default = "127.0.0.1")]
    host: Address,
    /// The receiver's port, when `host` has none.
    #[option(default = 24224, range = 1..=65535)]
    port: u16,
    /// The tag that the receiver routes by, a template over each record. Where it comes to nothing,
    /// the tag of the batch is taken.
    #[option(default = "{{ tag }}")]
    tag: Template,
    /// Whether to wait until the receiver says that it has the records. Without it, records that are
    /// on their way when a connection breaks are lost.
    #[option(default = true)]
    require_ack: bool,
    /// How long to wait for the receiver's word. The records are then sent again.
    #[option(default = "30s")]
    ack_timeout: Duration,
    /// How long connecting may take.
    #[option(default = "10s")]
    connect_timeout: Duration,
    /// How long sending a chunk may take, without waiting for the receiver's word.
    #[option(default = "30s")]
    write_timeout: Duration,
    /// Whether the connection is kept for the next chunk.
    #[option(default = true)]
    keepalive: bool,
}

pub(crate) struct OutFluentd {
    options: OutFluentdOptions,
    tag: Tag,
    /// `None` before the first write, after a failed one, and after one that was cut off.
    connection: Option<Connection>,
    messages: Messages,
}

impl Plugin for OutFluentd {
    type Options = OutFluentdOptions;

    fn new(options: OutFluentdOptions, _: &BuildContext) -> Result<Self> {
        let limits = [
            ("ack_timeout", options.ack_timeout),
            ("connect_timeout", options.connect_timeout),
            ("write_timeout", options.write_timeout),
        ];
        for (name, limit) in limits {
            ensure!(!limit.is_zero(), "`{name}` must be longer than nothing");
        }
        let ids = options.require_ack.then(ChunkIds::new);
        let tag = Tag::from(options.tag.clone());
        Ok(OutFluentd { options, tag, connection: None, messages: Messages::new(ids) })
    }
}

impl Output for OutFluentd {
    async fn connect(&mut self) -> Result<()> {
        self.connection = None;
        self.connection = Some(self.open().await?);
        Ok(())
    }

    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        // Taken out, so that a write that is cut off leaves no connection with half a message.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.open().await.map_err(WriteError::NotConnected)?,
        };
        self.messages.write(chunk, &self.tag);
        connection
            .send(self.messages.bytes(), self.options.write_timeout)
            .await
            .map_err(|e| self.not_connected(e))?;
        connection
            .wait_for_acks(self.messages.unanswered(), self.options.ack_timeout)
            .await
            .map_err(|e| self.not_connected(e))?;
        if self.options.keepalive {
            self.connection = Some(connection);
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        match self.connection.take() {
            Some(connection) => Ok(connection.close().await?),
            None => Ok(()),
        }
    }
}

impl OutFluentd {
    async fn open(&self) -> Result<Connection> {
        let address = self.options.host.host_and_port(self.options.port);
        Connection::open(address, self.options.connect_timeout)
            .await
            // What failed, the engine says.
            .with_context(|| self.peer())
    }

    fn not_connected(&self, error: connection::ConnectionError) -> WriteError {
        WriteError::NotConnected(Error::new(error).context(self.peer()))
    }

    fn peer(&self) -> String {
        self.options.host.clone().with_default_port(self.options.port).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_told_with_its_peer_and_reason_and_no_more() {
        let options = OutFluentdOptions::read(&Args::default()).expect("all have defaults");
        let mut output =
            OutFluentd::new(options, &BuildContext::for_check()).expect("defaults go together");
        // A port that no one can listen on without being root, and that nobody does.
        output.options.host = "127.0.0.1:1".parse().expect("an address");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let error = runtime.expect("a runtime").block_on(output.connect()).unwrap_err();
        let told = format!("{error:#}");
        assert!(told.starts_with("127.0.0.1:1: "), "{told}");
        assert_eq!(told.to_lowercase().matches("refused").count(), 1, "{told}");
    }
}
