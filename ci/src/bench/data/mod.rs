//! What is read, parsed and sent: made up by seed, so that every run and every machine has the same
//! bytes.

mod clock;
mod json;
mod nginx;
mod random;
mod syslog;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

pub(crate) use json::Json;
pub(crate) use nginx::Nginx;
pub(crate) use syslog::Syslog;

/// What makes up one line after the other.
pub(crate) trait Lines {
    /// Writes the next line, with its line end.
    fn next(&mut self, out: &mut Vec<u8>);
}

/// The seed of all data.
pub(crate) const SEED: u64 = 5;

/// Fills a file with as many whole lines as fit into `size` bytes, and gives their number.
pub(crate) fn fill(path: &Path, lines: &mut dyn Lines, size: u64) -> io::Result<u64> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut line, mut written, mut count) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        lines.next(&mut line);
        written += line.len() as u64;
        if written > size {
            file.flush()?;
            return Ok(count);
        }
        file.write_all(&line)?;
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `count` lines come to: their mean length and a hash of the whole.
    fn look(lines: &mut dyn Lines, count: usize) -> (usize, String) {
        let mut text = Vec::new();
        for _ in 0..count {
            lines.next(&mut text);
        }
        assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), count);
        (text.len() / count, String::from_utf8(text).expect("the data is UTF-8"))
    }

    #[test]
    fn the_same_seed_gives_the_same_lines_and_another_one_others() {
        type Make = fn(u64) -> Box<dyn Lines>;
        let all: [Make; 3] = [
            |seed| Box::new(Nginx::new(seed)),
            |seed| Box::new(Json::new(seed)),
            |seed| Box::new(Syslog::new(seed, 1)),
        ];
        for make in all {
            let first = look(&mut *make(1), 1000);
            assert_eq!(first, look(&mut *make(1), 1000));
            assert_ne!(first, look(&mut *make(2), 1000));
        }
    }

    #[test]
    fn lines_are_as_long_as_the_benchmark_says() {
        let (nginx, _) = look(&mut Nginx::new(SEED), 10_000);
        assert!((180..=200).contains(&nginx), "{nginx} bytes");
        let (json, _) = look(&mut Json::new(SEED), 10_000);
        assert!((240..=260).contains(&json), "{json} bytes");
    }

    #[test]
    fn files_end_with_a_whole_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let count = fill(&path, &mut Nginx::new(SEED), 10_000).expect("it is written");
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(text.lines().count() as u64, count);
        assert!(text.ends_with('\n') && text.len() <= 10_000 && text.len() > 9_000);
    }
}
