//! What an agent keeps is damaged between its runs, as a bad disk or a person does it: it always
//! starts, tells what it found, and loses no line.
// A test fails by panicking, in its helpers too.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use swak_test::{Bench, Running};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// How often each test damages what is kept: a thousand times in all.
const TIMES: u64 = 500;

/// How long one machine goes on: damage makes it read all again, and that adds up.
const ROUNDS: u64 = 40;

#[test]
fn damage_loses_no_line_of_a_whole_file() {
    damage("beginning");
}

#[test]
fn damage_loses_no_line_that_came_after_the_first_start() {
    damage("end");
}

fn damage(start: &'static str) {
    let log = Log::install();
    let mut random = Random(0x5eed);
    for first in (0..TIMES).step_by(ROUNDS as usize) {
        let mut machine = Machine::new(start);
        machine.first_run();
        for round in first..TIMES.min(first + ROUNDS) {
            log.take();
            let damaged = machine.damage(&mut random);
            machine.write_lines(random.below(4));
            let running = machine.start();
            machine.write_lines(random.below(3));
            machine.wait_for_all(&format!("round {round}: {damaged:?}"));
            running.stop();
            let told = log.take();
            let must_be_told = damaged.iter().any(|d| d.is_read && d.kind != Kind::Delete);
            assert!(
                !must_be_told || told.iter().any(|line| line.contains("damaged")),
                "round {round}: {damaged:?} was not told: {told:?}"
            );
        }
    }
}

/// A folder with a log that grows, what came of it, and an agent's state.
struct Machine {
    folder: tempfile::TempDir,
    bench: Bench,
    start: &'static str,
    written: usize,
    /// Lines that must be in the output.
    expected: BTreeSet<usize>,
}

impl Machine {
    fn new(start: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = Bench::new(swak_plugin_std::register);
        bench.settings_mut().agent = Some("swak-test".into());
        let mut machine = Machine { folder, bench, start, written: 0, expected: BTreeSet::new() };
        machine.write_lines(3);
        machine
    }

    /// Runs until the first line is out, from which on none may be missing.
    fn first_run(&mut self) {
        let running = self.start();
        if self.start == "end" {
            self.expected.clear();
        }
        let begun = Instant::now();
        while self.delivered().is_empty() {
            assert!(begun.elapsed() < Running::PATIENCE, "nothing comes");
            self.write_lines(1);
            std::thread::sleep(Duration::from_millis(20));
        }
        if self.start == "end" {
            let first = *self.delivered().first().unwrap();
            self.expected.retain(|line| *line >= first);
        }
        self.wait_for_all("the first run");
        running.stop();
    }

    fn start(&self) -> Running {
        self.bench.start(&format!(
            "task(in.FileTailing({:?}, start=\"{}\", poll=\"2ms\", rescan=\"20ms\"), \
             out.File({:?}), name=\"web\")",
            self.input(),
            self.start,
            self.output()
        ))
    }

    fn write_lines(&mut self, n: u64) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.input()).unwrap();
        for _ in 0..n {
            writeln!(file, "line {}", self.written).unwrap();
            self.expected.insert(self.written);
            self.written += 1;
        }
    }

    fn delivered(&self) -> BTreeSet<usize> {
        let text = fs::read_to_string(self.output()).unwrap_or_default();
        // The last one may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| line.strip_prefix("line ").unwrap().parse().unwrap()).collect()
    }

    fn wait_for_all(&self, when: &str) {
        let begun = Instant::now();
        loop {
            let delivered = self.delivered();
            let missing: Vec<_> = self.expected.difference(&delivered).collect();
            if missing.is_empty() {
                return;
            }
            assert!(begun.elapsed() < Running::PATIENCE, "{when}: {missing:?} do not come");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Damages some of the files that are kept, at least one.
    fn damage(&self, random: &mut Random) -> Vec<Damage> {
        let mut files = Vec::new();
        files_in(self.bench.data_dir(), &mut files);
        files.sort();
        assert!(!files.is_empty(), "nothing is kept");
        let sure = random.below(files.len() as u64) as usize;
        let chosen = (0..files.len()).filter(|i| *i == sure || random.below(3) == 0);
        let chosen: Vec<_> = chosen.collect();
        chosen.into_iter().filter_map(|i| Damage::to(&files[i], random)).collect()
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("in.log")
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out.log")
    }
}

/// What was done to a file.
#[derive(Debug)]
struct Damage {
    kind: Kind,
    #[expect(dead_code, reason = "it is shown when a test fails")]
    file: PathBuf,
    /// Whether it is one of those whose damage an agent tells of.
    is_read: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flip,
    Truncate,
    Insert,
    Zero,
    Delete,
}

impl Damage {
    /// `None` when it happens to be the same afterwards.
    fn to(file: &Path, random: &mut Random) -> Option<Self> {
        let before = fs::read(file).unwrap();
        let mut bytes = before.clone();
        let at = random.below(bytes.len().max(1) as u64) as usize;
        let kind = [Kind::Flip, Kind::Truncate, Kind::Insert, Kind::Zero, Kind::Delete]
            [random.below(5) as usize];
        match kind {
            Kind::Flip => bytes.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << (at % 8)),
            Kind::Truncate => bytes.truncate(at),
            Kind::Insert => {
                let some: Vec<u8> =
                    (0..=random.below(20)).map(|_| random.below(256) as u8).collect();
                bytes.splice(at.min(bytes.len())..at.min(bytes.len()), some);
            }
            Kind::Zero => {
                let n = random.below(600) as usize;
                bytes.iter_mut().skip(at).take(n).for_each(|b| *b = 0);
            }
            Kind::Delete => fs::remove_file(file).unwrap(),
        }
        if kind != Kind::Delete {
            if bytes == before {
                return None;
            }
            fs::write(file, bytes).unwrap();
        }
        let name = file.file_name().unwrap().to_string_lossy();
        // The spare one is room for the next: a kill may leave half of that in it.
        let is_read = !matches!(&*name, ".lock" | "state.spare") && !name.ends_with(".damaged");
        Some(Damage { kind, file: file.to_owned(), is_read })
    }
}

fn files_in(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_in(&path, found) } else { found.push(path) }
    }
}

/// xorshift64*: the same damages each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n.max(1)
    }
}

/// What the agent says at the levels that people see.
struct Log;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Log {
    fn install() -> Log {
        // A second test of the same process has it already.
        let _ = tracing::subscriber::set_global_default(Log);
        Log
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *LINES.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        LINES.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
