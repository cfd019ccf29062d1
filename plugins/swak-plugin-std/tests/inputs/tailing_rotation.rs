//! `in.FileTailing` and rotation: by renaming, copying, compressing and deleting, once and several times,
//! while it looks and while it does not.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use swak_test::InMemory;

use crate::harness::{Call, assert_same, texts};
use crate::tailing::{Folder, keys, read_all};

impl Folder {
    /// Renames `a.log` to `a.log.1`, that to `a.log.2`, and so on.
    fn rotate(&self, name: &str) {
        let last = (1..).find(|i| !self.path(&format!("{name}.{i}")).exists()).unwrap();
        for i in (1..last).rev() {
            self.rename(&format!("{name}.{i}"), &format!("{name}.{}", i + 1));
        }
        self.rename(name, &format!("{name}.1"));
    }

    fn copy_and_truncate(&self, name: &str, to: &str) {
        fs::copy(self.path(name), self.path(to)).unwrap();
        OpenOptions::new().write(true).open(self.path(name)).unwrap().set_len(0).unwrap();
    }

    /// As the program gzip does it: the original goes once the copy is complete.
    fn compress(&self, name: &str) {
        let content = fs::read(self.path(name)).unwrap();
        let packed = File::create(self.path(&format!("{name}.gz"))).unwrap();
        let mut packed = GzEncoder::new(packed, Compression::default());
        for piece in content.chunks(1000) {
            packed.write_all(piece).unwrap();
            packed.flush().unwrap();
        }
        packed.finish().unwrap();
        fs::remove_file(self.path(name)).unwrap();
    }
}

/// Whether all of it was read already.
fn nothing_more(call: &Call, store: &InMemory) {
    assert_eq!(read_all(call, store), Vec::<String>::new());
}

#[test]
fn five_rotations_while_stopped_are_caught_up_with_in_order() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "0 read\n");
    read_all(&folder.read("a.log"), &store);
    folder.append("a.log", "0 unread\n");
    let mut expected = vec!["0 unread".to_owned()];
    for i in 1..=12 {
        folder.rotate("a.log");
        for part in ["begin", "end"] {
            folder.append("a.log", format!("{i} {part}\n"));
            expected.push(format!("{i} {part}"));
        }
    }
    let (got, _) = folder.read("a.log").start_with(&store).finish().unwrap();
    assert_eq!(texts(&got), expected);
    let source = folder.path("a.log");
    assert!(got.iter().all(|g| g.source == source.to_str().unwrap()), "one source, one order");
    nothing_more(&folder.read("a.log"), &store);
}

#[test]
fn rotations_by_date_within_and_without_the_pattern_are_read_in_order() {
    for pattern in ["a.log", "a.log*"] {
        let folder = Folder::new();
        let store = InMemory::default();
        folder.append("a.log", "0\n");
        read_all(&folder.read(pattern), &store);
        for i in 1..=5 {
            folder.rename("a.log", &format!("a.log-2026011{i}"));
            folder.append("a.log", format!("{i}\n"));
        }
        assert_eq!(read_all(&folder.read(pattern), &store), ["1", "2", "3", "4", "5"], "{pattern}");
        nothing_more(&folder.read(pattern), &store);
    }
}

#[test]
fn rotations_into_another_folder_are_found_where_an_option_says() {
    let folder = Folder::new();
    let store = InMemory::default();
    fs::create_dir(folder.path("old")).unwrap();
    folder.append("old/app-1.log", "history\n");
    let pattern = folder.path("old/*.log");
    let read = || folder.read("app.log").with("rotated", pattern.to_str().unwrap());
    folder.append("app.log", "1\n");
    assert_eq!(read_all(&read(), &store), ["1"]);
    folder.append("app.log", "1b\n");
    folder.rename("app.log", "old/app-2.log");
    folder.append("old/app-3.log", "2\n");
    folder.append("app.log", "3\n");
    assert_eq!(read_all(&read(), &store), ["1b", "2", "3"]);
    nothing_more(&read(), &store);
}

#[test]
fn several_rotations_within_one_look_are_all_read_and_in_order() {
    let folder = Folder::new();
    folder.append("a.log", "0 0\n");
    let mut tail = folder.tail("a.log").start();
    tail.wait_for(1);
    let mut expected = vec!["0 0".to_owned()];
    for round in 1..=5 {
        for i in 0..4 {
            folder.append("a.log", format!("{round} {i} before\n"));
            folder.rotate("a.log");
            folder.append("a.log", format!("{round} {i} after\n"));
            expected.push(format!("{round} {i} before"));
            expected.push(format!("{round} {i} after"));
        }
        tail.wait_for(expected.len());
    }
    assert_same(&texts(&tail.stop()), &expected, "a.log");
}

