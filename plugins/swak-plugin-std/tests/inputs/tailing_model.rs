//! `in.FileTailing` against a model: whatever happens to a file, in whatever order, each complete
//! line comes once and in order.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use swak_test::InMemory;

use crate::harness::{Call, Running};

const MAX_LINE: usize = 90_000;

/// What can happen.
#[derive(Clone, Debug)]
enum Event {
    /// This many bytes are written, without a line end.
    Write(usize),
    /// A line end is written.
    End,
    /// Many short lines are written at once.
    Many(usize),
    /// All that is complete has arrived.
    Arrive,
    /// So many times the file is renamed, those before it are renamed too, and another one is begun in
    /// its place.
    Rotate(usize),
    /// The file is truncated, after all of it has been read.
    Truncate,
    /// The file is copied away and truncated, with lines in it that nobody has read.
    CopyAndTruncate,
    /// The file that was rotated last is compressed.
    Compress,
    /// The file is deleted, with lines in it that nobody has read yet, and another one is begun.
    Delete,
    /// The input is stopped, or started again; what happens in between it has to find out later.
    StopOrStart,
}

fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0usize..200).prop_map(Event::Write),
        1 => (60_000usize..300_000).prop_map(Event::Write),
        5 => Just(Event::End),
        1 => (1usize..5_000).prop_map(Event::Many),
        2 => Just(Event::Arrive),
        1 => (1usize..6).prop_map(Event::Rotate),
        1 => Just(Event::Truncate),
        1 => Just(Event::CopyAndTruncate),
        1 => Just(Event::Compress),
        1 => Just(Event::Delete),
        2 => Just(Event::StopOrStart),
    ];
    proptest::collection::vec(event, 1..most)
}

