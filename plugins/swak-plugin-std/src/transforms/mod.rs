//! What changes, holds or drops records on their way.

mod clock;
mod csv_parser;
pub(crate) mod exec;
mod filter;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod held;
mod json_parser;
mod lined_buffer;
mod reform;
mod regex_parser;
mod source;
mod timed_buffer;
mod typed;
mod unreadable;

use swak_sdk::Plugins;

/// Adds the transforms of this crate.
pub fn register(plugins: &mut Plugins) {
    plugins
        .transform::<json_parser::JsonParser>()
        .transform::<regex_parser::RegexParser>()
        .transform::<csv_parser::CsvParser>()
        .transform::<filter::Filter>()
        .transform::<reform::Reform>()
        .transform::<timed_buffer::TimedBuffer>()
        .transform::<lined_buffer::LinedBuffer>()
        .async_transform::<exec::Exec>();
}
