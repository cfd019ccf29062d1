//! `in.Fluentd` and `out.Fluentd`: the Forward protocol of Fluentd, version 1.
//!
//! | folder | idea |
//! |---|---|
//! | `msgpack` | MessagePack to values and back, and where a value that is still coming in ends |
//! | `forward` | the messages of the protocol |
//! | `input` | `in.Fluentd`: connections, deliveries, acks |
//! | `output` | `out.Fluentd`: one connection, chunk ids, acks |
//!
//! Shared-key authentication, TLS and the UDP heartbeat are not there yet.

mod forward;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod input;
mod keepalive;
mod msgpack;
mod output;

pub use input::InFluentdOptions;
pub use output::OutFluentdOptions;

use swak_sdk::Plugins;

/// Adds the plugins of this crate; the `main.rs` of an agent that imports it calls this.
pub fn register(plugins: &mut Plugins) {
    plugins.input::<input::InFluentd>();
    plugins.output::<output::OutFluentd>();
}