struct World {
    folder: tempfile::TempDir,
    store: InMemory,
    /// `None` while the input is stopped.
    running: Option<Running>,
    /// What came before the last stop.
    before: Vec<Vec<u8>>,
    file: File,
    /// The line that has no end yet.
    open_line: Vec<u8>,
    expected: Vec<Vec<u8>>,
    written: usize,
    /// Files that were rotated away, the newest first: whether each is compressed.
    rotated: Vec<bool>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path().join("a.log"));
        let mut world = World {
            folder,
            store: InMemory::default(),
            running: None,
            before: Vec::new(),
            file,
            open_line: Vec::new(),
            expected: Vec::new(),
            written: 0,
            rotated: Vec::new(),
        };
        world.start();
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.log")
    }

    /// The name of a rotated file.
    fn old(&self, number: usize, is_packed: bool) -> PathBuf {
        let end = if is_packed { ".gz" } else { "" };
        self.folder.path().join(format!("a.log.{number}{end}"))
    }

    fn start(&mut self) {
        let call = Call::new("FileTailing")
            .arg(self.path().to_str().unwrap())
            .with("max_line", MAX_LINE as i64)
            .with("poll", "1ms")
            .with("rescan", "2ms")
            .with("rotate_wait", "20ms");
        self.running = Some(call.start_with(&self.store));
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            let got = running.stop();
            self.before.extend(got.iter().map(|g| g.raw()));
        }
    }

    /// Bytes that differ from line to line.
    fn write(&mut self, len: usize) {
        let bytes: Vec<u8> = (0..len).map(|i| b'a' + ((self.written + i / 7) % 26) as u8).collect();
        self.written += 1;
        self.file.write_all(&bytes).unwrap();
        self.open_line.extend(bytes);
    }

    fn end(&mut self) {
        if self.open_line.is_empty() {
            // A file that holds what many begin with, and no more, is not known again in a copy.
            let number = format!("{} ", self.written);
            self.file.write_all(number.as_bytes()).unwrap();
            self.open_line.extend(number.as_bytes());
            self.written += 1;
        }
        self.file.write_all(b"\n").unwrap();
        let mut line = std::mem::take(&mut self.open_line);
        line.truncate(MAX_LINE);
        self.expected.push(line);
    }

    /// Writes lines of which each is another one than any before.
    fn write_lines(&mut self, count: usize) {
        for _ in 0..count {
            let number = format!(" {} ", self.written);
            self.file.write_all(number.as_bytes()).unwrap();
            self.open_line.extend(number.as_bytes());
            self.write(20);
            self.end();
        }
    }

    fn arrive(&mut self) {
        let count = self.expected.len() - self.before.len();
        if let Some(running) = &mut self.running {
            running.wait_for(count);
        }
    }

    /// Ends what is begun and waits for it, so that the input has seen this very file.
    fn settle(&mut self) {
        self.write_lines(1);
        self.arrive();
    }

    /// Makes room for the newest rotated file.
    fn shift(&mut self) {
        for (i, is_packed) in self.rotated.iter().enumerate().rev() {
            fs::rename(self.old(i + 1, *is_packed), self.old(i + 2, *is_packed)).unwrap();
        }
        self.rotated.insert(0, false);
    }

    fn compress(&mut self) {
        if self.rotated.first() != Some(&false) {
            return;
        }
        let original = self.old(1, false);
        let packed = File::create(self.old(1, true)).unwrap();
        let mut packed = GzEncoder::new(packed, Compression::fast());
        packed.write_all(&fs::read(&original).unwrap()).unwrap();
        packed.finish().unwrap();
        fs::remove_file(original).unwrap();
        self.rotated[0] = true;
    }

    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Write(len) => self.write(len),
            Event::End => self.end(),
            Event::Many(count) => {
                for _ in 0..count {
                    self.write(self.written % 50);
                    self.end();
                }
            }
            Event::Arrive => self.arrive(),
            Event::Rotate(times) => {
                self.settle();
                for _ in 0..times {
                    // Some that is read only after the file was renamed.
                    self.write_lines(2);
                    self.shift();
                    fs::rename(self.path(), self.old(1, false)).unwrap();
                    self.file = open(self.path());
                }
            }
            Event::Truncate => {
                // What was not read when it is truncated is nowhere any more.
                if self.running.is_some() {
                    self.settle();
                    self.file.set_len(0).unwrap();
                    self.write_lines(1);
                    self.arrive();
                }
            }
            Event::CopyAndTruncate => {
                self.settle();
                self.write_lines(2);
                self.shift();
                fs::copy(self.path(), self.old(1, false)).unwrap();
                self.file.set_len(0).unwrap();
                // What is truncated before anybody saw it cannot be told from what comes then.
                self.write_lines(2);
                self.arrive();
            }
            Event::Compress => self.compress(),
            Event::Delete => {
                // What was not read when it is deleted is nowhere any more, unless it is held open.
                if self.running.is_some() {
                    self.settle();
                    self.write_lines(3);
                    fs::remove_file(self.path()).unwrap();
                    self.arrive();
                    self.file = open(self.path());
                }
            }
            Event::StopOrStart if self.running.is_some() => self.stop(),
            Event::StopOrStart => self.start(),
        }
    }

    fn finish(mut self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        if self.running.is_none() {
            self.start();
        }
        self.settle();
        self.stop();
        (self.before, self.expected)
    }
}

fn open(path: PathBuf) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

fn check(events: &[Event]) -> Result<(), TestCaseError> {
    let mut world = World::new();
    for event in events {
        world.apply(event);
    }
    let (got, expected) = world.finish();
    let short = |lines: &[Vec<u8>], at: usize| {
        let line = lines.get(at).map(|line| String::from_utf8_lossy(&line[..line.len().min(40)]));
        line.unwrap_or_default().into_owned()
    };
    let differs = got.iter().zip(&expected).position(|(a, b)| a != b);
    let at = differs.unwrap_or(got.len().min(expected.len()));
    let what = (short(&got, at), short(&expected, at));
    prop_assert!(got == expected, "{} of {}, line {at}: {what:?}", got.len(), expected.len());
    Ok(())
}

proptest! {
    // A case that fails may wait for long each time, so it is not shrunk often.
    #![proptest_config(ProptestConfig {
        cases: 48, max_shrink_iters: 10, failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn each_complete_line_comes_once_and_in_order(events in events(40)) {
        check(&events)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 250, max_shrink_iters: 0, failure_persistence: None, ..Default::default()
    })]

    #[test]
    #[ignore = "takes minutes: the same as above, longer and more often"]
    fn each_complete_line_comes_once_and_in_order_whatever_happens(events in events(120)) {
        check(&events)?;
    }
}
