//! Whether what came out is what had to come out: every record once, with the right fields, in
//! whatever order and spelling.

mod fields;

use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result};

pub(crate) use fields::{COMBINED, Combined, ErrorsOnly, Fields, Messages, Same};

/// What a number of records come to. The order does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Digest {
    pub(crate) count: u64,
    sum: u64,
}

impl Digest {
    fn add(self, other: Digest) -> Digest {
        Digest { count: self.count + other.count, sum: self.sum.wrapping_add(other.sum) }
    }
}

/// What a workload makes of its lines.
pub(crate) trait Expect: Sync {
    /// Tells it from others.
    fn name(&self) -> &'static str;
    /// What must come of a line of the input, or nothing if it is filtered.
    fn expected(&self, line: &[u8]) -> Result<Option<u64>>;
    /// What did come, from a line of the output.
    fn found(&self, line: &[u8]) -> Result<u64>;
}

/// What must come of files.
pub(crate) fn expected(inputs: &[&Path], check: &dyn Expect) -> Result<Digest> {
    of_files(inputs, &|line| check.expected(line))
}

/// What has come.
pub(crate) fn found(output: &Path, check: &dyn Expect) -> Result<Digest> {
    of_files(&[output], &|line| check.found(line).map(Some))
}

/// The bytes of the lines, whatever they say.
pub(crate) fn bytes(path: &Path) -> Result<Digest> {
    of_files(&[path], &|line| Ok(Some(hash(line))))
}

/// Each record that has come, in the order of the lines.
pub(crate) fn hashes(output: &Path, check: &dyn Expect) -> Result<Vec<u64>> {
    let mut hashes = Vec::new();
    for line in BufReader::with_capacity(1 << 20, File::open(output)?).split(b'\n') {
        hashes.push(check.found(&line?)?);
    }
    Ok(hashes)
}

/// A hash that is the same in every run.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// How a line counts; nothing is not at all.
type OfLine<'a> = &'a (dyn Fn(&[u8]) -> Result<Option<u64>> + Sync);

/// How much is looked at at once.
const BLOCK: usize = 16 << 20;

fn of_files(paths: &[&Path], of_line: OfLine<'_>) -> Result<Digest> {
    let mut sum = Digest::default();
    for path in paths {
        sum = sum.add(of_file(path, of_line).with_context(|| format!("{}", path.display()))?);
    }
    Ok(sum)
}

fn of_file(path: &Path, of_line: OfLine<'_>) -> Result<Digest> {
    let mut file = File::open(path)?;
    let (mut sum, mut block) = (Digest::default(), Vec::new());
    loop {
        let held = block.len();
        let read = Read::by_ref(&mut file).take(BLOCK as u64).read_to_end(&mut block)?;
        let whole = match memchr::memrchr(b'\n', &block[held..]) {
            Some(end) => held + end + 1,
            None if read > 0 => 0,
            // A last line without a line end is one too.
            None => block.len(),
        };
        sum = sum.add(of_block(&block[..whole], of_line)?);
        block.drain(..whole);
        if read == 0 && block.is_empty() {
            return Ok(sum);
        }
    }
}

/// Two threads take a half each.
fn of_block(block: &[u8], of_line: OfLine<'_>) -> Result<Digest> {
    let half = memchr::memchr(b'\n', &block[block.len() / 2..]);
    let (front, back) = block.split_at(half.map_or(0, |end| block.len() / 2 + end + 1));
    thread::scope(|scope| {
        let front = scope.spawn(|| of_lines(front, of_line));
        let back = of_lines(back, of_line)?;
        Ok(front.join().expect("hashing does not panic")?.add(back))
    })
}

fn of_lines(block: &[u8], of_line: OfLine<'_>) -> Result<Digest> {
    let mut sum = Digest::default();
    for line in block.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let counted = of_line(line)
            .with_context(|| format!("in the line `{}`", String::from_utf8_lossy(line)))?;
        if let Some(hash) = counted {
            sum = sum.add(Digest { count: 1, sum: hash });
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Digest {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, text).expect("it is written");
        bytes(&path).expect("it is read")
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        assert_eq!(of("a\nb\nb\n"), of("b\na\nb"));
        assert_ne!(of("a\nb\n"), of("a\nb\nb\n"));
        assert_ne!(of("a\nb\n"), of("a\nc\n"));
        assert_ne!(of("a\nb\n"), of("ab\n"));
        assert_eq!(of("").count, 0);
    }

    #[test]
    fn lines_between_blocks_stay_whole() {
        let line = "x".repeat(1000);
        let text = format!("{line}\n").repeat(3 * BLOCK / 1000);
        let count = (3 * BLOCK / 1000) as u64;
        let one = hash(line.as_bytes());
        assert_eq!(of(&text), Digest { count, sum: one.wrapping_mul(count) });
    }
}
