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

    /// What is broken.
    pub(crate) fn broken(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    fn with(self, style: Style, text: impl Display) -> String {
        match self.0 {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }
}

/// Whether a terminal of this process would show colours and its user has not said no, see
/// <https://no-color.org>. A Windows console is told to understand them.
pub(crate) fn available() -> bool {
    if anstyle_query::no_color() {
        return false;
    }
    #[cfg(windows)]
    let shows = anstyle_query::windows::enable_ansi_colors().unwrap_or(false);
    #[cfg(not(windows))]
    let shows = anstyle_query::term_supports_color();
    shows
}