#[test]
fn a_file_that_was_rotated_before_it_was_ever_seen_is_read() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n");
    let mut tail = folder.tail("*.log").start_with(&store);
    tail.wait_for(1);
    folder.append("b.log", "2\n");
    folder.rotate("b.log");
    assert_eq!(tail.lines(2)[1], "2");
    tail.stop();
    folder.append("c.log", "3\n");
    folder.rotate("c.log");
    folder.append("c.log", "4\n");
    folder.rotate("c.log");
    assert_eq!(read_all(&folder.read("*.log"), &store), ["3", "4"]);
}

#[test]
fn old_history_is_read_only_if_a_pattern_names_it() {
    let folder = Folder::new();
    folder.append("a.log.2", "oldest\n");
    folder.append("a.log.1", "older\n");
    folder.append("a.log", "new\n");
    assert_eq!(read_all(&folder.read("a.log*"), &InMemory::default()), ["oldest", "older", "new"]);
    let store = InMemory::default();
    assert_eq!(read_all(&folder.read("a.log"), &store), ["new"]);
    // It stays history, whatever becomes of it.
    folder.rotate("a.log");
    folder.compress("a.log.2");
    folder.compress("a.log.3");
    folder.append("a.log", "newer\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["newer"]);
    nothing_more(&folder.read("a.log"), &store);
}

#[test]
fn history_stays_unread_while_files_are_followed_from_their_ends() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log.1", "older\n");
    folder.append("a.log", "old\n");
    let read = || folder.read("a.log").with("start", "end");
    nothing_more(&read(), &store);
    folder.append("a.log", "new\n");
    folder.rotate("a.log");
    folder.append("a.log", "newer\n");
    assert_eq!(read_all(&read(), &store), ["new", "newer"]);
}

#[test]
fn what_was_written_before_a_copy_and_truncation_is_read_in_the_copy() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n2\n");
    read_all(&folder.read("a.log"), &store);
    for (round, to) in ["a.log.1", "a.log-20260101", "a.log.old"].into_iter().enumerate() {
        folder.append("a.log", format!("{round} unread\n"));
        folder.copy_and_truncate("a.log", to);
        // Longer at once than what was read, or shorter.
        folder.append("a.log", format!("{round} new\n").repeat(1 + round % 2 * 50));
        let got = read_all(&folder.read("a.log"), &store);
        assert_eq!(got[..2], [format!("{round} unread"), format!("{round} new")], "{to}");
        assert_eq!(got.len(), 2 + round % 2 * 50);
        nothing_more(&folder.read("a.log"), &store);
    }
}

/// Copies and truncates again and again; gives what came and what was written. With `is_seen` something of
/// each part is read before the file is truncated, but not all.
fn copy_and_truncate_often(pattern: &str, is_seen: bool) -> (Vec<String>, Vec<String>) {
    let folder = Folder::new();
    folder.append("a.log", "");
    let mut tail = folder.tail(pattern).start();
    let mut expected = Vec::new();
    for round in 0..15 {
        for half in 0..2 {
            let lines: Vec<String> =
                (0..200).map(|i| format!("{round:02} {half} {i:03}")).collect();
            folder.append("a.log", lines.join("\n") + "\n");
            expected.extend(lines);
            if (is_seen && half == 0) || round % 3 == 0 {
                tail.wait_for(expected.len());
            }
        }
        folder.copy_and_truncate("a.log", &format!("a.log.{round}"));
    }
    tail.wait_for(expected.len());
    (texts(&tail.stop()), expected)
}

#[test]
fn a_copy_and_truncation_under_way_loses_and_doubles_nothing() {
    for pattern in ["a.log", "a.log*"] {
        let (got, expected) = copy_and_truncate_often(pattern, true);
        assert_same(&got, &expected, pattern);
    }
}

#[test]
fn what_nobody_saw_before_it_was_truncated_is_read_in_the_copy() {
    // What was truncated before anything of it was read cannot be told from what came then, so that it
    // may come after that.
    let (mut got, expected) = copy_and_truncate_often("a.log", false);
    got.sort();
    assert_same(&got, &expected, "a.log");
}

#[test]
fn a_copy_of_a_file_that_stays_is_not_read() {
    let folder = Folder::new();
    let mut tail = folder.tail("a.log*").start();
    folder.append("a.log", "1\n2\n");
    tail.wait_for(2);
    fs::copy(folder.path("a.log"), folder.path("a.log.bak")).unwrap();
    folder.append("a.log", "3\n");
    tail.wait_for(3);
    assert_eq!(texts(&tail.stop()), ["1", "2", "3"]);
}

