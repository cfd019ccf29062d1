//! `buffer`, on real folders.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use swak_buffer::{FileSystem, Next, Queue, Settings};
use swak_sdk::data::{Batch, Chunk, Record, Timestamp, codec};

use support::agent;

/// A buffer of five frames with a line each, of which the first is delivered.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    fn new() -> Self {
        let made = Made { folder: tempfile::tempdir().unwrap() };
        made.make("buffer");
        made
    }

    fn make(&self, name: &str) {
        let mut queue = open(&self.folder.path().join(name));
        for i in 0..5 {
            let record = Record::from_line(format!("line {i}").as_str(), Timestamp::default());
            let batch = Batch::new(vec![record]).with_tag("web".into()).with_source("x.log".into());
            let mut bytes = Vec::new();
            codec::encode(&Chunk::from(batch), &mut bytes).unwrap();
            queue.append(&bytes, 1, 6).unwrap();
        }
        queue.sync().unwrap();
        let Some(Next::Frame(frame)) = queue.next().unwrap() else { panic!("there are five") };
        queue.ack(frame.seq);
        queue.sync_position().unwrap();
    }

    fn path(&self) -> String {
        self.folder.path().join("buffer").to_str().unwrap().to_owned()
    }

    /// Flips a bit in a line.
    fn damage(&self, line: &str) {
        let segment = segment(Path::new(&self.path()));
        let mut bytes = fs::read(&segment).unwrap();
        let at = bytes.windows(line.len()).position(|w| w == line.as_bytes()).unwrap();
        bytes[at] ^= 1;
        fs::write(segment, bytes).unwrap();
    }

    fn dump(&self, flags: &[&str]) -> Vec<serde_json::Value> {
        let path = self.path();
        let answer = agent(&[&["buffer", "dump", path.as_str()], flags].concat());
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn open(folder: &Path) -> Queue<FileSystem> {
    Queue::open(FileSystem::lock(folder).unwrap(), Settings::default()).unwrap()
}

fn segment(folder: &Path) -> PathBuf {
    let mut paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|e| e == "seg")).unwrap()
}

fn lines(dumped: &[serde_json::Value]) -> Vec<&str> {
    dumped.iter().map(|line| line["record"]["message"].as_str().unwrap()).collect()
}

