//! Lines that are JSON objects, read one batch after the other.

use std::ops::Range;
use std::sync::Arc;

use memchr::memchr;

use super::check::{Check, is_space};
use super::layout::Layout;
use super::parse_object;
use super::places::{Asked, Places};
use super::stops::Stops;
use crate::data::{Block, LineRange};

/// Reads lines that are JSON objects, and learns from them: in which order their names come, and which of
/// them are looked up later. One that is used for all lines of a source is faster than a new one for each
/// batch, and comes to the same results.
#[derive(Debug)]
pub struct JsonReader {
    layout: Layout,
    asked: Arc<Asked>,
    /// Those whose slots are in the layout.
    names: Arc<[Box<str>]>,
    /// Used again for each batch.
    stops: Stops,
    /// Of texts that are no lines of a batch nothing is noted.
    nowhere: Places,
}

impl Default for JsonReader {
    fn default() -> Self {
        let asked = Arc::<Asked>::default();
        let nowhere = Places::new(asked.clone(), Arc::default(), 0);
        let (names, stops) = Default::default();
        JsonReader { layout: Layout::new(), asked, names, stops, nowhere }
    }
}

/// How much of what stands behind a line is looked at together with it, in bytes: no more, so that lines
/// without ends between them are not looked at again and again.
const BEHIND: usize = 32;

impl JsonReader {
    /// One that knows nothing yet.
    pub fn new() -> Self {
        JsonReader::default()
    }

    /// Whether a text is a JSON object on one line, as [`is_object`](super::is_object) says.
    pub fn is_object(&mut self, text: &[u8]) -> bool {
        self.stops.find(text);
        let JsonReader { layout, names, stops, nowhere: places, .. } = self;
        let mut check = Check { text, stops, layout, wanted: names, base: 0, places };
        let is_plain = check.line(0).is_some_and(|end| is_space(&text[end..]));
        is_plain || is_other_object(&mut check, 0..text.len())
    }

    /// What is known of these lines when each is a JSON object, as [`is_object`](super::is_object) says.
    pub(in crate::data) fn read(
        &mut self,
        block: &Block,
        lines: &[LineRange],
    ) -> Option<Arc<Places>> {
        let first = lines.iter().map(|line| line.start).min().unwrap_or(0);
        let last = lines.iter().map(|line| line.end).max().unwrap_or(0);
        let text = &block[first as usize..];
        let mut places = Places::default();
        let mut check = self.begin(text, last - first, first, lines.len(), &mut places);
        let are_objects = lines.iter().all(|line| {
            let (start, end) = ((line.start - first) as usize, (line.end - first) as usize);
            check.text = &text[..text.len().min(end + BEHIND)];
            check.places.begin(line.start);
            let object = check.line(start);
            let is_object = object.and_then(|at| text.get(at..end)).is_some_and(is_space);
            is_object || is_other_object(&mut check, start..end)
        });
        are_objects.then(|| places.into())
    }

    /// The same of all lines of a run, each of which ends with a line feed; they are found on the way.
    pub(in crate::data) fn read_run(
        &mut self,
        block: &Block,
        run: Range<usize>,
        lines: usize,
    ) -> Option<(Vec<LineRange>, Arc<Places>)> {
        let (text, base) = (&block[run.clone()], run.start as u32);
        let mut places = Places::default();
        let mut check = self.begin(text, text.len() as u32, base, lines, &mut places);
        let (mut found, mut at) = (Vec::with_capacity(lines), 0);
        while at < text.len() {
            let start = base + at as u32;
            check.places.begin(start);
            let object = check.line(at);
            let end = match object {
                // No space is in front of most line ends.
                Some(end) if text.get(end) == Some(&b'\n') => end,
                _ => at + memchr(b'\n', &text[at..])?,
            };
            let is_object = object.and_then(|at| text.get(at..end)).is_some_and(is_space);
            if !is_object && !is_other_object(&mut check, at..end) {
                return None;
            }
            found.push(LineRange { start, end: base + end as u32 });
            at = end + 1;
        }
        Some((found, places.into()))
    }

    /// Begins to check so many lines in the first `len` bytes of a text, which begins at this place of its
    /// block.
    fn begin<'c>(
        &'c mut self,
        text: &'c [u8],
        len: u32,
        base: u32,
        lines: usize,
        places: &'c mut Places,
    ) -> Check<'c> {
        if self.names.len() != self.asked.count() {
            self.names = self.asked.names();
            self.layout.forget();
        }
        *places = Places::new(self.asked.clone(), self.names.clone(), lines);
        self.stops.find(&text[..text.len().min(len as usize + BEHIND)]);
        let (stops, layout) = (&self.stops, &mut self.layout);
        Check { text, stops, layout, wanted: &self.names, base, places }
    }
}

