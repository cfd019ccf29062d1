//! Sockets of datagrams: many messages in one batch.

use std::io;
#[cfg(not(target_os = "linux"))]
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use socket2::SockRef;
use swak_sdk::data::{Chunk, Name};
use swak_sdk::plugin::Stopped;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::{LAST_LOOK, READS_AFTER_STOP, Receiver};
use crate::buffers::Buffers;
use crate::framing::Frame;
use crate::record::Reader;

/// How long messages are gathered while many come, and how many they may become.
const GATHER: Duration = Duration::from_millis(5);
const GATHER_MESSAGES: usize = 1024;
/// How many bytes they may have: a large buffer, but for what may come with the last of them.
const GATHER_BYTES: usize = Buffers::SIZE * 7 / 8;

/// Many come when so little time passes between one batch and the next message. With fewer, each
/// goes on at once.
const BUSY: Duration = Duration::from_millis(1);

/// The largest datagram of UDP. A smaller buffer would be an error on Windows.
pub(super) const MAX_UDP: usize = 64 * 1024;

/// A buffer in which the system holds what comes meanwhile at the highest rates: some 5,000 short
/// datagrams, each with what the system adds.
const LARGE_BUFFER: usize = 4 << 20;

/// A socket of datagrams.
pub(super) trait DatagramSocket: Send + Sync {
    /// Whom a datagram comes from.
    type Peer: Copy + PartialEq + Send;

    /// Waits until there is something to read.
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Takes in what is there, one datagram at least.
    fn try_receive(&mut self, inbox: &mut Inbox<Self::Peer>) -> io::Result<()>;

    /// The peer's name.
    fn source(&self, peer: &Self::Peer) -> Name;

    /// Whether the system holds what comes while messages are gathered, even if it is much: then
    /// nobody need wake up for each.
    fn has_room(&self) -> bool {
        false
    }

    /// How many datagrams the system has dropped since this was last asked, as far as it tells.
    fn dropped(&mut self) -> usize {
        0
    }
}

/// See [`DatagramSocket::has_room`].
pub(super) fn has_large_buffer(socket: &UdpSocket) -> bool {
    SockRef::from(socket).recv_buffer_size().is_ok_and(|size| size >= LARGE_BUFFER)
}

#[cfg(not(target_os = "linux"))]
impl DatagramSocket for UdpSocket {
    type Peer = SocketAddr;

    async fn readable(&self) -> io::Result<()> {
        UdpSocket::readable(self).await
    }

    fn try_receive(&mut self, inbox: &mut Inbox<SocketAddr>) -> io::Result<()> {
        inbox.receive(|bytes| self.try_recv_buf_from(bytes))
    }

    fn has_room(&self) -> bool {
        has_large_buffer(self)
    }

    fn source(&self, peer: &SocketAddr) -> Name {
        Name::from(peer.to_string())
    }
}

/// Reads until the agent stops, and then what has come in until then.
pub(super) async fn run<S: DatagramSocket>(
    mut socket: S,
    mut receiver: Receiver,
) -> io::Result<()> {
    let mut inbox = Inbox::new(receiver.limits.max_message, receiver.buffers.clone());
    let mut told = Told::default();
    let mut reads_left = READS_AFTER_STOP;
    let mut emitted = Instant::now();
    while reads_left > 0 {
        tokio::select! {
            biased;
            readable = socket.readable() => readable?,
            () = receiver.shutdown.triggered() => {
                match timeout(LAST_LOOK, socket.readable()).await {
                    Ok(readable) => readable?,
                    Err(_) => break,
                }
            }
        }
        let now = Instant::now();
        let until = (now - emitted < BUSY).then_some(now + GATHER);
        let read = gather(&mut socket, &mut inbox, until).await;
        told.count(&mut socket, &mut inbox, &receiver.reader);
        // What came before a fault of the socket is not lost with it.
        if inbox.emit(&socket, &receiver).await == Err(Stopped) {
            break;
        }
        emitted = Instant::now();
        read?;
        if receiver.shutdown.is_triggered() {
            reads_left -= 1;
        }
    }
    Ok(())
}

