//! Lines over TCP.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Input;

/// Reads what one peer sends until it leaves.
pub(super) fn serve(mut stream: TcpStream, input: &mut Input, count: &AtomicU64) -> io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        input.take(&buffer[..read])?;
        count.fetch_add(read as u64, Ordering::Relaxed);
    }
}
