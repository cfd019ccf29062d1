//! The files that the recipe follows, and who writes them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::line::Line;
use super::mark::{MAX_FILLER, Mark};
use super::random::Random;
use super::relay::{Losses, Relay, Transport};

/// All files that are written, and what is written to them.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) all: Vec<Source>,
    line: Line,
    random: Random,
    /// Lines a second, all files together; none while it is 0.
    rate: u32,
}

/// A file that is written, with the older ones of its name.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// The number of the next line.
    pub(super) next: u64,
    /// The number of the first line that is in the file now.
    pub(super) begins: u64,
    /// Lines before this one may be in the copy of a file that was cut, and nowhere else.
    pub(super) cut: u64,
    /// Rotated files, the youngest first.
    pub(super) old: Vec<Old>,
    /// Whether rotated files get a date, and keep their name, or a number, which grows.
    pub(super) has_dates: bool,
    /// How many were ever rotated with a date in their name.
    pub(super) dated: u32,
    /// Where lines go that are sent, not written.
    relay: Option<(Transport, Relay)>,
}

/// A rotated file.
#[derive(Clone, Debug)]
pub(super) struct Old {
    pub(super) path: PathBuf,
    /// One more than the number of its last line.
    pub(super) end: u64,
}

/// The writer writes this often, and as many lines at a time as its rate gives.
const BEAT: Duration = Duration::from_millis(10);

/// After a wait the writer makes up for no more than this.
const MOST_BEHIND: Duration = Duration::from_millis(500);

impl Source {
    /// A new file, with its folders.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let file = open(&path)?;
        let old = Vec::new();
        let (has_dates, dated, relay) = (false, 0, None);
        Ok(Source { path, file, next: 0, begins: 0, cut: 0, old, has_dates, dated, relay })
    }

    /// Lines that are sent to this address and stand in no file; the path is what they are called by.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn sent(path: PathBuf, transport: Transport, address: String) -> io::Result<Self> {
        let relay = Some((transport, Relay::start(transport, address)));
        Ok(Source { relay, ..Source::create(path)? })
    }

    /// Whether there is a file that can be rotated.
    pub(super) fn is_file(&self) -> bool {
        self.relay.is_none()
    }

    /// The number of the first line that nobody was sent; of a file the next one.
    pub(super) fn first_unsent(&self) -> u64 {
        self.next - self.relay.as_ref().map_or(0, |(_, relay)| relay.unsent())
    }

    /// When its lines may be lost.
    pub(super) fn losses(&self) -> Losses {
        self.relay.as_ref().map_or(Losses::None, |(transport, _)| transport.losses())
    }
}

/// Opens a file as a program opens its log.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Sources {
    pub(super) fn new(all: Vec<Source>, line: Line, random: Random) -> Self {
        Sources { all, line, random, rate: 0 }
    }

    /// Writes so many lines a second from now on.
    pub(super) fn set_rate(&mut self, rate: u32) {
        self.rate = rate;
    }

    /// Tells the senders that the agent is down, or is not any more.
    pub(super) fn set_down(&self, is_down: bool) {
        for (_, relay) in self.all.iter().filter_map(|source| source.relay.as_ref()) {
            relay.set_down(is_down);
        }
    }

    /// The number of the next line of each file.
    pub(super) fn written(&self) -> Vec<u64> {
        self.all.iter().map(|source| source.next).collect()
    }

    /// Writes lines to one file.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn write(&mut self, place: usize, count: u64) -> io::Result<()> {
        let source = &mut self.all[place];
        let mut text = Vec::new();
        for sequence in source.next..source.next + count {
            // Most lines are short, some are long.
            let filler = match self.random.chance(10) {
                true => self.random.within(0..MAX_FILLER),
                false => self.random.within(0..60),
            };
            let letters = self.random.next();
            let mark = Mark { source: place, sequence };
            self.line.write(|out| mark.write(filler, letters, out), &mut text);
        }
        source.next += count;
        if let Some((_, relay)) = &source.relay {
            relay.send(text);
            return Ok(());
        }
        // Programs write as their buffers fill, in the middle of lines too.
        let cut = match self.random.chance(10) {
            true => self.random.within(0..text.len() as u64 + 1),
            false => text.len() as u64,
        };
        let (first, second) = text.split_at(usize::try_from(cut).expect("not more than a length"));
        source.file.write_all(first)?;
        if !second.is_empty() {
            thread::sleep(Duration::from_millis(self.random.within(0..4)));
            source.file.write_all(second)?;
        }
        Ok(())
    }

    /// Writes a line to each source of which lines may be lost.
    pub(super) fn write_where_lines_may_be_lost(&mut self) -> io::Result<()> {
        for place in 0..self.all.len() {
            if self.all[place].losses() != Losses::None {
                self.write(place, 1)?;
            }
        }
        Ok(())
    }

    fn write_some(&mut self, count: u64) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            let place = self.random.within(0..self.all.len() as u64);
            let burst = self.random.within(1..left.min(50) + 1);
            let place = usize::try_from(place).expect("a place in a list");
            // Whoever sends waits for a peer that does not read.
            if !self.all[place].relay.as_ref().is_some_and(|(_, relay)| relay.is_full()) {
                self.write(place, burst)?;
            }
            left -= burst;
        }
        Ok(())
    }
}

/// Starts to write at the rate that is set. A failure is left in `failure`; it ends with the process.
pub(super) fn start_writer(sources: &Arc<Mutex<Sources>>, failure: &Arc<Mutex<Option<io::Error>>>) {
    let (sources, failure) = (Arc::clone(sources), Arc::clone(failure));
    thread::spawn(move || {
        let mut last = Instant::now();
        let mut owed = 0.0;
        loop {
            thread::sleep(BEAT);
            let mut sources = locked(&sources);
            let since = last.elapsed().min(MOST_BEHIND);
            last = Instant::now();
            owed += since.as_secs_f64() * f64::from(sources.rate);
            let count = owed.floor();
            owed -= count;
            // A part of a line that is written later would be a line lost in every rotation.
            if let Err(error) = sources.write_some(count as u64) {
                sources.set_rate(0);
                *failure.lock().expect("no panic while it is locked") = Some(error);
                return;
            }
        }
    });
}

/// Whoever holds this keeps the writer waiting.
pub(super) fn locked(sources: &Mutex<Sources>) -> MutexGuard<'_, Sources> {
    sources.lock().expect("no panic while the sources are locked")
}

#[cfg(test)]
mod tests {
    use super::super::line::Shape;
    use super::super::mark::Scanner;
    use super::*;

    #[test]
    fn every_line_is_written_once_and_in_order() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("deep/a.log");
        let source = Source::create(path.clone()).unwrap();
        let mut sources = Sources::new(vec![source], Line::usual(Shape::Json), Random::new(3));
        for _ in 0..50 {
            sources.write_some(7).unwrap();
        }
        let text = fs::read(path).unwrap();
        let mut found = Vec::new();
        let mut scanner = Scanner::default();
        scanner.feed(&text, |mark| found.push(mark.sequence));
        assert_eq!(found, (0..350).collect::<Vec<_>>());
        assert_eq!((sources.written(), scanner.torn()), (vec![350], 0));
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 350);
    }
}
