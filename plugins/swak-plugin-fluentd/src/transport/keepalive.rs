//! TCP keep-alive: a peer whose machine went away is noticed although nothing is sent to it.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// When probes begin, and how far apart they are.
const AFTER: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(10);

/// Turns it on. A system that refuses goes without it.
pub(crate) fn enable(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(AFTER).with_interval(INTERVAL);
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&keepalive) {
        tracing::debug!("TCP keep-alive stays off: {error}");
    }
}
