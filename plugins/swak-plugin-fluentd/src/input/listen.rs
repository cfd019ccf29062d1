//! Binding a socket that is the same on every system.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use swak_sdk::options::Address;
use tokio::net::{TcpListener, lookup_host};

use super::PORT;

/// How many peers may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Binds the first of a host's addresses that can be bound. `[::]` takes IPv4 too, on Windows as
/// elsewhere.
pub(super) async fn bind(address: &Address) -> io::Result<TcpListener> {
    let mut error = None;
    for address in lookup_host(address.host_and_port(PORT)).await? {
        match bind_one(address) {
            Ok(listener) => return Ok(listener),
            Err(e) => error = Some(e),
        }
    }
    Err(error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
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
