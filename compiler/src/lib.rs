//! Turns a build config into a Swak agent.
//!
//! Three steps, each a module that can be used by itself:
//!
//! - [`resolve`]: from what the build config says ([`manifest`]) to a [`resolve::Plan`]: which
//!   crates, from where, for what, and where everything goes. Starts nothing, writes nothing.
//! - [`generate`]: from a plan to a [`generate::Workspace`], the same bytes for the same plan.
//! - [`build`]: from a workspace to an executable for each target, by Cargo and what a
//!   [`toolchain`] brings, and into `dist/`, with all that [`release`] puts beside them.
//!
//! Between the first two, [`check`] holds the recipe that is built in against the plugins that
//! [`scan`] reads from the crates' source, so that every mistake in what a person gave is told
//! before Cargo starts. The compiler links no plugin and no engine. What comes out is looked at, and
//! finished where linkers leave something to do, by [`binary`].

pub mod binary;
pub mod build;
pub mod check;
pub mod cli;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
pub mod generate;
pub mod manifest;
pub mod names;
pub mod release;
pub mod resolve;
pub mod scaffold;
pub mod scan;
pub mod target;
pub mod toolchain;
