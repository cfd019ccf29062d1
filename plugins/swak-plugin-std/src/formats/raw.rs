//! Lines as they were read, in runs.

use swak_sdk::data::LineRange;

use super::encoded::{Piece, push_buffered};

/// Runs shorter than this are copied: a system call for each costs more than the copy.
const LONG_RUN: usize = 16 * 1024;

/// Writes lines with a line feed after each. Lines that already stand in the block with one line
/// feed between them are written as one run.
pub(super) fn write_lines<'a>(
    block: &'a [u8],
    lines: &[LineRange],
    buffer: &mut Vec<u8>,
    pieces: &mut Vec<Piece<'a>>,
) {
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let (start, mut end) = (first.start as usize, first.end as usize);
        let mut n = 1;
        while let Some(next) = rest.get(n) {
            if next.start as usize != end + 1 || block[end] != b'\n' {
                break;
            }
            end = next.end as usize;
            n += 1;
        }
        rest = &rest[n..];
        let ended = block.get(end) == Some(&b'\n');
        write_run(&block[start..end + usize::from(ended)], buffer, pieces);
        if !ended {
            buffer.push(b'\n');
            push_buffered(pieces, buffer.len() - 1..buffer.len());
        }
    }
}

/// Writes lines that stand with a line feed after each.
pub(super) fn write_run<'a>(run: &'a [u8], buffer: &mut Vec<u8>, pieces: &mut Vec<Piece<'a>>) {
    if run.len() >= LONG_RUN {
        pieces.push(Piece::Borrowed(run));
        return;
    }
    let start = buffer.len();
    buffer.extend_from_slice(run);
    push_buffered(pieces, start..buffer.len());
}
