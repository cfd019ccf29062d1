//! Templates of constant text and values that are written: `{{ host }}:{{ a.port }}`.

use super::fields::with_fields;
use super::node::Node;
use super::{Names, parse};
use crate::options::Scope;

/// A template that is rendered piece by piece.
#[derive(Debug)]
pub(in crate::options::jinja) struct Pieces {
    pieces: Vec<Piece>,
    names: Names,
}

#[derive(Debug)]
enum Piece {
    Text(Box<str>),
    Value(Node),
}

impl Pieces {
    /// `None` for what is left to Jinja: statements, comments, `-` that takes space away, filters.
    /// The text must be one that Jinja compiles.
    pub(in crate::options::jinja) fn new(text: &str) -> Option<Self> {
        let (mut pieces, mut names) = (Vec::new(), Names::new());
        let (mut rest, mut from) = (text, 0);
        while let Some(found) = rest.get(from..)?.find('{') {
            let open = from + found;
            let inner = match rest.as_bytes().get(open + 1) {
                Some(b'{') => &rest[open + 2..],
                Some(b'%' | b'#') => return None,
                _ => {
                    from = open + 1;
                    continue;
                }
            };
            let (expression, after) = inner.split_once("}}")?;
            // Between quotes the end could be no end.
            if expression.starts_with(['-', '+']) || expression.contains(['"', '\'', '{']) {
                return None;
            }
            if open > 0 {
                pieces.push(Piece::Text(rest[..open].into()));
            }
            pieces.push(Piece::Value(parse::expression(expression, &mut names)?));
            (rest, from) = (after, 0);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Some(Pieces { pieces, names })
    }

    /// Appends the text for a record; `None` if Jinja has to render it, and nothing is appended then.
    pub(in crate::options::jinja) fn render(
        &self,
        scope: &Scope<'_>,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let start = out.len();
        let rendered = with_fields(scope, &self.names, |fields| {
            self.pieces.iter().try_for_each(|piece| match piece {
                Piece::Text(text) => {
                    out.extend_from_slice(text.as_bytes());
                    Ok(())
                }
                Piece::Value(node) => node.value(fields)?.write(out),
            })
        });
        if rendered.is_err() {
            out.truncate(start);
        }
        rendered.ok()
    }
}
