//! `in.FileTailing` and files that hold what others hold, or held: copies, common beginnings, history.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use swak_sdk::plugin::CheckpointStore;
use swak_test::InMemory;

use crate::harness::texts;
use crate::tailing::{Folder, read_all};

fn packed(content: &str) -> Vec<u8> {
    let mut to = GzEncoder::new(Vec::new(), Compression::default());
    to.write_all(content.as_bytes()).unwrap();
    to.finish().unwrap()
}

fn numbers(count: usize) -> String {
    (0..count).map(|i| format!("{i}\n")).collect()
}

impl Folder {
    fn truncate(&self, name: &str) {
        OpenOptions::new().write(true).open(self.path(name)).unwrap().set_len(0).unwrap();
    }

    /// Makes a file that was written to a day before it was made.
    fn restore(&self, name: &str, content: impl AsRef<[u8]>) {
        self.append(name, content);
        self.set_modified(name, SystemTime::now() - Duration::from_secs(86_400));
    }

    fn set_modified(&self, name: &str, modified: SystemTime) {
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.set_modified(modified).unwrap();
    }
}

#[test]
fn what_all_files_begin_with_makes_no_copy_of_one_that_is_there() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "# head\n");
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.wait_for(1);
    folder.append("written", "# head\n1\n");
    folder.rename("written", "a.log.1");
    assert_eq!(tail.lines(3), ["# head", "# head", "1"]);
    tail.stop();
    // Truncated while nobody looked, and begun anew with the same.
    for i in 0..2 {
        folder.append("a.log", format!("{i}\n"));
        fs::copy(folder.path("a.log"), folder.path(&format!("a.log.{}", 5 - i))).unwrap();
        folder.truncate("a.log");
        folder.append("a.log", "# head\n");
    }
    folder.append("a.log", "2\n");
    let mut got = read_all(&folder.read("a.log"), &store);
    got.retain(|line| line != "# head");
    got.sort();
    assert_eq!(got, ["0", "1", "2"]);
}

#[test]
fn what_all_files_begin_with_makes_no_copy_of_one_that_is_gone() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "# head\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["# head"]);
    folder.append("keeps the inode", "");
    folder.rename("a.log", "elsewhere");
    fs::create_dir(folder.path("sub")).unwrap();
    folder.rename("elsewhere", "sub/elsewhere");
    folder.append("a.log.1", "# head\n1\n");
    folder.append("a.log", "# head\n2\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["# head", "1", "# head", "2"]);
}

#[test]
fn a_damaged_rotated_file_is_read_as_far_as_it_unpacks() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "first\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["first"]);
    let whole = packed(&numbers(10_000));
    folder.append("a.log.1.gz", &whole[..whole.len() / 2]);
    let (got, counters) = folder.read("a.log").start_with(&store).finish().unwrap();
    let got = texts(&got);
    assert!(got.len() > 2000 && got[2000] == "2000", "{} lines came", got.len());
    assert_eq!(counters.errors, 1);
    assert!(read_all(&folder.read("a.log"), &store).is_empty());
    // And while it follows, after it was waited for what may still come.
    let mut tail = folder.tail("a.log").start_with(&store);
    let other = packed(&"other\n".repeat(3));
    folder.append("a.log.2.gz", &other[..other.len() - 4]);
    assert_eq!(tail.lines(3), ["other"; 3]);
    tail.stop();
}

