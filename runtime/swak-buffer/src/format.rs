//! The bytes of segments and frames. `docs/buffer.md` describes them; all numbers are little-endian.

use crate::place::Place;

/// The greatest payload of a frame: 256 MiB.
pub const MAX_PAYLOAD: usize = 256 << 20;
/// The version of the format.
pub(crate) const VERSION: u32 = 1;
/// The length of a segment's header.
pub(crate) const SEGMENT_HEADER: usize = 48;
/// The length of a frame's header.
pub(crate) const FRAME_HEADER: usize = 56;
/// What a frame begins with. Neither text nor any usual format holds it, so that a scan for the next
/// frame seldom stops in vain.
pub(crate) const FRAME_MAGIC: [u8; 4] = [0xF5, 0x53, 0x57, 0xFB];
/// What ends the name of a segment.
const SUFFIX: &str = ".seg";

const SEGMENT_MAGIC: [u8; 8] = *b"swakbuf\0";
/// Sequence numbers and totals end here: a number beyond it can only be damage.
const LIMIT: u64 = 1 << 62;

/// The name of the segment whose first frame has this number.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:020}{SUFFIX}")
}

/// The number of the first frame of the segment of this name, if it is one.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let is_number = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { digits.parse().ok().filter(|n| *n < LIMIT) } else { None }
}

/// What a segment begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Of the buffer.
    pub(crate) id: u64,
    /// Where its first frame begins.
    pub(crate) start: Place,
}

/// What was found where a segment's header should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFound {
    Good(SegmentHeader),
    /// Whole, and of a version that is not known here.
    Newer(u32),
    Damaged,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut out = [0; SEGMENT_HEADER];
        out[..8].copy_from_slice(&SEGMENT_MAGIC);
        out[8..12].copy_from_slice(&VERSION.to_le_bytes());
        out[12..20].copy_from_slice(&self.id.to_le_bytes());
        put_place(&mut out[20..44], self.start);
        let sum = crc32fast::hash(&out[..44]);
        out[44..].copy_from_slice(&sum.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> HeaderFound {
        let Some(bytes) = bytes.get(..SEGMENT_HEADER) else { return HeaderFound::Damaged };
        if bytes[..8] != SEGMENT_MAGIC || crc32fast::hash(&bytes[..44]) != u32_at(bytes, 44) {
            return HeaderFound::Damaged;
        }
        match u32_at(bytes, 8) {
            VERSION => {}
            version => return HeaderFound::Newer(version),
        }
        let header = SegmentHeader { id: u64_at(bytes, 12), start: place_at(bytes, 20) };
        match is_sane(header.start) {
            true => HeaderFound::Good(header),
            false => HeaderFound::Damaged,
        }
    }
}

/// What the checksums of a segment's frames begin with, so that a frame counts in its own segment
/// only: neither what a disk held there before nor a frame inside of a payload is taken for one.
#[derive(Clone, Debug)]
pub(crate) struct Seed(crc32fast::Hasher);

impl Seed {
    pub(crate) fn new(id: u64, first: u64) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&id.to_le_bytes());
        hasher.update(&first.to_le_bytes());
        Seed(hasher)
    }

    fn sum(&self, bytes: &[u8]) -> u32 {
        let mut hasher = self.0.clone();
        hasher.update(bytes);
        hasher.finalize()
    }
}

/// What a frame begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The length of the payload in bytes.
    pub(crate) len: u32,
    pub(crate) kind: Kind,
    /// Where it begins.
    pub(crate) start: Place,
    /// What is in it.
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) payload_sum: u32,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Data,
    /// Stands for frames that are known to be lost; the payload is the number after the last of them.
    Gap,
}

impl FrameHeader {
    pub(crate) fn of(payload: &[u8], start: Place, records: u64, bytes: u64) -> Self {
        FrameHeader::of_parts(&[payload], start, records, bytes)
    }

    /// Of a payload that lies in several places.
    pub(crate) fn of_parts(payload: &[&[u8]], start: Place, records: u64, bytes: u64) -> Self {
        let (mut len, mut sum) = (0, crc32fast::Hasher::new());
        for part in payload {
            len += part.len();
            sum.update(part);
        }
        FrameHeader {
            len: u32::try_from(len).expect("a payload is held within its limit"),
            kind: Kind::Data,
            start,
            records,
            bytes,
            payload_sum: sum.finalize(),
        }
    }

