//! Plugins that take nothing.

use swak_sdk::options::{Args, Options};

/// Throws everything away.
#[derive(Options)]
#[plugin(output, name = "Null")]
pub struct NullOptions;

/// Holds nothing.
#[derive(Options)]
#[plugin(transform, name = "Empty")]
pub struct EmptyOptions {}

fn main() {
    assert!(NullOptions::read(&Args::default()).is_ok());
    assert!(EmptyOptions::read(&Args::default()).is_ok());
}
