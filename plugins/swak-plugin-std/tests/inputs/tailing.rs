//! `in.FileTailing` against real files that grow, are rotated, truncated and deleted.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use swak_sdk::plugin::CheckpointStore;
use swak_sdk::prelude::*;
use swak_test::InMemory;

use crate::harness::{Call, texts};

/// A folder with files that are followed.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().expect("a folder can be made"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Follows, looking often.
    pub(crate) fn tail(&self, pattern: &str) -> Call {
        Call::new("FileTailing")
            .arg(self.path(pattern).to_str().unwrap())
            .with("poll", "5ms")
            .with("rescan", "20ms")
            .with("rotate_wait", "100ms")
    }

    /// Reads what is there and ends.
    pub(crate) fn read(&self, pattern: &str) -> Call {
        self.tail(pattern).with("follow", false)
    }
}

/// The records of an input that ends by itself.
pub(crate) fn read_all(call: &Call, store: &InMemory) -> Vec<String> {
    let (got, _) = call.start_with(store).finish().unwrap();
    texts(&got)
}

/// The keys of files, without the mark of the first start.
pub(crate) fn keys(store: &InMemory) -> Vec<String> {
    store.entries().into_iter().map(|(key, _)| key).filter(|key| key != "started").collect()
}

#[test]
fn lines_come_as_they_are_written_and_a_last_one_waits_for_its_end() {
    let folder = Folder::new();
    folder.append("a.log", "one\ntwo\nthr");
    let mut tail = folder.tail("a.log").start();
    assert_eq!(tail.lines(2), ["one", "two"]);
    folder.append("a.log", "ee\n\nfo");
    assert_eq!(tail.lines(4), ["one", "two", "three", ""]);
    folder.append("a.log", "ur\n");
    assert_eq!(tail.lines(5)[4], "four");
    let got = tail.stop();
    assert_eq!(got.len(), 5);
    assert_eq!(got[0].source, folder.path("a.log").to_str().unwrap());
}

#[test]
fn real_logs_come_line_by_line_and_byte_for_byte() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.is_dir() {
        println!("skipped: {} is not there", data.display());
        return;
    }
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "log") {
            continue;
        }
        let content = fs::read(&path).unwrap();
        let mut expected: Vec<&[u8]> = content.split(|b| *b == b'\n').collect();
        if expected.last() == Some(&&b""[..]) {
            expected.pop();
        }
        for keep_cr in [true, false] {
            let call = Call::new("FileTailing")
                .arg(path.to_str().unwrap())
                .with("follow", false)
                .with("keep_cr", keep_cr);
            let (got, counters) = call.start().finish().unwrap();
            let lines: Vec<Vec<u8>> = got.iter().map(|g| g.raw()).collect();
            let without_end = |line: &&[u8]| match keep_cr {
                true => line.to_vec(),
                false => line.strip_suffix(b"\r").unwrap_or(line).to_vec(),
            };
            assert_eq!(lines.len(), 2000, "{}", path.display());
            assert!(
                lines == expected.iter().map(without_end).collect::<Vec<_>>(),
                "{} with keep_cr={keep_cr}",
                path.display()
            );
            assert_eq!((counters.received, counters.errors), (2000, 0));
        }
    }
}

#[test]
fn a_large_file_comes_whole_whatever_its_lines() {
    let folder = Folder::new();
    // Lines of all lengths around the size of a block, among many short ones.
    let mut content = Vec::new();
    for i in 0..60_000_usize {
        let len = match i % 4_001 {
            0 => 200_000 + i * 7,
            _ => i % 300,
        };
        content.extend(std::iter::repeat_n(b'a' + (i % 26) as u8, len));
        content.push(b'\n');
    }
    folder.append("big.log", &content);
    let (got, counters) = folder.read("big.log").start().finish().unwrap();
    let mut joined = Vec::with_capacity(content.len());
    for g in &got {
        joined.extend_from_slice(g.record.line().unwrap());
        joined.push(b'\n');
    }
    assert_eq!(got.len(), 60_000);
    assert!(joined == content, "the lines joined are the file");
    assert_eq!(counters.errors, 0);
}

