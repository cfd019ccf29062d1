//! `out.Null`: takes everything and keeps nothing.

use swak_sdk::prelude::*;

/// Takes everything and keeps nothing: every record counts as delivered.
///
/// How fast the steps before it are:
///
/// ```swak
/// task(in.DummyData("json", count=1_000_000, seed=1), out.JsonParser(), out.Null())
/// ```
#[derive(Options)]
#[plugin(output, name = "Null")]
pub(crate) struct NullOptions {}

pub(crate) struct Null;

impl Plugin for Null {
    type Options = NullOptions;

    fn new(_: NullOptions, _: &BuildContext) -> Result<Self> {
        Ok(Null)
    }
}

impl Output for Null {
    async fn write(&mut self, _: &Chunk) -> Result<(), WriteError> {
        Ok(())
    }
}
