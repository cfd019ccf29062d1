//! `in.FileTailing` against a model: whatever happens to a file, in whatever order, each complete
//! line comes once and in order.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use proptest::prelude::*;

use crate::harness::{Call, Running, Store};

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
    /// The file is renamed, and another one begun in its place.
    Rotate,
    /// The file is copied away and truncated, after all of it has been read.
    Truncate,
    /// The input is stopped and started.
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0usize..200).prop_map(Event::Write),
        1 => (60_000usize..300_000).prop_map(Event::Write),
        5 => Just(Event::End),
        1 => (1usize..5_000).prop_map(Event::Many),
        2 => Just(Event::Arrive),
        1 => Just(Event::Rotate),
        1 => Just(Event::Truncate),
        1 => Just(Event::Restart),
    ];
    proptest::collection::vec(event, 1..40)
}

struct World {
    folder: tempfile::TempDir,
    store: Store,
    running: Option<Running>,
    /// What came before the last restart.
    before: Vec<Vec<u8>>,
    file: File,
    /// The line that has no end yet.
    open_line: Vec<u8>,
    expected: Vec<Vec<u8>>,
    written: usize,
    rotations: usize,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path().join("a.log"));
        let mut world = World {
            folder,
            store: Store::default(),
            running: None,
            before: Vec::new(),
            file,
            open_line: Vec::new(),
            expected: Vec::new(),
            written: 0,
            rotations: 0,
        };
        world.start();
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.log")
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

    /// Bytes that differ from line to line.
    fn write(&mut self, len: usize) {
        let bytes: Vec<u8> = (0..len).map(|i| b'a' + ((self.written + i / 7) % 26) as u8).collect();
        self.written += 1;
        self.file.write_all(&bytes).unwrap();
        self.open_line.extend(bytes);
    }

    fn end(&mut self) {
        self.file.write_all(b"\n").unwrap();
        let mut line = std::mem::take(&mut self.open_line);
        line.truncate(MAX_LINE);
        self.expected.push(line);
    }

    fn arrive(&mut self) {
        let count = self.expected.len() - self.before.len();
        self.running.as_mut().expect("it runs").wait_for(count);
    }

    /// Ends what is begun and waits for it, so that the input has seen this very file.
    fn settle(&mut self) {
        self.write(10);
        self.end();
        self.arrive();
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
            Event::Rotate => {
                self.settle();
                // More that is read only after the file was renamed.
                self.write(20);
                self.end();
                self.rotations += 1;
                let to = self.folder.path().join(format!("a.log.{}", self.rotations));
                std::fs::rename(self.path(), to).unwrap();
                self.file = open(self.path());
            }
            Event::Truncate => {
                self.settle();
                self.file.set_len(0).unwrap();
                // Shorter than it was, and seen while it is: a file that got just its old length again
                // within a tick of the file system's clock would look as if nothing had happened.
                self.write(5);
                self.end();
                self.arrive();
            }
            Event::Restart => {
                let got = self.running.take().expect("it runs").stop();
                self.before.extend(got.iter().map(|g| g.raw()));
                self.start();
            }
        }
    }

    fn finish(mut self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        self.settle();
        let got = self.running.take().expect("it runs").stop();
        self.before.extend(got.iter().map(|g| g.raw()));
        (self.before, self.expected)
    }
}

fn open(path: PathBuf) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

proptest! {
    // A case that fails may wait for long each time, so it is not shrunk often.
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 10, ..Default::default() })]

    #[test]
    fn each_complete_line_comes_once_and_in_order(events in events()) {
        let mut world = World::new();
        for event in &events {
            world.apply(event);
        }
        let (got, expected) = world.finish();
        prop_assert_eq!(got.len(), expected.len());
        let differs = got.iter().zip(&expected).position(|(a, b)| a != b);
        prop_assert_eq!(differs, None);
    }
}
