//! From the parser's events to the tree.

use std::collections::HashMap;

use serde_yaml::granit_parser::{
    self as granit, ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, StructureStyle, Tag,
};

use super::{KeyNode, MAX_DEPTH, Node, Value, scalar};
use crate::diag::{Diagnostic, Diagnostics, Span};

/// More mistakes than these are not gathered.
const MAX_ERRORS: usize = 100;

/// Builds the tree of the only document in a text.
pub(super) fn build(text: &str) -> Result<Node, Diagnostics> {
    let options = granit::options! {
        emit_comments: false,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder::new(text);
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                let last = builder.open.last().filter(|open| open.flow).map(|open| open.span);
                builder.errors.push(syntax_error(text, &error, last));
                break;
            }
        };
        let place = builder.place(span.start, span.end);
        if builder.event(event, place).is_break() || builder.errors.len() >= MAX_ERRORS {
            break;
        }
    }
    match Diagnostics::from_vec(builder.errors) {
        Some(found) => Err(found),
        None => match builder.root {
            Some(Node { value: Value::Null, span }) if span.start == span.end => {
                Err(nothing().into())
            }
            Some(root) => Ok(root),
            None => Err(nothing().into()),
        },
    }
}

struct Builder<'a> {
    text: &'a str,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    errors: Vec<Diagnostic>,
}

/// A list or map that has not ended yet.
struct Open {
    span: Span,
    flow: bool,
    body: Body,
}

enum Body {
    List(Vec<Node>),
    Map {
        entries: Vec<(KeyNode, Node)>,
        /// Where each key was first seen.
        seen: HashMap<String, Span>,
        /// The key that waits for its value, and whether it is a repeat that is to be dropped.
        key: Option<(KeyNode, bool)>,
    },
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Builder { text, open: Vec::new(), root: None, documents: 0, errors: Vec::new() }
    }

    fn place(&self, start: Marker, end: Marker) -> Span {
        // The parser reads from a string here, which is when it knows bytes.
        let byte = |m: Marker| m.byte_offset().unwrap_or(self.text.len());
        Span::new(byte(start), byte(end).max(byte(start)))
    }

    fn event(&mut self, event: Event<'_>, place: Span) -> std::ops::ControlFlow<()> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.errors.push(
                        Diagnostic::error("yaml-documents", "a second YAML document begins here")
                            .at(place, "only one document is read")
                            .help("remove the `---`, or put the rest into a file of its own"),
                    );
                    return std::ops::ControlFlow::Break(());
                }
            }
            Event::Scalar(text, style, _, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), place);
                self.add(Node { value, span: self.trimmed(place, style) }, Some(&text));
            }
            Event::SequenceStart(style, _, tag) => {
                self.container_tag(tag.as_deref(), "seq", place);
                return self.start(place, style, Body::List(Vec::new()));
            }
            Event::MappingStart(style, _, tag) => {
                self.container_tag(tag.as_deref(), "map", place);
                let body = Body::Map { entries: Vec::new(), seen: HashMap::new(), key: None };
                return self.start(place, style, body);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(place),
            Event::Anchor(_, name) => self.errors.push(
                Diagnostic::error("yaml-anchor", format!("anchors such as `&{name}` are not read"))
                    .at(place, "")
                    .help("write the value out where it is needed"),
            ),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let name = self.text.get(place.range()).unwrap_or("*").to_owned();
                self.errors.push(
                    Diagnostic::error(
                        "yaml-alias",
                        format!("aliases such as `{name}` are not read"),
                    )
                    .at(place, "")
                    .help(format!(
                        "write the value out here; or put it in quotes if it is text: \"{name}\""
                    )),
                );
                self.add(Node { value: Value::Null, span: place }, Some(&name));
            }
            _ => {}
        }
        std::ops::ControlFlow::Continue(())
    }

    fn start(
        &mut self,
        span: Span,
        style: StructureStyle,
        body: Body,
    ) -> std::ops::ControlFlow<()> {
        if self.open.len() >= MAX_DEPTH {
            self.errors.push(too_deep(span));
            return std::ops::ControlFlow::Break(());
        }
        self.open.push(Open { span, flow: style == StructureStyle::Flow, body });
        std::ops::ControlFlow::Continue(())
    }

    fn end(&mut self, place: Span) {
        let open = self.open.pop().expect("the parser pairs starts and ends");
        let (value, last) = match open.body {
            Body::List(items) => {
                let last = items.last().map(|n| n.span);
                (Value::List(items), last)
            }
            Body::Map { entries, .. } => {
                let last = entries.last().map(|(key, node)| key.span.to(node.span));
                (Value::Map(entries), last)
            }
        };
        // A block ends where its last element ends; the event comes at the next token.
        let span = match last {
            _ if open.flow => open.span.to(place),
            Some(last) => open.span.to(last),
            None => open.span,
        };
        self.add(Node { value, span }, None);
    }

    /// Puts a finished value where it belongs. `text` is what it says as a key.
    fn add(&mut self, mut node: Node, text: Option<&str>) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut open.body {
            Body::List(items) => items.push(node),
            Body::Map { entries, seen, key } => match key.take() {
                Some((name, repeat)) => {
                    if node.span.start == node.span.end {
                        node.span = name.span;
                    }
                    if !repeat {
                        entries.push((name, node));
                    }
                }
                None => {
                    let span = node.span;
                    let Some(text) = text else {
                        self.errors.push(
                            Diagnostic::error(
                                "yaml-key",
                                format!("{} cannot be a key", node.value.noun()),
                            )
                            .at(span, "a key is a word or a text in quotes")
                            .help("`{{ … }}` and `{ … }` at the beginning of a value need quotes"),
                        );
                        *key = Some((KeyNode { name: String::new(), span }, true));
                        return;
                    };
                    let first = seen.get(text).copied();
                    match first {
                        Some(first) => self.errors.push(
                            Diagnostic::error(
                                "yaml-duplicate-key",
                                format!("the key `{text}` stands here twice"),
                            )
                            .at(span, "again here")
                            .label(first, "first here")
                            .help("keep one of them"),
                        ),
                        None => {
                            seen.insert(text.to_owned(), span);
                        }
                    }
                    *key = Some((KeyNode { name: text.to_owned(), span }, first.is_some()));
                }
            },
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Span) -> Value {
        let Some(tag) = tag else {
            return if style == ScalarStyle::Plain {
                scalar::plain(text)
            } else {
                Value::Str(text.to_owned())
            };
        };
        match (tag.handle(), tag.suffix()) {
            ("tag:yaml.org,2002:", "str") | ("!", "") => Value::Str(text.to_owned()),
            ("tag:yaml.org,2002:", "null" | "bool" | "int" | "float") => scalar::plain(text),
            _ => {
                self.unknown_tag(tag, at);
                Value::Str(text.to_owned())
            }
        }
    }

    fn container_tag(&mut self, tag: Option<&Tag>, own: &str, at: Span) {
        if let Some(tag) = tag
            && (tag.handle(), tag.suffix()) != ("tag:yaml.org,2002:", own)
        {
            self.unknown_tag(tag, at);
        }
    }

    fn unknown_tag(&mut self, tag: &Tag, at: Span) {
        self.errors.push(
            Diagnostic::error(
                "yaml-tag",
                format!("the tag `{}{}` is not known", tag.handle(), tag.suffix()),
            )
            .at(at, "")
            .help("remove the tag, or put the value in quotes if the `!` belongs to it"),
        );
    }

    /// A block text ends with its last line and not where the next token begins.
    fn trimmed(&self, span: Span, style: ScalarStyle) -> Span {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return span;
        }
        let text = self.text.get(span.range()).unwrap_or_default().trim_end();
        Span::new(span.start as usize, span.start as usize + text.len())
    }
}

