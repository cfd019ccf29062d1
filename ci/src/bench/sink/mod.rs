//! Servers that read what a contestant sends. They hold it against what must come and drop it, or keep
//! it to be looked at later.

mod forward;
mod kept;
mod raw;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Result, bail};

use super::running::Seen;

/// What the server speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Protocol {
    /// The lines of the input, each with a line feed.
    Raw,
    /// Other lines, each with a line feed, which are written to a file.
    Kept,
    /// Fluentd's, with acks.
    Forward,
}

/// A server on a port of its own; it stops when it is dropped.
pub(crate) struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    expected: u64,
}

/// What the threads of a server share.
struct Shared {
    /// The file whose lines must come, in their order.
    input: PathBuf,
    /// Where other lines are kept.
    output: PathBuf,
    /// Bytes of the input that came, or other lines.
    count: AtomicU64,
    stop: AtomicBool,
    wrong: Mutex<Option<String>>,
}

impl Sink {
    /// Expects the lines of a file, in their order; or as many others, which go to `output`.
    pub(crate) fn start(
        protocol: Protocol,
        input: &Path,
        lines: u64,
        output: &Path,
    ) -> Result<Sink> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let expected = match protocol {
            Protocol::Raw | Protocol::Forward => input.metadata()?.len(),
            Protocol::Kept => lines,
        };
        let shared = Arc::new(Shared {
            input: input.to_owned(),
            output: output.to_owned(),
            count: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            wrong: Mutex::new(None),
        });
        let in_thread = Arc::clone(&shared);
        let thread = thread::spawn(move || in_thread.serve(&listener, protocol));
        Ok(Sink { address, shared, thread: Some(thread), expected })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many bytes of the input came, or other lines.
    ///
    /// # Errors
    /// When something else came.
    pub(crate) fn look(&self) -> Result<Seen> {
        if let Some(wrong) = &*self.shared.wrong.lock().unwrap_or_else(PoisonError::into_inner) {
            bail!("{wrong}");
        }
        let count = self.shared.count.load(Ordering::Relaxed);
        if count > self.expected {
            bail!("more came than was to come");
        }
        Ok(Seen { count, complete: count == self.expected })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes it up where it waits for a peer.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Takes one peer after the other: what comes after a reconnect goes on where the last one ended.
    fn serve(&self, listener: &TcpListener, protocol: Protocol) {
        let served = File::open(&self.input).and_then(|input| {
            let mut input = Input { file: BufReader::with_capacity(1 << 20, input), at: 0 };
            for stream in listener.incoming() {
                if self.stop.load(Ordering::Relaxed) {
                    break;
                }
                let stream = stream?;
                match protocol {
                    Protocol::Raw => raw::serve(stream, &mut input, &self.count)?,
                    Protocol::Forward => forward::serve(stream, &mut input, &self.count)?,
                    Protocol::Kept => kept::serve(stream, &self.output, &self.count)?,
                }
            }
            Ok(())
        });
        if let Err(error) = served {
            let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
            *wrong = Some(format!("the server: {error}"));
        }
    }
}

/// What must come, as far as it has not.
struct Input {
    file: BufReader<File>,
    at: u64,
}

impl Input {
    /// Takes what came.
    ///
    /// # Errors
    /// When it is not what had to come next.
    fn take(&mut self, mut came: &[u8]) -> io::Result<()> {
        while !came.is_empty() {
            let held = self.file.fill_buf()?;
            let length = held.len().min(came.len());
            if length == 0 || held[..length] != came[..length] {
                let at = self.at;
                return Err(io::Error::other(format!("something else came after byte {at}")));
            }
            came = &came[length..];
            self.file.consume(length);
            self.at += length as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};

    use super::*;

    /// What the server has seen when it is complete or something is wrong.
    fn wait(sink: &Sink) -> Result<Seen> {
        loop {
            let seen = sink.look()?;
            if seen.complete {
                return Ok(seen);
            }
            thread::yield_now();
        }
    }

    fn start(protocol: Protocol) -> (tempfile::TempDir, Sink, TcpStream) {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("input");
        fs::write(&input, "one\ntwo\n").expect("it is written");
        let output = folder.path().join("output");
        let sink = Sink::start(protocol, &input, 2, &output).expect("it starts");
        let stream = TcpStream::connect(sink.address).expect("it listens");
        (folder, sink, stream)
    }

    #[test]
    fn lines_are_counted_and_may_come_over_several_connections() {
        let (_folder, sink, mut stream) = start(Protocol::Raw);
        stream.write_all(b"one\nt").expect("it is sent");
        drop(stream);
        let mut stream = TcpStream::connect(sink.address).expect("it listens");
        stream.write_all(b"wo\n").expect("it is sent");
        drop(stream);
        assert_eq!(wait(&sink).expect("all is well"), Seen { count: 8, complete: true });
    }

    #[test]
    fn other_lines_are_noticed() {
        let (_folder, sink, mut stream) = start(Protocol::Raw);
        stream.write_all(b"one\nTwo\n").expect("it is sent");
        drop(stream);
        assert!(wait(&sink).is_err());
    }

    #[test]
    fn other_lines_are_kept() {
        let (folder, sink, mut stream) = start(Protocol::Kept);
        stream.write_all(b"{}\n[").expect("it is sent");
        drop(stream);
        let mut stream = TcpStream::connect(sink.address).expect("it listens");
        stream.write_all(b"]\n").expect("it is sent");
        drop(stream);
        assert_eq!(wait(&sink).expect("all is well"), Seen { count: 2, complete: true });
        let kept = fs::read(folder.path().join("output")).expect("it is there");
        assert_eq!(kept, b"{}\n[]\n");
    }

    #[test]
    fn chunks_of_events_are_acknowledged() {
        let (_folder, sink, mut stream) = start(Protocol::Forward);
        let entry = |text: &[u8]| {
            let time = [0xd7, 0, 0, 0, 0, 1, 0, 0, 0, 2];
            [&[0x92][..], &time, b"\x81\xa7message", &[0xa0 + text.len() as u8], text].concat()
        };
        let entries = [entry(b"one"), entry(b"two")].concat();
        let head = [b"\x93\xa5bench\xc4".as_slice(), &[entries.len() as u8]].concat();
        let message = [&head, &*entries, b"\x82\xa4size\x02\xa5chunk\xa3abc"].concat();
        for part in message.chunks(7) {
            stream.write_all(part).expect("it is sent");
        }
        let mut ack = [0; 9];
        stream.read_exact(&mut ack).expect("it answers");
        assert_eq!(&ack, b"\x81\xa3ack\xa3abc");
        drop(stream);
        assert_eq!(wait(&sink).expect("all is well"), Seen { count: 8, complete: true });
    }
}