/// Whether what is no object for sure is one.
#[cold]
fn is_other_object(check: &mut Check<'_>, line: Range<usize>) -> bool {
    check.places.give_up();
    let text = &check.text[line];
    !text.contains(&b'\n') && parse_object(&text.into()).is_ok()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::data::{Batch, Timestamp, json};

    /// Members of objects that are written in many ways, and now and then in none.
    fn member() -> impl Strategy<Value = String> {
        let name =
            prop::sample::select(vec!["a", "b", "\\u0062", "c d", "{", "", "nämé", "\\n", "x"]);
        let value = prop::sample::select(vec![
            "1",
            "-0.5",
            "1e3",
            "1e400",
            "\"\"",
            "\"b\"",
            "\"\\\"b\\\":1\"",
            "null",
            "{\"b\":2}",
            "{}",
            "[{\"a\":1},[]]",
            "\"\\ud83d\\ude00\"",
            "\"한\"",
            "tru",
            "12345678901234567890",
            "\"a text that is longer than what is looked at together\"",
        ]);
        let space = prop::sample::select(vec!["", "", "", " ", "\t "]);
        (space.clone(), name, space.clone(), value, space)
            .prop_map(|(a, name, b, value, c)| format!("{a}\"{name}\"{b}:{c}{value}"))
    }

    fn line() -> impl Strategy<Value = String> {
        prop::collection::vec(member(), 0..5)
            .prop_map(|members| format!("{{{}}}", members.join(",")))
    }

    fn batch(lines: &[String]) -> Batch {
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let end = text.len();
        Batch::from_run(text.into_bytes().into(), 0..end, Timestamp::default())
    }

    proptest! {
        #[test]
        fn lines_say_what_they_say_alone(
            batches in prop::collection::vec(prop::collection::vec(line(), 0..5), 0..6),
            names in prop::collection::vec(prop::sample::select(vec!["a", "b", "{", "", "nämé", "z"]), 0..4),
        ) {
            let mut reader = JsonReader::new();
            for lines in &batches {
                let mut batch = batch(lines);
                for line in lines {
                    prop_assert_eq!(
                        reader.is_object(line.as_bytes()), json::is_object(line.as_bytes()), "{}", line
                    );
                }
                let are_objects = lines.iter().all(|line| json::is_object(line.as_bytes()));
                prop_assert_eq!(batch.read_json_lines(&mut reader), are_objects, "{:?}", lines);
                if !are_objects {
                    continue;
                }
                let mut taken = 0..;
                let odd = batch.extract(|_| taken.next().is_some_and(|n| n % 2 == 1));
                for (n, line) in lines.iter().enumerate() {
                    let record = if n % 2 == 1 { odd.get(n / 2) } else { batch.get(n / 2) };
                    let map = parse_object(&line.as_bytes().into()).unwrap();
                    for name in &names {
                        let found = record.get(name);
                        prop_assert_eq!(found.as_deref(), map.get(name), "{} of {}", name, line);
                    }
                }
                // What was noted stays with the records, also with those that are changed.
                for (record, line) in batch.records_mut().iter_mut().zip(lines.iter().step_by(2)) {
                    let mut map = parse_object(&line.as_bytes().into()).unwrap();
                    for change in ["z", "a"] {
                        for name in &names {
                            let found = record.view().get(name).map(Cow::into_owned);
                            prop_assert_eq!(found.as_ref(), map.get(name), "{} of {}", name, line);
                        }
                        record.insert(change, 7);
                        map.insert(change, 7);
                    }
                }
            }
        }
    }

    #[test]
    fn texts_that_are_read_alone_leave_nothing_in_the_lines() {
        let mut reader = JsonReader::new();
        for text in ["", " ", "{", "{}", " {} ", "{}x", "{\n}", "{\"a\":1e400}", "{\"a\":[{}]}\r"] {
            assert_eq!(
                reader.is_object(text.as_bytes()),
                json::is_object(text.as_bytes()),
                "{text}"
            );
        }
        let mut batch = batch(&["{\"a\":[{}]}".to_owned(), "{}".to_owned()]);
        assert!(batch.read_json_lines(&mut reader));
        assert_eq!(
            (batch.get(0).get("a").is_some(), batch.get(1).get("a").is_some()),
            (true, false)
        );
    }

    /// Whether it is known of each of these lines where its field `a` stands, after they were read before.
    fn are_noted(text: &str, lines: &[LineRange]) -> bool {
        let block = Block::from(text.as_bytes().to_vec());
        let mut reader = JsonReader::new();
        let mut read = || reader.read(&block, lines).expect("they are objects");
        let is_noted = |places: &Places, n: usize| {
            let place = |slot| places.place(lines[n].start, n as u32, slot);
            matches!(places.slot("a").and_then(place), Some(Some(_)))
        };
        let places = read();
        let noted = (0..lines.len()).filter(|n| is_noted(&places, *n)).count();
        assert_eq!(noted, 0, "nobody has asked for it yet");
        let places = read();
        (0..lines.len()).all(|n| is_noted(&places, n))
    }

    #[test]
    fn lines_with_more_than_what_is_expected_are_read_as_fast() {
        let texts = [
            r#"{"a":null}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":["b"]}"#,
            r#"{"a":[]}"#,
            r#"{"a":  1}"#,
            r#"{"a":[[{}],1]}"#,
            r#"{"a":1}"#,
            r#"{"a":1 }  "#,
        ];
        let mut text = String::new();
        let mut lines = Vec::new();
        for line in texts.iter().cycle().take(3 * texts.len()) {
            let start = text.len() as u32;
            text.push_str(line);
            lines.push(LineRange { start, end: text.len() as u32 });
            text.push_str("\r\n");
        }
        assert!(are_noted(&text, &lines), "each line says what stands in it");
    }

    #[test]
    fn fields_that_are_looked_up_are_noted() {
        let lines: Vec<_> = (0..3).map(|n| format!("{{\"n\":{n},\"t\":\"x\"}}")).collect();
        let mut reader = JsonReader::new();
        let mut found = || {
            let mut batch = batch(&lines);
            assert!(batch.read_json_lines(&mut reader));
            batch.get(1).get("n").unwrap();
            batch.get(1).get("z");
            reader.names.len()
        };
        assert_eq!([found(), found(), found()], [0, 2, 2]);
        for name in 0..20 {
            let mut batch = batch(&lines);
            assert!(batch.read_json_lines(&mut reader));
            assert_eq!(batch.get(0).get(&format!("name {name}")), None);
        }
        assert_eq!(reader.names.len(), 8);
    }
}
