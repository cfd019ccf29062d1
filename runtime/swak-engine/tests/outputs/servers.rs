//! Outputs that a test breaks and mends while they run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use swak_sdk::prelude::*;

/// What a server does from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Takes everything.
    #[default]
    Up,
    /// Takes no connection.
    Refuses,
    /// Never answers a connect.
    HangsAtConnect,
    /// Takes connections, and never answers a write.
    HangsAtWrite,
    /// Never answers a write of records from this source.
    HangsFor(&'static str),
    /// Takes two records of a chunk, says so, and never answers for the rest.
    TakesTwo,
    /// Asks to be tried again.
    Retries,
    /// Closes each connection when something is written.
    Disconnects,
    /// Closes the connection at the next write, and then takes everything.
    DisconnectsOnce,
    /// Can never take a line that ends so: 7.
    RejectsSevens,
    /// Can never take anything again.
    Fatal,
    /// Panics at the next connect.
    Panics,
}

/// A server of one name, which tests and outputs share.
#[derive(Clone, Default)]
pub(crate) struct Server(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) mode: Mode,
    /// What was taken, one entry a write: source and line.
    pub(crate) writes: Vec<Vec<(String, String)>>,
    pub(crate) connects: usize,
    /// Writes that were begun, whatever came of them.
    pub(crate) attempts: usize,
    /// What is stored and not handed back, for `out.Store`: what was set aside, then what is written.
    aside: Vec<String>,
    stored: Vec<String>,
    /// How often the end of a piece was not told before the store was asked again.
    pub(crate) again: usize,
}

/// Names are shared by all tests of a process: make them unique.
pub(crate) fn server(name: &str) -> Server {
    static SERVERS: OnceLock<Mutex<HashMap<String, Server>>> = OnceLock::new();
    let servers = SERVERS.get_or_init(Mutex::default);
    servers
        .lock()
        .expect("no panic while servers are listed")
        .entry(name.into())
        .or_default()
        .clone()
}

impl Server {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while a server is locked")
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.lock().mode = mode;
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lock().writes.iter().flatten().map(|(_, line)| line.clone()).collect()
    }

    pub(crate) fn lines_of(&self, source: &str) -> Vec<String> {
        let state = self.lock();
        let own = state.writes.iter().flatten().filter(|(from, _)| from == source);
        own.map(|(_, line)| line.clone()).collect()
    }

    /// What `out.Store` holds, the oldest first.
    pub(crate) fn stored(&self) -> Vec<String> {
        let state = self.lock();
        state.aside.iter().chain(&state.stored).cloned().collect()
    }

    /// Waits until this holds; a limit that only a hang reaches.
    pub(crate) fn wait_until(&self, what: &str, mut holds: impl FnMut(&State) -> bool) {
        for _ in 0..30_000 {
            if holds(&self.lock()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let state = self.lock();
        panic!("{what}: {:?}, {} writes, {} tried", state.mode, state.writes.len(), state.attempts);
    }
}

/// Hands records to the test's server of this name.
#[derive(Options)]
#[plugin(output, name = "Server")]
pub(crate) struct ServerOptions {
    /// The server.
    #[option(positional)]
    name: String,
    /// Another one, which is told of everything that is taken, and when.
    journal: Option<String>,
}

pub(crate) struct ToServer {
    server: Server,
    journal: Option<Server>,
    connected: bool,
    /// How many records of the last chunk were taken, though its write failed.
    delivered: usize,
}

impl Plugin for ToServer {
    type Options = ServerOptions;

    fn new(options: ServerOptions, _: &BuildContext) -> Result<Self> {
        let journal = options.journal.as_deref().map(server);
        Ok(ToServer { server: server(&options.name), journal, connected: false, delivered: 0 })
    }
}

impl Output for ToServer {
    async fn connect(&mut self) -> Result<()> {
        assert!(!self.connected, "connected twice");
        let mode = {
            let mut state = self.server.lock();
            state.connects += 1;
            state.mode
        };
        match mode {
            Mode::Refuses => bail!("connection refused"),
            Mode::HangsAtConnect => std::future::pending().await,
            Mode::Panics => {
                self.server.set(Mode::Up);
                panic!("no connection for me");
            }
            _ => self.connected = true,
        }
        Ok(())
    }

    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        assert!(self.connected, "written to without a connection");
        self.delivered = 0;
        let mode = {
            let mut state = self.server.lock();
            state.attempts += 1;
            let mode = state.mode;
            if mode == Mode::DisconnectsOnce {
                state.mode = Mode::Up;
            }
            mode
        };
        let from = |source: &str| chunk.batches().iter().any(|batch| &*batch.source == source);
        match mode {
            Mode::HangsFor(source) if !from(source) => {}
            Mode::HangsAtWrite | Mode::HangsFor(_) => {
                // Cut off here, it is to be connected again.
                self.connected = false;
                std::future::pending::<()>().await;
            }
            Mode::TakesTwo => {
                let taken: Vec<_> = lines(chunk).take(2).collect();
                self.delivered = taken.len();
                self.server.lock().writes.push(taken);
                self.connected = false;
                std::future::pending::<()>().await;
            }
            Mode::Retries => return Err(WriteError::Retry(anyhow!("not now"))),
            Mode::Refuses
            | Mode::HangsAtConnect
            | Mode::Panics
            | Mode::Disconnects
            | Mode::DisconnectsOnce => {
                self.connected = false;
                return Err(WriteError::NotConnected(anyhow!("gone")));
            }
            Mode::RejectsSevens if lines(chunk).any(|(_, line)| line.ends_with('7')) => {
                return Err(WriteError::Reject(anyhow!("a seven")));
            }
            Mode::Fatal => return Err(WriteError::Fatal(anyhow!("closed"))),
            Mode::Up | Mode::RejectsSevens => {}
        }
        let written: Vec<_> = lines(chunk).collect();
        if let Some(journal) = &self.journal {
            journal.lock().writes.push(written.clone());
        }
        self.server.lock().writes.push(written);
        Ok(())
    }

    fn delivered(&mut self) -> usize {
        self.delivered
    }
}

