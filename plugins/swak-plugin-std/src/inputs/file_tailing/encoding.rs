//! Text encodings: what a file is written in, and how its lines become UTF-8.

use encoding_rs::{CoderResult, UTF_8, UTF_16BE, UTF_16LE};
use swak_sdk::data::LineRange;
use swak_sdk::options::{
    Literal, LiteralValue, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec,
};

use crate::inputs::lines::{Lines, Unit};

/// A text encoding, by its WHATWG label in any letter case: `utf-8`, `utf-16le`, `euc-kr`,
/// `windows-1252`, `shift_jis`, `gbk`, `latin1`…
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl OptionValue for Encoding {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Encoding)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let encoding = match &literal.value {
            LiteralValue::Str(label) => encoding_rs::Encoding::for_label(label.as_bytes()),
            _ => None,
        };
        encoding.map(Encoding).ok_or_else(|| {
            OptionError::expected(&Self::type_spec(), literal)
                .with_help("an encoding is a label of the web's standard: utf-8, utf-16le, utf-16be, euc-kr, windows-1252, shift_jis, gbk, …")
                .into()
        })
    }
}

/// Bytes of the longest mark.
pub(super) const LONGEST_MARK: usize = 3;

/// The encoding of one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileEncoding {
    encoding: &'static encoding_rs::Encoding,
    /// Length of the mark at the beginning of the file, which is no text.
    pub(super) mark: u64,
}

impl FileEncoding {
    /// The encoding of a file that begins with these bytes: what the options say, but for UTF-16 the
    /// mark at its beginning decides which of the two it is. A file of UTF-8 is taken byte for byte,
    /// without its mark.
    pub(super) fn new(option: Encoding, start: &[u8]) -> Self {
        let encoding = option.0;
        let is_utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
        match start {
            [0xff, 0xfe, ..] if is_utf16 => FileEncoding { encoding: UTF_16LE, mark: 2 },
            [0xfe, 0xff, ..] if is_utf16 => FileEncoding { encoding: UTF_16BE, mark: 2 },
            [0xef, 0xbb, 0xbf, ..] if encoding == UTF_8 => FileEncoding { encoding, mark: 3 },
            _ => FileEncoding { encoding, mark: 0 },
        }
    }

    /// What a line feed looks like in it.
    pub(super) fn unit(self) -> Unit {
        if self.encoding == UTF_16LE {
            Unit::Utf16Le
        } else if self.encoding == UTF_16BE {
            Unit::Utf16Be
        } else {
            Unit::Byte
        }
    }

    /// Whether lines are taken byte for byte.
    pub(super) fn is_raw(self) -> bool {
        self.encoding == UTF_8
    }

    /// Appends the lines of a block to `text` as UTF-8, and makes the ranges those of `text`. With
    /// `keep_ends` what is between two lines stays there. Gives back which lines held bytes that mean
    /// nothing in this encoding, by index; those became U+FFFD, but for what is left of a character at
    /// the end of a line that was cut.
    pub(super) fn decode(
        self,
        block: &[u8],
        lines: &mut Lines,
        keep_ends: bool,
        text: &mut Vec<u8>,
    ) -> Vec<usize> {
        let (mut damaged, mut last_end) = (Vec::new(), None);
        let mut cut = lines.cut.iter().copied().peekable();
        for (i, line) in lines.ranges.iter_mut().enumerate() {
            if let Some(end) = last_end.replace(line.end as usize).filter(|_| keep_ends) {
                match &block[end..line.start as usize] {
                    between if between.len() <= self.unit().longest_end() => {
                        self.decode_line(between, true, text);
                    }
                    // What was cut off stands there.
                    _ => text.push(b'\n'),
                }
            }
            let start = text.len();
            let is_whole = cut.next_if_eq(&i).is_none();
            if self.decode_line(&block[line.start as usize..line.end as usize], is_whole, text) {
                damaged.push(i);
            }
            *line = LineRange { start: start as u32, end: text.len() as u32 };
        }
        damaged
    }

    /// Each line by itself, so that damage in one does not reach the next.
    fn decode_line(self, mut bytes: &[u8], is_whole: bool, text: &mut Vec<u8>) -> bool {
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let mut damaged = false;
        let mut len = text.len();
        let most = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3 + 16);
        text.resize(len + most, 0);
        loop {
            let (result, read, written, replaced) =
                decoder.decode_to_utf8(bytes, &mut text[len..], is_whole);
            damaged |= replaced;
            bytes = &bytes[read..];
            len += written;
            match result {
                CoderResult::InputEmpty => break,
                CoderResult::OutputFull => text.resize(text.len() + bytes.len() * 3 + 16, 0),
            }
        }
        text.truncate(len);
        damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(label: &str) -> Encoding {
        Encoding::read(&Literal::bare(LiteralValue::Str(label.into()))).unwrap()
    }

