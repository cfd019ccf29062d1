//! Four senders of syslog messages at once.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::contestant::{Contestant, Place};
use super::data::{Lines as _, SEED, Syslog};
use super::progress::Lines;
use super::rounds::{Figure, Runner};
use super::running::{Running, Seen};
use super::store::Store;
use super::verify::{Expect as _, Messages, hashes};

/// How messages are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Transport {
    /// As fast as they are taken.
    Tcp,
    /// A hundred thousand a second: nobody says when it is too much.
    Udp,
}

const SENDERS: usize = 4;

/// Messages a second over UDP, of all senders together.
const RATE: u64 = 100_000;

/// How long a contestant may take until it listens.
const READY: Duration = Duration::from_secs(30);

/// After how long without a message over UDP no more will come.
const LAST: Duration = Duration::from_secs(1);

/// A contestant's runs.
pub(crate) struct Listen {
    transport: Transport,
    /// What each sender sends.
    messages: Vec<Arc<Vec<u8>>>,
    /// What must come of each message, and whether it came.
    expected: HashMap<u64, bool>,
}

impl Listen {
    /// # Errors
    /// When two messages are the same, so that one could not say which of them came.
    pub(crate) fn new(transport: Transport, count: u64) -> Result<Listen> {
        let mut messages = Vec::new();
        let mut expected = HashMap::new();
        for sender in 0..SENDERS {
            let (mut data, mut text) = (Syslog::new(SEED, sender), Vec::new());
            for _ in 0..count / SENDERS as u64 {
                let from = text.len();
                data.next(&mut text);
                let hash = Messages.expected(&text[from..text.len() - 1])?;
                expected.insert(hash.context("every message comes out")?, false);
            }
            messages.push(Arc::new(text));
        }
        if expected.len() as u64 != count / SENDERS as u64 * SENDERS as u64 {
            bail!("two messages are the same");
        }
        Ok(Listen { transport, messages, expected })
    }

    /// Waits until somebody listens, and gives what starts each sender.
    fn connect(&self, running: &mut Running, port: u16) -> Result<Vec<Sender>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let begun = Instant::now();
        while !listens(self.transport, port) {
            running.alive()?;
            if begun.elapsed() > READY {
                bail!("it does not listen");
            }
            thread::sleep(Duration::from_millis(1));
        }
        let sender = |messages: &Arc<Vec<u8>>| -> Result<Sender> {
            let messages = Arc::clone(messages);
            Ok(match self.transport {
                Transport::Tcp => {
                    let mut stream = TcpStream::connect(address)?;
                    Box::new(move || stream.write_all(&messages))
                }
                Transport::Udp => {
                    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                    socket.connect(address)?;
                    Box::new(move || send_paced(&socket, &messages))
                }
            })
        };
        self.messages.iter().map(sender).collect()
    }

    /// Holds the output against what was sent, and gives how many of it came.
    fn check(&mut self, place: &Place) -> Result<u64> {
        self.expected.values_mut().for_each(|came| *came = false);
        let mut count = 0;
        for hash in hashes(&place.output(), &Messages).context("what came out is wrong")? {
            match self.expected.get_mut(&hash) {
                None => bail!("a message came out that was not sent"),
                Some(true) => bail!("a message came out twice"),
                Some(came) => *came = true,
            }
            count += 1;
        }
        Ok(count)
    }
}

type Sender = Box<dyn FnOnce() -> std::io::Result<()> + Send>;

impl Runner for Listen {
    fn run(&mut self, workload: &str, who: &Contestant, store: &Store) -> Result<Vec<Figure>> {
        let folder = store.place()?;
        let place = Place { input: folder.clone(), folder, port: free_port()? };
        let mut running = Running::start(&mut who.command(workload, &place)?, &place.folder)?;
        let senders = self.connect(&mut running, place.port)?;
        let (ready, before) = (running.age(), running.usage());
        let threads: Vec<JoinHandle<_>> = senders.into_iter().map(thread::spawn).collect();
        let all = self.expected.len() as u64;
        let mut lines = Lines::new(&place.output(), all);
        let (mut last, mut grown) = (0, running.age());
        let mut look = |age: Duration| -> Result<Seen> {
            let seen = lines.look()?;
            if seen.count > last || !threads.iter().all(JoinHandle::is_finished) {
                (last, grown) = (seen.count, age);
            }
            let is_over = self.transport == Transport::Udp && age > grown + LAST;
            Ok(Seen { complete: seen.complete || is_over, ..seen })
        };
        let finished = running.finish(&mut look)?;
        for thread in threads {
            let sent = thread.join();
            sent.expect("a sender does not panic").context("a message could not be sent")?;
        }
        running.end()?;
        let came = self.check(&place)?;
        if came != all && self.transport == Transport::Tcp {
            bail!("{came} messages came out, not {all}");
        }
        let cpu = finished.usage.cpu.saturating_sub(before.cpu).as_secs_f64();
        let mut figures = vec![("messages", all as f64), ("messages/CPU s", came as f64 / cpu)];
        match self.transport {
            Transport::Tcp => {
                let wall = (finished.wall - ready).as_secs_f64();
                figures.push(("messages/s", came as f64 / wall));
            }
            Transport::Udp => figures.push(("arrived %", came as f64 / all as f64 * 100.0)),
        }
        figures.extend([("CPU s", cpu), ("peak MB", finished.usage.peak as f64 / 1e6)]);
        Ok(figures)
    }
}

/// Sends a sender's part of the rate, a millisecond's worth at a time.
fn send_paced(socket: &UdpSocket, messages: &[u8]) -> std::io::Result<()> {
    let begun = Instant::now();
    let messages = messages.split_inclusive(|&byte| byte == b'\n');
    for (sent, message) in (0..).zip(messages) {
        let due = begun + Duration::from_millis(sent * 1000 * SENDERS as u64 / RATE);
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            thread::sleep(wait);
        }
        socket.send(message.strip_suffix(b"\n").unwrap_or(message))?;
    }
    Ok(())
}

/// A port that nobody listens on.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether anybody on this machine listens on a port, on the loopback interface or on all.
fn listens(transport: Transport, port: u16) -> bool {
    let (file, state) = match transport {
        Transport::Tcp => ("/proc/net/tcp", " 0A "),
        Transport::Udp => ("/proc/net/udp", " 07 "),
    };
    let open = fs::read_to_string(file).unwrap_or_default();
    let address = format!(":{port:04X} ");
    open.lines().any(|line| {
        let local = line.split_once(": ").map_or("", |(_, rest)| rest);
        local.find(&address).is_some_and(|at| at == 8) && line.contains(state)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_seen_when_somebody_listens() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it has one").port();
        assert!(listens(Transport::Tcp, port));
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = socket.local_addr().expect("it has one").port();
        assert!(listens(Transport::Udp, port));
    }

    #[test]
    fn all_messages_differ() {
        let listen = Listen::new(Transport::Tcp, 4000).expect("they do");
        assert_eq!(listen.expected.len(), 4000);
        assert_eq!(listen.messages.len(), SENDERS);
    }
}
