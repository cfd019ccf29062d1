//! Diagnostics for programs.

use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Label, Severity};

impl Diagnostics {
    /// A list of objects; see [`Diagnostic::to_json`].
    pub fn to_json(&self) -> Value {
        self.iter().map(Diagnostic::to_json).collect()
    }
}

impl Diagnostic {
    /// An object with `severity`, `code`, `message`, `file`, `line`, `column`, `end_line`,
    /// `end_column` (from 1, in characters, the end after the last one; `null` without a place),
    /// `label`, `help` (a list) and `related` (a list of places with their `label`).
    pub fn to_json(&self) -> Value {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut object = json!({
            "severity": severity,
            "code": self.code,
            "message": self.message,
            "help": self.help,
            "related": self.secondary.iter().map(|l| self.place(Some(l))).collect::<Vec<_>>(),
        });
        let place = self.place(self.primary.as_ref());
        if let (Value::Object(object), Value::Object(place)) = (&mut object, place) {
            object.extend(place);
        }
        object
    }

    fn place(&self, label: Option<&Label>) -> Value {
        let file = self.source.as_ref().map(|source| source.name());
        match (label, &self.source) {
            (Some(label), Some(source)) => {
                let (line, column) = source.line_column(label.span.start as usize);
                let (end_line, end_column) = source.line_column(label.span.end as usize);
                json!({
                    "file": file,
                    "line": line,
                    "column": column,
                    "end_line": end_line,
                    "end_column": end_column,
                    "label": label.text,
                })
            }
            _ => json!({
                "file": file,
                "line": null,
                "column": null,
                "end_line": null,
                "end_column": null,
                "label": label.map(|l| l.text.as_str()),
            }),
        }
    }
}
