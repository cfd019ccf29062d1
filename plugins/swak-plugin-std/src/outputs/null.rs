//! `out.Null`: takes everything and keeps nothing.

use swak_sdk::prelude::*;

/// Takes everything and keeps nothing: every record counts as delivered.
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
