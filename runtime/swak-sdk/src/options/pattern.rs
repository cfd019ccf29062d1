//! Regular expressions.

use std::fmt;
use std::ops::{Deref, Range};

use regex::bytes::Regex;

use super::scalar::read_text;
use super::{Literal, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

/// A regular expression over bytes: a line need not be UTF-8 to match. It takes time linear in the
/// line, whatever the pattern.
///
/// Dereferences to [`regex::bytes::Regex`].
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern. The error says what is wrong and which bytes of the pattern it is about.
    pub fn new(text: &str) -> Result<Self, (String, Range<usize>)> {
        Regex::new(text).map(Pattern).map_err(|error| explain(text, &error))
    }
}

impl Deref for Pattern {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl OptionValue for Pattern {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Regex)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = read_text(literal, TextKind::Regex)?;
        Pattern::new(text).map_err(|(what, place)| {
            let column = text[..place.start].chars().count() + 1;
            let error = OptionError::new(
                literal.span_within(place),
                format!("not a regular expression: {what}, at character {column}"),
            );
            if what.starts_with("look-around") || what.starts_with("backreferences") {
                error.with_help("match more than needed and take the part with a group: (?<name>…)")
            } else {
                error
            }
            .into()
        })
    }
}

fn explain(text: &str, error: &regex::Error) -> (String, Range<usize>) {
    let range = |span: &regex_syntax::ast::Span| span.start.offset..span.end.offset;
    // The error of `regex` is a drawing of several lines; its parser knows the place.
    match regex_syntax::ParserBuilder::new().utf8(false).build().parse(text) {
        Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), range(error.span())),
        Err(regex_syntax::Error::Translate(error)) => {
            (error.kind().to_string(), range(error.span()))
        }
        _ => match error {
            regex::Error::CompiledTooBig(_) => {
                ("it is too large when compiled".to_owned(), 0..text.len())
            }
            other => (other.to_string(), 0..text.len()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, read, text};
    use super::super::{LiteralValue, Span};
    use super::*;

    #[test]
    fn matches_bytes() {
        let pattern: Pattern = read(text(r"^(?<host>\S+) caf")).unwrap();
        let found = pattern.captures(b"srv1 caf\xe9").unwrap();
        assert_eq!(&found["host"], b"srv1");
        assert_eq!(pattern.to_string(), r"^(?<host>\S+) caf");
    }

    #[test]
    fn the_place_within_the_pattern_is_told() {
        let e = error::<Pattern>(text("abc(def"));
        assert_eq!(e.message, "not a regular expression: unclosed group, at character 4");
        let e = error::<Pattern>(text(r"a(?=b)"));
        assert!(e.message.contains("look-around"), "{}", e.message);
        assert!(e.help.unwrap().contains("group"));
        assert!(error::<Pattern>(text(r"\p{Nonsense}")).message.contains("Unicode property"));
        assert!(error::<Pattern>(text(r"(\w{100}){1000}")).message.contains("too large"));
    }

    #[test]
    fn the_span_is_that_of_the_mistake_when_nothing_is_escaped() {
        // `"한(` between quotes, from byte 10 on.
        let value = LiteralValue::Str("한(".to_owned());
        let read = Pattern::read(&Literal { value: value.clone(), span: Span::new(10, 16) });
        assert_eq!(read.unwrap_err().0[0].span, Span::new(14, 15));
        let escaped = Span::new(10, 30);
        let read = Pattern::read(&Literal { value, span: escaped });
        assert_eq!(read.unwrap_err().0[0].span, escaped);
    }
}
