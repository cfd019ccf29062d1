//! The options of `in.Fluentd`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swak_sdk::prelude::*;

use super::budget::Budget;
use super::handshake::Door;
use super::seen::Seen;
use super::{Guests, InFluentd, Limits, Place, Shared};
use crate::forward::check_shared_key;
use crate::host::host_name;
use crate::network::Network;
use crate::transport::{TlsFiles, check_unix_path};

/// Receives events from Fluentd, Fluent Bit, Swak and the logger libraries of many languages.
///
/// It speaks the Forward protocol, version 1.5, over TCP, TLS or a Unix socket: the modes Message,
/// Forward, PackedForward and CompressedPackedForward (gzip). Each event becomes a record with the
/// event's fields and time; the batch has the event's tag, and the peer's address as its source.
///
/// A sender that asks for acks gets them once its events are delivered. When they cannot be, the
/// connection is closed without an ack, so that the sender sends them again. A chunk that comes again
/// although it was delivered, because its ack was lost, is answered and not delivered twice; the last
/// 8,192 chunks are remembered, until the agent stops.
///
/// ```swak
/// task(
///     in.Fluentd("0.0.0.0:24224"),
///     out.File("received/{{ tag }}.json", format="json")
/// )
/// ```
///
/// With TLS, a shared key and users. Keys and passwords can be kept out of the recipe:
/// `env("FORWARD_KEY")`.
///
/// ```swak
/// task(
///     in.Fluentd(
///         "0.0.0.0:24224",
///         allow=["10.0.0.0/8"],
///         tls=True,
///         tls_cert_file="/etc/ssl/logs.pem",
///         tls_key_file="/etc/ssl/logs-key.pem",
///         shared_key="the same on both sides",
///         users={"web-1": "secret"}
///     ),
///     out.File("received/{{ tag }}.json", format="json")
/// )
/// ```
#[derive(Options)]
#[plugin(input, name = "Fluentd")]
pub struct InFluentdOptions {
    /// The address to listen on. `[::]:24224` listens to IPv4 too.
    #[option(positional, default = "127.0.0.1:24224")]
    listen: Address,
    /// A Unix socket to listen on, instead of `listen`. Not on Windows.
    unix_path: Option<PathBuf>,
    /// Who may connect to the Unix socket, as the system writes permissions in octal digits: `0660`.
    /// Left out, as the process' file mode mask has it. The socket has them from the first moment on: it
    /// is made in a folder of its own beside its place, so that the agent must be allowed to make one.
    unix_permissions: Option<String>,
    /// The networks and addresses that may connect: `["10.0.0.0/8", "2001:db8::/32"]`. Left out,
    /// every one.
    #[option(default = [])]
    allow: Vec<Network>,
    /// Whether to answer heartbeats over UDP, on the same port: what Fluentd asks for with
    /// `heartbeat_type udp`.
    #[option(default = true)]
    heartbeat: bool,
    /// The largest message, and the most that a compressed one may hold. A peer that sends a larger
    /// one is disconnected.
    #[option(default = "64m")]
    max_message: ByteSize,
    /// How many bytes of messages that are not handed on yet there may be, of all peers together, not
    /// counting 64 KiB of each; and as much again for what is in compressed ones. Peers that bring
    /// more take turns, and are disconnected when theirs does not come within 5 seconds.
    #[option(default = "256m")]
    max_pending: ByteSize,
    /// How long a peer may send nothing in the middle of a message, and how long it may take for a whole
    /// one while others wait for room; then it is disconnected. A slow peer that goes on is otherwise
    /// waited for.
    #[option(default = "60s")]
    message_timeout: Duration,
    /// How many peers may be connected at once. Others wait until one leaves. One that has left and
    /// wanted acks is gone within seconds, whatever the outputs do; one that wanted none keeps its place
    /// until what it sent is handed on.
    #[option(default = 1000, range = 1..=1000000)]
    max_connections: usize,
    /// How long a peer may be silent before it is disconnected. One that waits for an ack may be. Left
    /// out, it is kept as long as it is there.
    idle_timeout: Option<Duration>,
    /// How long a peer may take for the handshakes of TLS and of the shared key.
    #[option(default = "10s")]
    handshake_timeout: Duration,
    /// Whether peers may send more than one chunk over a connection. They are told in the handshake,
    /// so that it needs a `shared_key` to say no.
    #[option(default = true)]
    keepalive: bool,
    /// The key that peers must have. Left out, they need none.
    shared_key: Option<Secret>,
    /// What this side calls itself in the handshake; peers must call themselves something else. Left
    /// out, the machine's name.
    self_hostname: Option<String>,
    /// The users that may send and their passwords: `{"web-1": "password"}`. Left out, whoever has the
    /// `shared_key`.
    #[option(default = {})]
    users: Dict<Secret>,
    /// Whether peers must use TLS.
    #[option(default = false)]
    tls: bool,
    /// A PEM file with the certificate to show, and those that lead to its root. A renewed one is
    /// taken within a minute.
    tls_cert_file: Option<PathBuf>,
    /// A PEM file with that certificate's private key.
    tls_key_file: Option<PathBuf>,
    /// A PEM file of roots. When it is given, peers must show a certificate that leads to one.
    tls_client_ca_file: Option<PathBuf>,
}

