//! `in.FileTailing` and files that were made as long as they will be, and are written into.

use std::fs::File;
use std::io::{Seek, Write};

use swak_test::InMemory;

use crate::tailing::{Folder, keys};

#[test]
fn a_preallocated_file_is_followed_through_its_nul_bytes() {
    for start in ["beginning", "end"] {
        let folder = Folder::new();
        let mut file = File::create(folder.path("a.log")).unwrap();
        file.set_len(3 << 20).unwrap();
        let store = InMemory::default();
        let mut tail = folder.tail("a.log").with("start", start).start_with(&store);
        tail.wait_until("following it", || !keys(&store).is_empty());
        let mut expected = Vec::new();
        for round in 0..40 {
            // Half a line waits for its other half, also beyond what is read at once.
            let line = format!("{round} {}", "x".repeat(round * 3001 % 90_000));
            let (one, other) = line.split_at(line.len() / 2);
            file.write_all(one.as_bytes()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
            file.write_all(format!("{other}\n").as_bytes()).unwrap();
            expected.push(line);
        }
        // NUL bytes before the end of a line are part of it.
        let nul = "\0".repeat(300_000);
        file.write_all(format!("a{nul}b\n").as_bytes()).unwrap();
        expected.push(format!("a{nul}b"));
        assert!(tail.lines(41) == expected);
        // Some are left when nothing more is expected.
        file.write_all(b"no end").unwrap();
        let end = file.stream_position().unwrap();
        assert!(end < 3 << 20);
        folder.rename("a.log", "a.log.1");
        assert_eq!(tail.lines(42)[41], "no end");
        tail.stop();
    }
}

#[test]
fn what_was_written_far_behind_a_hole_is_read_before_a_file_is_given_up() {
    let folder = Folder::new();
    let store = InMemory::default();
    let mut file = File::create(folder.path("a.log")).unwrap();
    file.set_len(2 << 20).unwrap();
    file.write_all(b"1\n").unwrap();
    let mut tail = folder.tail("a.log").with("max_line", 1000).start_with(&store);
    tail.wait_for(1);
    // At once, so that it cannot be seen to have changed in between.
    let hole = "\0".repeat(1 << 20);
    file.write_all(format!("2\n{hole}3\n4\n").as_bytes()).unwrap();
    tail.wait_for(2);
    folder.rename("a.log", "a.log.1");
    let got = tail.lines(4);
    assert_eq!((got[1].as_str(), got[2].len(), got[3].as_str()), ("2", 1000, "4"));
    tail.stop();
}
