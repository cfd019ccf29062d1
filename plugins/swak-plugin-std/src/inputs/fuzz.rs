//! What fuzzing holds against what it promises: finding lines in files and in streams.

use std::sync::Arc;

use swak_sdk::plugin::Counters;

use super::lines::{Lines, Splitter, Unit};
use super::stream_lines::StreamLines;

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
pub(crate) mod replay;

/// A content that is read in blocks gives the lines that a simple reading of the whole gives, each
/// cut between characters.
pub fn lines(data: &[u8]) {
    let [kind, max_line, block, content @ ..] = data else { return };
    let unit = [Unit::Byte, Unit::Utf16Le, Unit::Utf16Be][usize::from(kind % 3)];
    let (width, keep_cr) = (unit.width(), kind & 0x80 != 0);
    let max_line = 1 + usize::from(max_line % 20);
    let splitter = Splitter { unit, keep_cr, max_line };
    let (mut found, mut cut, mut start) = (Vec::new(), Vec::new(), 0);
    let first = width * (1 + usize::from(block % 32));
    let mut len = first;
    loop {
        let part = &content[start..content.len().min(start + len)];
        let Lines { ranges, cut: cut_here, consumed } = splitter.split(part, 0);
        assert_eq!(consumed, splitter.end_of_last_line(part));
        assert_eq!(splitter.find_feed(part).is_some(), !ranges.is_empty());
        cut.extend(cut_here.iter().map(|index| found.len() + index));
        found.extend(ranges.iter().map(|r| part[r.start as usize..r.end as usize].to_vec()));
        start += consumed;
        if start + len >= content.len() && consumed == 0 {
            break;
        }
        // A block without a line end is read again with more behind it.
        len = if consumed == 0 { 2 * len } else { first };
    }
    let whole = whole(content, unit, keep_cr);
    assert_eq!(found.len(), whole.len());
    let long = (0..whole.len()).filter(|i| whole[*i].len() > max_line);
    assert_eq!(cut, long.collect::<Vec<_>>());
    for (found, whole) in found.iter().zip(&whole) {
        holds(found, whole, unit, max_line);
    }
}

/// All lines of a content that have an end, in full.
fn whole(content: &[u8], unit: Unit, keep_cr: bool) -> Vec<Vec<u8>> {
    let character = |c: u8| match unit {
        Unit::Byte => vec![c],
        Unit::Utf16Le => vec![c, 0],
        Unit::Utf16Be => vec![0, c],
    };
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    for bytes in content.chunks_exact(unit.width()) {
        if bytes == character(b'\n') {
            if !keep_cr && line.ends_with(&character(b'\r')) {
                line.truncate(line.len() - unit.width());
            }
            lines.push(std::mem::take(&mut line));
        } else {
            line.extend_from_slice(bytes);
        }
    }
    lines
}

/// What is kept of a line is its beginning: all of it if that is not too long, else as much as can be
/// without breaking a character.
fn holds(kept: &[u8], line: &[u8], unit: Unit, max_line: usize) {
    assert!(line.starts_with(kept));
    if line.len() <= max_line {
        assert_eq!(kept, line);
        return;
    }
    assert!(kept.len() <= max_line && kept.len() + 4 > max_line);
    match (unit, std::str::from_utf8(line)) {
        (Unit::Byte, Ok(text)) if max_line >= 4 => {
            assert_eq!(kept.len(), text.floor_char_boundary(max_line), "cut between characters");
        }
        (Unit::Byte, _) => {}
        _ => assert!(kept.len().is_multiple_of(2), "cut between characters"),
    }
}

/// A stream in pieces gives the lines that a simple reading of the whole gives, and a line too long
/// takes no memory.
pub fn stream_lines(data: &[u8]) {
    let [max_line, piece, content @ ..] = data else { return };
    let (max_line, piece) = (1 + usize::from(max_line % 20), 1 + usize::from(piece % 32));
    let counters = Arc::<Counters>::default();
    let mut lines = StreamLines::new(max_line, Arc::clone(&counters));
    let mut batches = Vec::new();
    for bytes in content.chunks(piece) {
        batches.extend(lines.push(bytes));
        assert!(lines.held() <= max_line + 4, "no more than a line is held");
    }
    batches.extend(lines.finish());
    let found: Vec<Vec<u8>> = batches
        .iter()
        .flat_map(|batch| batch.iter().filter_map(|record| record.line().map(<[u8]>::to_vec)))
        .collect();
    let mut whole = whole(content, Unit::Byte, false);
    let end = memchr::memrchr(b'\n', content).map_or(0, |at| at + 1);
    if end < content.len() {
        whole.push(content[end..].to_vec());
    }
    assert_eq!(found.len(), whole.len());
    for (found, whole) in found.iter().zip(&whole) {
        holds(found, whole, Unit::Byte, max_line);
    }
    let cut = whole.iter().filter(|line| line.len() > max_line).count();
    assert_eq!(counters.snapshot().errors, cut as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("lines", lines);
        replay::replay("stream_lines", stream_lines);
    }
}
