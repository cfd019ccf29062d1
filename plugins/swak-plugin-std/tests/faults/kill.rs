//! Killed agents: nothing is lost, and lines stay whole.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::agent::Agent;

/// Far longer than anything takes on a slow, busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file that is followed, and one that is written.
struct World {
    folder: TempDir,
    written: usize,
}

impl World {
    fn new() -> Self {
        World { folder: tempfile::tempdir().expect("a folder can be made"), written: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An agent that takes the lines through a step and writes them.
    fn start(&self, step: &str) -> Agent {
        self.start_chain(&format!("{step}, {}", self.file("out.log")))
    }

    fn start_chain(&self, chain: &str) -> Agent {
        let input = self.path("in.log").display().to_string();
        let recipe =
            format!("task(in.FileTailing({input:?}, poll=\"5ms\", rescan=\"20ms\"), {chain})");
        Agent::start(&recipe, &self.path("data"))
    }

    fn file(&self, name: &str) -> String {
        format!("out.File({:?})", self.path(name).display().to_string())
    }

    /// Appends lines that say their number, and are known to be whole by their ends.
    fn write(&mut self, lines: usize) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("in.log"))
            .expect("the file can be opened");
        let text: String = (self.written..self.written + lines).map(line).collect();
        file.write_all(text.as_bytes()).expect("there is room");
        self.written += lines;
    }

    fn out(&self) -> String {
        fs::read_to_string(self.path("out.log")).unwrap_or_default()
    }

    fn wait_until(&self, what: &str, mut is_so: impl FnMut(&str) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(&self.out()) {
            assert!(Instant::now() < until, "{what} did not happen");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How often each line is there, and how many are no line.
    fn count(&self) -> (BTreeMap<usize, usize>, usize) {
        let (mut counts, mut torn) = (BTreeMap::new(), 0);
        for text in self.out().lines() {
            let number = text.split(' ').next().and_then(|n| n.parse().ok());
            match number.filter(|n| line(*n) == format!("{text}\n")) {
                Some(number) => *counts.entry(number).or_default() += 1,
                None => torn += 1,
            }
        }
        (counts, torn)
    }
}

fn line(number: usize) -> String {
    format!("{number} {} end\n", "x".repeat(number * 7 % 200))
}

#[test]
fn killed_at_any_moment_no_line_is_lost_and_none_is_continued() {
    const KILLS: usize = 6;
    for steps in [
        "out.LinedBuffer(64, max_wait=\"10ms\")",
        "out.TimedBuffer(\"10ms\")",
        "out.DiskBuffer(sync=\"always\")",
        // Often full, and with many files.
        "out.DiskBuffer(sync=\"10ms\", max_size=\"256k\", max_unacked=\"8k\")",
        "out.DiskBuffer(sync=\"never\")",
    ] {
        let mut world = World::new();
        for kill in 0..KILLS {
            let before = world.out().len();
            let agent = world.start(steps);
            world.write(3_000);
            world.wait_until("a write", |out| out.len() > before);
            // Each time a little later in what it does.
            std::thread::sleep(Duration::from_millis(kill as u64 * 7));
            agent.kill();
        }
        let agent = world.start(steps);
        // After all that comes twice.
        world.write(1);
        let last = line(world.written - 1);
        world.wait_until("the end", |out| out.ends_with(&last));
        agent.stop();
        let (counts, torn) = world.count();
        assert_eq!(counts.len(), world.written, "{steps}");
        assert!(torn <= KILLS, "{torn} torn lines, {steps}");
        // Stopped in order nothing comes twice.
        let before = world.out();
        world.write(1);
        let agent = world.start(steps);
        let last = line(world.written - 1);
        world.wait_until("one more line", |out| out.ends_with(&last));
        agent.stop();
        assert!(world.out() == before + &last, "{steps}");
    }
}

#[test]
fn what_a_buffer_holds_is_not_delivered_yet() {
    for steps in ["out.LinedBuffer(1000000)", "out.TimedBuffer(\"1h\")"] {
        let mut world = World::new();
        // What has been read is seen in another file.
        let (seen, held) = (world.file("seen"), world.file("out.log"));
        world.write(1_000);
        let agent = world.start_chain(&format!("tee([{seen}], [{steps}, {held}])"));
        let seen = line(999);
        let path = world.path("seen");
        world.wait_until("reading", |_| {
            fs::read_to_string(&path).is_ok_and(|seen_so_far| seen_so_far.ends_with(&seen))
        });
        agent.kill();
        assert_eq!(world.out(), "", "{steps}");
        // An orderly stop lets go of all of it, and that is the end of it.
        let agent = world.start(steps);
        world.write(1);
        std::thread::sleep(Duration::from_millis(50));
        agent.stop();
        let agent = world.start("out.TimedBuffer(\"10ms\")");
        world.write(1);
        let last = line(world.written - 1);
        world.wait_until("the rest", |out| out.ends_with(&last));
        agent.stop();
        let expected: String = (0..world.written).map(line).collect();
        assert!(world.out() == expected, "{steps}");
    }
}

#[test]
fn killed_in_the_middle_of_a_record_it_comes_whole() {
    let world = World::new();
    let write = |text: &str| {
        let mut file =
            OpenOptions::new().create(true).append(true).open(world.path("in.log")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let start = |timeout: &str| {
        let path = |name: &str| world.path(name).display().to_string();
        let recipe = format!(
            "task(in.FileTailing({:?}, poll=\"5ms\", multiline={{\"start\": \"^A\", \"timeout\": {timeout:?}}}), \
             out.File({:?}, format=\"json\"))",
            path("in.log"),
            path("out.log"),
        );
        Agent::start(&recipe, &world.path("data"))
    };
    let message = |text: &str| format!("{{\"message\":\"{text}\"}}\n");
    write("A 1\nmore\nA 2\nmo");
    let agent = start("1h");
    world.wait_until("the first record", |out| out == message("A 1\\nmore"));
    agent.kill();
    write("re\nand more\nA 3\n");
    let agent = start("10ms");
    // The first one may come twice: its position may not have been stored yet.
    let rest = message("A 2\\nmore\\nand more") + &message("A 3");
    world.wait_until("the others", |out| out.ends_with(&rest));
    agent.stop();
}
