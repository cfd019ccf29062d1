//! Sockets of datagrams: many messages in one batch.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use swak_sdk::data::{Block, Name};
use swak_sdk::plugin::Stopped;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::{READS_AFTER_STOP, Receiver};
use crate::framing::Frame;

/// How long messages are gathered, and how many and how large they may become.
const GATHER: Duration = Duration::from_millis(5);
const GATHER_MESSAGES: usize = 1024;
const GATHER_BYTES: usize = 256 * 1024;

/// The largest datagram of UDP. A smaller buffer would be an error on Windows.
const MAX_UDP: usize = 64 * 1024;

/// A socket of datagrams.
pub(super) trait DatagramSocket: Send + Sync {
    /// Whom a datagram comes from.
    type Peer: PartialEq + Send;

    /// Waits until there is something to read.
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Appends a datagram, at most as much of it as there is room for.
    fn try_receive(&self, bytes: &mut Vec<u8>) -> io::Result<(usize, Self::Peer)>;

    /// The peer's name.
    fn source(&self, peer: &Self::Peer) -> Name;
}

impl DatagramSocket for UdpSocket {
    type Peer = SocketAddr;

    async fn readable(&self) -> io::Result<()> {
        UdpSocket::readable(self).await
    }

    fn try_receive(&self, bytes: &mut Vec<u8>) -> io::Result<(usize, SocketAddr)> {
        self.try_recv_buf_from(bytes)
    }

    fn source(&self, peer: &SocketAddr) -> Name {
        Name::from(peer.to_string())
    }
}

/// Reads until the agent stops, and then what has come in until then.
pub(super) async fn run<S: DatagramSocket>(socket: S, mut receiver: Receiver) -> io::Result<()> {
    let mut gathered = Gathered { bytes: Vec::new(), peers: Vec::new(), told_of_cut: false };
    let mut reads_left = READS_AFTER_STOP;
    while reads_left > 0 {
        tokio::select! {
            biased;
            readable = socket.readable() => readable?,
            () = receiver.shutdown.triggered() => break,
        }
        let read = gathered.read(&socket, &receiver).await;
        // What came before a fault of the socket is not lost with it.
        if gathered.emit(&socket, &receiver).await == Err(Stopped) {
            break;
        }
        read?;
        if receiver.shutdown.is_triggered() {
            reads_left -= 1;
        }
    }
    Ok(())
}

/// Datagrams in one buffer, by their peers, in order for each.
struct Gathered<P> {
    bytes: Vec<u8>,
    peers: Vec<(P, Vec<Frame>)>,
    told_of_cut: bool,
}

impl<P: PartialEq> Gathered<P> {
    async fn read<S: DatagramSocket<Peer = P>>(
        &mut self,
        socket: &S,
        receiver: &Receiver,
    ) -> io::Result<()> {
        let max = receiver.limits.max_message;
        let (mut messages, end) = (0, Instant::now() + GATHER);
        while messages < GATHER_MESSAGES && self.bytes.len() < GATHER_BYTES {
            let start = self.bytes.len();
            // One more than allowed, to see that a message is longer.
            self.bytes.reserve((max + 1).max(MAX_UDP));
            match socket.try_receive(&mut self.bytes) {
                Ok((len, peer)) => {
                    let range = trimmed(&self.bytes, start, start + len.min(max));
                    let message = Frame { range, is_cut: len > max };
                    if message.is_cut {
                        let source = socket.source(&peer);
                        receiver.reader.count_cut(1, max, &source, &mut self.told_of_cut);
                    }
                    if !message.range.is_empty() {
                        self.add(peer, message);
                        messages += 1;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match timeout_at(end, socket.readable()).await {
                        Ok(readable) => readable?,
                        Err(_) => break,
                    }
                }
                // Windows tells a listener so that somebody else's answer was refused.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn add(&mut self, peer: P, message: Frame) {
        // The last peers are the likeliest; looking through thousands for each message is too slow.
        let recent = self.peers.len().saturating_sub(16);
        match self.peers[recent..].iter_mut().rev().find(|(known, _)| *known == peer) {
            Some((_, messages)) => messages.push(message),
            None => self.peers.push((peer, vec![message])),
        }
    }

    async fn emit<S: DatagramSocket<Peer = P>>(
        &mut self,
        socket: &S,
        receiver: &Receiver,
    ) -> Result<(), Stopped> {
        // A copy, for records must not hold the memory that a buffer has in reserve.
        let block = Block::from(self.bytes.to_vec());
        self.bytes.clear();
        for (peer, messages) in std::mem::take(&mut self.peers) {
            let source = socket.source(&peer);
            let batch = receiver.reader.batch(&block, &messages, &source);
            if !batch.is_empty() {
                receiver.out.emit(batch).await?;
            }
        }
        Ok(())
    }
}

/// A datagram without the line end or zero byte that some senders put there.
fn trimmed(bytes: &[u8], start: usize, end: usize) -> Range<usize> {
    let kept = bytes[start..end].iter().rposition(|b| !matches!(b, b'\n' | b'\r' | 0));
    start..kept.map_or(start, |last| start + last + 1)
}