#[test]
fn a_long_line_is_cut_and_counted_and_nothing_else_is_lost() {
    let folder = Folder::new();
    let long = "x".repeat(700_000);
    folder.append("a.log", format!("before\n{long}\nafter\n{}\n", "y".repeat(150)));
    let call = folder.read("a.log").with("max_line", 100);
    let (got, counters) = call.start().finish().unwrap();
    assert_eq!(texts(&got), ["before", &"x".repeat(100), "after", &"y".repeat(100)]);
    let cut: Vec<bool> = got.iter().map(|g| g.record.is_truncated()).collect();
    assert_eq!(cut, [false, true, false, true]);
    assert_eq!(counters.errors, 2);
    // The same when it grows before our eyes, over the limit for lines that are read again.
    let mut tail = folder.tail("b.log").with("max_line", "100k").start();
    for _ in 0..7 {
        folder.append("b.log", &long[..100_000]);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    folder.append("b.log", "\nafter\n");
    let lines = tail.lines(2);
    assert_eq!((lines[0].len(), lines[1].as_str()), (100 << 10, "after"));
}

#[test]
fn a_stop_and_start_loses_and_doubles_nothing() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n2\n3");
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.lines(2);
    tail.stop();
    folder.append("a.log", "3\n4\n");
    folder.append("b.log", "other\n");
    let mut tail = folder.tail("*.log").start_with(&store);
    let mut lines = tail.lines(3);
    lines.sort();
    assert_eq!(lines, ["33", "4", "other"]);
    assert_eq!(tail.stop().len(), 3);
    assert_eq!(read_all(&folder.read("*.log"), &store), Vec::<String>::new());
}

#[test]
fn what_was_not_delivered_comes_again() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n");
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.lines(1);
    folder.append("a.log", "2\n");
    let lost = tail.hold_next();
    folder.append("a.log", "3\n");
    tail.wait_for(2);
    drop(lost);
    tail.stop();
    assert_eq!(read_all(&folder.read("a.log"), &store), ["2", "3"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
    let folder = Folder::new();
    folder.append("a.log", "old 1\n");
    let mut tail = folder.tail("a.log").start();
    tail.lines(1);
    folder.append("a.log", "old 2\nold 3 without end");
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "new 1\n");
    assert_eq!(tail.lines(3), ["old 1", "old 2", "new 1"]);
    // Its writer goes on for a while, then nothing will end the last line.
    folder.append("a.log.1", "…\nold 4");
    let mut lines = tail.lines(5);
    lines[3..].sort();
    assert_eq!(lines[3..], ["old 3 without end…", "old 4"]);
    tail.stop();
}

#[test]
fn renames_under_writing_lose_nothing() {
    let folder = Folder::new();
    let mut tail = folder.tail("a.log").start();
    let (rounds, lines) = (20, 500);
    for round in 0..rounds {
        let mut file = File::create_new(folder.path("a.log")).unwrap();
        for line in 0..lines {
            writeln!(file, "{round} {line}").unwrap();
        }
        // Seen before it is renamed again, as with any rotation that is slower than `rescan`.
        tail.wait_for(round * (lines + 3) + 1);
        folder.rename("a.log", &format!("a.log.{round}"));
        for line in lines..lines + 3 {
            writeln!(file, "{round} {line}").unwrap();
        }
    }
    let expected: Vec<String> =
        (0..rounds).flat_map(|r| (0..lines + 3).map(move |l| format!("{r} {l}"))).collect();
    tail.wait_for(expected.len());
    let mut got = texts(&tail.stop());
    let numbers = |s: &String| {
        let (r, l) = s.split_once(' ').unwrap();
        (r.parse::<usize>().unwrap(), l.parse::<usize>().unwrap())
    };
    for round in 0..rounds {
        let of_round: Vec<_> =
            got.iter().map(numbers).filter(|(r, _)| *r == round).map(|(_, l)| l).collect();
        assert!(of_round.is_sorted(), "round {round} is in order: {of_round:?}");
    }
    got.sort_by_key(numbers);
    assert_eq!(got, expected);
}

