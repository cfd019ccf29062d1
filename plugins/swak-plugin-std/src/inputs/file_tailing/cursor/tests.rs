use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use swak_sdk::data::BlockPool;
use swak_sdk::options::{Literal, LiteralValue, OptionValue};

use super::*;
use crate::inputs::file_tailing::content::Compression;
use crate::inputs::file_tailing::encoding::Encoding;
use crate::inputs::file_tailing::identify::Identity;
use crate::inputs::file_tailing::multiline::Multiline;

fn settings(encoding: &str, max_line: usize, keep_cr: bool) -> Settings {
    Settings {
        pool: BlockPool::new(BLOCK, 4),
        max_line,
        keep_cr,
        encoding: Encoding::read(&Literal::bare(LiteralValue::Str(encoding.into()))).unwrap(),
        identity: Identity::Auto,
        compression: Compression::Auto,
        multiline: None,
        counters: Arc::default(),
    }
}

/// A file that grows, read as it does.
struct Growing {
    file: File,
    content: Content,
    cursor: Cursor,
    settings: Settings,
    lines: Vec<Vec<u8>>,
    cut: usize,
    damaged: usize,
}

impl Growing {
    fn new(settings: Settings) -> Self {
        let file = tempfile::tempfile().unwrap();
        let content = Content::new(file.try_clone().unwrap(), Path::new("a"), &settings).unwrap();
        let (cursor, lines) = (Cursor::default(), Vec::new());
        Growing { file, content, cursor, settings, lines, cut: 0, damaged: 0 }
    }

    fn append(&mut self, bytes: &[u8]) {
        use std::io::Write;
        self.file.write_all(bytes).unwrap();
    }

    fn read_all(&mut self) {
        if self.cursor.is_at_end() {
            self.cursor.go_on(&self.content).unwrap();
        }
        while !self.cursor.is_at_end() {
            if self.cursor.offset() == 0 {
                self.content.settle(Path::new("a"), &self.settings).unwrap();
            }
            let found = self.cursor.read(&self.content, &self.settings).unwrap();
            assert!(!self.cursor.is_lost(), "nothing was truncated");
            self.take(found);
        }
    }

    /// Reads to the end, and compares all that came with these lines, of which so many were cut.
    fn ends_as(&mut self, (lines, cut): (Vec<Vec<u8>>, usize)) -> Result<(), TestCaseError> {
        self.read_all();
        self.read_rest();
        prop_assert_eq!(self.lines.len(), lines.len());
        prop_assert!(self.lines == lines);
        prop_assert_eq!(self.cut, cut);
        Ok(())
    }

    fn read_rest(&mut self) {
        let found = self.cursor.read_rest(&self.content, &self.settings).unwrap();
        self.take(found);
        assert!(!self.cursor.has_rest());
    }

    /// As after a restart.
    fn reopen(&mut self) {
        let file = self.file.try_clone().unwrap();
        self.content = Content::new(file, Path::new("a"), &self.settings).unwrap();
        let Cursor { offset, proof, .. } = self.cursor;
        assert!(proof.fits(&self.content, offset).unwrap());
        self.content.release(offset);
        self.cursor = Cursor::at(offset, proof);
    }

    fn take(&mut self, found: Option<Found>) {
        let Some(found) = found else { return };
        self.cut += found.cut;
        self.damaged += found.damaged;
        self.lines.extend(found.batch.iter().map(|r| r.line().unwrap().to_vec()));
    }
}

/// All lines of a content of bytes, the slow way, and how many were cut.
fn naive(content: &[u8], max_line: usize, keep_cr: bool) -> (Vec<Vec<u8>>, usize) {
    naive_of(content, max_line, keep_cr, true)
}