impl Plugin for InFluentd {
    type Options = InFluentdOptions;

    fn new(options: InFluentdOptions, cx: &BuildContext) -> Result<Self> {
        let max_message = options.check_sizes()?;
        options.check()?;
        let permissions = options.permissions()?;
        let tls = options.tls.then(|| options.tls_files());
        let limits = Limits {
            max_message,
            handshake_timeout: options.handshake_timeout,
            message_timeout: options.message_timeout,
            idle_timeout: options.idle_timeout,
        };
        let (users, keepalive) = (options.users, options.keepalive);
        let self_hostname = options.self_hostname;
        let door = options.shared_key.map(|shared_key| Door {
            shared_key,
            self_hostname: self_hostname.unwrap_or_else(host_name),
            users,
            keepalive,
        });
        let pending = usize::try_from(options.max_pending.0).unwrap_or(usize::MAX);
        Ok(InFluentd {
            place: match options.unix_path {
                Some(path) => Place::Unix(path, permissions),
                None => Place::Tcp(options.listen),
            },
            max_connections: options.max_connections,
            heartbeat: options.heartbeat,
            guests: Guests(options.allow),
            tls,
            limits,
            shared: Arc::new(Shared {
                counters: cx.counters().clone(),
                door,
                seen: Seen::new(),
                budget: Budget::new(pending, max_message),
            }),
        })
    }
}

impl InFluentdOptions {
    fn check_sizes(&self) -> Result<usize> {
        // A message becomes a block, which holds less than 4 GiB.
        let largest = 1 << 30;
        let max_message = usize::try_from(self.max_message.0).unwrap_or(usize::MAX);
        ensure!(
            (1024..=largest).contains(&max_message),
            "`max_message` is from 1k to 1g, not {}",
            self.max_message
        );
        ensure!(
            self.max_pending.0 >= self.max_message.0,
            "`max_pending` is less than `max_message`: no message of that size could come in"
        );
        Ok(max_message)
    }

    fn check(&self) -> Result<()> {
        let never = self.idle_timeout.is_some_and(|limit| limit.is_zero());
        ensure!(!never, "`idle_timeout` must be longer than nothing; left out, there is none");
        let limits = [
            ("handshake_timeout", self.handshake_timeout),
            ("message_timeout", self.message_timeout),
        ];
        for (name, limit) in limits {
            ensure!(!limit.is_zero(), "`{name}` must be longer than nothing");
        }
        check_unix_path(self.unix_path.is_some())?;
        ensure!(
            !(self.unix_path.is_some() && self.tls),
            "`tls` is for TCP, and `unix_path` is given"
        );
        ensure!(
            self.unix_path.is_some() || self.unix_permissions.is_none(),
            "`unix_permissions` are those of `unix_path`, which is not given"
        );
        self.tls_files().check(self.tls, "tls_client_ca_file")?;
        ensure!(
            !self.tls || self.tls_cert_file.is_some(),
            "`tls` needs a certificate: give `tls_cert_file` and `tls_key_file`"
        );
        check_shared_key(self.shared_key.as_ref())?;
        let handshake = [
            ("users", !self.users.is_empty()),
            ("self_hostname", self.self_hostname.is_some()),
            ("keepalive", !self.keepalive),
        ];
        for (name, given) in handshake {
            ensure!(
                !given || self.shared_key.is_some(),
                "`{name}` is for the handshake, which needs a `shared_key`"
            );
        }
        Ok(())
    }

    fn permissions(&self) -> Result<Option<u32>> {
        let Some(text) = &self.unix_permissions else { return Ok(None) };
        let octal = (1..=4).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'7'));
        ensure!(
            octal,
            "`unix_permissions` is up to four octal digits, as in \"0660\", not `{text}`"
        );
        Ok(u32::from_str_radix(text, 8).ok())
    }

    fn tls_files(&self) -> TlsFiles {
        TlsFiles {
            ca: self.tls_client_ca_file.clone(),
            cert: self.tls_cert_file.clone(),
            key: self.tls_key_file.clone(),
        }
    }
}