/// Reads what is there, and what comes until then.
async fn gather<S: DatagramSocket>(
    socket: &mut S,
    inbox: &mut Inbox<S::Peer>,
    mut until: Option<Instant>,
) -> io::Result<()> {
    while !inbox.is_full() {
        match socket.try_receive(inbox) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let Some(end) = until else { break };
                if socket.has_room() {
                    until = None;
                    sleep_until(end).await;
                } else if let Ok(readable) = timeout_at(end, socket.readable()).await {
                    readable?;
                } else {
                    break;
                }
            }
            // Windows tells a listener so that somebody else's answer was refused.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What is counted, and was told of once.
#[derive(Default)]
struct Told {
    of_cut: bool,
    of_dropped: bool,
}

impl Told {
    fn count<S: DatagramSocket>(
        &mut self,
        socket: &mut S,
        inbox: &mut Inbox<S::Peer>,
        reader: &Reader,
    ) {
        if let Some((cut, peer)) = inbox.cut.take() {
            reader.count_cut(cut, inbox.max, &socket.source(&peer), &mut self.of_cut);
        }
        let dropped = socket.dropped();
        if dropped > 0 {
            reader.counters.received(dropped);
            reader.counters.dropped(dropped, "the system's receive buffer was full");
            if !std::mem::replace(&mut self.of_dropped, true) {
                tracing::warn!(
                    "{dropped} datagrams were dropped by the system, since they came faster than \
                     they were read and `receive_buffer` was full; further ones are only counted"
                );
            }
        }
    }
}

/// Datagrams in one buffer, by their peers, in order for each.
pub(super) struct Inbox<P> {
    bytes: Vec<u8>,
    buffers: Buffers,
    peers: Vec<(P, Vec<Frame>)>,
    messages: usize,
    /// The most bytes of a message.
    max: usize,
    /// How many were longer, and whom the first of them came from.
    cut: Option<(usize, P)>,
}

impl<P: Copy + PartialEq> Inbox<P> {
    fn new(max: usize, buffers: Buffers) -> Self {
        Inbox { bytes: Vec::new(), buffers, peers: Vec::new(), messages: 0, max, cut: None }
    }

    fn is_full(&self) -> bool {
        self.messages >= GATHER_MESSAGES || self.bytes.len() >= GATHER_BYTES
    }

    /// How many bytes of a datagram are needed: one more than a message may have, to see that it is
    /// longer.
    pub(super) fn needed(&self) -> usize {
        self.max + 1
    }

    /// Takes in a datagram that a function appends, at most as much of it as there is room for.
    pub(super) fn receive(
        &mut self,
        receive: impl FnOnce(&mut Vec<u8>) -> io::Result<(usize, P)>,
    ) -> io::Result<()> {
        let start = self.bytes.len();
        self.bytes.reserve(self.needed().max(MAX_UDP));
        let (len, peer) = receive(&mut self.bytes)?;
        self.add(peer, start, len);
        Ok(())
    }

    /// Takes in a copy of a datagram.
    #[cfg(target_os = "linux")]
    pub(super) fn copy(&mut self, datagram: &[u8], peer: P) {
        let start = self.bytes.len();
        if self.bytes.capacity() == 0 {
            self.bytes = self.buffers.take(&[]);
        }
        self.bytes.extend_from_slice(datagram);
        self.add(peer, start, datagram.len());
    }

    /// Takes in the datagram of `len` bytes that was appended at `start`.
    fn add(&mut self, peer: P, start: usize, len: usize) {
        let range = trimmed(&self.bytes, start, start + len.min(self.max));
        let message = Frame { range, is_cut: len > self.max };
        if message.is_cut {
            self.cut.get_or_insert((0, peer)).0 += 1;
        }
        if message.range.is_empty() {
            return;
        }
        self.messages += 1;
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
        let end = self.bytes.len();
        let block = self.buffers.split(&mut self.bytes, end);
        self.messages = 0;
        let batch = |(peer, messages): (P, Vec<Frame>)| {
            receiver.reader.batch(&block, &messages, &socket.source(&peer))
        };
        let batches = std::mem::take(&mut self.peers).into_iter().map(batch);
        receiver.out.emit_chunk(Chunk::new(batches.collect())).await
    }
}

/// A datagram without the line end or zero byte that some senders put there.
fn trimmed(bytes: &[u8], start: usize, end: usize) -> Range<usize> {
    let kept = bytes[start..end].iter().rposition(|b| !matches!(b, b'\n' | b'\r' | 0));
    start..kept.map_or(start, |last| start + last + 1)
}