#[test]
fn an_old_file_that_grows_is_read_from_there_on() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log.1", "old\nno end");
    folder.append("a.log", "new\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["new"]);
    assert!(read_all(&folder.read("a.log"), &store).is_empty());
    folder.append("a.log.1", " yet\nmore\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["no end yet", "more"]);
    assert!(read_all(&folder.read("a.log"), &store).is_empty());
}

#[test]
fn history_that_is_restored_is_not_read() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "1\n");
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.wait_for(1);
    folder.restore("restored", "history\n");
    folder.rename("restored", "a.log.5");
    folder.restore("restored", packed("history\n"));
    folder.rename("restored", "a.log.6.gz");
    tail.wait_until("knowing them", || {
        store.entries().iter().filter(|(_, json)| json.contains("\"skipped\":true")).count() == 2
    });
    folder.append("a.log", "2\n");
    tail.wait_for(2);
    assert_eq!(texts(&tail.stop()), ["1", "2"]);
    // What was written since is read, whatever its name says.
    folder.append("a.log.4", "3\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["3"]);
}

#[test]
fn what_holds_no_more_than_the_head_of_a_newer_file_is_no_copy_of_it() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", "# head\n1\n");
    assert_eq!(read_all(&folder.read("a.log"), &store), ["# head", "1"]);
    folder.rename("a.log", "a.log.2");
    folder.append("packed", packed("# head\n"));
    // The program ended a second before it began once more.
    folder.set_modified("packed", SystemTime::now() - Duration::from_secs(1));
    folder.rename("packed", "a.log.1.gz");
    folder.append("a.log", "# head\n2\n");
    // Not all within one tick of the clock.
    folder.set_modified("a.log", SystemTime::now());
    assert_eq!(read_all(&folder.read("a.log"), &store), ["# head", "# head", "2"]);
    // Copies that have their times from their originals are copies, also of what is compressed.
    let mut tail = folder.tail("a.log").start_with(&store);
    folder.append("a.log", "3\n");
    tail.wait_for(1);
    for (name, copy) in [("a.log", "a.log.bak"), ("a.log.1.gz", "a.log.1.bak.gz")] {
        fs::copy(folder.path(name), folder.path("copy")).unwrap();
        let modified = fs::metadata(folder.path(name)).unwrap().modified().unwrap();
        folder.set_modified("copy", modified);
        folder.rename("copy", copy);
    }
    tail.wait_until("knowing them", || {
        store.entries().iter().filter(|(_, json)| json.contains("\"copied\":true")).count() == 2
    });
    folder.append("a.log", "4\n");
    tail.wait_for(2);
    assert_eq!(texts(&tail.stop()), ["3", "4"]);
}

#[test]
fn what_took_the_place_of_compressed_history_is_read() {
    let long = numbers(1000);
    for (history, new) in [("history\n", long.as_str()), (long.as_str(), "new\n")] {
        let folder = Folder::new();
        let store = InMemory::default();
        folder.restore("a.log.1.gz", packed(history));
        folder.append("a.log", "1\n");
        assert_eq!(read_all(&folder.read("a.log"), &store), ["1"]);
        assert!(read_all(&folder.read("a.log"), &store).is_empty());
        // It keeps the inode.
        fs::write(folder.path("a.log.1.gz"), packed(new)).unwrap();
        let expected: Vec<&str> = new.lines().collect();
        assert_eq!(read_all(&folder.read("a.log"), &store), expected);
        assert!(read_all(&folder.read("a.log"), &store).is_empty());
    }
}

#[test]
fn what_was_found_and_never_delivered_is_no_history_once_it_is_compressed() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.restore("a.log", numbers(100));
    let mut tail = folder.tail("a.log").start_with(&store);
    drop(tail.hold_next());
    tail.stop_undelivered();
    folder.restore("packed", packed(&numbers(100)));
    folder.rename("packed", "a.log.1.gz");
    fs::remove_file(folder.path("a.log")).unwrap();
    folder.append("a.log", "new\n");
    let got = read_all(&folder.read("a.log"), &store);
    assert_eq!(got.len(), 101);
    assert_eq!((got[0].as_str(), got[100].as_str()), ("0", "new"));
    assert!(read_all(&folder.read("a.log"), &store).is_empty());
}

