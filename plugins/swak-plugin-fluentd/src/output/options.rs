//! The options of `out.Fluentd`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swak_sdk::prelude::*;

use super::OutFluentd;
use super::asked::ChunkIds;
use super::kept::{Heartbeat, Kept, Rules};
use super::message::{Messages, Tag};
use super::peer::{Credentials, Peer, Place, Tls};
use crate::forward::{Encoder, Mode, check_shared_key};
use crate::host::host_name;
use crate::msgpack::Precision;
use crate::transport::{TlsFiles, check_unix_path};

/// Sends records to Fluentd, Fluent Bit or another Swak.
///
/// It speaks the Forward protocol, version 1.5, over TCP, TLS or a Unix socket: events with EventTime
/// (nanoseconds), a message for each tag of a chunk. A record that is still a line is sent as the
/// field `message`: text when it is UTF-8, binary when it is not. Times in fields are sent as
/// RFC 3339 text.
///
/// With `require_ack` a chunk counts as delivered once the receiver has said that it has all of it.
/// Until then it is sent again, on a new connection and under the same chunk id. Messages of it that
/// were acknowledged are not sent to the receiver again; nor to another one of a failover, where they are
/// the beginning of the chunk.
///
/// A receiver that is slow is waited for as long as it goes on taking or acknowledging something: the
/// time-outs, also the `timeout` that every output has and that of a failover, count from the last time
/// that it did. Where two of them go together the shorter one ends the wait.
///
/// ```swak
/// task(
///     in.FileTailing("/var/log/nginx/access.log"),
///     failover(
///         out.Fluentd("logs1.example.com", tag="nginx.access"),
///         out.Fluentd("logs2.example.com", tag="nginx.access")
///     )
/// )
/// ```
///
/// With TLS, a shared key and a user. Keys and passwords can be kept out of the recipe:
/// `env("FORWARD_KEY")`.
///
/// ```swak
/// task(
///     in.FileTailing("/var/log/nginx/access.log"),
///     out.Fluentd(
///         "logs.example.com",
///         compress="gzip",
///         tls=True,
///         tls_ca_file="/etc/ssl/our-ca.pem",
///         shared_key="the same on both sides",
///         username="web-1",
///         password="secret"
///     )
/// )
/// ```
#[derive(Options)]
#[plugin(output, name = "Fluentd")]
pub struct OutFluentdOptions {
    /// The receiver: a name or an IP address, with or without a port.
    #[option(positional, default = "127.0.0.1")]
    host: Address,
    /// The receiver's port, when `host` has none.
    #[option(default = 24224, range = 1..=65535)]
    port: u16,
    /// The Unix socket that the receiver listens on, instead of `host` and `port`. Not on Windows.
    unix_path: Option<PathBuf>,
    /// The tag that the receiver routes by, a template over each record. Where it comes to nothing,
    /// the tag of the batch is taken.
    #[option(default = "{{ tag }}")]
    tag: Template,
    /// How events are put into messages. Every receiver understands all of them; the default costs
    /// both sides the least.
    #[option(default = "packed_forward")]
    mode: MessageMode,
    /// Whether messages are compressed, which takes the mode `packed_forward`.
    #[option(default = "none")]
    compress: Compress,
    /// After how many bytes of events a message ends and another begins. Receivers refuse messages that
    /// are larger than they are told: Fluent Bit those of 6 MB, `in.Fluentd` those of 64 MiB.
    #[option(default = "4m")]
    message_size: ByteSize,
    /// Whether times are told in whole seconds: for receivers from before Fluentd 0.14.
    #[option(default = false)]
    time_as_integer: bool,
    /// Whether to wait until the receiver says that it has the records. Without it, records that are
    /// on their way when a connection breaks are lost.
    #[option(default = true)]
    require_ack: bool,
    /// How long to wait for the receiver's word after it last took or acknowledged something. What it
    /// has not acknowledged is then sent again. No longer than `timeout`.
    #[option(default = "30s")]
    ack_timeout: Placed<Duration>,
    /// How long connecting may take, with TLS and handshake. No longer than `timeout`.
    #[option(default = "10s")]
    connect_timeout: Placed<Duration>,
    /// How long the receiver may take nothing of what is sent to it. No longer than `timeout`.
    #[option(default = "30s")]
    write_timeout: Placed<Duration>,
    /// Whether the connection is kept for the next chunk. A receiver that asks for a shared key may
    /// say no to it.
    #[option(default = true)]
    keepalive: bool,
    /// After how long without a chunk a connection is not used again. Left out, it is kept as long as
    /// the receiver keeps it.
    keepalive_timeout: Option<Duration>,
    /// How to find out, between chunks, whether the receiver is there.
    #[option(default = "none")]
    heartbeat: Heartbeat,
    /// How often to find out.
    #[option(default = "10s")]
    heartbeat_interval: Duration,
    /// The key that both sides must have. Give it when the receiver asks for one.
    shared_key: Option<Secret>,
    /// What this side calls itself in the handshake; the receiver must call itself something else.
    /// Left out, `swak@` and the machine's name.
    self_hostname: Option<String>,
    /// The user, when the receiver asks for one besides the shared key.
    username: Option<String>,
    /// The user's password.
    password: Option<Secret>,
    /// Whether to use TLS. The receiver's certificate must be for its name and lead to a root that
    /// is trusted.
    #[option(default = false)]
    tls: bool,
    /// A PEM file of certificates to trust instead of the public ones: roots, or the receiver's own,
    /// which is then taken whatever its name and age.
    tls_ca_file: Option<PathBuf>,
    /// A PEM file with the certificate to show when the receiver asks for one, and those that lead to
    /// its root.
    tls_cert_file: Option<PathBuf>,
    /// A PEM file with that certificate's private key.
    tls_key_file: Option<PathBuf>,
    /// The name that the receiver's certificate must be for. Left out, `host`.
    tls_server_name: Option<String>,
}

