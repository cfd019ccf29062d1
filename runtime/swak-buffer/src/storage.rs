//! What the queue needs of a file system.

use std::io;

/// One flat folder of files.
///
/// The queue assumes of it what POSIX and Windows promise, and no more: what was written is there
/// after a crash once the file was synced; a file that was created, renamed or removed is so after a
/// crash once the folder was synced; before that, each of these may have happened or not, in any
/// order, and a write may have happened in part.
pub trait Storage: Send + 'static {
    /// An open file.
    type File: StoredFile;

    /// The names of all files.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Creates an empty file.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when there is one, or it cannot be created.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file, for writing too when `writable`.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is none, or it cannot be opened.
    fn open(&self, name: &str, writable: bool) -> io::Result<Self::File>;

    /// The length that the file of this name has now.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is none.
    fn size(&self, name: &str) -> io::Result<u64>;

    /// Gives a file another name, in one step; a file that had it is gone.
    ///
    /// # Errors
    /// It was not renamed.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Gives a file the owner and the rights of another one that is there, on systems where files have
    /// such.
    ///
    /// # Errors
    /// It still has its own.
    fn make_alike(&self, name: &str, other: &str) -> io::Result<()> {
        let _ = (name, other);
        Ok(())
    }

    /// Removes a file.
    ///
    /// # Errors
    /// It was not removed.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes what was created, renamed and removed durable.
    ///
    /// # Errors
    /// Nothing is known about any of it.
    fn sync_folder(&self) -> io::Result<()>;
}

/// An open file.
pub trait StoredFile: Send {
    /// Reads up to as many bytes as there is room for; 0 at the end.
    ///
    /// # Errors
    /// As the system says.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes these parts one after the other.
    ///
    /// # Errors
    /// Some of it may have been written.
    fn write_at(&mut self, parts: &[&[u8]], at: u64) -> io::Result<()>;

    /// The length in bytes.
    ///
    /// # Errors
    /// As the system says.
    fn size(&self) -> io::Result<u64>;

    /// Cuts the file to this length.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&mut self, size: u64) -> io::Result<()>;

    /// Makes the contents durable.
    ///
    /// # Errors
    /// Nothing is known of what was written since the last time, and trying again tells nothing: some
    /// systems forget what they could not write.
    fn sync(&mut self) -> io::Result<()>;
}
