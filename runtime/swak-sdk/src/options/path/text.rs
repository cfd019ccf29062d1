//! The text of a field path: reading and writing it.

use std::fmt;
use std::str::FromStr;

use super::{FieldPath, Step};

/// Reads as itself again.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.key)?;
        for step in &self.rest {
            match step {
                Step::Key(key) => {
                    f.write_str(".")?;
                    write_key(f, key)?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// What is wrong with the text of a path, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPathError {
    /// The byte of the text.
    pub at: usize,
    what: &'static str,
}

impl fmt::Display for FieldPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for FieldPathError {}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    fn from_str(text: &str) -> Result<Self, FieldPathError> {
        let mut parser = Parser { text, at: 0 };
        let key = parser.key()?;
        let mut rest = Vec::new();
        while let Some(c) = parser.peek() {
            parser.at += 1;
            rest.push(match c {
                '.' => Step::Key(parser.key()?),
                '[' => Step::Index(parser.index()?),
                _ => return Err(FieldPathError { at: parser.at - 1, what: "expected `.` or `[`" }),
            });
        }
        Ok(FieldPath { key, rest })
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn key(&mut self) -> Result<String, FieldPathError> {
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            return self.quoted(quote);
        }
        let rest = &self.text[self.at..];
        let end = rest.find(needs_quotes).unwrap_or(rest.len());
        let what = match rest[end..].chars().next() {
            Some(c) if c.is_whitespace() => "a name with a space in it is written between quotes",
            Some('"' | '\'') => "a quote stands only at the beginning and the end of a name",
            Some(']') => "`]` without `[`",
            _ if end == 0 => "expected a name",
            _ => {
                self.at += end;
                return Ok(rest[..end].to_owned());
            }
        };
        Err(FieldPathError { at: self.at + end, what })
    }

    fn quoted(&mut self, quote: char) -> Result<String, FieldPathError> {
        let start = self.at;
        let mut key = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, c)) if c == quote || c == '\\' => key.push(c),
                    _ => {
                        return Err(FieldPathError {
                            at: start + 1 + i,
                            what: "after `\\` comes a quote or `\\`",
                        });
                    }
                },
                c if c == quote => {
                    self.at = start + 1 + i + 1;
                    return Ok(key);
                }
                c => key.push(c),
            }
        }
        Err(FieldPathError { at: start, what: "this quote is not closed" })
    }

    fn index(&mut self) -> Result<i64, FieldPathError> {
        let start = self.at;
        let rest = &self.text[start..];
        let Some(end) = rest.find(']') else {
            return Err(FieldPathError { at: start - 1, what: "this `[` is not closed" });
        };
        self.at += end + 1;
        let digits = rest[..end].strip_prefix('-').unwrap_or(&rest[..end]);
        let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        match rest[..end].parse() {
            Ok(index) if all_digits => Ok(index),
            _ => {
                Err(FieldPathError { at: start, what: "between `[` and `]` stands a whole number" })
            }
        }
    }
}

fn needs_quotes(c: char) -> bool {
    ".[]\"'".contains(c) || c.is_whitespace()
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    if !key.is_empty() && !key.contains(needs_quotes) {
        return f.write_str(key);
    }
    write!(f, "\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::options::testing::{error, text};
    use crate::options::{Literal, LiteralValue, OptionValue, Span};

    #[test]
    fn what_is_not_a_path() {
        for (wrong, at, what) in [
            ("", 0, "expected a name"),
            (".a", 0, "expected a name"),
            ("a.", 2, "expected a name"),
            ("a..b", 2, "expected a name"),
            ("[0]", 0, "expected a name"),
            ("a[0", 1, "this `[` is not closed"),
            ("a[x]", 2, "between `[` and `]` stands a whole number"),
            ("a[+1]", 2, "between `[` and `]` stands a whole number"),
            ("a[99999999999999999999]", 2, "between `[` and `]` stands a whole number"),
            ("a[0]b", 4, "expected `.` or `[`"),
            ("a]", 1, "`]` without `[`"),
            ("user agent", 4, "a name with a space in it is written between quotes"),
            ("a.\"x", 2, "this quote is not closed"),
            ("a\"x\"", 1, "a quote stands only at the beginning and the end of a name"),
            (r#"a."x\y""#, 4, "after `\\` comes a quote or `\\`"),
        ] {
            assert_eq!(wrong.parse::<FieldPath>(), Err(FieldPathError { at, what }), "{wrong}");
        }
        let e = error::<FieldPath>(text("a..b"));
        assert_eq!(e.message, "expected a field path, found `a..b`: expected a name");
        let literal = Literal { value: LiteralValue::Str("a..b".into()), span: Span::new(10, 16) };
        assert_eq!(FieldPath::read(&literal).unwrap_err().0[0].span, Span::new(13, 14));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(written in any::<String>()) {
            let _ = written.parse::<FieldPath>();
        }

        #[test]
        fn what_is_shown_reads_back(keys in prop::collection::vec(any::<String>(), 1..4), index: i64) {
            let mut steps = keys.into_iter();
            let key = steps.next().expect("at least one key");
            let rest = steps.map(Step::Key).chain([Step::Index(index)]).collect();
            let path = FieldPath { key, rest };
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }
}
