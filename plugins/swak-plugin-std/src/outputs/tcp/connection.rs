//! A connection on which bytes go one way.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use swak_sdk::plugin::Progress;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How far apart the system's questions are whether the peer is there.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How often in a row it is read what the peer says: one that never stops must not keep us from sending.
const MOST_READS: usize = 16;

/// A connection on which bytes go one way.
pub(super) struct Connection {
    stream: TcpStream,
    is_new: bool,
}

/// How connections are set up.
pub(super) struct Sockets {
    /// After how long without traffic the system asks whether the peer is there.
    pub(super) keepalive: Option<Duration>,
    /// In bytes.
    pub(super) send_buffer: Option<usize>,
}

/// Why a connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("the peer closed the connection")]
    Closed,
    #[error("the peer did not close its side within {0:?}, so it may not have the last records")]
    NotClosed(Duration),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Connection {
    /// Connects to the first address of the host that answers.
    pub(super) async fn open(to: (&str, u16), sockets: &Sockets) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        // Chunks are written whole: there is nothing to wait for.
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        if let Some(after) = sockets.keepalive {
            let keepalive = TcpKeepalive::new().with_time(after).with_interval(KEEPALIVE_INTERVAL);
            if let Err(error) = socket.set_tcp_keepalive(&keepalive) {
                tracing::debug!("TCP keep-alive stays off: {error}");
            }
        }
        if let Some(size) = sockets.send_buffer {
            socket.set_send_buffer_size(size)?;
        }
        Ok(Connection { stream, is_new: true })
    }

    /// Whether nothing was sent yet.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Whether the peer is there, as far as is known here. Asks the system itself: what the runtime
    /// knows is as old as its last wait, and what is sent to a peer that has closed is lost without a
    /// word.
    pub(super) fn check_open(&self) -> Result<(), ConnectionError> {
        let socket = SockRef::from(&self.stream);
        self.take_in(|buffer| (&*socket).read(buffer))
    }

    /// Sends all of the pieces. What the peer says meanwhile is read: one to which nobody listens may
    /// stop reading. When this fails or is dropped, some of it may have been sent.
    pub(super) async fn send(
        &mut self,
        mut pieces: &mut [IoSlice<'_>],
        progress: &Progress,
    ) -> Result<(), ConnectionError> {
        self.is_new = false;
        // Empty ones: a write of nothing would look like one that came to nothing.
        IoSlice::advance_slices(&mut pieces, 0);
        while !pieces.is_empty() {
            match self.stream.try_write_vectored(pieces) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(taken) => {
                    progress.made();
                    IoSlice::advance_slices(&mut pieces, taken);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.take_in(|buffer| self.stream.try_read(buffer))?;
                    self.stream.ready(Interest::READABLE | Interest::WRITABLE).await?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.check_open()
    }

    /// Says that nothing more will come, and waits until the peer has read everything and says the
    /// same. Closing at once could cost the last of it: a system that still gets something from the
    /// peer would reset the connection.
    pub(super) async fn finish(mut self, limit: Duration) -> Result<(), ConnectionError> {
        match self.stream.shutdown().await {
            // The peer was quicker.
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
            result => result?,
        }
        let mut said = [0; 4096];
        let ended = async {
            while self.stream.read(&mut said).await? > 0 {}
            Ok(())
        };
        timeout(limit, ended).await.unwrap_or(Err(ConnectionError::NotClosed(limit)))
    }

    /// Reads what has come and drops it.
    fn take_in(
        &self,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> Result<(), ConnectionError> {
        let mut said = [0; 4096];
        for _ in 0..MOST_READS {
            match read(&mut said) {
                Ok(0) => return Err(ConnectionError::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
