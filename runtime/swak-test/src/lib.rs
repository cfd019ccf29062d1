//! Tests for plugins, run by the real engine.
//!
//! A [`Bench`] holds the plugins of a crate. It takes a recipe's own words, puts a source of given
//! records in front and a collector behind, and runs the task as an agent would:
//!
//! ```no_run
//! use swak_test::{Bench, lines};
//! # mod my_plugin { pub fn register(_: &mut swak_sdk::Plugins) {} }
//!
//! let bench = Bench::new(my_plugin::register);
//! let ran = bench.chain(r#"out.Shout("!")"#, lines(["one", "two"]));
//! assert_eq!(ran.lines(), ["ONE!", "TWO!"]);
//! ```
//!
//! [`conformance()`] holds every plugin of a crate to what all plugins promise.

mod bench;
mod collect;
pub mod conformance;
mod examples;
mod given;
mod port;
mod ran;
mod running;
mod store;

pub use bench::Bench;
pub use collect::Collector;
pub use conformance::conformance;
pub use examples::examples;
pub use given::{fields, lines, records};
pub use port::free_port;
pub use ran::Ran;
pub use running::Running;
pub use store::InMemory;
