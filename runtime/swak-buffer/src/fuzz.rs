//! What fuzzing holds against what it promises: the frames of a segment.

use std::io;

use crate::format::{FRAME_MAGIC, FrameHeader, SEGMENT_HEADER, Seed, SegmentHeader};
use crate::frames::{Found, Frames};
use crate::place::Place;
use crate::storage::StoredFile;

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

/// The id of the segment's buffer.
const ID: u64 = 42;

/// A segment is written, damaged, and read: it comes to an end, what is given back is what was
/// written, and what was not touched is given back.
pub fn frames(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let count = usize::from(count % 16);
    if rest.len() < 2 * count {
        return;
    }
    let (contents, edits) = rest.split_at(2 * count);
    let mut segment = Segment::new(contents);
    let mut shifted = false;
    for edit in edits.chunks_exact(5) {
        shifted |= segment.damage(edit.try_into().expect("five bytes"));
    }
    let limit = segment.bytes.len() as u64;
    let seed = Seed::new(ID, 0);
    let mut frames = Frames::new(Memory(segment.bytes), seed, SEGMENT_HEADER as u64);
    let mut found = vec![false; segment.frames.len()];
    let mut offset = frames.offset();
    while let Some(one) =
        frames.next(limit, |place| place.seq % 3 != 0).expect("memory can be read")
    {
        assert!(frames.offset() > offset && frames.offset() <= limit, "it goes on");
        match one {
            Found::Frame { start, end, payload, is_gap } => {
                let frame = &segment.frames[start.seq as usize];
                assert!(frame.start == start && !is_gap);
                assert_eq!(end, start.after(frame.records(), frame.payload.len() as u64));
                assert!(payload.is_none_or(|payload| payload == frame.payload));
                found[start.seq as usize] = true;
            }
            Found::Damage(damage) => {
                assert!(damage.from >= offset && damage.to == frames.offset());
            }
        }
        offset = frames.offset();
    }
    let missing =
        segment.frames.iter().zip(found).filter(|(frame, found)| frame.is_whole && !found);
    assert!(shifted || missing.count() == 0, "what was not touched is found");
}

struct Segment {
    bytes: Vec<u8>,
    frames: Vec<Written>,
}

struct Written {
    start: Place,
    payload: Vec<u8>,
    /// Where it lies, while nothing was inserted or taken out.
    range: std::ops::Range<usize>,
    is_whole: bool,
}

impl Written {
    fn records(&self) -> u64 {
        self.payload.len() as u64 % 7
    }
}

impl Segment {
    /// Two bytes say what a frame holds.
    fn new(contents: &[u8]) -> Self {
        let seed = Seed::new(ID, 0);
        let mut bytes = SegmentHeader { id: ID, start: Place::default() }.encode().to_vec();
        let (mut frames, mut start) = (Vec::new(), Place::default());
        for content in contents.chunks_exact(2) {
            let len = usize::from(content[1]);
            let payload = match content[0] % 4 {
                // What looks like the beginning of a frame, and a whole one of another segment.
                0 => FRAME_MAGIC.iter().copied().cycle().take(len).collect(),
                1 => {
                    let frame = FrameHeader::of(b"", start, 1, 1);
                    let mut bytes = frame.encode(&Seed::new(ID + 1, 0)).to_vec();
                    // All bytes that end with their own checksum have one and the same.
                    bytes.push(start.seq as u8);
                    bytes
                }
                _ => vec![content[0]; len],
            };
            let at = bytes.len();
            let mut written = Written { start, payload, range: at..at, is_whole: true };
            let (records, size) = (written.records(), written.payload.len() as u64);
            let header = FrameHeader::of(&written.payload, start, records, size);
            bytes.extend_from_slice(&header.encode(&seed));
            bytes.extend_from_slice(&written.payload);
            written.range.end = bytes.len();
            start = start.after(records, size);
            frames.push(written);
        }
        Segment { bytes, frames }
    }

    /// What to do, where, and how; `true` when a whole frame, or the header of one, may lie now where it
    /// was not written.
    fn damage(&mut self, [what, low, high, from, size]: [u8; 5]) -> bool {
        let len = self.bytes.len();
        let at = SEGMENT_HEADER + usize::from(u16::from_le_bytes([low, high])) % (len + 1);
        let at = at.min(len);
        let end = (at + usize::from(size)).min(len);
        match what % 5 {
            0 => self.bytes[at..end].fill(from),
            1 => self.bytes[at..end].iter_mut().for_each(|byte| *byte ^= 1 << (from % 8)),
            2 => {
                // Another part of the segment, as a file system may mix them up.
                let source = SEGMENT_HEADER.min(len) + usize::from(from);
                let source = source.min(len - (end - at));
                self.bytes.copy_within(source..source + (end - at), at);
            }
            3 => self.bytes.truncate(at),
            _ => {
                self.bytes.splice(at..at, std::iter::repeat_n(from, usize::from(size)));
            }
        }
        let touched = if what % 5 < 3 { at..end } else { at..usize::MAX };
        for frame in &mut self.frames {
            frame.is_whole &= frame.range.end <= touched.start || frame.range.start >= touched.end;
        }
        what % 5 == 2 || what % 5 == 4
    }
}

/// A file that is only read.
struct Memory(Vec<u8>);

impl StoredFile for Memory {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let rest = self.0.get(at as usize..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&mut self, _: &[&[u8]], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn truncate(&mut self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("frames", frames);
    }
}