fn naive_of(
    content: &[u8],
    max_line: usize,
    keep_cr: bool,
    is_plain: bool,
) -> (Vec<Vec<u8>>, usize) {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    // NUL bytes at the end are room for what will be written, where anything will be.
    let rest = lines.pop().unwrap();
    let rest = match rest.iter().rposition(|byte| *byte != 0) {
        Some(last) if is_plain => &rest[..=last],
        Some(_) => rest,
        None => b"",
    };
    let end = |line: &&'_ [u8]| {
        if keep_cr { line.len() } else { line.strip_suffix(b"\r").unwrap_or(line).len() }
    };
    let mut lines: Vec<&[u8]> = lines.iter().map(|line| &line[..end(line)]).collect();
    if !rest.is_empty() {
        lines.push(rest);
    }
    let cut = lines.iter().filter(|line| line.len() > max_line).count();
    (lines.iter().map(|line| line[..line.len().min(max_line)].to_vec()).collect(), cut)
}

/// A piece of content; one that fails a test is shown in a few words.
#[derive(Clone, Debug)]
enum Piece {
    Bytes(Vec<u8>),
    Run(u8, usize),
}

impl Piece {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Piece::Bytes(bytes) => bytes.clone(),
            Piece::Run(byte, n) => vec![*byte; *n],
        }
    }
}

