//! Colours for terminals.

use std::fmt::Display;

use clap::builder::styling::{AnsiColor, Style};

/// Colours text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// What a person looks for.
    pub(crate) fn heading(self, text: impl Display) -> String {
        self.with(AnsiColor::Green.on_default().bold(), text)
    }

    /// What is typed as it stands.
    pub(crate) fn literal(self, text: impl Display) -> String {
        self.with(AnsiColor::Cyan.on_default().bold(), text)
    }

    /// What is nice to know.
    pub(crate) fn quiet(self, text: impl Display) -> String {
        self.with(Style::new().dimmed(), text)
    }

    fn with(self, style: Style, text: impl Display) -> String {
        match self.0 {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }
}

/// Whether `NO_COLOR` leaves the choice to us; see <https://no-color.org>.
pub(crate) fn allowed() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