    fn of(label: &str, content: &[u8]) -> FileEncoding {
        FileEncoding::new(encoding(label), content)
    }

    fn decoded(encoding: FileEncoding, line: &[u8]) -> (String, usize) {
        let ranges = vec![LineRange { start: 0, end: line.len() as u32 }];
        let mut lines = Lines { ranges, ..Lines::default() };
        let mut text = b"before".to_vec();
        let damaged = encoding.decode(line, &mut lines, false, &mut text).len();
        assert_eq!(lines.ranges, [LineRange { start: 6, end: text.len() as u32 }]);
        (String::from_utf8(text.split_off(6)).unwrap(), damaged)
    }

    #[test]
    fn the_mark_decides_between_the_two_utf16() {
        assert_eq!(of("utf-16", b"a\0").unit(), Unit::Utf16Le);
        assert_eq!(of("UTF-16LE", b"\xfe\xff\0a").unit(), Unit::Utf16Be);
        assert_eq!(of("utf-16be", b"\xff\xfea\0").mark, 2);
        assert_eq!(of("utf-16be", b"").unit(), Unit::Utf16Be);
        assert_eq!((of("utf-8", b"\xff\xfea").mark, of("utf-8", b"").is_raw()), (0, true));
    }

    #[test]
    fn the_mark_of_utf8_is_no_text() {
        for (content, mark) in [(&b"\xef\xbb\xbfa"[..], 3), (b"\xef\xbb\xbf", 3), (b"\xef\xbb", 0)]
        {
            assert_eq!(of("utf-8", content).mark, mark, "{content:?}");
        }
        assert_eq!(of("latin1", b"\xef\xbb\xbfa").mark, 0);
    }

    #[test]
    fn lines_become_utf8() {
        let korean = of("euc-kr", b"");
        assert_eq!(decoded(korean, b"\xbd\xba\xbf\xd5 ok"), ("스왕 ok".into(), 0));
        assert_eq!(decoded(korean, b"ok \xff"), ("ok \u{fffd}".into(), 1));
        assert_eq!(decoded(of("latin1", b""), b"caf\xe9"), ("café".into(), 0));
        assert_eq!(decoded(of("utf-16", b""), b"a\0=\xd8\0\xde"), ("a😀".into(), 0));
        assert_eq!(decoded(of("utf-16", b""), b"a\0b"), ("a\u{fffd}".into(), 1));
    }

    #[test]
    fn a_character_that_was_cut_goes() {
        for (label, line, text) in [
            ("euc-kr", &b"a\xbd\xba\xbf"[..], "a스"),
            ("utf-16le", b"a\0=\xd8", "a"),
            ("utf-16le", b"a\0=\xd8\0\xde", "a😀"),
            ("gb18030", b"a\x81\x30\x81", "a"),
        ] {
            for is_cut in [true, false] {
                let ranges = vec![LineRange { start: 0, end: line.len() as u32 }];
                let cut = if is_cut { vec![0] } else { Vec::new() };
                let (mut lines, mut out) = (Lines { ranges, cut, consumed: 0 }, Vec::new());
                let damaged = of(label, b"").decode(line, &mut lines, false, &mut out);
                let out = String::from_utf8(out).unwrap();
                assert!(out.starts_with(text), "{label}: {out}");
                let is_damaged = !is_cut && text != "a😀";
                assert_eq!((out != text, damaged.is_empty()), (is_damaged, !is_damaged), "{label}");
            }
        }
    }

    #[test]
    fn line_ends_stay_where_lines_are_to_be_joined() {
        let block = b"a\0\r\0\n\0b\0\n\0too long\n\0c\0";
        let range = |start, end| LineRange { start, end };
        let ranges = vec![range(0, 2), range(6, 8), range(10, 12), range(20, 22)];
        let mut lines = Lines { ranges, ..Lines::default() };
        let mut text = Vec::new();
        assert!(of("utf-16", b"").decode(block, &mut lines, true, &mut text).is_empty());
        assert_eq!(String::from_utf8(text).unwrap(), "a\r\nb\n\u{6f74}\nc");
        assert_eq!(lines.ranges[1..], [range(3, 4), range(5, 8), range(9, 10)]);
    }

    #[test]
    fn an_unknown_label_is_a_mistake() {
        let OptionErrors(errors) =
            Encoding::read(&Literal::bare(LiteralValue::Str("utf-9".into()))).unwrap_err();
        assert_eq!(errors[0].message, "expected an encoding, found `utf-9`");
        assert!(errors[0].help.as_ref().unwrap().contains("euc-kr"));
    }
}
