//! `in.Fluentd` and `out.Fluentd`: the Forward protocol of Fluentd, version 1.5.
//!
//! | folder | idea |
//! |---|---|
//! | `msgpack` | MessagePack to values and back, and where a value that is still coming in ends |
//! | `forward` | the messages of the protocol |
//! | `transport` | what they travel over: TCP, TLS, Unix sockets |
//! | `input` | `in.Fluentd`: connections, deliveries, acks |
//! | `output` | `out.Fluentd`: one connection, chunk ids, acks |
//!
//! | feature | |
//! |---|---|
//! | `tls` (on) | TLS, by rustls with ring |
//! | `fuzz` | what the fuzz targets call |

mod forward;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod host;
mod input;
mod msgpack;
mod network;
mod output;
mod transport;

pub use input::InFluentdOptions;
pub use output::OutFluentdOptions;

use swak_sdk::Plugins;

/// The port of the Forward protocol.
const PORT: u16 = 24224;

/// Adds the plugins of this crate; the `main.rs` of an agent that imports it calls this.
pub fn register(plugins: &mut Plugins) {
    plugins.input::<input::InFluentd>();
    plugins.output::<output::OutFluentd>();
}
