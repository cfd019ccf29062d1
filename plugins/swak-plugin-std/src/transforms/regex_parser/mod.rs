//! `out.RegexParser`: what named groups find becomes fields.

pub(super) mod finder;
mod pattern;
mod rows;

use swak_sdk::data::Text;
use swak_sdk::prelude::*;

use self::finder::{Finder, UNSET};
use self::pattern::NamedPattern;
use self::rows::RowReader;
use super::clock::ClockOptions;
use super::source::Source;
use super::typed::{FieldType, Typing};
use super::unreadable::{Unreadable, read_records};

/// Turns lines into fields with regular expressions: what a named group finds becomes a field.
///
/// The first of several patterns that matches counts. Fields come in the order of the groups; a
/// group that took no part in the match gives no field. Lines need not be UTF-8, and the text of the
/// fields is byte for byte that of the line.
///
/// ```example
/// out.RegexParser(
///     r"^(?<at>\S+ \S+) (?<level>\w+) (?<message>.*?)(?: in (?<ms>\d+) ms)?$",
///     types={"ms": "int"},
///     time="at", time_format="%Y-%m-%d %H:%M:%S", time_zone="Asia/Seoul"
/// )
/// < 2026-11-21 10:30:00 INFO started
/// < 2026-11-21 10:30:05 WARN answered in 1532 ms
/// > {"at":"2026-11-21T01:30:00Z","level":"INFO","message":"started"}
/// > {"at":"2026-11-21T01:30:05Z","level":"WARN","message":"answered","ms":1532}
/// ```
#[derive(Options)]
#[plugin(transform, name = "RegexParser")]
pub(crate) struct RegexParserOptions {
    /// Regular expressions with named groups: `(?<status>\d+)`. The first that matches counts.
    #[option(positional)]
    patterns: Placed<Vec<NamedPattern>>,
    /// The types of fields that are no mere text: `{"status": "int"}`. Text that is not of its type
    /// stays text and is counted as an error.
    #[option(default = {})]
    types: Placed<Dict<FieldType>>,
    /// The field that says when it happened: it becomes the record's own time, and a value of the
    /// type time unless `types` says another.
    time: Option<Placed<String>>,
    /// How times are written, as for `strptime`: `%b %d %H:%M:%S`. A missing year is the one that
    /// puts the time nearest in the past. Left out: RFC 3339, `2026-11-21T10:30:00Z`, the zone of
    /// which may be missing.
    time_format: Option<Placed<String>>,
    /// The zone of times that name none: `UTC`, `Asia/Seoul`, `+09:00`. Left out: the system's.
    time_zone: Option<TimeZone>,
    /// The field that holds the text. Left out: the line, or `message`.
    field: Option<FieldPath>,
    /// The field under which the found fields are put. Left out: the record itself.
    target: Option<FieldPath>,
    /// Whether the text stays in the record, a line as the field `message`.
    #[option(default = false)]
    keep: bool,
    /// What becomes of a record that no pattern matches.
    #[option(default = "keep")]
    on_mismatch: Placed<Unreadable>,
}

/// Why a record is not read.
const NO_MATCH: &str = "no pattern matches";

pub(crate) struct RegexParser {
    patterns: Vec<Pattern>,
    /// Reads untouched lines, where these become the fields and nothing else.
    rows: Option<RowReader>,
    typing: Typing,
    source: Source,
    on_mismatch: Unreadable,
}

struct Pattern {
    finder: Finder,
    /// Of each named group the name of its field, and the index of the field in the typing.
    fields: Vec<(Text, usize)>,
}

impl Plugin for RegexParser {
    type Options = RegexParserOptions;

    fn new(options: RegexParserOptions, cx: &BuildContext) -> Result<Self> {
        let RegexParserOptions { patterns, types, time, time_format, time_zone, .. } = options;
        Unreadable::check(&options.on_mismatch, "on_mismatch", cx)?;
        if patterns.is_empty() {
            let help = "give at least one: out.RegexParser(r\"(?<host>\\S+) (?<message>.*)\")";
            return Err(patterns.error("there is no pattern", help).into());
        }
        let mut names: Vec<&str> = Vec::new();
        for (_, name) in patterns.iter().flat_map(|p| &p.groups) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let clock = ClockOptions { field: time, format: time_format, zone: time_zone };
        let typing = Typing::new(names.iter().copied(), &types, &clock)?;
        let patterns: Vec<_> = patterns.iter().map(|p| Pattern::new(p, &names)).collect();
        let source = Source::new(options.field, options.target, options.keep);
        let rows = source.replaces_lines().then(|| RowReader::new(&names, &patterns)).flatten();
        Ok(RegexParser { patterns, rows, typing, source, on_mismatch: *options.on_mismatch })
    }
}

impl Transform for RegexParser {
    fn apply(&mut self, batch: Batch, out: &mut Outlet) -> Result<()> {
        let policy = self.on_mismatch;
        let rest = match &mut self.rows {
            Some(rows) => rows.read(batch, &mut self.patterns, &self.typing, policy, out),
            None => Some(batch),
        };
        if let Some(batch) = rest {
            read_records(batch, policy, NO_MATCH, out, |record, out| self.read(record, out));
        }
        Ok(())
    }
}

impl RegexParser {
    fn read(&mut self, record: &mut Record, out: &mut Outlet) -> Result<(), String> {
        let text = self.source.text(record).ok_or("no pattern matches: there is no text")?;
        let mut time = record.time();
        let found = self
            .patterns
            .iter_mut()
            .find_map(|pattern| pattern.fields(&text, &self.typing, record.time(), &mut time, out));
        let fields = found.ok_or(NO_MATCH)?;
        self.source.put(record, fields)?;
        record.set_time(time);
        Ok(())
    }
}

impl Pattern {
    /// A pattern whose fields stand in the typing where they stand in `names`.
    fn new(pattern: &NamedPattern, names: &[&str]) -> Self {
        let numbers: Vec<usize> = pattern.groups.iter().map(|(number, _)| *number).collect();
        let field = |(_, name): &(usize, String)| {
            let i =
                names.iter().position(|n| n == name).expect("the names are those of all groups");
            (Text::from(name.as_str()), i)
        };
        Pattern {
            finder: Finder::new(&pattern.regex, &numbers),
            fields: pattern.groups.iter().map(field).collect(),
        }
    }

    /// Itself, if it matches the first `len` bytes of the text: its finder then knows the groups.
    fn finds(&mut self, text: &[u8], len: usize) -> Option<&Self> {
        self.finder.find(text, len).then_some(self)
    }

    fn fields(
        &mut self,
        text: &Slice,
        typing: &Typing,
        now: Timestamp,
        time: &mut Timestamp,
        out: &mut Outlet,
    ) -> Option<Map> {
        self.finds(text, text.len())?;
        let mut fields = Map::with_capacity(self.fields.len());
        for ((name, i), group) in self.fields.iter().zip(self.finder.groups()) {
            let [start, end] = *group;
            if end != UNSET {
                let value = typing.value(*i, text, &text[start..end], now, time, out);
                fields.insert(name.clone(), value);
            }
        }
        Some(fields)
    }
}

#[cfg(test)]
mod tests;
