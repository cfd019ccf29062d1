//! Whom `out.Fluentd` sends to, and how a connection to it is made.

#[cfg(not(unix))]
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use swak_sdk::options::{Address, Placed, Secret};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::connection::{Connection, ConnectionError};
use super::handshake::greet;
use crate::PORT;
use crate::transport::{Connector, Stream, TlsFiles, enable_keepalive};

/// The receiver, and what it wants to know.
pub(super) struct Peer {
    pub(super) place: Place,
    pub(super) tls: Option<Tls>,
    pub(super) credentials: Option<Credentials>,
    /// How long it may take until messages can be sent.
    pub(super) connect_timeout: Placed<Duration>,
}

/// Where the receiver is.
pub(super) enum Place {
    Tcp(Address),
    /// Only where there are Unix sockets; the options see to it.
    Unix(PathBuf),
}

/// How its certificate is checked, and which one is ours.
pub(super) struct Tls {
    pub(super) files: TlsFiles,
    pub(super) server_name: Option<String>,
}

/// What the handshake takes.
pub(super) struct Credentials {
    pub(super) shared_key: Secret,
    pub(super) self_hostname: String,
    pub(super) username: String,
    pub(super) password: Secret,
}

impl Peer {
    /// Connects, to the first address of the host that answers, and shakes hands.
    pub(super) async fn connect(&self) -> Result<Connection, ConnectionError> {
        timeout(*self.connect_timeout, async {
            let mut connection = Connection::new(self.stream().await?);
            if let Some(credentials) = &self.credentials {
                greet(&mut connection, credentials).await?;
            }
            Ok(connection)
        })
        .await
        .map_err(|_| ConnectionError::ConnectTimeout(*self.connect_timeout))?
    }

    async fn stream(&self) -> Result<Stream, ConnectionError> {
        let address = match &self.place {
            Place::Tcp(address) => address,
            #[cfg(unix)]
            Place::Unix(path) => return Ok(Stream::Unix(UnixStream::connect(path).await?)),
            #[cfg(not(unix))]
            Place::Unix(_) => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        };
        // The files are read each time: a certificate may have been renewed.
        let connector = match &self.tls {
            Some(tls) => {
                let name = tls.server_name.as_deref().unwrap_or(&address.host);
                Some(Connector::new(&tls.files, name)?)
            }
            None => None,
        };
        let stream = TcpStream::connect(address.host_and_port(PORT)).await?;
        stream.set_nodelay(true)?;
        enable_keepalive(&stream);
        match connector {
            Some(connector) => Ok(connector.connect(stream).await?),
            None => Ok(Stream::Tcp(stream)),
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Place::Tcp(address) => address.clone().with_default_port(PORT).fmt(f),
            Place::Unix(path) => path.display().fmt(f),
        }
    }
}
