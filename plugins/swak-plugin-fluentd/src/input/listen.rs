//! Where peers come from: a TCP port or a Unix socket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use socket2::{Domain, Protocol, Socket, Type};
use swak_sdk::data::Name;
use swak_sdk::options::Address;
use tokio::net::{TcpListener, lookup_host};

#[cfg(unix)]
use super::listen_unix::UnixSocket;
use crate::PORT;
use crate::transport::{Stream, enable_keepalive};

/// How many peers may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A bound socket.
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
}

/// Somebody who connected.
pub(super) struct Accepted {
    pub(super) stream: Stream,
    /// What its records are said to come from.
    pub(super) source: Name,
    /// `None` for one on the same machine, over a Unix socket.
    pub(super) address: Option<IpAddr>,
}

impl Listener {
    /// Binds the first of a host's addresses that can be bound. `[::]` takes IPv4 too, on Windows as
    /// elsewhere.
    pub(super) async fn tcp(address: &Address) -> io::Result<Self> {
        let mut error = None;
        for address in lookup_host(address.host_and_port(PORT)).await? {
            match bind_one(address) {
                Ok(listener) => return Ok(Listener::Tcp(listener)),
                Err(e) => error = Some(e),
            }
        }
        Err(error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
    }

    /// Binds a socket that is a file, with these permissions if any are given.
    pub(super) fn unix(path: &Path, permissions: Option<u32>) -> io::Result<Self> {
        #[cfg(unix)]
        return UnixSocket::bind(path, permissions).map(Listener::Unix);
        #[cfg(not(unix))]
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("{path:?} {permissions:?}"),
        ));
    }

    /// The address of a port, for the heartbeats that come to it too.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Listener::Unix(_) => None,
        }
    }

    /// The next peer.
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                enable_keepalive(&stream);
                // An ack is small, and somebody waits for it.
                let _ = stream.set_nodelay(true);
                let (source, address) = (Name::from(peer.to_string()), Some(peer.ip()));
                Ok(Accepted { stream: Stream::Tcp(stream), source, address })
            }
            #[cfg(unix)]
            Listener::Unix(socket) => {
                let (stream, source) = socket.accept().await?;
                Ok(Accepted { stream: Stream::Unix(stream), source, address: None })
            }
        }
    }
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A port is free at once when its agent has ended. On Windows it is so anyway, and this would let
    // two agents share one.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
