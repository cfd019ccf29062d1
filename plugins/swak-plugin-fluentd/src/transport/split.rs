//! One connection in three hands: one reads, one writes, one looks whether the peer is still there.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Stream;
use super::stream::Closing;

/// The hand that reads.
pub(crate) struct Reader(Shared);

/// The hand that writes.
pub(crate) struct Writer(Shared);

/// The eye on the peer: it sees a close also while nobody reads, behind all that is unread.
pub(crate) struct Watch(Shared);

/// Parts a connection. It is closed when all three are gone.
pub(crate) fn split(stream: Stream) -> (Reader, Writer, Watch) {
    let shared = Shared(Arc::new(Mutex::new(stream)));
    (Reader(shared.clone()), Writer(shared.clone()), Watch(shared))
}

impl Watch {
    /// What the peer has closed so far.
    pub(crate) fn closing(&self) -> Closing {
        self.0.lock().closing()
    }
}

/// Held for the time of a call that does not wait.
#[derive(Clone)]
struct Shared(Arc<Mutex<Stream>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Stream> {
        self.0.lock().expect("no panic while a connection is locked")
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_shutdown(cx)
    }
}