fn nothing() -> Diagnostic {
    Diagnostic::error("yaml-empty", "there is nothing in this file but comments")
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("yaml-too-deep", format!("nested deeper than {MAX_DEPTH} levels"))
        .at(span, "one level too deep")
}

fn syntax_error(text: &str, error: &ScanError, open: Option<Span>) -> Diagnostic {
    let marked = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let at = tab_before(text, marked).unwrap_or(marked);
    let width = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let span = Span::new(at, at + width);
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(span);
    }
    let (message, help) = explain(text, at, error.kind());
    let mut found = Diagnostic::error("yaml-syntax", message).at(span, "");
    if let (Some(open), true) = (open, at >= text.trim_end().len()) {
        found = found.label(Span::new(open.start as usize, open.start as usize + 1), "opened here");
    }
    match help {
        Some(help) => found.help(help),
        None => found,
    }
}

/// The parser marks what follows a tab in the indentation; the tab is what is wrong.
fn tab_before(text: &str, at: usize) -> Option<usize> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let indent = &text[start..at];
    let tab = indent.find('\t')?;
    indent.trim().is_empty().then_some(start + tab)
}

/// What the parser says in its own terms, said in those of the person.
fn explain(text: &str, at: usize, kind: &ErrorKind) -> (String, Option<&'static str>) {
    let tab = text.as_bytes().get(at) == Some(&b'\t');
    match kind {
        _ if tab => {
            ("a tab cannot be used to indent".into(), Some("indent with spaces, two for a level"))
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => {
            ("a tab cannot be used to indent".into(), Some("indent with spaces, two for a level"))
        }
        ErrorKind::UnclosedFlowCollection { open } => (format!("`{open}` is never closed"), None),
        ErrorKind::UnexpectedEofFlowSequence => ("`[` is never closed".into(), None),
        ErrorKind::UnexpectedEofFlowMapping => ("`{` is never closed".into(), None),
        ErrorKind::UnclosedQuotedScalar => ("a quote is never closed".into(), None),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` is closed by `{close}`"), None)
        }
        ErrorKind::MappingValueNotAllowed => (
            "a `key: value` cannot begin here".into(),
            Some("put text that has a `: ` in it in quotes; keys of one map begin in one column"),
        ),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => (
            "this does not line up with the lines above".into(),
            Some("keys of one map, and dashes of one list, begin in one column"),
        ),
        ErrorKind::SimpleKeyExpected => {
            ("expected `key: value`".into(), Some("a `:` with a space after it is missing"))
        }
        ErrorKind::UnexpectedCharacter { character } => (
            format!("`{}` cannot begin a value", character.escape_default()),
            Some("put the value in quotes"),
        ),
        ErrorKind::ExpectedFlowSequenceSeparator => ("expected `,` or `]`".into(), None),
        ErrorKind::ExpectedFlowMappingSeparator => ("expected `,` or `}`".into(), None),
        other => (other.to_string(), None),
    }
}