/// Pieces of content: short ones, and such around the sizes that matter.
fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let text = prop_oneof![Just(b'a'), Just(b'b'), Just(0), Just(b'\r'), Just(b'\n'), Just(0xff)];
    let piece = prop_oneof![
        8 => proptest::collection::vec(text, 0..30).prop_map(Piece::Bytes),
        1 => (60_000usize..300_000).prop_map(|n| Piece::Run(b'x', n)),
        1 => (60_000usize..300_000).prop_map(|n| Piece::Run(0, n)),
        1 => Just(Piece::Bytes(b"\r\n".to_vec())),
        1 => (1usize..40_000).prop_map(|n| Piece::Run(b'\n', n)),
    ];
    proptest::collection::vec(piece, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..Default::default() })]

    #[test]
    fn whatever_grows_gives_the_lines_of_the_whole(
        pieces in pieces(),
        mark in any::<bool>(),
        max_line in prop_oneof![1usize..40, 50_000usize..350_000],
        keep_cr in any::<bool>(),
        reopen in proptest::collection::vec(any::<bool>(), 20),
    ) {
        let mut growing = Growing::new(settings("utf-8", max_line, keep_cr));
        let mut content = Vec::new();
        let mark = Piece::Bytes(if mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() });
        for (piece, reopen) in std::iter::once(&mark).chain(&pieces).zip(reopen) {
            growing.append(&piece.bytes());
            content.extend(piece.bytes());
            growing.read_all();
            if reopen {
                growing.reopen();
            }
        }
        growing.ends_as(naive(&content, max_line, keep_cr))?;
    }

    #[test]
    fn what_gzip_unpacks_to_gives_the_same(
        pieces in pieces(),
        max_line in prop_oneof![1usize..40, 50_000usize..350_000],
        reopen in proptest::collection::vec(any::<bool>(), 20),
    ) {
        let mut growing = Growing::new(settings("utf-8", max_line, false));
        growing.content = Content::new(growing.file.try_clone().unwrap(), Path::new("a.gz"), &growing.settings).unwrap();
        let (mut content, mut written) = (Vec::new(), 0);
        let mut gzip = GzEncoder::new(Vec::new(), Level::fast());
        for (piece, reopen) in pieces.iter().zip(reopen) {
            use std::io::Write;
            gzip.write_all(&piece.bytes()).unwrap();
            gzip.flush().unwrap();
            let packed = gzip.get_ref()[written..].to_vec();
            written += packed.len();
            growing.append(&packed);
            content.extend(piece.bytes());
            growing.read_all();
            if reopen {
                growing.reopen();
            }
        }
        let packed = gzip.finish().unwrap();
        growing.append(&packed[written..]);
        growing.read_all();
        growing.read_rest();
        let (lines, cut) = naive_of(&content, max_line, false, false);
        prop_assert_eq!(growing.lines.len(), lines.len());
        prop_assert!(growing.lines == lines);
        prop_assert_eq!(growing.cut, cut);
        // A long last line may have been unpacked once more.
        growing.read_all();
        prop_assert!(growing.content.packed().is_some() && growing.content.take_damage().is_none());
    }

    #[test]
    fn legacy_encodings_give_the_lines_of_their_text(
        label in prop_oneof![
            Just("euc-kr"), Just("shift_jis"), Just("gb18030"), Just("big5"), Just("iso-2022-jp"),
            Just("windows-1252"), Just("koi8-r"),
        ],
        text in r"([a-z\r\\~]|\n|é|日|本|語|Я){0,60}",
    ) {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
        // Only what the encoding has, and each line by itself, as a writer of lines does it.
        let has = |c: &char| !encoding.encode(c.encode_utf8(&mut [0; 4])).2;
        let text: String = text.chars().filter(has).collect();
        let encoded = |line: &str| encoding.encode(line).0.into_owned();
        let bytes = text.split('\n').map(encoded).collect::<Vec<_>>().join(&b'\n');
        let mut growing = Growing::new(settings(label, 1000, false));
        growing.append(&bytes);
        growing.read_all();
        growing.read_rest();
        let decoded = |line: &Vec<u8>| {
            let line = String::from_utf8_lossy(line);
            encoding.decode_without_bom_handling(&encoding.encode(&line).0).0.into_owned().into_bytes()
        };
        let lines: Vec<_> = naive(text.as_bytes(), 1000, false).0.iter().map(decoded).collect();
        prop_assert_eq!(&growing.lines, &lines);
        prop_assert_eq!((growing.cut, growing.damaged), (0, 0));
    }

    #[test]
    fn utf16_gives_the_lines_of_its_text(
        text in r"([a-c\r]|\n|\u{0a0a}|\u{0d0a}|\u{0a0d}|😀|한){0,60}",
        big in any::<bool>(),
        mark in any::<bool>(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let bytes: Vec<u8> = mark.then_some('\u{feff}').into_iter().chain(text.chars())
            .flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec())
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect();
        let label = if big { "utf-16be" } else { "utf-16le" };
        let mut growing = Growing::new(settings(label, 1000, false));
        let mut cuts: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len() + 1)).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let mut start = 0;
        for end in cuts {
            growing.append(&bytes[start..end]);
            growing.read_all();
            start = end;
        }
        growing.read_rest();
        prop_assert_eq!(growing.lines, naive(text.as_bytes(), 1000, false).0);
        prop_assert_eq!((growing.cut, growing.damaged), (0, 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..Default::default() })]

    #[test]
    fn what_is_written_into_a_preallocated_file_gives_the_lines_of_the_whole(
        pieces in pieces(),
        size in prop_oneof![Just(1), 1usize..3_000_000],
        max_line in prop_oneof![1usize..40, 50_000usize..350_000],
        reopen in proptest::collection::vec(any::<bool>(), 20),
    ) {
        use std::io::{Seek, SeekFrom, Write};
        let mut growing = Growing::new(settings("utf-8", max_line, false));
        growing.file.set_len(size as u64).unwrap();
        let mut content = Vec::new();
        for (piece, reopen) in pieces.iter().zip(reopen) {
            growing.file.seek(SeekFrom::Start(content.len() as u64)).unwrap();
            growing.file.write_all(&piece.bytes()).unwrap();
            content.extend(piece.bytes());
            growing.read_all();
            if reopen {
                growing.reopen();
            }
        }
        growing.ends_as(naive(&content, max_line, false))?;
    }
}

