//! `in.FileTailing` and which file is which: equal beginnings, inodes that are used again, damaged and
//! older positions.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, Write};

use swak_sdk::plugin::CheckpointStore;
use swak_test::InMemory;

use crate::harness::{assert_same, texts};
use crate::tailing::{Folder, keys, read_all};

/// A header as programs write it at the top of each of their logs.
fn header() -> String {
    (0..50)
        .map(|i| format!("# header line {i:04} of a log file, always the same ##########\n"))
        .collect()
}

fn lines(of: &str, count: usize) -> String {
    (0..count).map(|i| format!("{of} line {i}\n")).collect()
}

#[test]
fn a_file_that_was_written_anew_is_told_by_any_part_of_what_was_read() {
    let folder = Folder::new();
    let store = InMemory::default();
    let footer = "the same 61 bytes at the end of each part, again and again! \n".repeat(40);
    let first = format!("{}first\n{footer}", header());
    folder.append("a.log", &first);
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 91);
    // Begins the same for more than 3,000 bytes, and ends the same before the old offset.
    let second = format!("{}secon\n{footer}more\n", header());
    fs::write(folder.path("a.log"), second).unwrap();
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 92);
}

#[test]
fn what_differs_in_the_middle_of_a_large_file_is_noticed() {
    let folder = Folder::new();
    let store = InMemory::default();
    let content = lines("first", 30_000);
    folder.append("a.log", &content);
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 30_000);
    let middle = 128 << 10;
    let mut changed = content.into_bytes();
    let at = changed[..middle].iter().rposition(|byte| *byte == b'e').unwrap();
    changed[at] = b'E';
    changed.extend(b"more\n");
    fs::write(folder.path("a.log"), changed).unwrap();
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 30_001);
}

#[test]
fn a_file_that_was_truncated_and_grew_while_it_was_followed_is_read_anew() {
    let folder = Folder::new();
    let mut tail = folder.tail("a.log").start();
    let mut expected = 0;
    // In small steps, so that little is known of the last of them.
    for i in 0..20 {
        folder.append("a.log", format!("{i:02}\n=\n"));
        expected += 2;
        tail.wait_for(expected);
    }
    for round in 0..10 {
        let content: String = (0..60 + round).map(|i| format!("{round}{i:02}\n=\n")).collect();
        let mut file = OpenOptions::new().write(true).open(folder.path("a.log")).unwrap();
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        expected += 2 * (60 + round);
        let got = tail.lines(expected);
        assert_eq!(got[expected - 2], format!("{round}{:02}", 59 + round));
    }
    assert_eq!(tail.stop().len(), expected);
}

/// Deletes a file and makes another that gets its inode, if the file system gives it away again.
#[cfg(unix)]
fn reuse_inode(folder: &Folder, name: &str, content: &str) -> bool {
    use std::os::unix::fs::MetadataExt;
    let path = folder.path(name);
    let inode = fs::metadata(&path).unwrap().ino();
    fs::remove_file(&path).unwrap();
    let mut others = Vec::new();
    for i in 0..100 {
        let other = folder.path(&format!("other {i}"));
        let file = File::create(&other).unwrap();
        others.push(other.clone());
        if file.metadata().unwrap().ino() == inode {
            fs::write(&other, content).unwrap();
            fs::rename(&other, &path).unwrap();
            others.pop();
            others.into_iter().for_each(|other| fs::remove_file(other).unwrap());
            return true;
        }
    }
    eprintln!("skipped: this file system does not use inodes again");
    false
}