#[test]
fn a_file_renamed_within_the_pattern_is_not_read_again() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n");
    let mut tail = folder.tail("a.log*").start_with(&store);
    tail.lines(1);
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "2\n");
    tail.lines(2);
    folder.append("a.log.1", "1b\n");
    assert_eq!(tail.lines(3), ["1", "2", "1b"]);
    tail.stop();
    assert_eq!(read_all(&folder.read("a.log*"), &store), Vec::<String>::new());
}

#[test]
fn a_rotation_while_stopped_is_caught_up_with() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n");
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.lines(1);
    tail.stop();
    folder.append("a.log", "2\n");
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "3\n");
    let (got, _) = folder.read("a.log").start_with(&store).finish().unwrap();
    assert_eq!(texts(&got), ["2", "3"]);
    assert!(got.iter().all(|g| g.source == folder.path("a.log").to_str().unwrap()));
    // Both are known until they are deleted.
    assert_eq!(keys(&store).len(), 2);
    fs::remove_file(folder.path("a.log.1")).unwrap();
    assert_eq!(read_all(&folder.read("a.log"), &store), Vec::<String>::new());
    assert_eq!(keys(&store).len(), 1);
}

#[test]
fn a_file_that_vanishes_while_it_is_read_once_does_not_hold_up_the_end() {
    let folder = Folder::new();
    for i in 0..300 {
        folder.append(&format!("{i:03}.log"), "x\n".repeat(10_000));
    }
    let mut tail = folder.read("*.log").start();
    tail.wait_for(1);
    fs::remove_file(folder.path("299.log")).unwrap();
    let (got, _) = tail.finish().unwrap();
    assert!([299 * 10_000, 300 * 10_000].contains(&got.len()), "{}", got.len());
}

#[test]
fn truncation_is_noticed_running_and_stopped() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "old line 1\nold line 2\n");
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.lines(2);
    // Copied and truncated; what follows is shorter at first.
    fs::write(folder.path("a.log"), "new 1\n").unwrap();
    assert_eq!(tail.lines(3)[2], "new 1");
    // Longer at once than what was read.
    fs::write(folder.path("a.log"), "newer line 1\nnewer line 2\nnewer line 3\n").unwrap();
    assert_eq!(tail.lines(6)[3..], ["newer line 1", "newer line 2", "newer line 3"]);
    // Of just the same length.
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(folder.path("a.log"), "other line 1\nother line 2\nother line 3\n").unwrap();
    assert_eq!(tail.lines(9)[6..], ["other line 1", "other line 2", "other line 3"]);
    tail.stop();
    fs::write(folder.path("a.log"), "newer line 1\nnewer line 2\nnewer line 3\n").unwrap();
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 3);
    // With the same beginning and past the old end, while nobody looked.
    fs::write(folder.path("a.log"), "newer line 1\nnewer LINE 2\nnewer line 3\nnewer line 4\n")
        .unwrap();
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 4);
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_forgotten() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n");
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.lines(1);
    assert_eq!(keys(&store).len(), 1);
    folder.append("a.log", "2\nthe end");
    fs::remove_file(folder.path("a.log")).unwrap();
    assert_eq!(tail.lines(3), ["1", "2", "the end"]);
    tail.wait_until("forgetting the deleted file", || keys(&store).is_empty());
    folder.append("a.log", "new\n");
    assert_eq!(tail.lines(4)[3], "new");
    tail.stop();
}

#[test]
fn another_file_with_the_same_inode_is_read_from_its_beginning() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "first file, line 1\nfirst file, line 2\n");
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 2);
    // The same inode with another content is what a new file on the inode of a deleted one is.
    fs::write(folder.path("a.log"), "second file, line 1\nsecond file, line 2\nand 3\n").unwrap();
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 3);
}

#[test]
fn the_start_can_be_the_end_but_only_once() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "old\npart");
    let from_end = || folder.tail("*.log").with("start", "end");
    let mut tail = from_end().start_with(&store);
    tail.wait_until("finding the file", || !keys(&store).is_empty());
    folder.append("a.log", "ial\nnew\n");
    folder.append("b.log", "appeared\n");
    let mut lines = tail.lines(3);
    lines.sort();
    assert_eq!(lines, ["appeared", "new", "partial"]);
    tail.stop();
    folder.append("c.log", "while stopped\n");
    let mut tail = from_end().start_with(&store);
    assert_eq!(tail.lines(1), ["while stopped"]);
    tail.stop();
}

