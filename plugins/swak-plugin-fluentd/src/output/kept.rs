//! The connection between two chunks, and the heartbeats on it.

use std::sync::Arc;
use std::time::Duration;

use swak_sdk::options::{Address, Choice};
use swak_sdk::plugin::Counters;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::connection::Connection;
use crate::PORT;

/// How `out.Fluentd` finds out, while it has nothing to send, whether the receiver is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(super) enum Heartbeat {
    /// Not at all, but by TCP keep-alive.
    None,
    /// By a message over the connection that says nothing. Receivers other than Fluentd may not
    /// understand it.
    Tcp,
    /// By a datagram to the receiver's port, which it answers. Also before connecting.
    Udp,
}

/// How often a datagram without answer is sent again, and how long is waited for each.
const TRIES: u32 = 3;
const ANSWER: Duration = Duration::from_secs(1);

/// What a datagram of the heartbeat holds, both ways.
const BEAT: &[u8] = &[0];

/// The connection between two chunks.
pub(super) struct Kept {
    rules: Arc<Rules>,
    state: State,
}

/// How long and how a connection is kept.
pub(super) struct Rules {
    pub(super) heartbeat: Heartbeat,
    pub(super) interval: Duration,
    /// After so long without a chunk it is not used again.
    pub(super) idle_timeout: Option<Duration>,
    /// Where datagrams go to.
    pub(super) address: Address,
    pub(super) counters: Arc<Counters>,
}

enum State {
    Nothing,
    Quiet(Connection, Instant),
    Beating(Beating, Instant),
}

/// A task that has the connection until it is wanted back.
struct Beating {
    wanted: oneshot::Sender<()>,
    task: JoinHandle<Option<Connection>>,
}

impl Kept {
    pub(super) fn new(rules: Rules) -> Self {
        Kept { rules: Arc::new(rules), state: State::Nothing }
    }

    /// Keeps a connection.
    pub(super) fn put(&mut self, connection: Connection) {
        let now = Instant::now();
        if self.rules.heartbeat == Heartbeat::None {
            self.state = State::Quiet(connection, now);
            return;
        }
        let (wanted, asked) = oneshot::channel();
        let task = tokio::spawn(beat(connection, Arc::clone(&self.rules), asked));
        self.state = State::Beating(Beating { wanted, task }, now);
    }

    /// Gives the connection back, if there is one that is still good.
    pub(super) async fn take(&mut self) -> Option<Connection> {
        let (connection, since) = match std::mem::replace(&mut self.state, State::Nothing) {
            State::Nothing => return None,
            State::Quiet(connection, since) => (connection, since),
            State::Beating(Beating { wanted, task }, since) => {
                // When it has ended by itself, there is no connection any more.
                let _ = wanted.send(());
                (task.await.ok().flatten()?, since)
            }
        };
        let is_old = self.rules.idle_timeout.is_some_and(|limit| since.elapsed() >= limit);
        (!is_old).then_some(connection)
    }

    /// Asks the receiver whether it is there, where the rules say so; before connecting.
    pub(super) async fn ask(&self) -> std::io::Result<()> {
        match self.rules.heartbeat {
            Heartbeat::Udp => ask(&self.rules.address).await,
            Heartbeat::None | Heartbeat::Tcp => Ok(()),
        }
    }
}

/// Beats until the connection is wanted back, or its owner is gone.
async fn beat(
    mut connection: Connection,
    rules: Arc<Rules>,
    mut asked: oneshot::Receiver<()>,
) -> Option<Connection> {
    loop {
        tokio::select! {
            _ = &mut asked => return Some(connection),
            () = sleep(rules.interval) => {}
        }
        let beating = async {
            match rules.heartbeat {
                Heartbeat::Udp => ask(&rules.address).await.map_err(swak_sdk::Error::new),
                _ => connection.heartbeat(rules.interval).await.map_err(swak_sdk::Error::new),
            }
        };
        let beaten = tokio::select! {
            // A chunk does not wait for a heartbeat, and one that is cut off harms nothing.
            _ = &mut asked => return Some(connection),
            beaten = beating => beaten,
        };
        if let Err(error) = beaten {
            rules.counters.error();
            tracing::warn!(peer = %rules.address, "no heartbeat, the connection is renewed: {error:#}");
            return None;
        }
    }
}

/// Sends a datagram and waits for one.
async fn ask(address: &Address) -> std::io::Result<()> {
    let to = lookup_host(address.host_and_port(PORT)).await?.next();
    let to = to.ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let socket = UdpSocket::bind(match to.is_ipv4() {
        true => "0.0.0.0:0",
        false => "[::]:0",
    });
    let socket = socket.await?;
    socket.connect(to).await?;
    let mut said = [0; 16];
    for _ in 0..TRIES {
        socket.send(BEAT).await?;
        if let Ok(answered) = timeout(ANSWER, socket.recv(&mut said)).await {
            return answered.map(|_| ());
        }
    }
    Err(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "the heartbeat over UDP was not answered",
    ))
}
