//! Sockets of streams: a task for each peer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use swak_sdk::data::Name;
use swak_sdk::plugin::{Emitter, Shutdown, Stopped};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::connections::Seat;
use super::{LAST_LOOK, Limits, READS_AFTER_STOP, Receiver};
use crate::buffers::Buffers;
use crate::framing::{Deframer, Frames};
use crate::record::Reader;

/// How much room there is for what is read at once, at the least. At the most it is a large buffer.
const LEAST_READ: usize = 4 * 1024;

/// How long accepting rests after it failed, which it does when there are no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// When a silent peer is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// A socket that accepts peers.
pub(super) trait StreamListener: Send + Sync {
    /// A connected peer.
    type Stream: AsyncRead + Unpin + Send + 'static;

    /// Waits for a peer, and gives its name too.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Name)>> + Send;
}

impl StreamListener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Name)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
        if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&keepalive) {
            tracing::debug!("TCP keep-alive stays off: {error}");
        }
        Ok((stream, Name::from(peer.to_string())))
    }
}

/// Accepts and reads peers until the agent stops.
pub(super) async fn run<L: StreamListener>(listener: L, receiver: Receiver) {
    let Receiver { reader, limits, connections, buffers, out, mut shutdown } = receiver;
    let mut peers = JoinSet::new();
    // One that was accepted and has no seat yet.
    let mut waiting = None;
    let mut is_failing = false;
    loop {
        tokio::select! {
            () = shutdown.triggered() => break,
            Some(ended) = peers.join_next() => pass_on_panic(ended),
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok(accepted) => {
                    is_failing = false;
                    waiting = Some(accepted);
                }
                Err(error) => {
                    reader.counters.error();
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!("cannot accept connections: {error}; will try again");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            seat = connections.seat(), if waiting.is_some() => {
                let (stream, source) = waiting.take().expect("somebody waits for the seat");
                let peer = Peer {
                    source,
                    seat,
                    reader: Arc::clone(&reader),
                    limits,
                    buffers: buffers.clone(),
                    out: out.clone(),
                    shutdown: shutdown.clone(),
                    told_of_cut: false,
                };
                peers.spawn(peer.serve(stream));
            }
        }
    }
    // They have heard of it too, and read what has come in until now.
    while let Some(ended) = peers.join_next().await {
        pass_on_panic(ended);
    }
}

struct Peer {
    source: Name,
    seat: Seat,
    reader: Arc<Reader>,
    limits: Limits,
    buffers: Buffers,
    out: Emitter,
    shutdown: Shutdown,
    told_of_cut: bool,
}

impl Peer {
    async fn serve(mut self, stream: impl AsyncRead + Unpin) {
        tracing::debug!(peer = %self.source, "connected");
        match self.read(stream).await {
            Ok(()) => tracing::debug!(peer = %self.source, "disconnected"),
            Err(error) => tracing::info!(peer = %self.source, "disconnected: {error}"),
        }
    }

    async fn read(&mut self, mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut deframer = Deframer::new(self.limits.max_message, self.buffers.clone());
        let mut reads_left = READS_AFTER_STOP;
        // Thousands of peers that say little must not take the memory of those that say much.
        let mut room = LEAST_READ;
        let ended = loop {
            let buffer = deframer.buffer(room);
            let free = buffer.capacity() - buffer.len();
            let read = tokio::select! {
                biased;
                read = stream.read_buf(buffer) => read,
                () = self.shutdown.triggered() => {
                    match timeout(LAST_LOOK, stream.read_buf(buffer)).await {
                        Ok(read) => read,
                        Err(_) => break Ok(()),
                    }
                }
                () = idle(self.limits.idle_timeout) => break Err(silent()),
                () = self.seat.wanted() => break Err(silent()),
            };
            match read {
                Ok(0) => break Ok(()),
                Ok(read) => {
                    self.seat.heard();
                    let next = match read {
                        _ if read >= free => 2 * room,
                        _ if read < free / 2 => room / 2,
                        _ => room,
                    };
                    room = next.clamp(LEAST_READ, Buffers::SIZE);
                }
                Err(error) => break Err(error),
            }
            if let Some(frames) = deframer.split()
                && self.emit(frames).await == Err(Stopped)
            {
                return Ok(());
            }
            deframer.shrink_to(room);
            if self.shutdown.is_triggered() {
                reads_left -= 1;
                if reads_left == 0 {
                    break Ok(());
                }
            }
        };
        if let Some(frames) = deframer.finish() {
            // Nobody is there to take it when the task is stopping.
            let _ = self.emit(frames).await;
        }
        ended
    }

    async fn emit(&mut self, frames: Frames) -> Result<(), Stopped> {
        let cut = frames.messages.iter().filter(|message| message.is_cut).count();
        let max = self.limits.max_message;
        self.reader.count_cut(cut, max, &self.source, &mut self.told_of_cut);
        let batch = self.reader.batch(&frames.block, &frames.messages, &self.source);
        if batch.is_empty() {
            return Ok(());
        }
        self.out.emit(batch).await
    }
}

async fn idle(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it was silent for too long")
}

fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        std::panic::resume_unwind(panic);
    }
}
