//! `in.FileTailing` and when files are read: by what the system tells, many at once, each in its turn.

use std::collections::HashMap;
use std::fs;

use swak_test::InMemory;

use crate::harness::{Call, texts};
use crate::tailing::{Folder, keys};

/// Who looks by himself will not see anything before the test is over.
fn told(folder: &Folder, pattern: &str) -> Call {
    let path = folder.path(pattern);
    Call::new("FileTailing").arg(path.to_str().unwrap()).with("poll", "1h").with("rescan", "1h")
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_tells_of_lines_files_and_rotations() {
    let folder = Folder::new();
    folder.append("a.log", "1\n");
    let mut tail = told(&folder, "*.log").start();
    assert_eq!(tail.lines(1), ["1"]);
    for i in 2..20 {
        folder.append("a.log", format!("{i}\n"));
        assert_eq!(tail.lines(i)[i - 1], i.to_string());
    }
    folder.append("b.log", "20\n");
    assert_eq!(tail.lines(20)[19], "20");
    folder.append("b.log", "21\n");
    assert_eq!(tail.lines(21)[20], "21");
    folder.append("a.log", "22\n");
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "23\n");
    assert_eq!(tail.lines(23)[21..], ["22", "23"]);
    fs::write(folder.path("b.log"), "24\n").unwrap();
    assert_eq!(tail.lines(24)[23], "24");
    tail.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn a_busy_file_is_read_on_through_rotations_and_others_have_their_turn() {
    let folder = Folder::new();
    let mut tail = told(&folder, "*.log").start();
    let (mut busy, mut all) = (Vec::new(), 0);
    for day in 1..=5 {
        for _ in 0..150 {
            busy.push(format!("busy {}", busy.len()));
            folder.append("a.log", format!("{}\n", busy[busy.len() - 1]));
            std::thread::sleep(std::time::Duration::from_micros(300));
        }
        // It is being waited at when another one comes, and when it is renamed.
        folder.append("b.log", format!("other {day}\n"));
        folder.append("a.log", format!("before {day}\n"));
        folder.rename("a.log", &format!("a.log-2026010{day}"));
        busy.push(format!("before {day}"));
        all = busy.len() + day;
        tail.wait_for(all);
    }
    let (others, read): (Vec<_>, Vec<_>) =
        tail.lines(all).into_iter().partition(|line| line.starts_with("other"));
    assert_eq!(read, busy);
    assert_eq!(others, ["other 1", "other 2", "other 3", "other 4", "other 5"]);
    tail.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn folders_that_come_later_are_watched_too() {
    let folder = Folder::new();
    fs::create_dir(folder.path("x")).unwrap();
    folder.append("x/a.log", "1\n");
    let mut tail = told(&folder, "**/*.log").start();
    tail.wait_for(1);
    fs::create_dir(folder.path("y")).unwrap();
    folder.append("y/b.log", "2\n");
    assert_eq!(tail.lines(2)[1], "2");
    folder.append("y/c.log", "3\n");
    assert_eq!(tail.lines(3)[2], "3");
    tail.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_tells_of_rotations_where_a_link_leads_to() {
    let folder = Folder::new();
    fs::create_dir(folder.path("links")).unwrap();
    fs::create_dir(folder.path("files")).unwrap();
    std::os::unix::fs::symlink(folder.path("files/0.log"), folder.path("links/a.log")).unwrap();
    folder.append("files/0.log", "0\n");
    let mut tail = told(&folder, "links/*.log").start();
    tail.wait_for(1);
    for i in 0..3 {
        folder.append("files/0.log", format!("{i} unread\n"));
        folder.rename("files/0.log", &format!("files/0.log.2026010{i}-000000"));
        folder.append("files/0.log", format!("{i} new\n"));
        let got = tail.lines(3 + 2 * i);
        assert_eq!(got[1 + 2 * i..], [format!("{i} unread"), format!("{i} new")]);
    }
    tail.stop();
}

#[test]
fn every_file_gets_its_turn() {
    let folder = Folder::new();
    let long = "a line of the file that is in nobody's way\n".repeat(500_000);
    folder.append("0.log", long);
    for i in 1..50 {
        folder.append(&format!("{i}.log"), "short\n");
    }
    let mut tail = folder.tail("*.log").with("threads", 1).start();
    // 20 MB are some eighty blocks.
    let mut short = 0;
    for _ in 0..60 {
        let chunk = tail.hold_next();
        short += chunk.batches().iter().filter(|batch| !batch.source.ends_with("0.log")).count();
        short += chunk.batches().iter().filter(|batch| batch.source.ends_with("10.log")).count();
        std::mem::forget(chunk);
    }
    assert!(short >= 40, "{short} of 49 short files had their turn");
    tail.stop();
}

#[test]
fn many_files_on_several_threads_are_each_read_in_order() {
    let folder = Folder::new();
    let (files, rounds) = (300, 6);
    let mut tail = folder.tail("*.log").with("threads", 4).start();
    for round in 0..rounds {
        for file in 0..files {
            let text: String = (0..20).map(|i| format!("{file} {round} {i}\n")).collect();
            folder.append(&format!("{file}.log"), text);
        }
        if round == 0 {
            // What is rotated before anybody looked for the first time is history.
            tail.wait_for(files * 20);
        }
        if round % 2 == 1 {
            for file in (0..files).step_by(7) {
                folder.rename(&format!("{file}.log"), &format!("{file}.log.{round}"));
            }
        }
    }
    tail.wait_for(files * rounds * 20);
    let mut of_file: HashMap<String, Vec<String>> = HashMap::new();
    for line in texts(&tail.stop()) {
        let file = line.split(' ').next().unwrap().to_owned();
        of_file.entry(file).or_default().push(line);
    }
    assert_eq!(of_file.len(), files);
    for (file, got) in of_file {
        let lines = (0..rounds).flat_map(|r| (0..20).map(move |i| (r, i)));
        let expected: Vec<String> = lines.map(|(r, i)| format!("{file} {r} {i}")).collect();
        assert_eq!(got, expected);
    }
}

#[test]
fn a_stop_while_the_readers_are_held_up_is_soon_and_loses_nothing() {
    let folder = Folder::new();
    let store = InMemory::default();
    let lines = 1_000_000;
    let content: String = (0..lines).map(|i| format!("{i}\n")).collect();
    folder.append("a.log", content);
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.wait_for(1);
    let mut got = texts(&tail.stop());
    assert!(got.len() < lines);
    let mut tail = folder.tail("a.log").start_with(&store);
    tail.wait_for(lines - got.len());
    got.extend(texts(&tail.stop()));
    assert!(got.iter().enumerate().all(|(i, line)| *line == i.to_string()));
    assert_eq!((got.len(), keys(&store).len()), (lines, 1));
}