#[test]
fn a_sound_buffer_is_counted() {
    let made = Made::new();
    let answer = agent(&["buffer", "check", &made.path()]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(
        answer.stdout.contains("waiting    4 records of 24 bytes in 4 frames"),
        "{}",
        answer.stdout
    );
    let answer = agent(&["buffer", "check", &made.path(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let buffer = &json["buffers"][0];
    assert_eq!((&json["ok"], &buffer["damaged"]), (&true.into(), &false.into()));
    assert_eq!(buffer["waiting"]["records"], 4);
    assert_eq!((&buffer["delivered"]["records"], &buffer["position"]), (&1.into(), &1.into()));
}

#[test]
fn what_waits_is_dumped() {
    let made = Made::new();
    let dumped = made.dump(&[]);
    assert_eq!(lines(&dumped), ["line 1", "line 2", "line 3", "line 4"]);
    let first = serde_json::json!({
        "seq": 1, "delivered": false, "tag": "web", "source": "x.log",
        "time": "1970-01-01T00:00:00Z", "record": { "message": "line 1" },
    });
    assert_eq!(dumped[0], first);
    let all = made.dump(&["--all"]);
    assert_eq!((all.len(), &all[0]["delivered"]), (5, &true.into()));
}

#[test]
fn what_was_delivered_is_given_again() {
    let made = Made::new();
    let path = made.path();
    let answer = agent(&["buffer", "replay", &path]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.contains("5 records will be delivered"), "{}", answer.stdout);
    assert_eq!(made.dump(&[]).len(), 5);
    let answer = agent(&["buffer", "replay", &path, "--from", "3"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("error[undelivered-frames]: 3 records"), "{}", answer.stderr);
    assert!(answer.stderr.contains("help: `--skip` gives them up"), "{}", answer.stderr);
    assert_eq!(made.dump(&[]).len(), 5, "nothing is changed");
    let answer = agent(&["buffer", "replay", &path, "--from", "3", "--skip"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(
        answer.stdout.contains("3 records will not; the agent counts them"),
        "{}",
        answer.stdout
    );
    assert_eq!(lines(&made.dump(&[])), ["line 3", "line 4"]);
    let mut queue = open(Path::new(&path));
    assert!(matches!(queue.next().unwrap(), Some(Next::Frame(frame)) if frame.seq == 3));
    assert_eq!(queue.gone().of(swak_buffer::Cause::Skipped).records, 3);
    drop(queue);
    let answer = agent(&["buffer", "replay", &path, "--from", "9"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("error[no-such-frame]"), "{}", answer.stderr);
}

#[test]
fn damage_is_found_and_repaired() {
    let made = Made::new();
    made.damage("line 2");
    let answer = agent(&["buffer", "check", &made.path()]);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.contains("error[buffer-damaged]"), "{}", answer.stderr);
    assert!(answer.stdout.contains("lost       1 record of 6 bytes"), "{}", answer.stdout);
    assert_eq!(agent(&["buffer", "check", &made.path(), "--json"]).status, 1);

    let answer = agent(&["buffer", "repair", &made.path()]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.contains("1 record could not be saved"), "{}", answer.stdout);
    assert!(answer.stdout.contains(".seg.damaged"), "{}", answer.stdout);
    let answer = agent(&["buffer", "check", &made.path()]);
    assert_eq!(answer.status, 0);
    assert!(
        answer.stdout.contains("put aside  00000000000000000000.seg.damaged of "),
        "{}",
        answer.stdout
    );
    let answer = agent(&["buffer", "check", &made.path(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let aside = &json["buffers"][0]["put_aside"][0]["name"];
    assert_eq!(aside, "00000000000000000000.seg.damaged");
    assert_eq!(lines(&made.dump(&[])), ["line 1", "line 3", "line 4"]);
    let answer = agent(&["buffer", "repair", &made.path()]);
    assert_eq!(answer.stdout, "There is nothing to repair.\n");
    // The agent still hears of the loss, once.
    let mut queue = open(Path::new(&made.path()));
    let mut lost = 0;
    while let Some(next) = queue.next().unwrap() {
        if let Next::Lost(count) = next {
            lost += count.records;
        }
    }
    assert_eq!(lost, 1);
}

#[test]
fn a_buffer_that_is_in_use_is_looked_at_and_not_changed() {
    let made = Made::new();
    let path = made.path();
    let _queue = open(Path::new(&path));
    assert_eq!(agent(&["buffer", "check", &path]).status, 0);
    assert_eq!(made.dump(&[]).len(), 4);
    for command in ["replay", "repair"] {
        let answer = agent(&["buffer", command, &path]);
        assert_eq!(answer.status, 1);
        assert!(answer.stderr.contains("error[buffer-locked]"), "{}", answer.stderr);
        assert!(answer.stderr.contains("help: stop the agent first"), "{}", answer.stderr);
    }
}

#[test]
fn a_folder_that_is_none_is_said() {
    let made = Made::new();
    let place = made.folder.path();
    fs::create_dir(place.join("empty")).unwrap();
    fs::write(place.join("file"), "").unwrap();
    for (name, code) in
        [("nowhere", "no-such-folder"), ("empty", "not-a-buffer"), ("file", "not-a-buffer")]
    {
        let path = place.join(name).to_str().unwrap().to_owned();
        for command in ["check", "dump", "replay", "repair"] {
            let answer = agent(&["buffer", command, &path]);
            assert_eq!(answer.status, 2, "{command} {name}");
            assert!(answer.stderr.contains(&format!("error[{code}]")), "{}", answer.stderr);
        }
    }
    assert!(!place.join("empty/lock").exists(), "nothing is touched");
}

#[test]
fn all_buffers_of_a_data_folder_are_checked() {
    let made = Made::new();
    let place = made.folder.path().to_str().unwrap().to_owned();
    assert_eq!(agent(&["buffer", "dump", &place]).status, 0, "there is only one");
    made.make("other/deeper");
    let answer = agent(&["buffer", "check", &place]);
    assert_eq!((answer.status, answer.stdout.matches("waiting").count()), (0, 2));
    let answer = agent(&["buffer", "dump", &place]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("error[several-buffers]"), "{}", answer.stderr);
}
