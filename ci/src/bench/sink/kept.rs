//! Lines over TCP that are kept.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes down what one peer sends until it leaves, and counts its lines.
pub(super) fn serve(mut stream: TcpStream, output: &Path, count: &AtomicU64) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(output)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        file.write_all(&buffer[..read])?;
        let lines = memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
        count.fetch_add(lines, Ordering::Relaxed);
    }
}
