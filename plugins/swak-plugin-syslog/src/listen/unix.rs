//! Sockets that are files.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram as StdDatagram, UnixStream as StdStream};
use std::path::{Path, PathBuf};

use swak_sdk::data::Name;
use tokio::net::{UnixDatagram, UnixListener, UnixStream};

use super::datagram::{DatagramSocket, Inbox};
use super::stream::StreamListener;

/// A bound socket, and its file, which goes with it.
pub(crate) struct Bound<S> {
    socket: S,
    path: PathBuf,
    source: Name,
}

/// Binds a socket of streams.
pub(super) fn bind_stream(path: &Path) -> io::Result<Bound<UnixListener>> {
    let in_use = || StdStream::connect(path).map(drop);
    bind(path, in_use, UnixListener::bind)
}

/// Binds a socket of datagrams.
pub(super) fn bind_datagram(path: &Path) -> io::Result<Bound<UnixDatagram>> {
    let in_use = || StdDatagram::unbound()?.connect(path);
    bind(path, in_use, UnixDatagram::bind)
}

fn bind<'p, S>(
    path: &'p Path,
    in_use: impl FnOnce() -> io::Result<()>,
    bind: impl FnOnce(&'p Path) -> io::Result<S>,
) -> io::Result<Bound<S>> {
    remove_stale(path, in_use)?;
    let socket = bind(path)?;
    // Everybody on the machine may log, as with `/dev/log`.
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    let source = Name::from(path.to_string_lossy().into_owned());
    Ok(Bound { socket, path: path.to_owned(), source })
}

/// A socket that nobody listens on was left by one who was killed. Nothing else is removed.
fn remove_stale(path: &Path, in_use: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        let message = "there is a file of this name that is no socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    match in_use() {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

impl<S> Drop for Bound<S> {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!("{} was gone already: {error}", self.path.display());
        }
    }
}

impl StreamListener for Bound<UnixListener> {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Name)> {
        let (stream, _) = self.socket.accept().await?;
        Ok((stream, self.source.clone()))
    }
}

impl DatagramSocket for Bound<UnixDatagram> {
    /// Senders have no names.
    type Peer = ();

    async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    fn try_receive(&mut self, inbox: &mut Inbox<()>) -> io::Result<()> {
        inbox.receive(|bytes| self.socket.try_recv_buf_from(bytes).map(|(len, _)| (len, ())))
    }

    fn source(&self, (): &()) -> Name {
        self.source.clone()
    }
}