/// Joined lines the slow way: a line that begins with `A` begins a record, a line that is too long is
/// one, and a record has at most so many lines and bytes.
fn naive_records(
    content: &[u8],
    max_line: usize,
    max_lines: usize,
    max_size: usize,
) -> Vec<Vec<u8>> {
    let mut records: Vec<Vec<u8>> = Vec::new();
    let (mut lines, mut is_closed) = (0, true);
    for line in naive(content, usize::MAX, true).0 {
        let is_long = line.len() > max_line;
        let line = &line[..line.len().min(max_line)];
        let fits = |record: &Vec<u8>| record.len() + 1 + line.len() <= max_size;
        let follows = !is_closed && !is_long && !line.starts_with(b"A") && lines < max_lines;
        match records.last_mut().filter(|record| follows && fits(record)) {
            Some(record) => {
                record.push(b'\n');
                record.extend(line);
                lines += 1;
            }
            None => {
                records.push(line.to_vec());
                lines = 1;
            }
        }
        is_closed = is_long;
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..Default::default() })]

    #[test]
    fn records_of_several_lines_are_those_of_the_whole(
        pieces in pieces(),
        begins in proptest::collection::vec(any::<bool>(), 20),
        reopen in proptest::collection::vec(any::<bool>(), 20),
        max_line in prop_oneof![3usize..40, 50_000usize..350_000],
        max_lines in prop_oneof![1usize..6, 1000usize..100_000],
        max_size in prop_oneof![1usize..60, 10_000usize..700_000],
    ) {
        let mut growing = Growing::new(Settings {
            multiline: Some(Multiline::for_test("^A", max_lines, max_size)),
            ..settings("utf-8", max_line, true)
        });
        let mut content = Vec::new();
        for ((piece, begins), reopen) in pieces.iter().zip(begins).zip(reopen) {
            let begin = if begins { &b"\nA"[..] } else { b"" };
            growing.append(&[begin, &piece.bytes()].concat());
            content.extend([begin, &piece.bytes()].concat());
            growing.read_all();
            if reopen {
                growing.reopen();
            }
        }
        growing.read_all();
        growing.read_rest();
        let records = naive_records(&content, max_line, max_lines, max_size);
        prop_assert_eq!(growing.lines.len(), records.len());
        prop_assert!(growing.lines == records);
    }
}

#[test]
fn a_line_of_just_the_greatest_length_is_not_cut() {
    for (end, keep_cr) in [("\n", false), ("\r\n", false), ("\r\n", true)] {
        for max_line in [1, 100, 65_535, 65_536, BLOCK - 1, BLOCK, BLOCK + 1, 1 << 20] {
            for more in [0, 1] {
                let mut growing = Growing::new(settings("utf-8", max_line, keep_cr));
                let text = "x".repeat(max_line + more - usize::from(keep_cr));
                let content = format!("{text}{end}next{end}");
                growing.append(content.as_bytes());
                growing.read_all();
                let (lines, cut) = naive(content.as_bytes(), max_line, keep_cr);
                assert!(growing.lines == lines, "{max_line} + {more}, {end:?}");
                assert_eq!(growing.cut, cut);
            }
        }
    }
}

#[test]
fn nul_bytes_that_were_looked_at_before_are_looked_through_when_it_is_asked_for() {
    use std::io::{Seek, SeekFrom, Write};
    let mut growing = Growing::new(settings("utf-8", 1000, false));
    growing.file.set_len(2 << 20).unwrap();
    growing.file.rewind().unwrap();
    growing.append(b"1\n");
    growing.read_all();
    assert!(!growing.cursor.look_through_blank(), "all of it was looked at");
    growing.append(b"2\n");
    growing.file.seek(SeekFrom::Current(1 << 20)).unwrap();
    growing.file.write_all(b"3\n4\n").unwrap();
    growing.read_all();
    assert_eq!(growing.lines, [b"1", b"2"]);
    assert!(growing.cursor.look_through_blank());
    growing.read_all();
    assert_eq!((growing.lines.len(), growing.lines[3].as_slice()), (4, &b"4"[..]));
    assert!(!growing.cursor.look_through_blank());
}
