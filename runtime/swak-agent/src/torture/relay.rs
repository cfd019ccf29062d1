//! What sends lines to an input that listens on a socket and gives no answers.
//!
//! Nobody knows what such an input has read: what was sent is gone when it goes down. So the judge asks
//! for less here, see [`Losses`].

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How lines travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// One after the other, each with a line feed.
    Tcp,
    /// Each as a datagram.
    Udp,
}

/// When lines of a source may be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Losses {
    /// Never: they are in a file, or sent again until they were answered.
    #[default]
    None,
    /// While the agent is down: nobody answers for them.
    WhileDown,
    /// At any time: the network may drop them.
    Always,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        })
    }
}

impl Transport {
    pub(super) fn losses(self) -> Losses {
        match self {
            Transport::Tcp => Losses::WhileDown,
            Transport::Udp => Losses::Always,
        }
    }
}

/// A sender. It ends with this value.
#[derive(Debug)]
pub(super) struct Relay(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whole lines, which are written at once.
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lines that were not written to a connection by now, those on their way among them.
    lines: u64,
    is_down: bool,
    is_over: bool,
}

/// What an agent that does not read leaves waiting here before its source rests.
const MOST_WAITING: usize = 1 << 20;

/// Between two attempts to connect, and two looks at an agent that is down.
const REST: Duration = Duration::from_millis(10);

/// How long one write may wait for an agent that does not read.
const PATIENCE: Duration = Duration::from_millis(200);

impl Relay {
    /// Begins to send to this address on loopback.
    pub(super) fn start(transport: Transport, address: String) -> Self {
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || match transport {
            Transport::Tcp => send_stream(&of_thread, &address),
            Transport::Udp => send_datagrams(&of_thread, &address),
        });
        Relay(shared)
    }

    /// Whether so much waits that no more should be written.
    pub(super) fn is_full(&self) -> bool {
        self.0.lock().bytes >= MOST_WAITING
    }

    /// How many lines nobody was sent by now.
    pub(super) fn unsent(&self) -> u64 {
        self.0.lock().lines
    }

    /// Sends whole lines as soon as it can.
    pub(super) fn send(&self, lines: Vec<u8>) {
        let mut state = self.0.lock();
        state.bytes += lines.len();
        state.lines += count(&lines);
        state.waiting.push_back(lines);
        drop(state);
        self.0.changed.notify_all();
    }

    /// The agent is down, or is not any more.
    pub(super) fn set_down(&self, is_down: bool) {
        self.0.lock().is_down = is_down;
        self.0.changed.notify_all();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is locked")
    }

    /// The next lines, once the agent is up; `None` when it is over.
    fn next(&self) -> Option<Vec<u8>> {
        let wait =
            |state: &mut State| !state.is_over && (state.is_down || state.waiting.is_empty());
        let mut state =
            self.changed.wait_while(self.lock(), wait).expect("no panic while it is locked");
        if state.is_over {
            return None;
        }
        let lines = state.waiting.pop_front()?;
        state.bytes -= lines.len();
        Some(lines)
    }

    /// These are written.
    fn sent(&self, lines: &[u8]) {
        self.lock().lines -= count(lines);
    }

    fn is_over(&self) -> bool {
        self.lock().is_over
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn send_stream(shared: &Shared, address: &str) {
    let mut connection: Option<TcpStream> = None;
    while let Some(lines) = shared.next() {
        let mut sent = 0;
        while sent < lines.len() && !shared.is_over() {
            // What is written into a connection that nobody reads any more is lost.
            if let Some(stream) = connection.take_if(|stream| has_ended(stream)) {
                drop(stream);
                sent = 0;
            }
            let Some(stream) = &mut connection else {
                connection = connect(address).ok();
                if connection.is_none() {
                    thread::sleep(REST);
                }
                continue;
            };
            match stream.write(&lines[sent..]) {
                Ok(count) => sent += count,
                Err(error) if is_wait(&error) => {}
                // The next connection begins with a whole line.
                Err(_) => (connection, sent) = (None, 0),
            }
        }
        shared.sent(&lines);
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Whether the other side has closed.
fn has_ended(stream: &TcpStream) -> bool {
    let look = || {
        stream.set_nonblocking(true)?;
        let seen = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        seen
    };
    match look() {
        Ok(count) => count == 0,
        Err(error) => !is_wait(&error),
    }
}

fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn send_datagrams(shared: &Shared, address: &str) {
    let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { return };
    while let Some(lines) = shared.next() {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            // Whether it arrives is not for a datagram to say.
            let _ = socket.send_to(line, address);
        }
        shared.sent(&lines);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read};
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    #[test]
    fn lines_go_to_whoever_listens_now() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Relay::start(Transport::Tcp, listener.local_addr().unwrap().to_string());
        relay.send(b"one\ntwo\n".to_vec());
        let mut first = BufReader::new(listener.accept().unwrap().0);
        let mut line = String::new();
        first.read_line(&mut line).unwrap();
        first.read_line(&mut line).unwrap();
        assert_eq!(line, "one\ntwo\n");
        let until = Instant::now() + Duration::from_secs(60);
        while relay.unsent() > 0 && Instant::now() < until {
            thread::sleep(REST);
        }
        relay.set_down(true);
        relay.send(b"three\n".to_vec());
        assert_eq!(relay.unsent(), 1);
        drop(first);
        relay.set_down(false);
        let mut second = listener.accept().unwrap().0;
        let mut bytes = [0; 6];
        second.read_exact(&mut bytes).unwrap();
        assert_eq!((&bytes, relay.is_full()), (b"three\n", false));
    }

    #[test]
    fn each_line_is_a_datagram() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let relay = Relay::start(Transport::Udp, address);
        relay.send(b"one\ntwo\n".to_vec());
        let mut bytes = [0; 10];
        let mut next = || {
            let length = socket.recv(&mut bytes).unwrap();
            bytes[..length].to_vec()
        };
        assert_eq!([next(), next()], [b"one".to_vec(), b"two".to_vec()]);
    }

    #[test]
    fn what_nobody_reads_fills_it() {
        let relay = Relay::start(Transport::Tcp, "127.0.0.1:1".to_owned());
        relay.set_down(true);
        (0..3).for_each(|_| relay.send(vec![b'x'; MOST_WAITING]));
        relay.send(b"1\n2\n".to_vec());
        assert_eq!((relay.is_full(), relay.unsent()), (true, 2));
    }
}
