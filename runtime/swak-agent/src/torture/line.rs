//! The lines that sources write: something that the recipe can parse, with a mark in it.

use std::path::Path;

use swak_recipe::diag::{Diagnostic, Diagnostics};

/// What stands around a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    before: String,
    after: String,
}

/// What a recipe expects of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing special.
    Log,
    /// A JSON object: it begins by parsing that.
    Json,
    /// A message of RFC 5424: that is what its inputs receive.
    Syslog,
}

/// Where the mark stands in `--line`.
const PLACE: &str = "{mark}";

/// Time, level, and who speaks: what most parsers of logs take.
const LOG: &str = "2026-11-21 10:30:00.123 [INFO] swak: {mark}";

const JSON: &str = r#"{"time":"2026-11-21T10:30:00.123Z","level":"info","message":"{mark}"}"#;

const SYSLOG: &str = "<14>1 2026-11-21T10:30:00.123Z swak torture - - - {mark}";

impl Line {
    /// The line that most recipes of a kind take.
    pub(super) fn usual(shape: Shape) -> Self {
        Line::template(match shape {
            Shape::Log => LOG,
            Shape::Json => JSON,
            Shape::Syslog => SYSLOG,
        })
    }

    /// From a template with `{mark}` in it; without one the mark comes after a space at the end.
    pub(super) fn template(text: &str) -> Self {
        let (before, after) = match text.split_once(PLACE) {
            Some((before, after)) => (before.to_owned(), after.to_owned()),
            None => (format!("{text} "), String::new()),
        };
        Line { before, after }
    }

    /// From a file with a real line: the first that is not empty. In a JSON object the mark becomes a
    /// field of its own, elsewhere it is appended.
    ///
    /// # Errors
    /// `sample-unreadable`, `sample-empty`.
    pub(super) fn sample(path: &Path) -> Result<Self, Diagnostics> {
        let shown = path.display();
        let text = std::fs::read(path).map_err(|error| {
            Diagnostic::error("sample-unreadable", format!("cannot read {shown}: {error}"))
        })?;
        let text = String::from_utf8_lossy(&text);
        match text.lines().map(str::trim_end).find(|line| !line.is_empty()) {
            Some(line) => Ok(Line::around(line)),
            None => Err(Diagnostic::error("sample-empty", format!("{shown} has no line in it"))
                .help("put a line of the real log into it")
                .into()),
        }
    }

    /// Appends the line, with its end.
    pub(super) fn write(&self, write_mark: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        write_mark(out);
        out.extend_from_slice(self.after.as_bytes());
        out.push(b'\n');
    }

    fn around(line: &str) -> Self {
        let fields = line.strip_prefix('{').filter(|_| line.ends_with('}'));
        match fields {
            Some("}") => Line::template(r#"{"swak_mark":"{mark}"}"#),
            Some(fields) => {
                Line { before: r#"{"swak_mark":""#.to_owned(), after: format!(r#"",{fields}"#) }
            }
            None => Line { before: format!("{line} "), after: String::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &Line) -> String {
        let mut out = Vec::new();
        line.write(|out| out.extend_from_slice(b"MARK"), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_mark_stands_where_the_template_says() {
        assert_eq!(written(&Line::template("a {mark} b")), "a MARK b\n");
        assert_eq!(written(&Line::template("a")), "a MARK\n");
        assert!(written(&Line::usual(Shape::Json)).ends_with("\"message\":\"MARK\"}\n"));
    }

    #[test]
    fn a_sample_keeps_its_form() {
        let sample = |line| written(&Line::around(line));
        assert_eq!(sample("<13>Nov 21 host app: hello"), "<13>Nov 21 host app: hello MARK\n");
        assert_eq!(sample("{\"a\":1}"), "{\"swak_mark\":\"MARK\",\"a\":1}\n");
        assert_eq!(sample("{}"), "{\"swak_mark\":\"MARK\"}\n");
    }

    #[test]
    fn a_sample_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample");
        assert_eq!(
            Line::sample(&path).unwrap_err().iter().next().unwrap().code,
            "sample-unreadable"
        );
        std::fs::write(&path, "\n \n").unwrap();
        assert_eq!(Line::sample(&path).unwrap_err().iter().next().unwrap().code, "sample-empty");
        std::fs::write(&path, "\nreal\nother\n").unwrap();
        assert_eq!(written(&Line::sample(&path).unwrap()), "real MARK\n");
    }
}
