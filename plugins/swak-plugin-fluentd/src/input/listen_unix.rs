//! A socket that is a file.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use swak_sdk::data::Name;
use tokio::net::{UnixListener, UnixStream};

/// A bound socket, and its file, which goes with it.
pub(super) struct UnixSocket {
    socket: UnixListener,
    path: PathBuf,
    source: Name,
}

impl UnixSocket {
    /// Binds it. A file that a killed agent left behind is replaced; nothing else is.
    pub(super) fn bind(path: &Path, permissions: Option<u32>) -> io::Result<Self> {
        remove_stale(path)?;
        let socket = UnixListener::bind(path)?;
        let source = Name::from(path.to_string_lossy().into_owned());
        let bound = UnixSocket { socket, path: path.to_owned(), source };
        if let Some(permissions) = permissions {
            fs::set_permissions(path, Permissions::from_mode(permissions))?;
        }
        Ok(bound)
    }

    pub(super) async fn accept(&self) -> io::Result<(UnixStream, Name)> {
        let (stream, _) = self.socket.accept().await?;
        Ok((stream, self.source.clone()))
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        let message = "there is a file of this name that is no socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!("{} was gone already: {error}", self.path.display());
        }
    }
}
