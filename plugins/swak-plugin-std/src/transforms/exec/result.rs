//! What a process wrote, as records.

use swak_sdk::data::LineRange;
use swak_sdk::prelude::*;

/// How lines that a process wrote are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(crate) enum ResultFormat {
    /// Each line is a line.
    Lines,
    /// Each line is a JSON object; one that is not stays a line and is counted as an error.
    Json,
}

impl ResultFormat {
    /// Reads the lines of a batch in place.
    pub(super) fn read(self, batch: &mut Batch, out: &mut Outlet) {
        if self == ResultFormat::Lines || batch.read_json_lines(&mut JsonReader::new()) {
            return;
        }
        for record in batch.records_mut() {
            let Some(line) = record.line() else { continue };
            match Record::from_json(line.clone(), record.time()) {
                Ok(read) => record.set_content(read),
                Err(_) => out.error(),
            }
        }
    }
}

/// The lines of a text, read now. A last line without a line end is a line; the line end may be that
/// of Windows.
///
/// # Panics
/// If there are more than [`Block::MAX`] bytes.
pub(super) fn split_lines(text: Vec<u8>) -> Batch {
    let mut lines = Vec::new();
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', &text);
    let last = (!text.is_empty() && !text.ends_with(b"\n")).then_some(text.len());
    for end in ends.chain(last) {
        let has_return = end > start && text[end - 1] == b'\r';
        lines.push(LineRange { start: start as u32, end: (end - usize::from(has_return)) as u32 });
        start = end + 1;
    }
    Batch::from_lines(Block::from(text), lines, Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end() {
        for (text, lines) in [
            ("", vec![]),
            ("\n", vec![""]),
            ("a\nb", vec!["a", "b"]),
            ("a\r\n\r\n", vec!["a", ""]),
            ("a\rb\n", vec!["a\rb"]),
        ] {
            let batch = split_lines(text.into());
            let found: Vec<_> = batch.iter().map(|r| r.line().unwrap().to_vec()).collect();
            assert_eq!(found, lines.iter().map(|l| l.as_bytes()).collect::<Vec<_>>(), "{text:?}");
        }
    }
}
