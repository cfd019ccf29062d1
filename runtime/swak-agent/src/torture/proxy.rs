//! What stands between an output and its server: it lets everything through until it is told to be
//! dead, slow, hanging, cutting or lying.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::fault::Fault;
use super::random::Random;

/// A server on loopback that hands everything to another one. It ends with the process.
#[derive(Clone)]
pub(super) struct Proxy(Arc<Inner>);

struct Inner {
    listen: SocketAddr,
    state: Mutex<State>,
    /// Connections that were broken or disturbed.
    broken: AtomicU64,
    /// How often all connections were closed.
    closed: AtomicU64,
}

struct State {
    /// Where connections lead; nobody knows before the receiver runs.
    target: Option<String>,
    fault: Option<Fault>,
    random: Random,
}

/// How soon threads notice that something has changed.
const LOOK: Duration = Duration::from_millis(20);

/// A slow server takes so many bytes at a time.
const SIP: usize = 512;

impl Proxy {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn start(random: Random) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let listen = listener.local_addr()?;
        let state = Mutex::new(State { target: None, fault: None, random });
        let proxy = Proxy(Arc::new(Inner {
            listen,
            state,
            broken: AtomicU64::new(0),
            closed: AtomicU64::new(0),
        }));
        let accepting = proxy.clone();
        thread::spawn(move || accepting.accept(listener));
        Ok(proxy)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> String {
        self.0.listen.to_string()
    }

    /// Says where connections lead from now on.
    pub(super) fn lead_to(&self, target: String) {
        self.state().target = Some(target);
    }

