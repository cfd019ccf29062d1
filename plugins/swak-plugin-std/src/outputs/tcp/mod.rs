//! `out.Tcp`: a stream of bytes to whoever listens on a TCP port.

mod connection;

use std::io::IoSlice;
use std::time::Duration;

use swak_sdk::prelude::*;

use self::connection::{Connection, ConnectionError, Sockets};
use crate::formats::{Encoder, Format, FormatOptions, Replaced};

/// Sends records over TCP as a stream of lines: to rsyslog, Logstash, Vector, `nc`, or any program that
/// listens.
///
/// A line feed ends each record, but in MessagePack, where records follow each other. What the peer
/// sends is read and dropped. There is no TLS here: put a tunnel such as `stunnel` in between, or take
/// `out.Fluentd`, which has it.
///
/// ```swak
/// task(
///     in.FileTailing("/var/log/nginx/access.log"),
///     out.Tcp("logs.example.com:5140", timeout="10s")
/// )
/// ```
///
/// TCP has no answer by which a program says what it has, so records count as delivered once the system
/// has taken them to send. What is then still on its way is lost when the peer is killed or its machine
/// dies: as much as the send buffer here and the receive buffer there hold, several megabytes at the
/// most. Where nothing may be lost, take an output with acks, such as `out.Fluentd`.
///
/// What can be done is done. Before and after each write it is looked whether the peer has closed or
/// reset the connection. A chunk whose write fails is sent again from its beginning, over a new
/// connection, so that the peer may have some of it twice, and a piece of a line at the end of the old
/// connection. When the task ends, it says so to the peer and waits until that has read everything and
/// closes its side too. So a peer that closes only the side on which it would send is taken for gone,
/// as rsyslog and Vector take it.
#[derive(Options)]
#[plugin(output, name = "Tcp")]
pub(crate) struct TcpOptions {
    /// Who listens: a name or an IP address, with a port.
    #[option(positional)]
    address: Address,
    /// The form in which records are sent.
    #[option(default = "raw")]
    format: Format,
    /// The fields of a row of `format="csv"`.
    #[option(default = [])]
    columns: Vec<FieldPath>,
    /// What stands between two cells of `format="csv"`.
    #[option(default = ",")]
    delimiter: char,
    /// Whether the first row of a connection of `format="csv"` names the columns.
    #[option(default = true)]
    header: bool,
    /// The template of `format="template"`, one line a record: `{{ host }} {{ message }}`.
    template: Option<Template>,
    /// After how long without traffic the system asks the peer's system whether it is there, and then
    /// every ten seconds; `"0s"` for never.
    #[option(default = "60s")]
    keepalive: Duration,
    /// How large a send buffer the system is asked for. Left out: the system's own, which grows with the
    /// traffic.
    send_buffer: Option<ByteSize>,
    /// How long to wait at the end until the peer has read everything and closes its side. No longer
    /// than `timeout`.
    #[option(default = "5s")]
    close_timeout: Placed<Duration>,
}

pub(crate) struct Tcp {
    peer: Peer,
    encoder: Encoder,
    header: Option<Vec<u8>>,
    replaced: Replaced,
    /// One on which whole chunks were sent.
    connection: Option<Connection>,
    close_timeout: Placed<Duration>,
    progress: Progress,
}

/// Who listens, and how we connect.
struct Peer {
    address: Address,
    port: u16,
    sockets: Sockets,
}

impl Plugin for Tcp {
    type Options = TcpOptions;

    fn new(options: TcpOptions, cx: &BuildContext) -> Result<Self> {
        let TcpOptions { address, format, columns, delimiter, template, .. } = options;
        let port = address.port.filter(|port| *port != 0);
        let port = port.with_context(|| {
            format!("to which port? Write it behind the address: \"{}:5140\"", address.host)
        })?;
        ensure!(!options.close_timeout.is_zero(), "`close_timeout` must be longer than nothing");
        ensure!(
            options.send_buffer.is_none_or(|size| (1..=1 << 30).contains(&size.0)),
            "`send_buffer` is from 1 to 1g"
        );
        let encoder = Encoder::new(FormatOptions { format, columns, delimiter, template })?;
        let sockets = Sockets {
            keepalive: (!options.keepalive.is_zero()).then_some(options.keepalive),
            send_buffer: options.send_buffer.map(|size| size.as_usize()),
        };
        Ok(Tcp {
            peer: Peer { address, port, sockets },
            header: encoder.header().filter(|_| options.header),
            encoder,
            replaced: Replaced::new(cx.counters().clone()),
            connection: None,
            close_timeout: options.close_timeout,
            progress: Progress::default(),
        })
    }
}

impl Output for Tcp {
    async fn connect(&mut self) -> Result<()> {
        // Not the one of before: it is what failed.
        self.connection = None;
        self.connection = Some(self.peer.open().await?);
        Ok(())
    }

    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        // Taken out, so that a write that is cut off leaves no connection with half a line.
        let mut connection = self.ready().await.map_err(WriteError::NotConnected)?;
        let encoded = match self.encoder.encode(chunk) {
            Ok(encoded) => encoded,
            Err(error) => {
                self.connection = Some(connection);
                return Err(WriteError::Reject(error.into()));
            }
        };
        let header = self.header.as_deref().filter(|_| connection.is_new());
        let mut pieces: Vec<_> =
            header.into_iter().chain(encoded.slices()).map(IoSlice::new).collect();
        let sent = connection.send(&mut pieces, &self.progress).await;
        sent.map_err(|error| WriteError::NotConnected(self.peer.told(error)))?;
        self.replaced.count(encoded.replaced());
        self.connection = Some(connection);
        Ok(())
    }

    fn progress(&self) -> Option<Progress> {
        Some(self.progress.clone())
    }

    fn time_limits(&self) -> Vec<TimeLimit> {
        let given = Some(self.close_timeout).filter(|limit| limit.span != Span::default());
        given.map(|limit| TimeLimit { option: "close_timeout", limit }).into_iter().collect()
    }

    async fn close(&mut self) -> Result<()> {
        match self.connection.take() {
            Some(connection) => {
                let finished = connection.finish(*self.close_timeout).await;
                finished.map_err(|error| self.peer.told(error))
            }
            None => Ok(()),
        }
    }
}

impl Tcp {
    /// A connection that is open, as far as one can know.
    async fn ready(&mut self) -> Result<Connection> {
        if let Some(connection) = self.connection.take() {
            match connection.check_open() {
                Ok(()) => return Ok(connection),
                // It was idle for too long for the peer, or that was started anew.
                Err(error) => tracing::debug!(peer = %self.peer.address, "{error}"),
            }
        }
        self.peer.open().await
    }
}

impl Peer {
    async fn open(&self) -> Result<Connection> {
        let opened = Connection::open((&self.address.host, self.port), &self.sockets).await;
        opened.map_err(|error| self.told(error))
    }

    fn told(&self, error: impl Into<ConnectionError>) -> Error {
        Error::new(error.into()).context(self.address.to_string())
    }
}

#[cfg(test)]
mod tests;
