//! `in.Fluentd`: receives the Forward protocol.

mod answer;
mod connection;
mod deliver;
mod listen;

use std::sync::Arc;
use std::time::Duration;

use swak_sdk::plugin::Counters;
use swak_sdk::prelude::*;
use tokio::net::TcpStream;
use tokio::task::{JoinError, JoinSet};

use crate::keepalive;

/// Receives events from Fluentd, Fluent Bit, Swak and the logger libraries of many languages.
///
/// It speaks the Forward protocol, version 1, over TCP: the modes Message, Forward, PackedForward and
/// CompressedPackedForward (gzip). Each event becomes a record with the event's fields and time; the
/// batch has the event's tag, and the peer's address as its source.
///
/// A sender that asks for acks gets them once its events are delivered. When they cannot be, the
/// connection is closed without an ack, so that the sender sends them again.
///
/// ```swak
/// task(
///     in.Fluentd("0.0.0.0:24224"),
///     out.File("received/{{ tag }}.json", format="json")
/// )
/// ```
#[derive(Options)]
#[plugin(input, name = "Fluentd")]
pub struct InFluentdOptions {
    /// The address to listen on. `[::]:24224` listens to IPv4 too.
    #[option(positional, default = "127.0.0.1:24224")]
    listen: Address,
    /// The largest message, and the most that a compressed one may hold. A peer that sends a larger
    /// one is disconnected.
    #[option(default = "64m")]
    max_message: ByteSize,
    /// How many peers may be connected at once. Others wait until one leaves.
    #[option(default = 1000, range = 1..=1000000)]
    max_connections: usize,
    /// How long a peer may be silent before it is disconnected. Left out, it is kept as long as it
    /// is there.
    idle_timeout: Option<Duration>,
}

/// The port of the Forward protocol.
pub(crate) const PORT: u16 = 24224;

/// How long accepting rests after it failed, which it does when there are no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct InFluentd {
    listen: Address,
    max_connections: usize,
    limits: Limits,
    counters: Arc<Counters>,
}

/// What a connection must keep to.
#[derive(Clone, Copy)]
struct Limits {
    max_message: usize,
    idle_timeout: Option<Duration>,
}

impl Plugin for InFluentd {
    type Options = InFluentdOptions;

    fn new(options: InFluentdOptions, cx: &BuildContext) -> Result<Self> {
        // A message becomes a block, which holds less than 4 GiB.
        let largest = 1 << 30;
        let max_message = usize::try_from(options.max_message.0).unwrap_or(usize::MAX);
        ensure!(
            (1024..=largest).contains(&max_message),
            "`max_message` is from 1k to 1g, not {}",
            options.max_message
        );
        let never = options.idle_timeout.is_some_and(|limit| limit.is_zero());
        ensure!(!never, "`idle_timeout` must be longer than nothing; left out, there is none");
        Ok(InFluentd {
            listen: options.listen,
            max_connections: options.max_connections,
            limits: Limits { max_message, idle_timeout: options.idle_timeout },
            counters: cx.counters().clone(),
        })
    }
}

impl Input for InFluentd {
    async fn run(self, out: Emitter, mut shutdown: Shutdown) -> Result<()> {
        let listener = listen::bind(&self.listen)
            .await
            .with_context(|| format!("cannot listen on {}", self.listen))?;
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.triggered() => break,
                Some(ended) = connections.join_next() => pass_on_panic(ended),
                accepted = listener.accept(), if connections.len() < self.max_connections => {
                    match accepted {
                        Ok((stream, peer)) => {
                            keepalive::enable(&stream);
                            let source = Name::from(peer.to_string());
                            let connection = self.serve(stream, source, &out, &shutdown);
                            connections.spawn(connection);
                        }
                        Err(error) => {
                            self.counters.error();
                            tracing::warn!("cannot accept a connection: {error}");
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    }
                }
            }
        }
        // They have heard of the shutdown too and read no more. What they read is still answered when
        // it is delivered; the stages are flushed once no emitter is left.
        drop(out);
        while let Some(ended) = connections.join_next().await {
            pass_on_panic(ended);
        }
        Ok(())
    }
}

impl InFluentd {
    fn serve(
        &self,
        stream: TcpStream,
        source: Name,
        out: &Emitter,
        shutdown: &Shutdown,
    ) -> impl Future<Output = ()> + Send + 'static {
        let deliver = deliver::Deliver::new(out.clone(), source.clone(), self.counters.clone());
        let (limits, counters, shutdown) = (self.limits, self.counters.clone(), shutdown.clone());
        async move {
            tracing::debug!(peer = %source, "connected");
            match connection::serve(stream, limits, deliver, shutdown).await {
                Ok(()) => tracing::debug!(peer = %source, "disconnected"),
                Err(error) => {
                    counters.error();
                    tracing::warn!(peer = %source, "disconnected: {:#}", Error::new(error));
                }
            }
        }
    }
}

fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        std::panic::resume_unwind(panic);
    }
}
