//! Sockets: binding them, and reading until the agent stops.

mod connections;
mod datagram;
mod stream;
#[cfg(target_os = "linux")]
mod udp;
#[cfg(unix)]
mod unix;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use swak_sdk::options::Address;
use swak_sdk::plugin::{Emitter, Shutdown};
use tokio::net::{TcpListener, UdpSocket};

pub(crate) use connections::Connections;

use crate::buffers::Buffers;
use crate::endpoint::{Endpoint, PORT};
use crate::record::Reader;

/// What messages and peers must keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_message: usize,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) receive_buffer: usize,
}

/// What every listener needs to do its work.
pub(crate) struct Receiver {
    pub(crate) reader: Arc<Reader>,
    pub(crate) limits: Limits,
    pub(crate) connections: Arc<Connections>,
    pub(crate) buffers: Buffers,
    pub(crate) out: Emitter,
    pub(crate) shutdown: Shutdown,
}

/// A bound socket.
pub(crate) enum Listener {
    Udp(UdpSocket),
    Tcp(TcpListener),
    #[cfg(unix)]
    UnixStream(unix::Bound<tokio::net::UnixListener>),
    #[cfg(unix)]
    UnixDatagram(unix::Bound<tokio::net::UnixDatagram>),
}

/// How often a socket is read on after the stop, for what has come in already; a peer that goes on
/// sending must not keep the agent from its end.
const READS_AFTER_STOP: usize = 64;

/// How long a socket is looked at once more after the stop: what has come in may not have been told of
/// yet. Whoever waits for a time is told of all that came before.
const LAST_LOOK: Duration = Duration::from_millis(1);

/// How many peers may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Binds a socket.
pub(crate) async fn bind(endpoint: &Endpoint, limits: Limits) -> io::Result<Listener> {
    Ok(match endpoint {
        Endpoint::Udp(address) => Listener::Udp(
            bind_first(address, |address| bind_udp(address, limits.receive_buffer)).await?,
        ),
        Endpoint::Tcp(address) => Listener::Tcp(bind_first(address, bind_tcp).await?),
        #[cfg(unix)]
        Endpoint::UnixStream(path) => Listener::UnixStream(unix::bind_stream(path)?),
        #[cfg(unix)]
        Endpoint::UnixDatagram(path) => Listener::UnixDatagram(unix::bind_datagram(path)?),
        #[cfg(not(unix))]
        Endpoint::UnixStream(_) | Endpoint::UnixDatagram(_) => {
            return Err(io::ErrorKind::Unsupported.into());
        }
    })
}

impl Listener {
    /// Reads until the agent stops.
    pub(crate) async fn run(self, receiver: Receiver) -> swak_sdk::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Listener::Udp(socket) => datagram::run(udp::Udp::new(socket), receiver).await?,
            #[cfg(not(target_os = "linux"))]
            Listener::Udp(socket) => datagram::run(socket, receiver).await?,
            Listener::Tcp(listener) => stream::run(listener, receiver).await,
            #[cfg(unix)]
            Listener::UnixStream(listener) => stream::run(listener, receiver).await,
            #[cfg(unix)]
            Listener::UnixDatagram(socket) => datagram::run(socket, receiver).await?,
        }
        Ok(())
    }
}

/// Binds the first of a host's addresses that can be bound.
async fn bind_first<S>(
    address: &Address,
    bind: impl Fn(SocketAddr) -> io::Result<S>,
) -> io::Result<S> {
    let mut error = None;
    for address in tokio::net::lookup_host(address.host_and_port(PORT)).await? {
        match bind(address) {
            Ok(socket) => return Ok(socket),
            Err(e) => error = Some(e),
        }
    }
    Err(error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

fn bind_udp(address: SocketAddr, receive_buffer: usize) -> io::Result<UdpSocket> {
    let socket = socket(address, Type::DGRAM, Protocol::UDP)?;
    // The system takes less when its limit is lower; one that refuses has its own default.
    if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(receive_buffer) {
        tracing::warn!("the receive buffer of {address} keeps its size: {error}");
    }
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address, Type::STREAM, Protocol::TCP)?;
    // A port is free at once when its agent has ended. On Windows it is so anyway, and this would let
    // two agents share one.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// A socket as every system would have it: `[::]` takes IPv4 too.
fn socket(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}