#[test]
fn encodings_become_utf8_and_utf8_stays_as_it_is() {
    let folder = Folder::new();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    folder.append("utf16.log", utf16("\u{feff}스왴\r\n\u{0a0a}\nlast"));
    let call = folder.read("utf16.log").with("encoding", "utf-16");
    let (got, counters) = call.start().finish().unwrap();
    assert_eq!(texts(&got), ["스왴", "\u{0a0a}", "last"]);
    assert_eq!(counters.errors, 0);
    folder.append("euc.log", b"\xbd\xba\xbf\xd5\nbad \xff\n");
    let call = folder.read("euc.log").with("encoding", "euc-kr");
    let (got, counters) = call.start().finish().unwrap();
    assert_eq!(texts(&got), ["스왕", "bad \u{fffd}"]);
    assert_eq!(counters.errors, 1);
    folder.append("raw.log", b"\xff\0\xfe\n");
    let (got, _) = folder.read("raw.log").start().finish().unwrap();
    assert_eq!(got[0].raw(), b"\xff\0\xfe");
}

#[test]
fn a_growing_utf16_file_is_followed_from_its_mark_on() {
    let folder = Folder::new();
    let mut tail = folder.tail("a.log").with("encoding", "utf-16").start();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    folder.append("a.log", "");
    // In pieces that end within a character.
    for piece in utf16("\u{feff}one\ntwo\n").chunks(3) {
        folder.append("a.log", piece);
        std::thread::sleep(std::time::Duration::from_millis(8));
    }
    assert_eq!(tail.lines(2), ["one", "two"]);
    tail.stop();
}

#[test]
fn a_last_line_is_taken_after_a_while_if_that_is_asked_for() {
    let folder = Folder::new();
    folder.append("a.log", "one\nno end");
    let mut tail = folder.tail("a.log").with("last_line_wait", "50ms").start();
    assert_eq!(tail.lines(2), ["one", "no end"]);
    folder.append("a.log", " after all\n");
    assert_eq!(tail.lines(3)[2], " after all");
    tail.stop();
}

#[test]
fn a_compressed_file_is_read_as_it_grows_and_once_to_its_end() {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    let folder = Folder::new();
    let store = InMemory::default();
    let mut gzip =
        GzEncoder::new(File::create(folder.path("a.log.gz")).unwrap(), Compression::fast());
    gzip.write_all(b"one\ntwo\nthr").unwrap();
    gzip.flush().unwrap();
    let mut tail = folder.tail("*.gz").start_with(&store);
    assert_eq!(tail.lines(2), ["one", "two"]);
    tail.stop();
    // Goes on in the middle, and the last line is taken once the file is whole.
    let mut tail = folder.tail("*.gz").start_with(&store);
    gzip.write_all(b"ee\nfour").unwrap();
    gzip.finish().unwrap();
    assert_eq!(tail.lines(2), ["three", "four"]);
    tail.stop();
    assert_eq!(read_all(&folder.read("*.gz"), &store), Vec::<String>::new());
    // One more member.
    let mut more = GzEncoder::new(Vec::new(), Compression::fast());
    more.write_all(b"five\n").unwrap();
    folder.append("a.log.gz", more.finish().unwrap());
    assert_eq!(read_all(&folder.read("*.gz"), &store), ["five"]);
}

#[test]
fn of_a_damaged_compressed_file_comes_what_can_be_read() {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    let folder = Folder::new();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"one\ntwo\n").unwrap();
    let bytes = gzip.finish().unwrap();
    folder.append("cut.gz", &bytes[..bytes.len() - 3]);
    folder.append("bad.gz", [&bytes[..], b"no gzip"].concat());
    for (name, compression) in [("cut.gz", "auto"), ("bad.gz", "gzip")] {
        let call = folder.read(name).with("compression", compression);
        let (got, counters) = call.start().finish().unwrap();
        assert_eq!(texts(&got), ["one", "two"], "{name}");
        assert_eq!(counters.errors, 1, "{name}");
    }
    let (got, _) = folder.read("bad.gz").with("compression", "none").start().finish().unwrap();
    assert!(got[0].raw().starts_with(b"\x1f\x8b"));
}

