//! `in.Syslog`: what it can be told, and how it starts.

use std::sync::Arc;
use std::time::Duration;

use swak_sdk::prelude::*;
use tokio::task::JoinSet;

use crate::buffers::Buffers;
use crate::endpoint::Endpoint;
use crate::listen::{self, Connections, Limits};
use crate::parse::Format;
use crate::record::{Mode, OnError, Reader};

/// Receives syslog over UDP, TCP and Unix sockets.
///
/// RFC 3164 and RFC 5424 are told apart for each message, and so are the two framings of RFC 6587 on
/// a stream: octet counting, and messages that end with a line feed or a zero byte. The source of a
/// batch is the peer's address, or the path of the Unix socket.
///
/// Syslog has no acks: what a peer has sent and this agent has not yet read is lost when the agent is
/// killed. Over TCP a full task makes the peers wait; over UDP the system drops what does not fit
/// into `receive_buffer`, which is counted on Linux.
///
/// ```swak
/// task(
///     in.Syslog(["udp://0.0.0.0:514", "tcp://0.0.0.0:514"]),
///     when("severity in ['emerg', 'alert', 'crit', 'err']", [out.File("errors.json", format="json")]),
///     out.File("{{ hostname }}.json", format="json")
/// )
/// ```
#[derive(Options)]
#[plugin(input, name = "Syslog")]
pub struct SyslogOptions {
    /// Where to listen: `udp://127.0.0.1:514`, `tcp://[::]:601`, `unix:///run/log` for streams or
    /// `unixgram:///dev/log` for datagrams; one or a list. `[::]` listens to IPv4 too. Unix sockets
    /// are there on Unix only.
    #[option(positional, default = ["udp://127.0.0.1:514"])]
    listen: Vec<Endpoint>,
    /// Whether to parse the messages, or to take each as a line.
    #[option(default = "parsed")]
    mode: Mode,
    /// The format of the messages.
    #[option(default = "auto")]
    format: Format,
    /// What becomes of a message that cannot be parsed.
    #[option(default = "keep")]
    on_error: OnError,
    /// The zone of timestamps that name none, as those of RFC 3164: `UTC`, `Asia/Seoul`, `+09:00`.
    /// Left out: the system's.
    time_zone: Option<TimeZone>,
    /// The longest message. The rest of a longer one is cut off and counted as an error; the record
    /// says so in the field `truncated`.
    #[option(default = "64k")]
    max_message: ByteSize,
    /// How many peers may be connected at once, all streams together. Others wait until one leaves.
    #[option(default = 1000, range = 1..=1000000)]
    max_connections: usize,
    /// How long a peer may be silent while as many are connected as may be and others wait. Then the
    /// one that has been silent for longest is disconnected.
    #[option(default = "1m")]
    idle_when_full: Duration,
    /// How long a connected peer may be silent before it is disconnected. Left out, it is kept as
    /// long as there is room; many senders lose the next message when they are disconnected.
    idle_timeout: Option<Duration>,
    /// How much the system holds of UDP until it is read. Systems have a limit of their own, on Linux
    /// `net.core.rmem_max`.
    #[option(default = "4m")]
    receive_buffer: ByteSize,
}

pub(crate) struct Syslog {
    listen: Vec<Endpoint>,
    reader: Arc<Reader>,
    limits: Limits,
    connections: Arc<Connections>,
}

impl Plugin for Syslog {
    type Options = SyslogOptions;

    fn new(options: SyslogOptions, cx: &BuildContext) -> Result<Self> {
        ensure!(!options.listen.is_empty(), "`listen` names nothing to listen on");
        // A message and what is read with it lie in one block.
        let max_message = usize::try_from(options.max_message.0).unwrap_or(usize::MAX);
        ensure!(
            (256..=1 << 30).contains(&max_message),
            "`max_message` is from 256 bytes to 1g, not {}",
            options.max_message
        );
        let never = options.idle_timeout.is_some_and(|limit| limit.is_zero());
        ensure!(!never, "`idle_timeout` must be longer than nothing; left out, there is none");
        let zone = options.time_zone.unwrap_or_else(TimeZone::system);
        let counters = cx.counters().clone();
        let reader = Reader::new(options.mode, options.format, options.on_error, zone, counters);
        let limits = Limits {
            max_message,
            idle_timeout: options.idle_timeout,
            receive_buffer: usize::try_from(options.receive_buffer.0).unwrap_or(usize::MAX),
        };
        let (most, idle) = (options.max_connections, options.idle_when_full);
        let connections = Arc::new(Connections::new(most, idle, cx.counters().clone()));
        Ok(Syslog { listen: options.listen, reader: Arc::new(reader), limits, connections })
    }
}

impl Input for Syslog {
    async fn run(self, out: Emitter, shutdown: Shutdown) -> Result<()> {
        let mut listeners = Vec::new();
        // All are bound before the first is read.
        for endpoint in &self.listen {
            let bound = listen::bind(endpoint, self.limits).await;
            listeners.push(bound.with_context(|| cannot_listen(endpoint))?);
        }
        let buffers = Buffers::new();
        let mut running = JoinSet::new();
        for listener in listeners {
            let receiver = listen::Receiver {
                reader: Arc::clone(&self.reader),
                limits: self.limits,
                connections: Arc::clone(&self.connections),
                buffers: buffers.clone(),
                out: out.clone(),
                shutdown: shutdown.clone(),
            };
            running.spawn(listener.run(receiver));
        }
        drop(out);
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok(result) => result?,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Ok(())
    }
}

fn cannot_listen(endpoint: &Endpoint) -> String {
    let low_port = match endpoint {
        Endpoint::Udp(address) | Endpoint::Tcp(address) => {
            address.host_and_port(crate::endpoint::PORT).1 < 1024
        }
        _ => false,
    };
    // Whether that is the reason stands in the error below this.
    let hint = if cfg!(unix) && low_port {
        " (a port below 1024 needs root or CAP_NET_BIND_SERVICE)"
    } else {
        ""
    };
    format!("cannot listen on {endpoint}{hint}")
}
