//! `in.Syslog`: syslog over UDP, TCP and Unix sockets.
//!
//! | module | idea |
//! |---|---|
//! | `input` | the options, and how the input starts |
//! | `endpoint` | where to listen, as a recipe writes it |
//! | `listen` | the sockets |
//! | `buffers` | where the memory of busy peers comes from |
//! | `framing` | where messages end in a stream |
//! | `parse` | the parts of a message |
//! | `record` | from messages to batches of records |

mod buffers;
mod endpoint;
mod framing;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod input;
mod listen;
mod parse;
mod record;

pub use input::SyslogOptions;

use swak_sdk::Plugins;

/// Adds the plugins of this crate; the `main.rs` of an agent that imports it calls this.
pub fn register(plugins: &mut Plugins) {
    plugins.input::<input::Syslog>();
}
