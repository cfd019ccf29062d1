//! An open file: what it holds once it is unpacked, and how that is told into lines.

use std::fs::File;
use std::io;
use std::path::Path;

use swak_sdk::prelude::*;

use super::copies::Measured;
use super::encoding::{FileEncoding, LONGEST_MARK};
use super::gzip::{Damage, GzipSource, MAGIC, Packed};
use super::multiline::Multiline;
use super::read::ReadAt;
use super::tail::{BLOCK, Settings};
use crate::inputs::lines::Splitter;

/// Whether files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub enum Compression {
    /// Files that begin as gzip files do are such, and empty ones whose names end in `.gz` will be.
    Auto,
    /// None is.
    None,
    /// All are compressed by gzip.
    Gzip,
}

/// An open file.
pub(super) struct Content {
    source: Source,
    pub(super) encoding: FileEncoding,
    pub(super) splitter: Splitter,
    /// There was enough in it to tell what it is.
    is_settled: bool,
}

enum Source {
    Plain(File),
    Gzip(Box<GzipSource>),
}

impl Content {
    /// What an open file holds. `path` is only looked at for how it ends.
    pub(super) fn new(file: File, path: &Path, settings: &Settings) -> io::Result<Self> {
        let source = if is_gzip(&file, path, settings.compression)? {
            // A record that is not complete yet, and more.
            let record = settings.multiline.as_ref().map_or(0, Multiline::max_size);
            let keep = settings.max_line + record + BLOCK;
            Source::Gzip(Box::new(GzipSource::new(file, keep)))
        } else {
            Source::Plain(file)
        };
        let mut start = Vec::new();
        source.read_at(&mut start, 0, LONGEST_MARK)?;
        if let Source::Gzip(gzip) = &source {
            gzip.rest();
        }
        let encoding = FileEncoding::new(settings.encoding, &start);
        let splitter = Splitter {
            unit: encoding.unit(),
            keep_cr: settings.keep_cr,
            max_line: settings.max_line,
        };
        // Into NUL bytes at the beginning somebody may write a mark, or what gzip makes.
        let is_blank = matches!(source, Source::Plain(_)) && start.iter().all(|byte| *byte == 0);
        let is_settled = start.len() >= LONGEST_MARK && !is_blank;
        Ok(Content { source, encoding, splitter, is_settled })
    }

    /// Looks once more at what the file is, if there was too little in it.
    pub(super) fn settle(&mut self, path: &Path, settings: &Settings) -> io::Result<()> {
        if !self.is_settled {
            *self = Content::new(self.file().try_clone()?, path, settings)?;
        }
        Ok(())
    }

    /// The file, as it is.
    pub(super) fn file(&self) -> &File {
        match &self.source {
            Source::Plain(file) => file,
            Source::Gzip(gzip) => gzip.file(),
        }
    }

    /// Whether it is read as it stands on the disk.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.source, Source::Plain(_))
    }

    /// How much it holds now. The last `back` bytes of it will be read.
    pub(super) fn len(&self, back: u64) -> io::Result<u64> {
        let gzip = match &self.source {
            Source::Plain(file) => return Ok(file.metadata()?.len()),
            Source::Gzip(gzip) => gzip,
        };
        let (mut len, mut buffer) = (0, Vec::new());
        loop {
            buffer.clear();
            let read = gzip.read_at(&mut buffer, len, BLOCK)?;
            len += read as u64;
            if read < BLOCK {
                return Ok(len);
            }
            gzip.release(len.saturating_sub(back));
        }
    }

    /// Whether it may be read on: not too many compressed files are read at once.
    pub(super) fn may_go_on(&self) -> bool {
        match &self.source {
            Source::Plain(_) => true,
            Source::Gzip(gzip) => gzip.may_go_on(),
        }
    }

    /// Nothing before this will be read again.
    pub(super) fn release(&self, offset: u64) {
        if let Source::Gzip(gzip) = &self.source {
            gzip.release(offset);
        }
    }

    /// The whole compressed file, once all of it was read: nothing more is expected of it.
    pub(super) fn packed(&self) -> Option<Packed> {
        match &self.source {
            Source::Plain(_) => None,
            Source::Gzip(gzip) => gzip.whole(),
        }
    }

    /// The same, if that is where its content ends: what was unpacked need not have been read.
    pub(super) fn packed_up_to(&self, offset: u64) -> Option<Packed> {
        match &self.source {
            Source::Gzip(gzip) if gzip.end() == offset => gzip.whole(),
            _ => None,
        }
    }

    /// Whether this is just the compressed file that was read before, to so many bytes of content.
    pub(super) fn is_known(&self, packed: &Packed, end: u64) -> io::Result<bool> {
        match &self.source {
            Source::Plain(_) => Ok(false),
            Source::Gzip(gzip) => gzip.is_known(packed, end),
        }
    }

    /// Whether a compressed file begins with what was read of it. Of one that is not compressed
    /// nothing is known here.
    pub(super) fn is_same(&self) -> io::Result<bool> {
        match &self.source {
            Source::Plain(_) => Ok(true),
            Source::Gzip(gzip) => gzip.is_same(),
        }
    }

    /// What was found to be wrong with a compressed file.
    pub(super) fn take_damage(&self) -> Option<Damage> {
        match &self.source {
            Source::Plain(_) => None,
            Source::Gzip(gzip) => gzip.take_damage(),
        }
    }

    /// Whether a compressed file ended in the middle when it was read last.
    pub(super) fn is_cut_off(&self) -> bool {
        match &self.source {
            Source::Plain(_) => false,
            Source::Gzip(gzip) => gzip.is_cut_off(),
        }
    }
}

impl Measured for Content {
    fn len(&self, back: u64) -> io::Result<u64> {
        Content::len(self, back)
    }
}

impl ReadAt for Content {
    fn read_at(&self, buffer: &mut Vec<u8>, offset: u64, want: usize) -> io::Result<usize> {
        self.source.read_at(buffer, offset, want)
    }
}

impl ReadAt for Source {
    fn read_at(&self, buffer: &mut Vec<u8>, offset: u64, want: usize) -> io::Result<usize> {
        match self {
            Source::Plain(file) => file.read_at(buffer, offset, want),
            Source::Gzip(gzip) => gzip.read_at(buffer, offset, want),
        }
    }
}

fn is_gzip(file: &File, path: &Path, compression: Compression) -> io::Result<bool> {
    match compression {
        Compression::None => return Ok(false),
        Compression::Gzip => return Ok(true),
        Compression::Auto => {}
    }
    let mut start = Vec::new();
    file.read_at(&mut start, 0, MAGIC.len())?;
    let is_named_so = || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    Ok(start.starts_with(MAGIC) || (MAGIC.starts_with(&start) && is_named_so()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_told_by_its_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content, auto) in [
            ("a.gz", &b""[..], true),
            ("a.gz", b"\x1f", true),
            ("a.log", b"\x1f", false),
            ("a.log", b"\x1f\x8b\x08\0", true),
            ("A.GZ", b"\x1f\x8b\x08", true),
            ("a.gz", b"plain\n", false),
            ("a.gz", b"\n", false),
            ("a.log", b"", false),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            let file = File::open(&path).unwrap();
            let is = |compression| is_gzip(&file, &path, compression).unwrap();
            assert_eq!(is(Compression::Auto), auto, "{name} with {content:?}");
            assert!(!is(Compression::None) && is(Compression::Gzip));
        }
    }
}
