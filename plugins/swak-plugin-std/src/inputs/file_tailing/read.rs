//! Reading at an offset into memory that was not cleared before.

use std::fs::File;
use std::io;

/// Bytes that can be read from any place on: those of a file, or what a compressed one unpacks to.
pub(super) trait ReadAt {
    /// Appends the bytes from `offset` on: at least `want` of them, or all up to the end as it is
    /// now. May append more, as far as the buffer has room. Gives back how many.
    fn read_at(&self, buffer: &mut Vec<u8>, offset: u64, want: usize) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut Vec<u8>, offset: u64, want: usize) -> io::Result<usize> {
        let before = buffer.len();
        buffer.reserve(want);
        loop {
            let read = buffer.len() - before;
            if read >= want || read_once(self, buffer, offset + read as u64)? == 0 {
                return Ok(buffer.len() - before);
            }
        }
    }
}

#[cfg(unix)]
fn read_once(file: &File, buffer: &mut Vec<u8>, offset: u64) -> io::Result<usize> {
    loop {
        match rustix::io::pread(file, rustix::buffer::spare_capacity(buffer), offset) {
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}

#[cfg(windows)]
fn read_once(file: &File, buffer: &mut Vec<u8>, offset: u64) -> io::Result<usize> {
    use std::os::windows::fs::FileExt;
    let len = buffer.len();
    buffer.resize(buffer.capacity(), 0);
    let result = file.seek_read(&mut buffer[len..], offset);
    buffer.truncate(len + result.as_ref().copied().unwrap_or(0));
    result
}
