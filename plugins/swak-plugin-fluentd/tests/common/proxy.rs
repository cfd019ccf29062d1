//! A proxy that does to connections what networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What becomes of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It breaks after so many bytes from the client.
    CutUp(usize),
    /// It breaks after so many bytes from the server.
    CutDown(usize),
    /// So many milliseconds between one piece and the next, each of a few bytes.
    Slow(u64),
    /// Everything from the server comes twice.
    Twice,
    /// A byte of what the server says is another.
    Garbled(usize),
    /// The server is never heard.
    Silent,
}

/// Stands between a client and a server on this machine.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Proxy {
    /// The first connection gets the first fault, and so on; when there are no more, none.
    pub(crate) fn start(server: u16, faults: Vec<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let (count, stop) = (Arc::clone(&connections), Arc::clone(&stopped));
        thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(client) = client else { continue };
                let fault = faults.get(count.fetch_add(1, Ordering::Relaxed)).copied();
                // A server that is not there refuses; so does its proxy.
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                relay(client, server, fault.unwrap_or(Fault::None));
            }
        });
        Proxy { port, connections, stopped }
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn relay(client: TcpStream, server: TcpStream, fault: Fault) {
    let copy = |stream: &TcpStream| stream.try_clone().expect("a socket can be shared");
    let (from_client, to_server) = (copy(&client), copy(&server));
    thread::spawn(move || {
        pump(from_client, to_server, |at, piece, out| match fault {
            Fault::CutUp(n) => cut(n, at, piece, out),
            Fault::Slow(wait) => slowly(wait, piece, out),
            _ => out.write_all(piece),
        });
    });
    thread::spawn(move || {
        pump(server, client, |at, piece, out| match fault {
            Fault::CutDown(n) => cut(n, at, piece, out),
            Fault::Slow(wait) => slowly(wait, piece, out),
            Fault::Twice => out.write_all(piece).and_then(|()| out.write_all(piece)),
            Fault::Garbled(n) => {
                let mut piece = piece.to_vec();
                if let Some(byte) = n.checked_sub(at).and_then(|i| piece.get_mut(i)) {
                    *byte ^= 0x55;
                }
                out.write_all(&piece)
            }
            Fault::Silent => Ok(()),
            _ => out.write_all(piece),
        });
    });
}

/// Until one side ends; then both do.
fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    mut pass: impl FnMut(usize, &[u8], &mut TcpStream) -> std::io::Result<()>,
) {
    let (mut bytes, mut at) = ([0; 4096], 0);
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        if pass(at, &bytes[..n], &mut to).is_err() {
            break;
        }
        at += n;
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn cut(n: usize, at: usize, piece: &[u8], out: &mut TcpStream) -> std::io::Result<()> {
    let left = n.saturating_sub(at);
    out.write_all(&piece[..left.min(piece.len())])?;
    if left <= piece.len() { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
}

fn slowly(wait: u64, piece: &[u8], out: &mut TcpStream) -> std::io::Result<()> {
    for part in piece.chunks(997) {
        thread::sleep(Duration::from_millis(wait));
        out.write_all(part)?;
    }
    Ok(())
}