#[test]
fn lines_that_belong_together_are_one_record() {
    let folder = Folder::new();
    let store = InMemory::default();
    let call = || {
        let rule: Map =
            [("start", Value::from("^A")), ("timeout", Value::from("50ms"))].into_iter().collect();
        folder.tail("a.log").with("multiline", Value::from(rule))
    };
    let mut tail = call().start_with(&store);
    folder.append("a.log", "A 1\nmore\nA 2\n");
    // The last one ends when nothing follows for a while, though not within a line.
    assert_eq!(tail.lines(2), ["A 1\nmore", "A 2"]);
    folder.append("a.log", "late\nA 3\nx\nA ");
    assert_eq!(tail.lines(4)[2..], ["late", "A 3\nx"]);
    folder.append("a.log", "4\ny");
    assert_eq!(tail.lines(5)[4..], ["A 4"]);
    // Rotated: nothing will follow.
    folder.append("a.log", "\nA 5\nx\n");
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "A 6\n");
    assert_eq!(tail.lines(8)[5..], ["y", "A 5\nx", "A 6"]);
    tail.stop();
    let mut tail = folder.tail("b.log").with("multiline", "python").start();
    folder.append(
        "b.log",
        "begin\nTraceback (most recent call last):\n  File \"a\"\nError: 1\nnext\n",
    );
    assert_eq!(tail.lines(2)[0].lines().count(), 4);
}

#[test]
fn a_record_that_was_not_complete_comes_whole_after_a_restart() {
    let folder = Folder::new();
    let store = InMemory::default();
    let call = || folder.tail("a.log").with("multiline", "indented");
    folder.append("a.log", "one\ntwo\n half");
    let mut tail = call().start_with(&store);
    assert_eq!(tail.lines(1), ["one"]);
    tail.stop();
    folder.append("a.log", " and half\n more\nthree\n");
    let mut tail = call().start_with(&store);
    assert_eq!(tail.lines(2), ["two\n half and half\n more", "three"]);
    tail.stop();
}

#[test]
fn a_thousand_files_are_followed_at_once() {
    let folder = Folder::new();
    for i in 0..1000 {
        folder.append(&format!("{i:03}.log"), format!("{i} first\n"));
    }
    let store = InMemory::default();
    let mut tail = folder.tail("*.log").start_with(&store);
    tail.wait_for(1000);
    for i in (0..1000).step_by(7) {
        folder.append(&format!("{i:03}.log"), format!("{i} second\n"));
    }
    // One that may be closed by now is renamed out of the pattern.
    folder.append("999.log", "999 second\n");
    folder.rename("999.log", "999.old");
    let count = 1000 + 143 + 1;
    let mut second: Vec<_> =
        tail.lines(count).into_iter().filter(|l| l.ends_with("second")).collect();
    second.sort();
    second.dedup();
    assert_eq!(second.len(), 144);
    tail.stop();
}

#[test]
fn two_names_of_one_file_are_one_file() {
    let folder = Folder::new();
    folder.append("a.log", "once\n");
    fs::hard_link(folder.path("a.log"), folder.path("b.log")).unwrap();
    assert_eq!(read_all(&folder.read("*.log"), &InMemory::default()), ["once"]);
}

#[test]
fn mistakes_in_options_are_said() {
    let none: Vec<Value> = Vec::new();
    assert_eq!(
        Call::new("FileTailing").arg(Value::List(none)).mistakes(),
        ["`path` needs at least one pattern"]
    );
    assert_eq!(
        Call::new("FileTailing").arg("a").with("max_line", "2g").mistakes(),
        ["`max_line` is from 1 byte to 1g, not 2g"]
    );
    assert_eq!(
        Call::new("FileTailing").arg("a").with("multiline", "cobol").mistakes(),
        ["unknown word `cobol`"]
    );
    assert_eq!(
        Call::new("FileTailing").arg("a").with("encoding", "utf-9").mistakes(),
        ["expected an encoding, found `utf-9`"]
    );
}
