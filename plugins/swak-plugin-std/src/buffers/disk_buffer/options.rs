//! The options that are words.

use std::time::Duration;

use swak_sdk::prelude::*;

/// What happens when the buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(super) enum WhenFull {
    /// What comes before it waits until something was delivered.
    Wait,
    /// What comes in is dropped, and counted as dropped.
    DropNewest,
    /// The oldest file is dropped with everything in it that is not delivered, and this is counted as
    /// dropped.
    DropOldest,
}

/// When what was written is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SyncPolicy {
    Always,
    Every(Duration),
    Never,
}

const HELP: &str = "write \"always\", \"never\" or a duration like 500ms or 5s";

impl OptionValue for SyncPolicy {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Plain)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = String::read(literal)?;
        if text.eq_ignore_ascii_case("always") {
            return Ok(SyncPolicy::Always);
        }
        if text.eq_ignore_ascii_case("never") {
            return Ok(SyncPolicy::Never);
        }
        let duration = Duration::read(literal).map_err(|_| {
            OptionErrors::from(
                OptionError::expected(&Duration::type_spec(), literal).with_help(HELP),
            )
        })?;
        Ok(if duration.is_zero() { SyncPolicy::Always } else { SyncPolicy::Every(duration) })
    }
}