#[test]
fn a_copy_stays_known_when_its_original_is_gone() {
    for is_packed in [false, true] {
        let folder = Folder::new();
        let store = InMemory::default();
        let is_copied = || store.entries().iter().any(|(_, json)| json.contains("\"copied\":true"));
        folder.append("a.log", numbers(5000));
        let mut tail = folder.tail("a.log*").start_with(&store);
        tail.wait_for(5000);
        match is_packed {
            true => folder.append("a.log.bak.gz", packed(&numbers(5000))),
            false => drop(fs::copy(folder.path("a.log"), folder.path("a.log.bak")).unwrap()),
        }
        tail.wait_until("knowing the copy", is_copied);
        folder.append("a.log", "more\n");
        tail.wait_for(5001);
        fs::remove_file(folder.path("a.log")).unwrap();
        folder.append("a.log", "new\n");
        assert_eq!(tail.lines(5002)[5001], "new");
        assert_eq!(tail.stop().len(), 5002);
        assert!(read_all(&folder.read("a.log*"), &store).is_empty());
        if !is_packed {
            folder.append("a.log.bak", "written into it\n");
            assert_eq!(read_all(&folder.read("a.log*"), &store), ["written into it"]);
        }
    }
}

#[test]
fn what_path_and_rotated_both_name_is_a_rotated_file() {
    let folder = Folder::new();
    let store = InMemory::default();
    let pattern = folder.path("*-old.log");
    let read = || folder.read("*.log").with("rotated", pattern.to_str().unwrap());
    folder.append("a-old.log", "history\n");
    folder.append("a.log", "1\n");
    folder.append("b.log", "2\n");
    let mut got = read_all(&read(), &store);
    got.sort();
    assert_eq!(got, ["1", "2"]);
    folder.append("a.log", "3\n");
    folder.rename("a.log", "a-old.log");
    folder.append("a.log", "4\n");
    let (got, _) = read().start_with(&store).finish().unwrap();
    assert_eq!(texts(&got), ["3", "4"]);
    assert!(got.iter().all(|g| g.source.ends_with("a.log") && !g.source.contains("old")));
    assert!(read_all(&read(), &store).is_empty());
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_rotated_where_it_lies() {
    let folder = Folder::new();
    let store = InMemory::default();
    for sub in ["links", "pods", "files"] {
        fs::create_dir(folder.path(sub)).unwrap();
    }
    // As Kubernetes does it: two links to each file.
    let link = |from: &str, to: &str| {
        std::os::unix::fs::symlink(folder.path(to), folder.path(from)).unwrap();
    };
    link("links/a.log", "pods/0.log");
    link("pods/0.log", "files/id-json.log");
    folder.append("files/id-json.log", "0\n");
    folder.append("files/id-json.log.7", "history\n");
    assert_eq!(read_all(&folder.read("links/*.log"), &store), ["0"]);
    let mut expected = Vec::new();
    for i in 1..=3 {
        folder.append("files/id-json.log", format!("{i} unread\n"));
        expected.push(format!("{i} unread"));
        for old in (1..i).rev() {
            folder.rename(
                &format!("files/id-json.log.{old}"),
                &format!("files/id-json.log.{}", old + 1),
            );
        }
        folder.rename("files/id-json.log", "files/id-json.log.1");
    }
    folder.append("files/id-json.log", "new\n");
    expected.push("new".into());
    let (got, _) = folder.read("links/*.log").start_with(&store).finish().unwrap();
    assert_eq!(texts(&got), expected);
    assert!(got.iter().all(|g| g.source.ends_with("links/a.log")), "one source, one order");
    assert!(read_all(&folder.read("links/*.log"), &store).is_empty());
    // The link is gone, and the file has another name.
    folder.append("files/id-json.log", "last\n");
    folder.rename("files/id-json.log", "files/id-json.log.20260102-030405");
    fs::remove_file(folder.path("links/a.log")).unwrap();
    assert_eq!(read_all(&folder.read("links/*.log"), &store), ["last"]);
}