/// How events are put into messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
enum MessageMode {
    /// Each event is a message, with an ack of its own.
    Message,
    /// The events of a message are an array.
    Forward,
    /// The events of a message are bytes, which a receiver can store and forward unread.
    PackedForward,
}

/// Whether messages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
enum Compress {
    /// They are not.
    None,
    /// By gzip.
    Gzip,
}

impl Plugin for OutFluentd {
    type Options = OutFluentdOptions;

    fn new(options: OutFluentdOptions, cx: &BuildContext) -> Result<Self> {
        let message_size = options.check()?;
        let mode = match (options.mode, options.compress) {
            (MessageMode::PackedForward, Compress::Gzip) => Mode::CompressedPackedForward,
            (MessageMode::PackedForward, Compress::None) => Mode::PackedForward,
            (MessageMode::Forward, _) => Mode::Forward,
            (MessageMode::Message, _) => Mode::Message,
        };
        let precision = match options.time_as_integer {
            true => Precision::Seconds,
            false => Precision::Nanoseconds,
        };
        let ids = options.require_ack.then(ChunkIds::new);
        let address = options.host.clone().with_default_port(options.port);
        let rules = Rules {
            heartbeat: options.heartbeat,
            interval: options.heartbeat_interval,
            idle_timeout: options.keepalive_timeout,
            address: address.clone(),
            counters: Arc::clone(cx.counters()),
        };
        Ok(OutFluentd {
            tag: Tag::from(options.tag.clone()),
            messages: Messages::new(Encoder::new(mode, precision), ids, message_size),
            kept: Kept::new(rules),
            keepalive: options.keepalive,
            ack_timeout: options.ack_timeout,
            write_timeout: options.write_timeout,
            progress: Progress::default(),
            begun: false,
            peer: options.peer(address),
        })
    }
}

impl OutFluentdOptions {
    /// The size of messages, when all options are good.
    fn check(&self) -> Result<usize> {
        let message_size = usize::try_from(self.message_size.0).unwrap_or(usize::MAX);
        ensure!(
            (1..=1 << 30).contains(&message_size),
            "`message_size` is from 1 to 1g, not {}",
            self.message_size
        );
        let limits = [
            ("ack_timeout", Some(*self.ack_timeout)),
            ("connect_timeout", Some(*self.connect_timeout)),
            ("write_timeout", Some(*self.write_timeout)),
            ("heartbeat_interval", Some(self.heartbeat_interval)),
            ("keepalive_timeout", self.keepalive_timeout),
        ];
        for (name, limit) in limits {
            ensure!(
                limit.is_none_or(|limit| !limit.is_zero()),
                "`{name}` must be longer than nothing"
            );
        }
        check_unix_path(self.unix_path.is_some())?;
        let over_unix = self.unix_path.is_some();
        ensure!(!(over_unix && self.tls), "`tls` is for TCP, and `unix_path` is given");
        ensure!(
            !(over_unix && self.heartbeat == Heartbeat::Udp),
            "`heartbeat=\"udp\"` needs a host, and `unix_path` is given; take \"tcp\""
        );
        let packed = self.mode == MessageMode::PackedForward;
        ensure!(
            packed || self.compress == Compress::None,
            "only the mode `packed_forward` can be compressed: leave `mode` or `compress` out"
        );
        self.tls_files().check(self.tls, "tls_ca_file")?;
        ensure!(
            self.tls || self.tls_server_name.is_none(),
            "`tls_server_name` is given, but TLS is off: add `tls=True`"
        );
        ensure!(
            self.username.is_some() == self.password.is_some(),
            "`username` and `password` go together, and only one of them is given"
        );
        check_shared_key(self.shared_key.as_ref())?;
        let handshake = [
            ("username", self.username.is_some()),
            ("self_hostname", self.self_hostname.is_some()),
        ];
        for (name, given) in handshake {
            ensure!(
                !given || self.shared_key.is_some(),
                "`{name}` is for the handshake, which needs a `shared_key`"
            );
        }
        Ok(message_size)
    }

    fn tls_files(&self) -> TlsFiles {
        TlsFiles {
            ca: self.tls_ca_file.clone(),
            cert: self.tls_cert_file.clone(),
            key: self.tls_key_file.clone(),
        }
    }

    fn peer(self, address: Address) -> Peer {
        let files = self.tls_files();
        let tls = self.tls.then_some(Tls { files, server_name: self.tls_server_name });
        let credentials = self.shared_key.map(|shared_key| Credentials {
            shared_key,
            self_hostname: self.self_hostname.unwrap_or_else(|| format!("swak@{}", host_name())),
            username: self.username.unwrap_or_default(),
            password: self.password.unwrap_or_else(|| Secret::new("")),
        });
        let place = match self.unix_path {
            Some(path) => Place::Unix(path),
            None => Place::Tcp(address),
        };
        Peer { place, tls, credentials, connect_timeout: self.connect_timeout }
    }
}