    /// Does this to connections from now on, or nothing.
    pub(super) fn set(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Closes all connections, with what is on its way in them: their client is dead, and what would
    /// come out of them later would be taken for the words of the next one.
    pub(super) fn close_all(&self) {
        self.0.closed.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self) -> u64 {
        self.0.closed.load(Ordering::Relaxed)
    }

    /// How many connections were broken or disturbed so far.
    pub(super) fn broken(&self) -> u64 {
        self.0.broken.load(Ordering::Relaxed)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic while the state of a proxy is locked")
    }

    fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    fn accept(&self, listener: TcpListener) {
        let mut listener = Some(listener);
        loop {
            if self.fault() == Some(Fault::Dead) {
                // Whoever connects now is refused.
                listener = None;
                thread::sleep(LOOK);
                continue;
            }
            let Some(open) = &listener else {
                listener = TcpListener::bind(self.0.listen).ok();
                thread::sleep(LOOK);
                continue;
            };
            // A refusal must come within `LOOK`, so that accepting does not wait for ever.
            let accepted = open.set_nonblocking(true).and_then(|()| open.accept());
            match accepted {
                Ok((client, _)) => {
                    let proxy = self.clone();
                    thread::spawn(move || proxy.serve(&client));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK),
                Err(_) => thread::sleep(LOOK),
            }
        }
    }

    fn serve(&self, client: &TcpStream) {
        if client.set_nonblocking(false).is_err() {
            return;
        }
        let closed = self.closed();
        // Nobody is asked for while nothing is done with what comes.
        let broken = AtomicBool::new(false);
        while self.fault() == Some(Fault::Hang) && self.closed() == closed {
            // What it sends meanwhile comes out later, whether it still waits for that or not.
            self.disturbed(&broken);
            thread::sleep(LOOK);
        }
        let Some(target) = self.state().target.clone() else { return };
        let Ok(server) = TcpStream::connect(target) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        thread::scope(|scope| {
            scope.spawn(|| self.pump(client, &server, false, &broken));
            self.pump(&server, client, true, &broken);
        });
    }

    /// Counts a connection once.
    fn disturbed(&self, connection: &AtomicBool) {
        if !connection.swap(true, Ordering::Relaxed) {
            self.0.broken.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands on what comes from one side. `answers` are what comes from the server.
    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream, answers: bool, broken: &AtomicBool) {
        // The other direction ends with this one.
        let close = || {
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        };
        let mut buffer = vec![0; 16 * 1024];
        if from.set_read_timeout(Some(LOOK)).is_err() {
            return close();
        }
        let closed = self.closed();
        loop {
            if self.closed() != closed {
                return close();
            }
            let fault = self.fault();
            let most = match fault {
                Some(Fault::Dead) => {
                    self.disturbed(broken);
                    return close();
                }
                Some(Fault::Hang) => {
                    self.disturbed(broken);
                    thread::sleep(LOOK);
                    continue;
                }
                Some(Fault::Slow) => SIP,
                _ => buffer.len(),
            };
            let read = match from.read(&mut buffer[..most]) {
                Ok(0) => return close(),
                Ok(read) => read,
                Err(error) if is_waiting(&error) => continue,
                Err(_) => return close(),
            };
            let mut bytes = &buffer[..read];
            // What was read before the fault began is handed on as if it had not.
            match self.fault() {
                Some(Fault::Slow) => {
                    self.disturbed(broken);
                    thread::sleep(LOOK);
                }
                Some(Fault::Cut) => {
                    let mut state = self.state();
                    if state.random.chance(30) {
                        self.disturbed(broken);
                        let part = state.random.within(0..read as u64);
                        drop(state);
                        let part = usize::try_from(part).expect("less than a length");
                        let _ = to.write_all(&bytes[..part]);
                        return close();
                    }
                }
                Some(Fault::Lie) if answers => {
                    self.disturbed(broken);
                    let garbage: Vec<u8> = {
                        let mut state = self.state();
                        (0..read).map(|_| (state.random.next() & 0xff) as u8).collect()
                    };
                    if to.write_all(&garbage).is_err() {
                        return close();
                    }
                    bytes = &[];
                }
                _ => {}
            }
            if to.write_all(bytes).is_err() {
                return close();
            }
        }
    }
}

fn is_waiting(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                thread::spawn(move || io::copy(&mut &client, &mut &client));
            }
        });
        address
    }

    fn proxy() -> Proxy {
        let proxy = Proxy::start(Random::new(1)).unwrap();
        proxy.lead_to(echo());
        proxy
    }

    /// What comes back for a word; an error when the connection ends before.
    fn ask(client: &mut TcpStream, word: &[u8]) -> io::Result<Vec<u8>> {
        client.write_all(word)?;
        let mut answer = vec![0; word.len()];
        client.read_exact(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn without_a_fault_everything_comes_through() {
        let proxy = proxy();
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        let long: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        assert_eq!(ask(&mut client, &long[..50_000]).unwrap(), &long[..50_000]);
        proxy.set(Some(Fault::Slow));
        assert_eq!(ask(&mut client, b"slow but whole").unwrap(), b"slow but whole");
        drop(client);
    }

    #[test]
    fn a_dead_server_refuses_and_comes_back() {
        let proxy = proxy();
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        ask(&mut client, b"x").unwrap();
        proxy.set(Some(Fault::Dead));
        assert!((0..).any(|_| TcpStream::connect(proxy.address()).is_err()));
        assert!((0..).any(|_| ask(&mut client, b"x").is_err()));
        while proxy.broken() == 0 {
            thread::sleep(LOOK);
        }
        proxy.set(None);
        let again = || ask(&mut TcpStream::connect(proxy.address())?, b"y");
        while again().is_err() {
            thread::sleep(LOOK);
        }
    }

    #[test]
    fn a_lying_server_answers_something_else() {
        let proxy = proxy();
        proxy.set(Some(Fault::Lie));
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        assert_ne!(
            ask(&mut client, b"the truth and nothing else").unwrap(),
            b"the truth and nothing else"
        );
    }

    #[test]
    fn a_cutting_server_closes_in_the_middle() {
        let proxy = proxy();
        proxy.set(Some(Fault::Cut));
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        assert!((0..10_000).any(|_| ask(&mut client, b"again and again").is_err()));
    }

    #[test]
    fn a_hanging_server_goes_on_afterwards() {
        let proxy = proxy();
        proxy.set(Some(Fault::Hang));
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        client.write_all(b"later").unwrap();
        client.set_read_timeout(Some(LOOK * 5)).unwrap();
        let mut answer = [0; 5];
        assert!(is_waiting(&client.read_exact(&mut answer).unwrap_err()));
        client.set_read_timeout(None).unwrap();
        proxy.set(None);
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"later");
    }
}
