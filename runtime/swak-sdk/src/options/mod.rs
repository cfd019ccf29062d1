//! Typed options: from what a recipe says to the struct that a plugin author declared.
//!
//! The way of a value: recipe text → [`Args`] → [`OptionReader`] → [`OptionValue::read`] of each
//! field → the author's struct. Every mistake on the way is an [`OptionError`] with its place, and
//! all of them are found in one pass.

mod address;
mod choice;
mod collection;
mod delivery;
mod duration;
mod glob;
mod jinja;
mod literal;
mod path;
mod pattern;
mod placed;
mod quantity;
mod range;
mod read;
mod scalar;
mod secret;
mod size;
mod spec;
mod suggest;
#[cfg(test)]
mod testing;
mod zone;

pub use jiff::tz::TimeZone;

pub use address::{Address, AddressError};
pub use choice::{Choice, read_choice};
pub use collection::Dict;
pub use delivery::DeliveryOptions;
pub(crate) use delivery::split as split_delivery;
pub(crate) use duration::duration_text;
pub use glob::Glob;
pub use jinja::{EvalError, Expr, Scope, SyntaxError, Template};
pub use literal::{Args, Key, Literal, LiteralValue, Span};
pub use path::{FieldPath, FieldPathError, PathBlocked, PathDict};
pub use pattern::Pattern;
pub use placed::Placed;
pub use range::Ranged;
pub use read::{OptionError, OptionErrors, OptionReader, OptionValue};
pub use secret::Secret;
pub use size::ByteSize;
pub use spec::{ChoiceSpec, Kind, OptionSpec, PluginSpec, Str, TextKind, TypeSpec, alone};
pub use suggest::did_you_mean;

pub use swak_macros::{Choice, Options};

/// The options of a plugin. Derive it; do not write it by hand.
pub trait Options: Sized + Send + 'static {
    /// What people are told about the plugin.
    fn spec() -> PluginSpec;

    /// Reads the options from a call. Finds every mistake, not only the first.
    fn read(args: &Args) -> Result<Self, OptionErrors>;
}