fn lines(chunk: &Chunk) -> impl Iterator<Item = (String, String)> + '_ {
    chunk.batches().iter().flat_map(|batch| {
        batch.iter().map(|record| {
            let mut line = Vec::new();
            record.write_raw(&mut line);
            (batch.source.to_string(), String::from_utf8_lossy(&line).into_owned())
        })
    })
}

/// Keeps records in the test's server of this name, and hands them back.
#[derive(Options)]
#[plugin(output, name = "Store")]
pub(crate) struct StoreOptions {
    /// The server.
    #[option(positional)]
    name: String,
    /// How many records are handed back at once.
    #[option(default = 3)]
    piece: usize,
}

pub(crate) struct Store {
    server: Server,
    piece: usize,
}

impl Plugin for Store {
    type Options = StoreOptions;

    fn new(options: StoreOptions, _: &BuildContext) -> Result<Self> {
        Ok(Store { server: server(&options.name), piece: options.piece })
    }
}

impl Output for Store {
    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        self.server.lock().stored.extend(lines(chunk).map(|(_, line)| line));
        Ok(())
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn hands_back(&self) -> Result<HandsBack> {
        Ok(HandsBack::Whole)
    }

    async fn take_back(&mut self) -> Result<Option<BoxBacklog>> {
        let mut state = self.server.lock();
        let stored = std::mem::take(&mut state.stored);
        state.aside.extend(stored);
        if state.aside.is_empty() {
            return Ok(None);
        }
        let backlog = Aside { server: self.server.clone(), piece: self.piece, given: 0 };
        Ok(Some(Box::new(backlog)))
    }
}

struct Aside {
    server: Server,
    piece: usize,
    given: usize,
}

impl Backlog for Aside {
    async fn next(&mut self) -> Result<Option<Chunk>> {
        let mut state = self.server.lock();
        if self.given > 0 {
            state.again += 1;
        }
        let record = |line: &String| Record::from_line(line.as_bytes(), Timestamp::now());
        let records: Vec<_> = state.aside.iter().take(self.piece).map(record).collect();
        self.given = records.len();
        Ok((!records.is_empty()).then(|| Batch::new(records).into()))
    }

    async fn delivered(&mut self) -> Result<()> {
        let given = std::mem::take(&mut self.given);
        self.server.lock().aside.drain(..given);
        Ok(())
    }
}
