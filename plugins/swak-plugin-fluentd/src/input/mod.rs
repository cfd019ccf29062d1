//! `in.Fluentd`: receives the Forward protocol.

mod answer;
mod budget;
mod connection;
mod deliver;
mod handshake;
mod heartbeat;
mod incoming;
mod listen;
#[cfg(unix)]
mod listen_unix;
mod options;
mod secure;
mod seen;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swak_sdk::plugin::Counters;
use swak_sdk::prelude::*;
use tokio::net::UdpSocket;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use self::budget::Budget;
use self::connection::ConnectionError;
use self::deliver::Deliver;
use self::handshake::Door;
use self::incoming::Incoming;
use self::listen::{Accepted, Listener};
pub use self::options::InFluentdOptions;
use self::secure::Secure;
use self::seen::Seen;
use crate::network::Network;
use crate::transport::{Acceptor, Stream, TlsFiles};

/// How long accepting rests after it failed, which it does when there are no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct InFluentd {
    place: Place,
    max_connections: usize,
    heartbeat: bool,
    guests: Guests,
    tls: Option<TlsFiles>,
    limits: Limits,
    shared: Arc<Shared>,
}

/// Where it listens.
enum Place {
    Tcp(Address),
    /// Only where there are Unix sockets; the options see to it.
    Unix(PathBuf, Option<u32>),
}

/// What a connection must keep to.
#[derive(Clone, Copy)]
struct Limits {
    max_message: usize,
    handshake_timeout: Duration,
    message_timeout: Duration,
    idle_timeout: Option<Duration>,
}

/// Who may connect at all.
struct Guests(Vec<Network>);

impl Guests {
    fn admit(&self, address: Option<IpAddr>) -> bool {
        match address {
            Some(address) if !self.0.is_empty() => self.0.iter().any(|n| n.contains(address)),
            _ => true,
        }
    }
}

/// What all connections have together.
struct Shared {
    counters: Arc<Counters>,
    door: Option<Door>,
    seen: Arc<Seen>,
    budget: Budget,
}

impl Input for InFluentd {
    async fn run(self, out: Emitter, mut shutdown: Shutdown) -> Result<()> {
        let listener = self.listen().await?;
        let heartbeats = self.listen_for_heartbeats(&listener)?;
        let mut secure = self.tls.clone().map(Secure::new).transpose()?;
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.triggered() => break,
                () = answer_heartbeats(heartbeats.as_ref(), &self.guests) => {}
                Some(ended) = connections.join_next() => pass_on_panic(ended),
                accepted = listener.accept(), if connections.len() < self.max_connections => {
                    match accepted {
                        Ok(accepted) if self.guests.admit(accepted.address) => {
                            let acceptor = secure.as_mut().map(Secure::acceptor);
                            connections.spawn(serve(
                                accepted,
                                acceptor,
                                self.limits,
                                Arc::clone(&self.shared),
                                out.clone(),
                                shutdown.clone(),
                            ));
                        }
                        Ok(accepted) => {
                            self.shared.counters.error();
                            let peer = &*accepted.source;
                            tracing::warn!(peer, "turned away: it is in none of the networks of `allow`");
                        }
                        Err(error) => {
                            self.shared.counters.error();
                            tracing::warn!("cannot accept a connection: {error}");
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    }
                }
            }
        }
        // They have heard of the shutdown too and read no more. What they read is still answered when
        // it is delivered; the stages are flushed once no emitter is left.
        drop((out, listener));
        while let Some(ended) = connections.join_next().await {
            pass_on_panic(ended);
        }
        Ok(())
    }
}

impl InFluentd {
    async fn listen(&self) -> Result<Listener> {
        match &self.place {
            Place::Tcp(address) => {
                Listener::tcp(address).await.with_context(|| format!("cannot listen on {address}"))
            }
            Place::Unix(path, permissions) => Listener::unix(path, *permissions)
                .with_context(|| format!("cannot listen on {}", path.display())),
        }
    }

    fn listen_for_heartbeats(&self, listener: &Listener) -> Result<Option<UdpSocket>> {
        let Some(address) = listener.address().filter(|_| self.heartbeat) else { return Ok(None) };
        heartbeat::bind(address).map(Some).with_context(|| {
            format!(
                "cannot listen for heartbeats on {address} (UDP); `heartbeat=False` goes without"
            )
        })
    }
}

async fn answer_heartbeats(socket: Option<&UdpSocket>, guests: &Guests) {
    match socket {
        Some(socket) => heartbeat::answer(socket, guests).await,
        None => std::future::pending().await,
    }
}

async fn serve(
    accepted: Accepted,
    acceptor: Option<Acceptor>,
    limits: Limits,
    shared: Arc<Shared>,
    out: Emitter,
    shutdown: Shutdown,
) {
    let Accepted { stream, source, address } = accepted;
    tracing::debug!(peer = %source, "connected");
    let counters = Arc::clone(&shared.counters);
    let served = async {
        let mut incoming = Incoming::new(limits.max_message, shared.budget.share());
        let opening = open(stream, acceptor, shared.door.as_ref(), &mut incoming);
        let stream = tokio::select! {
            opened = timeout(limits.handshake_timeout, opening) => {
                opened.map_err(|_| ConnectionError::Slow(limits.handshake_timeout))??
            }
            () = stopped(shutdown.clone()) => return Ok(()),
        };
        let seen = Arc::clone(&shared.seen);
        let (source, counters) = (source.clone(), Arc::clone(&counters));
        let deliver = |left| Deliver::new(out, source, address, counters, seen, left);
        connection::serve(stream, incoming, limits, deliver, shutdown).await
    };
    match served.await {
        Ok(()) => tracing::debug!(peer = %source, "disconnected"),
        Err(error) => {
            counters.error();
            tracing::warn!(peer = %source, "disconnected: {:#}", Error::new(error));
        }
    }
}

/// All that comes before messages.
async fn open(
    stream: Stream,
    acceptor: Option<Acceptor>,
    door: Option<&Door>,
    incoming: &mut Incoming,
) -> Result<Stream, ConnectionError> {
    let mut stream = match (acceptor, stream) {
        (Some(acceptor), Stream::Tcp(stream)) => acceptor.accept(stream).await?,
        (_, stream) => stream,
    };
    if let Some(door) = door {
        handshake::admit(&mut stream, door, incoming).await?;
    }
    Ok(stream)
}

async fn stopped(mut shutdown: Shutdown) {
    shutdown.triggered().await;
}

fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        std::panic::resume_unwind(panic);
    }
}
