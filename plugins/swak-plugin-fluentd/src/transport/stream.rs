//! One type for all connections.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// A connection, whatever it goes over.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::TlsStream<TcpStream>>),
}

/// How far the peer has closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// Not at all, as far as is known.
    Open,
    /// It sends nothing more. Whether it still reads is not known.
    Half,
    /// It neither sends nor reads.
    Full,
}

impl Stream {
    /// How far the peer has closed it, as the system has told without being asked for data.
    pub(crate) fn closing(&self) -> Closing {
        let both = Interest::READABLE | Interest::WRITABLE;
        let ready = match self {
            Stream::Tcp(stream) => now(stream.ready(both)),
            #[cfg(unix)]
            Stream::Unix(stream) => now(stream.ready(both)),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => now(stream.get_ref().0.ready(both)),
        };
        match ready {
            Some(Ok(ready)) if ready.is_write_closed() => Closing::Full,
            Some(Ok(ready)) if ready.is_read_closed() => Closing::Half,
            Some(Ok(_)) | None => Closing::Open,
            Some(Err(_)) => Closing::Full,
        }
    }
}

/// What there is without waiting.
fn now(ready: impl Future<Output = io::Result<Ready>>) -> Option<io::Result<Ready>> {
    match pin!(ready).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => Some(ready),
        Poll::Pending => None,
    }
}

/// Calls the same method of whichever stream it is.
macro_rules! with {
    ($this:expr, $stream:ident => $call:expr) => {
        match $this.get_mut() {
            Stream::Tcp($stream) => $call,
            #[cfg(unix)]
            Stream::Unix($stream) => $call,
            #[cfg(feature = "tls")]
            Stream::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        with!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        with!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
