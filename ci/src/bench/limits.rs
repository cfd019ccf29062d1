//! What this machine can do at all, on one thread, with the same data: what no agent gets beyond.

#[cfg(feature = "bench")]
mod json;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use regex::bytes::Regex;

use super::rounds::{Plan, Row};
use super::store::{Kind, Store};
use super::verify::COMBINED;

/// Something that is done with a file, as fast as it goes; the other path is for what it writes.
type Limit = fn(&Path, &Path) -> Result<()>;

/// What is done, and with which data.
const LIMITS: &[(&str, Kind, Limit)] = &[
    ("read the file", Kind::Nginx, |input, _| read(input, &mut |_| Ok(()))),
    ("count its lines", Kind::Nginx, |input, _| count(input)),
    ("copy it to another file", Kind::Nginx, copy),
    ("match w3's pattern, one group", Kind::Nginx, |input, _| matches(input)),
    ("find w3's groups", Kind::Nginx, |input, _| captures(input, COMBINED)),
    ("find w3's groups, without Unicode", Kind::Nginx, |input, _| {
        captures(input, &COMBINED.replacen('^', "^(?-u)", 1))
    }),
    #[cfg(feature = "bench")]
    ("sonic-rs, JSON to values", Kind::Json, |input, _| json::to_values(input)),
    #[cfg(feature = "bench")]
    ("sonic-rs, JSON to values and back", Kind::Json, |input, _| json::and_back(input)),
    #[cfg(feature = "bench")]
    ("sonic-rs, the eight fields lazily", Kind::Json, |input, _| json::lazily(input)),
];

/// The most data that it takes to see what the machine can do.
const ENOUGH: u64 = 256 << 20;

/// Measures all of them.
pub(crate) fn measure(store: &Store, plan: &Plan) -> Result<Vec<Row>> {
    let mut rows: Vec<_> = LIMITS
        .iter()
        .map(|(what, ..)| Row { contestant: (*what).to_owned(), runs: Ok(Vec::new()) })
        .collect();
    for _ in 0..plan.rounds {
        for ((what, kind, limit), row) in LIMITS.iter().zip(&mut rows) {
            let input = store.input(*kind, plan.size.min(ENOUGH))?;
            input.warm()?;
            let output = store.place()?.join("output");
            let (cpu, begun) = (own_time()?, Instant::now());
            limit(&input.path, &output).with_context(|| (*what).to_owned())?;
            let (cpu, wall) = (own_time()? - cpu, begun.elapsed());
            let megabytes = input.bytes as f64 / 1e6;
            if let Ok(runs) = &mut row.runs {
                runs.push(vec![
                    ("MB per CPU second", megabytes / cpu.as_secs_f64()),
                    ("MB/s", megabytes / wall.as_secs_f64()),
                ]);
            }
        }
    }
    Ok(rows)
}

/// The processor time of this thread.
fn own_time() -> Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().context("there is no time")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Reads in blocks of 256 KiB.
fn read(input: &Path, with: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let (mut file, mut buffer) = (File::open(input)?, vec![0; 256 << 10]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        with(black_box(&buffer[..read]))?;
    }
}

/// Reads whole lines.
fn lines(input: &Path, with: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut rest = Vec::new();
    read(input, &mut |block| {
        let whole = memchr::memrchr(b'\n', block).map_or(0, |end| end + 1);
        let (mut block, begun) = block.split_at(whole);
        if !rest.is_empty() && whole > 0 {
            let end = memchr::memchr(b'\n', block).unwrap_or(0);
            rest.extend_from_slice(&block[..end]);
            with(&rest)?;
            rest.clear();
            block = &block[end + 1..];
        }
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', block) {
            with(&block[from..end])?;
            from = end + 1;
        }
        rest.extend_from_slice(begun);
        Ok(())
    })
}

fn count(input: &Path) -> Result<()> {
    let mut count = 0;
    lines(input, &mut |line| {
        count += usize::from(!line.is_empty());
        Ok(())
    })?;
    black_box(count);
    Ok(())
}

fn copy(input: &Path, output: &Path) -> Result<()> {
    let mut file = File::create(output)?;
    read(input, &mut |block| Ok(file.write_all(block)?))
}

fn matches(input: &Path) -> Result<()> {
    let pattern = Regex::new(COMBINED)?;
    lines(input, &mut |line| {
        black_box(pattern.find(line)).context("a line does not match")?;
        Ok(())
    })
}

fn captures(input: &Path, pattern: &str) -> Result<()> {
    let pattern = Regex::new(pattern)?;
    let mut groups = pattern.capture_locations();
    lines(input, &mut |line| {
        black_box(pattern.captures_read(&mut groups, line)).context("a line does not match")?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::store::Store;
    use super::*;

    #[test]
    fn lines_are_whole_where_blocks_end() {
        let store = Store::new(Some(&std::env::temp_dir())).expect("a folder");
        let input = store.input(Kind::Nginx, 1 << 20).expect("it is written");
        let text = fs::read(&input.path).expect("it is there");
        let mut expected = text.split(|&byte| byte == b'\n');
        lines(&input.path, &mut |line| {
            assert_eq!(Some(line), expected.next());
            Ok(())
        })
        .expect("it is read");
        assert_eq!(expected.next(), Some(&b""[..]));
        assert_eq!(expected.next(), None);
    }

    #[test]
    fn each_limit_can_be_measured() {
        let store = Store::new(Some(&std::env::temp_dir())).expect("a folder");
        for (what, kind, limit) in LIMITS {
            let input = store.input(*kind, 100_000).expect("it is written");
            let output = store.place().expect("a folder").join("output");
            limit(&input.path, &output).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
}