    pub(crate) fn encode(&self, seed: &Seed) -> [u8; FRAME_HEADER] {
        let mut out = [0; FRAME_HEADER];
        out[..4].copy_from_slice(&FRAME_MAGIC);
        // The highest bits say what it is: no payload is that long.
        let kind = match self.kind {
            Kind::Data => 0,
            Kind::Gap => GAP,
        };
        out[4..8].copy_from_slice(&(self.len | kind).to_le_bytes());
        put_place(&mut out[8..32], self.start);
        out[32..40].copy_from_slice(&self.records.to_le_bytes());
        out[40..48].copy_from_slice(&self.bytes.to_le_bytes());
        out[48..52].copy_from_slice(&self.payload_sum.to_le_bytes());
        let sum = seed.sum(&out[..52]);
        out[52..].copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// `None` for anything that was not written as a frame of this segment.
    pub(crate) fn decode(bytes: &[u8], seed: &Seed) -> Option<Self> {
        let bytes = bytes.get(..FRAME_HEADER)?;
        if bytes[..4] != FRAME_MAGIC || seed.sum(&bytes[..52]) != u32_at(bytes, 52) {
            return None;
        }
        let len = u32_at(bytes, 4);
        let kind = if len & GAP == 0 { Kind::Data } else { Kind::Gap };
        let header = FrameHeader {
            len: len & !GAP,
            kind,
            start: place_at(bytes, 8),
            records: u64_at(bytes, 32),
            bytes: u64_at(bytes, 40),
            payload_sum: u32_at(bytes, 48),
        };
        let fits = header.len as usize <= MAX_PAYLOAD
            && is_sane(header.start)
            && header.records < LIMIT
            && header.bytes < LIMIT;
        fits.then_some(header)
    }

    /// The place behind it. `payload` matters for a gap only.
    pub(crate) fn end(&self, payload: &[u8]) -> Place {
        let mut end = self.start.after(self.records, self.bytes);
        if self.kind == Kind::Gap
            && let Ok(next) = payload.try_into()
        {
            end.seq = u64::from_le_bytes(next).clamp(end.seq, LIMIT);
        }
        end
    }

    /// Header and payload.
    pub(crate) fn size(&self) -> u64 {
        FRAME_HEADER as u64 + u64::from(self.len)
    }
}

const GAP: u32 = 1 << 31;

pub(crate) fn put_place(out: &mut [u8], place: Place) {
    out[..8].copy_from_slice(&place.seq.to_le_bytes());
    out[8..16].copy_from_slice(&place.records.to_le_bytes());
    out[16..24].copy_from_slice(&place.bytes.to_le_bytes());
}

pub(crate) fn place_at(bytes: &[u8], at: usize) -> Place {
    Place { seq: u64_at(bytes, at), records: u64_at(bytes, at + 8), bytes: u64_at(bytes, at + 16) }
}

pub(crate) fn is_sane(place: Place) -> bool {
    place.seq < LIMIT && place.records < LIMIT && place.bytes < LIMIT
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Place = Place { seq: 7, records: 70, bytes: 700 };

    #[test]
    fn headers_come_back() {
        let segment = SegmentHeader { id: 42, start: START };
        assert_eq!(SegmentHeader::decode(&segment.encode()), HeaderFound::Good(segment));
        let seed = Seed::new(42, 7);
        let frame = FrameHeader::of(b"payload", START, 3, 30);
        assert_eq!(FrameHeader::decode(&frame.encode(&seed), &seed), Some(frame));
        assert_eq!(frame.end(b"payload"), Place { seq: 8, records: 73, bytes: 730 });
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let segment = SegmentHeader { id: 42, start: START }.encode();
        let seed = Seed::new(42, 7);
        let frame = FrameHeader::of(b"payload", START, 3, 30).encode(&seed);
        for bit in 0..SEGMENT_HEADER * 8 {
            let mut damaged = segment;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&damaged), HeaderFound::Damaged);
        }
        for bit in 0..FRAME_HEADER * 8 {
            let mut damaged = frame;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&damaged, &seed), None);
        }
    }

    #[test]
    fn a_frame_counts_in_its_own_segment_only() {
        let frame = FrameHeader::of(b"", START, 3, 30).encode(&Seed::new(42, 7));
        assert_eq!(FrameHeader::decode(&frame, &Seed::new(42, 8)), None);
        assert_eq!(FrameHeader::decode(&frame, &Seed::new(43, 7)), None);
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let mut bytes = SegmentHeader { id: 42, start: START }.encode();
        bytes[8] = 2;
        let sum = crc32fast::hash(&bytes[..44]);
        bytes[44..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&bytes), HeaderFound::Newer(2));
    }

    #[test]
    fn names_sort_as_their_numbers() {
        assert_eq!(segment_number(&segment_name(42)), Some(42));
        assert!(segment_name(9) < segment_name(10));
        for other in ["42.seg", "0000000000000000004x.seg", "position", "99999999999999999999.seg"]
        {
            assert_eq!(segment_number(other), None, "{other}");
        }
    }
}
