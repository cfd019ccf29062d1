//! Maps with known keys: spellings of a key, unknown keys, a key twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use swak_recipe::diag::{Diagnostic, Span, did_you_mean};
use swak_recipe::yaml::{KeyNode, Node, Value};

use super::Found;

/// The entries of a map, taken one by one; what is left over at the end is unknown.
pub(super) struct Fields<'a> {
    known: &'static [&'static [&'static str]],
    /// By usual spelling.
    entries: BTreeMap<&'a str, Field<'a>>,
}

struct Field<'a> {
    key: &'a KeyNode,
    value: &'a Node,
}

impl<'a> Fields<'a> {
    /// The keys of a whole file: a map, or a list of maps, as the first build configs were written.
    /// A key may have a `-` before it, which in YAML is a part of the key.
    pub(super) fn of_file(
        root: &'a Node,
        known: &'static [&'static [&'static str]],
        found: &mut Found<'_>,
    ) -> Self {
        let mut fields = Fields { known, entries: BTreeMap::new() };
        match &root.value {
            Value::Map(entries) => fields.add_all(entries, true, found),
            Value::List(items) => {
                for item in items {
                    match &item.value {
                        Value::Map(entries) => fields.add_all(entries, true, found),
                        _ => found.add(
                            item.expected("wrong-type", "`key: value`")
                                .help("each line of this list is one key with its value"),
                        ),
                    }
                }
            }
            _ => found.add(
                root.expected("wrong-type", "a map of keys and values")
                    .help("`swak-makebuild init` writes a build config with every key explained"),
            ),
        }
        fields
    }

    /// The keys of a map inside the file.
    pub(super) fn of_map(
        entries: &'a [(KeyNode, Node)],
        known: &'static [&'static [&'static str]],
        found: &mut Found<'_>,
    ) -> Self {
        let mut fields = Fields { known, entries: BTreeMap::new() };
        fields.add_all(entries, false, found);
        fields
    }

    /// Takes the value of a key.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a Node> {
        self.take_entry(name).map(|(_, node)| node)
    }

    /// Takes the value of a key, with the place of the key.
    pub(super) fn take_entry(&mut self, name: &str) -> Option<(Span, &'a Node)> {
        let field = self.entries.remove(name)?;
        Some((field.key.span, field.value))
    }

    /// Notes every key that nobody took.
    pub(super) fn finish(self, found: &mut Found<'_>) {
        let names = || self.known.iter().map(|spellings| spellings[0]);
        for (name, field) in &self.entries {
            let all = self.known.iter().flat_map(|spellings| spellings.iter().copied());
            let help = match did_you_mean(name, all) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys are: {}", names().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("unknown key `{}`", show(name));
            found.add(Diagnostic::error("unknown-key", message).at(field.key.span, "").help(help));
        }
    }

    fn add_all(&mut self, entries: &'a [(KeyNode, Node)], dashes: bool, found: &mut Found<'_>) {
        for (key, value) in entries {
            let written = if dashes { undashed(&key.name) } else { key.name.as_str() };
            let spellings = self.known.iter().find(|spellings| spellings.contains(&written));
            let name = spellings.map_or(written, |spellings| spellings[0]);
            match self.entries.entry(name) {
                Entry::Occupied(first) => {
                    let first = first.get();
                    let message = if first.key.name == key.name {
                        format!("the key `{}` stands here twice", show(name))
                    } else {
                        format!(
                            "`{}` and `{}` are two spellings of one key",
                            show(&first.key.name),
                            show(&key.name)
                        )
                    };
                    found.add(
                        Diagnostic::error("duplicate-key", message)
                            .at(key.span, "again here")
                            .label(first.key.span, "first here")
                            .help("keep one of them"),
                    );
                }
                Entry::Vacant(place) => {
                    place.insert(Field { key, value });
                }
            }
        }
    }
}

/// A key without the dash that the first build configs have before it.
fn undashed(key: &str) -> &str {
    key.strip_prefix('-').map_or(key, str::trim_start)
}

/// A word from the file in a message: bounded, on one line.
pub(crate) fn show(text: &str) -> String {
    let mut shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}