#[test]
fn a_compressed_file_goes_on_where_its_original_was_read_to() {
    let folder = Folder::new();
    let store = InMemory::default();
    let read = || read_all(&folder.read("a.log"), &store);
    // Read whole, then compressed.
    folder.append("a.log", "1\n".repeat(5000));
    assert_eq!(read().len(), 5000);
    folder.rotate("a.log");
    folder.compress("a.log.1");
    folder.append("a.log", "2\n");
    assert_eq!(read(), ["2"]);
    // Read in part, then compressed at once.
    folder.append("a.log", "3\n".repeat(200_000));
    folder.rename("a.log", "a.log.2");
    folder.compress("a.log.2");
    folder.append("a.log", "4\n");
    let got = read();
    assert_eq!((got.len(), got[0].as_str(), got[200_000].as_str()), (200_001, "3", "4"));
    // Never seen: rotated twice since.
    folder.rename("a.log", "a.log.3");
    folder.append("a.log.4", "5\n");
    folder.append("a.log", "6\n");
    folder.compress("a.log.3");
    folder.compress("a.log.4");
    assert_eq!(read(), ["5", "6"]);
    assert_eq!(read(), Vec::<String>::new());
}

#[test]
fn rotation_with_compression_under_way_loses_and_doubles_nothing() {
    let folder = Folder::new();
    folder.append("a.log", "");
    let store = InMemory::default();
    let mut tail = folder.tail("a.log").start_with(&store);
    let mut expected = Vec::new();
    for round in 0..12 {
        for i in 0..300 {
            expected.push(format!("{round} {i}"));
        }
        let content: String = (0..300).map(|i| format!("{round} {i}\n")).collect();
        folder.append("a.log", content);
        if round % 3 == 0 {
            tail.wait_for(expected.len());
        }
        let name = format!("a.log-202601{:02}", round + 1);
        if round % 2 == 0 {
            folder.rename("a.log", &name);
        } else {
            folder.copy_and_truncate("a.log", &name);
        }
        // A file that comes and goes before anybody looked was never a followed one.
        if round % 3 != 0 {
            tail.wait_for(expected.len());
        }
        folder.compress(&name);
    }
    tail.wait_for(expected.len());
    assert_same(&texts(&tail.stop()), &expected, "a.log");
    nothing_more(&folder.read("a.log"), &store);
}

#[test]
fn a_deleted_file_is_read_to_its_end_although_nothing_takes_its_records() {
    let folder = Folder::new();
    let lines = 2_000_000;
    let content: String = (0..lines).map(|i| format!("{i}\n")).collect();
    folder.append("a.log", &content);
    let mut tail = folder.tail("a.log").start();
    tail.wait_for(1);
    // The readers are held up from here on.
    folder.append("b.log", "not followed\n");
    fs::remove_file(folder.path("a.log")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    folder.append("a.log", "new\n");
    assert_eq!(tail.lines(lines + 1)[lines], "new");
    let got = texts(&tail.stop());
    assert!(got.iter().take(lines).enumerate().all(|(i, line)| *line == i.to_string()));
}

#[test]
fn files_that_come_and_go_while_the_readers_are_held_up_are_read() {
    let folder = Folder::new();
    folder.append("0.log", "first\n".repeat(1_000_000));
    let store = InMemory::default();
    let mut tail = folder.tail("*.log").start_with(&store);
    tail.wait_for(1);
    for i in 1..=20 {
        let known = keys(&store).len();
        folder.append(&format!("{i}.log"), format!("{i}\n"));
        let mut tries = 0;
        while keys(&store).len() <= known && tries < 3000 {
            tries += 1;
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        fs::remove_file(folder.path(&format!("{i}.log"))).unwrap();
    }
    let got = tail.lines(1_000_020);
    assert_eq!(got.iter().filter(|line| *line != "first").count(), 20);
    tail.stop();
}

#[test]
fn what_was_not_delivered_comes_again_from_the_copy() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n");
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.wait_for(1);
    folder.append("a.log", "2\n");
    let lost = tail.hold_next();
    folder.copy_and_truncate("a.log", "a.log.1");
    folder.append("a.log", "3\n");
    tail.wait_for(2);
    // Nobody says what became of the second line, as when the agent is killed.
    std::mem::forget(lost);
    tail.stop();
    folder.compress("a.log.1");
    folder.append("a.log", "4\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["2", "4"]);
}

#[test]
fn a_file_that_is_truncated_while_it_is_read_once_does_not_hold_up_the_end() {
    let folder = Folder::new();
    folder.append("a.log", "line\n".repeat(1_000_000));
    let mut tail = folder.read("a.log").start();
    // The readers are held up from here on.
    drop(tail.hold_next());
    // At once: an empty file would be read to its end, too.
    let mut file = OpenOptions::new().write(true).open(folder.path("a.log")).unwrap();
    file.write_all(b"new\n").unwrap();
    file.set_len(4).unwrap();
    let (got, _) = tail.finish().unwrap();
    assert_eq!(texts(&got).last().unwrap(), "new");
    assert!(got.len() < 1_000_000);
}
