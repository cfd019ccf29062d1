//! UDP on Linux: many datagrams with one call of the system, and how many it has dropped.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, setsockopt, sockopt,
};
use swak_sdk::data::Name;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::datagram::{DatagramSocket, Inbox, MAX_UDP, has_large_buffer};

/// How many datagrams are read at once. Each has room for the largest that there may be, of which
/// only the pages that are written to take memory.
const AT_ONCE: usize = 32;

/// Rooms that are a power of two apart would all take the same places in the caches.
const APART: usize = 320;

/// A socket of UDP.
pub(crate) struct Udp {
    socket: UdpSocket,
    has_room: bool,
    rooms: Vec<u8>,
    /// How many datagrams were dropped in all when the last one came in, and how many of them were
    /// told of. The system counts in 32 bits.
    dropped: u32,
    told: u32,
}

impl Udp {
    pub(super) fn new(socket: UdpSocket) -> Self {
        if let Err(error) = setsockopt(&socket, sockopt::RxqOvfl, &1) {
            tracing::debug!("the system does not tell of datagrams that it drops: {error}");
        }
        let has_room = has_large_buffer(&socket);
        Udp { socket, has_room, rooms: Vec::new(), dropped: 0, told: 0 }
    }
}

impl DatagramSocket for Udp {
    type Peer = SocketAddr;

    async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    fn try_receive(&mut self, inbox: &mut Inbox<SocketAddr>) -> io::Result<()> {
        let size = inbox.needed().min(MAX_UDP);
        if self.rooms.is_empty() {
            self.rooms = vec![0; AT_ONCE * (size + APART)];
        }
        let rooms = self.rooms.chunks_exact_mut(size + APART);
        let mut rooms: Vec<_> = rooms.map(|room| [IoSliceMut::new(&mut room[..size])]).collect();
        let of_dropped = nix::cmsg_space!(u32);
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(AT_ONCE, Some(of_dropped));
        let fd = self.socket.as_raw_fd();
        let received = self.socket.try_io(Interest::READABLE, || {
            Ok(recvmmsg(fd, &mut headers, rooms.iter_mut(), MsgFlags::empty(), None)?)
        })?;
        for message in received {
            for control in message.cmsgs().into_iter().flatten() {
                if let ControlMessageOwned::RxqOvfl(dropped) = control {
                    self.dropped = dropped;
                }
            }
            if let Some(peer) = message.address.as_ref().and_then(peer) {
                inbox.copy(message.iovs().next().unwrap_or_default(), peer);
            }
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.has_room
    }

    fn source(&self, peer: &SocketAddr) -> Name {
        Name::from(peer.to_string())
    }

    fn dropped(&mut self) -> usize {
        let new = self.dropped.wrapping_sub(self.told);
        self.told = self.dropped;
        new as usize
    }
}

fn peer(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|address| SocketAddrV4::from(*address).into());
    v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddrV6::from(*address).into()))
}
