//! A socket that is a file.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use swak_sdk::data::Name;
use tokio::net::{UnixListener, UnixStream};

use crate::host::random;

/// A bound socket, and its file, which goes with it.
pub(super) struct UnixSocket {
    socket: UnixListener,
    path: PathBuf,
    /// Device and inode: another's file of the same name is left alone.
    file: Option<(u64, u64)>,
    source: Name,
}

impl UnixSocket {
    /// Binds it, with these permissions if any are given. A file that a killed agent left behind is
    /// replaced; nothing else is.
    pub(super) fn bind(path: &Path, permissions: Option<u32>) -> io::Result<Self> {
        remove_stale(path)?;
        let socket = match permissions {
            Some(permissions) => bind_aside(path, permissions)?,
            None => UnixListener::bind(path)?,
        };
        let source = Name::from(path.to_string_lossy().into_owned());
        Ok(UnixSocket { socket, path: path.to_owned(), file: identity(path), source })
    }

    pub(super) async fn accept(&self) -> io::Result<(UnixStream, Name)> {
        let (stream, _) = self.socket.accept().await?;
        Ok((stream, self.source.clone()))
    }
}

/// Binds in a folder that is ours alone, and gives the socket its name when it has its permissions: at
/// no moment can anybody connect who may not. Two that do so at once do not take each other's name.
///
/// The mask of the process would do it in one call, but is one for all threads, whose files it would
/// change too.
fn bind_aside(path: &Path, permissions: u32) -> io::Result<UnixListener> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let aside = Aside::new(parent.unwrap_or(Path::new(".")))?;
    let bound = aside.socket();
    let socket = UnixListener::bind(&bound)?;
    fs::set_permissions(&bound, Permissions::from_mode(permissions))?;
    fs::hard_link(&bound, path)?;
    Ok(socket)
}

/// A folder that goes with what is left in it. Its name is short: the path of a socket has a hundred
/// bytes.
struct Aside(PathBuf);

impl Aside {
    fn new(parent: &Path) -> io::Result<Self> {
        let random = u32::from_be_bytes(random());
        let folder = parent.join(format!(".{random:08x}"));
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Aside(folder))
    }

    fn socket(&self) -> PathBuf {
        self.0.join("s")
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let removed = fs::remove_file(self.socket()).and_then(|()| fs::remove_dir(&self.0));
        if let Err(error) = removed {
            tracing::debug!("{} stays: {error}", self.0.display());
        }
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
        if identity(&self.path) != self.file {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!("{} stays: {error}", self.path.display());
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
