//! The checks, one file each, in the order in which `all` runs them: what is quick comes first.

mod bench;
mod clippy;
mod doc;
mod e2e;
mod fmt;
mod fuzz;
mod layers;
mod manifests;
mod modules;
mod package;
mod reference;
mod release;
mod setup;
mod targets;
mod test;
mod torture;

use crate::context::{Context, Result};

/// A check.
pub(crate) struct Check {
    /// As it is called: `cargo ci NAME`.
    pub(crate) name: &'static str,
    /// What it makes sure of.
    pub(crate) what: &'static str,
    pub(crate) run: fn(&Context) -> Result,
}

/// Those that every change passes.
pub(crate) const CHECKS: &[Check] = &[
    setup::CHECK,
    fmt::CHECK,
    layers::CHECK,
    manifests::CHECK,
    modules::CHECK,
    clippy::CHECK,
    doc::CHECK,
    reference::CHECK,
    package::CHECK,
    targets::CHECK,
    test::CHECK,
    e2e::CHECK,
];

/// Those that take too long for that: `all` leaves them out.
pub(crate) const LONG_CHECKS: &[Check] =
    &[release::CHECK, fuzz::CHECK, torture::CHECK, bench::CHECK];
