//! The streams that commands read and write.

use std::io::{Read, Write};

use crate::failure::Failure;

/// The streams that commands read and write.
pub struct Console<'a> {
    /// What a recipe named `-` is read from.
    pub stdin: &'a mut dyn Read,
    /// Answers.
    pub stdout: &'a mut dyn Write,
    /// Errors.
    pub stderr: &'a mut dyn Write,
    /// Whether answers may be coloured.
    pub stdout_color: bool,
    /// Whether errors may be coloured.
    pub stderr_color: bool,
}

impl Console<'_> {
    /// Writes an answer.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.stdout.write_all(text.as_bytes())?;
        self.stdout.flush()?;
        Ok(())
    }

    /// Writes a value as indented JSON.
    pub(crate) fn print_json(&mut self, value: &serde_json::Value) -> Result<(), Failure> {
        self.print(&format!("{value:#}\n"))
    }

    /// Writes an error. There is nowhere to tell that standard error is closed.
    pub(crate) fn complain(&mut self, text: &str) {
        let _ = self.stderr.write_all(text.as_bytes());
        let _ = self.stderr.flush();
    }
}
