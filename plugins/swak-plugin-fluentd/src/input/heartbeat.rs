//! Heartbeats over UDP: a datagram to the port is answered with one.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::Guests;

/// What an answer holds, as Fluentd's does.
const ANSWER: &[u8] = &[0];

/// Binds the port of UDP that has the number of the one of TCP.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Answers for ever. Those whom nobody listens to get no answer, and no answer is larger than what
/// asked for it.
pub(super) async fn answer(socket: &UdpSocket, guests: &Guests) {
    let mut bytes = [0; 64];
    loop {
        match socket.recv_from(&mut bytes).await {
            Ok((1.., peer)) if guests.admit(Some(peer.ip())) => {
                // It asks again.
                let _ = socket.send_to(ANSWER, peer).await;
            }
            Ok(_) => {}
            // Windows says so when the receiver of an answer is gone.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => {
                tracing::debug!("cannot receive heartbeats: {error}");
                tokio::time::sleep(super::ACCEPT_PAUSE).await;
            }
        }
    }
}