#[cfg(unix)]
#[test]
fn an_inode_that_is_used_again_is_another_file() {
    let header = header();
    let before = [header.clone(), format!("{header}a\nb\n"), lines("first", 100)];
    let after = [format!("{header}1\n2\n3\n"), header, "x\n".into(), lines("second", 200)];
    for first in &before {
        for second in &after {
            let folder = Folder::new();
            let store = InMemory::default();
            folder.append("a.log", first);
            read_all(&folder.read("a.log"), &store);
            if !reuse_inode(&folder, "a.log", second) {
                return;
            }
            let got = read_all(&folder.read("a.log"), &store);
            let expected: Vec<&str> = second.lines().collect();
            assert_eq!(got, expected);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_inode_that_is_used_again_while_its_file_is_followed_is_another_file() {
    let folder = Folder::new();
    let store = InMemory::default();
    folder.append("a.log", header());
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.wait_for(50);
    // It is held open until it is forgotten, so that its inode cannot be used before.
    let inode_is_free = || keys(&store).is_empty();
    fs::rename(folder.path("a.log"), folder.path("gone")).unwrap();
    folder.append("gone", "the end\n");
    tail.wait_for(51);
    fs::remove_file(folder.path("gone")).unwrap();
    tail.wait_until("forgetting the deleted file", inode_is_free);
    folder.append("a.log", header() + "new\n");
    assert_eq!(tail.lines(102)[101], "new");
    tail.stop();
}

#[test]
fn a_damaged_position_never_harms() {
    let folder = Folder::new();
    folder.append("a.log", lines("a", 1000));
    let store = InMemory::default();
    read_all(&folder.read("a.log"), &store);
    let (key, json) = store.entries().into_iter().find(|(key, _)| key != "started").unwrap();
    let changes: [&dyn Fn(&mut serde_json::Value); 9] = [
        &|p| p["offset"] = u64::MAX.into(),
        &|p| p["offset"] = 1.into(),
        &|p| p["offset"] = (-1).into(),
        &|p| p["head"]["len"] = u64::MAX.into(),
        &|p| p["trace"]["len"] = u64::MAX.into(),
        &|p| p["trace"]["sum"] = "x".into(),
        &|p| p["head"] = serde_json::json!({"len": 0, "hash": "0"}),
        &|p| p["marks"] = serde_json::json!({"len": u64::MAX, "hash": "0"}),
        &|p| *p = serde_json::json!([]),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut position = serde_json::from_str(&json).unwrap();
        change(&mut position);
        store.set(&key, &position.to_string());
        assert_eq!(read_all(&folder.read("a.log"), &store).len(), 1000, "change {i}");
        keys(&store).iter().for_each(|key| store.remove(key));
    }
    for (key, json) in [("started", "x"), ("file-99999999999999999999", "{}"), ("file-", "\u{0}")] {
        store.set(key, json);
    }
    assert_eq!(read_all(&folder.read("a.log"), &store).len(), 1000);
}

#[cfg(unix)]
#[test]
fn a_position_of_an_older_version_is_understood() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::new();
    folder.append("a.log", "abc\ndef\n");
    let found = fs::metadata(folder.path("a.log")).unwrap();
    // FNV-1a of what was read.
    let print = serde_json::json!({"len": 4, "hash": "fc17b183ee074373"});
    let position = serde_json::json!({
        "path": folder.path("a.log"), "device": found.dev(), "inode": found.ino(), "offset": 4,
        "head": print, "trace": print,
    });
    let store = InMemory::default();
    store.set("started", "{}");
    store.set(&format!("file-{:x}-{:x}", found.dev(), found.ino()), &position.to_string());
    assert_eq!(read_all(&folder.read("a.log"), &store), ["def"]);
    assert_eq!(keys(&store).len(), 1);
}

#[test]
fn files_are_known_by_their_paths_where_that_is_asked_for() {
    let folder = Folder::new();
    let store = InMemory::default();
    let read = || read_all(&folder.read("a.log").with("identity", "path"), &store);
    folder.append("a.log", lines("first", 10));
    assert_eq!(read().len(), 10);
    // As a network drive does it: another inode, the same file.
    fs::copy(folder.path("a.log"), folder.path("copy")).unwrap();
    folder.rename("copy", "a.log");
    folder.append("a.log", "more\n");
    assert_eq!(read(), ["more"]);
    folder.append("a.log", "unread\n");
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", lines("second", 20));
    let got = read();
    assert_eq!((got[0].as_str(), got[1].as_str(), got.len()), ("unread", "second line 0", 21));
    // All names lead to other files now.
    folder.append("a.log", "last of second\n");
    folder.rename("a.log.1", "a.log.2");
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "third\n");
    assert_eq!(read(), ["last of second", "third"]);
    assert_eq!(read(), Vec::<String>::new());
}

#[test]
fn files_that_are_known_by_their_paths_are_followed_through_rotations() {
    let folder = Folder::new();
    let mut tail = folder.tail("a.log").with("identity", "path").start();
    let mut expected = Vec::new();
    for round in 0..5 {
        for line in 0..20 {
            expected.push(format!("{round} {line}"));
            folder.append("a.log", format!("{round} {line}\n"));
        }
        tail.wait_for(expected.len());
        expected.push(format!("last of {round}"));
        folder.append("a.log", format!("last of {round}\n"));
        for old in (1..round + 1).rev() {
            folder.rename(&format!("a.log.{old}"), &format!("a.log.{}", old + 1));
        }
        folder.rename("a.log", "a.log.1");
    }
    tail.wait_for(expected.len());
    assert_same(&texts(&tail.stop()), &expected, "a.log");
}

#[cfg(unix)]
#[test]
fn what_was_read_is_remembered_while_its_file_system_is_not_mounted() {
    let folder = Folder::new();
    let store = InMemory::default();
    fs::create_dir(folder.path("mount")).unwrap();
    folder.append("mount/a.log", lines("a", 10));
    let read = || read_all(&folder.read("mount/a.log"), &store);
    assert_eq!(read().len(), 10);
    let change = |change: &dyn Fn(&mut serde_json::Value)| {
        let (key, json) = store.entries().into_iter().find(|(key, _)| key != "started").unwrap();
        let mut position = serde_json::from_str(&json).unwrap();
        change(&mut position);
        store.set(&key, &position.to_string());
    };
    // As if it lay on another device than the folder above.
    change(&|p| p["device"] = (p["device"].as_u64().unwrap() + 1).into());
    folder.rename("mount", "away");
    assert!(read().is_empty());
    assert_eq!(keys(&store).len(), 1);
    folder.rename("away", "mount");
    folder.append("mount/a.log", "more\n");
    assert_eq!(read(), ["more"]);
    // Not for ever.
    change(&|p| p["device"] = (p["device"].as_u64().unwrap() + 1).into());
    change(&|p| p["missing"] = 1.into());
    folder.rename("mount", "away");
    assert!(read().is_empty());
    assert!(keys(&store).is_empty());
}
