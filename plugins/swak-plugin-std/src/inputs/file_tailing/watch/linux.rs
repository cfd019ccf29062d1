//! inotify(7).
//!
//! Folders are watched for names only. A file is watched once it is quiet, and for its next change only
//! (`IN_ONESHOT`): a file that is written to all the time costs nothing here, as it is looked at anyway.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::{Event, Id, Told};

/// What can be done about a limit.
pub(super) const HELP: &str = " (raise fs.inotify.max_user_watches to be told of more)";

/// The system's side, and the thread that listens to it.
pub(super) struct System {
    inotify: Arc<OwnedFd>,
    stop: Arc<OwnedFd>,
    listener: Option<JoinHandle<()>>,
}

impl System {
    /// Listens, and tells.
    pub(super) fn new(
        mut tell: impl FnMut(Told) -> bool + Send + 'static,
    ) -> io::Result<Option<Self>> {
        let inotify = Arc::new(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?);
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
        let (ours, until) = (Arc::clone(&inotify), Arc::clone(&stop));
        let listen = move || {
            while is_readable(&ours, &until) {
                let told = read(&ours);
                if !told.is_empty() && !tell(told) {
                    break;
                }
            }
        };
        let listener = thread::Builder::new().name("tail-watch".into()).spawn(listen)?;
        Ok(Some(System { inotify, stop, listener: Some(listener) }))
    }

    /// `None` where changes that others make are not told.
    pub(super) fn folder(&mut self, path: &Path) -> io::Result<Option<Id>> {
        if is_remote(path)? {
            return Ok(None);
        }
        let names = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE;
        let itself = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR;
        Ok(Some(inotify::add_watch(&*self.inotify, path, names | itself)?))
    }

    /// Tells once of the next change.
    pub(super) fn file(&mut self, path: &Path) -> io::Result<Option<Id>> {
        let flags = WatchFlags::MODIFY | WatchFlags::ONESHOT;
        Ok(Some(inotify::add_watch(&*self.inotify, path, flags)?))
    }

    pub(super) fn forget(&mut self, id: Id) {
        // What is gone is forgotten already.
        let _ = inotify::remove_watch(&*self.inotify, id);
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // It cannot fail: nothing else was ever written to it.
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
        if let Some(listener) = self.listener.take() {
            // It has nothing to say.
            let _ = listener.join();
        }
    }
}

/// Waits until there is something to read; `false` when it is time to stop.
fn is_readable(inotify: &OwnedFd, stop: &OwnedFd) -> bool {
    let mut both = [PollFd::new(inotify, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
    loop {
        match poll(&mut both, None) {
            Ok(_) => return both[1].revents().is_empty(),
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// All that can be told now.
fn read(inotify: &OwnedFd) -> Told {
    let mut buffer = [MaybeUninit::uninit(); 16 << 10];
    let mut reader = Reader::new(inotify, &mut buffer);
    let mut told = Vec::new();
    while let Ok(event) = reader.next() {
        let event = if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
            Event::Lost
        } else if event.events().contains(ReadFlags::IGNORED) {
            Event::Ended(event.wd())
        } else {
            Event::At(event.wd())
        };
        // A busy folder says the same again and again.
        if told.last() != Some(&event) {
            told.push(event);
        }
    }
    told
}

/// Whether others than this machine write to a file system, which inotify does not see. The numbers
/// are those of linux/magic.h, and of the file systems that are not in it.
fn is_remote(path: &Path) -> io::Result<bool> {
    const NFS: u32 = 0x6969;
    const SMB: u32 = 0x517B;
    const SMB2: u32 = 0xFE53_4D42;
    const CIFS: u32 = 0xFF53_4D42;
    const FUSE: u32 = 0x6573_5546;
    const P9: u32 = 0x0102_1997;
    const AFS: u32 = 0x5346_414F;
    const CODA: u32 = 0x7375_7245;
    const CEPH: u32 = 0x00C3_6400;
    const LUSTRE: u32 = 0x0BD0_0BD0;
    const GFS2: u32 = 0x0116_1970;
    const OCFS2: u32 = 0x7461_636F;
    const VBOXSF: u32 = 0x786F_4256;
    const REMOTE: [u32; 13] =
        [NFS, SMB, SMB2, CIFS, FUSE, P9, AFS, CODA, CEPH, LUSTRE, GFS2, OCFS2, VBOXSF];
    // Some machines give the number with its sign.
    let kind = rustix::fs::statfs(path)?.f_type as u32;
    Ok(REMOTE.contains(&kind))
}
