use std::fs;
use std::io::Write;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::inputs::file_tailing::harness::Still;

#[test]
fn a_file_that_began_anew_is_known_as_such_although_the_look_was_put_off() {
    let still = Still::new();
    let mut follower = still.follower();
    let source = still.path("a.log");
    let mut tail = Tail::new(still.write("a.log", "before\n"), "", "file-1".into());
    tail.skip_to_end(follower.settings).unwrap();
    follower.parked.put("file-1".into(), tail.position());
    let found = still.write("a.log", "and now something else\n");
    let new = |found: &Found| New { found: found.clone(), is_named: true, source: None };
    let mut rotated = new(&still.write("a.log.1", "was renamed once more\n"));
    rotated.is_named = false;
    fs::remove_file(&rotated.found.path).unwrap();
    assert!(
        !follower.take_up(&source, vec![new(&found), rotated], &mut Vec::new(), true),
        "one is not there"
    );
    assert!(follower.files.is_empty());
    assert!(follower.take_up(&source, vec![new(&found)], &mut Vec::new(), true));
    let begun = follower.files.values().next().expect("it is followed").begun;
    assert!(begun.is_some() && begun.map(i128::from) == found.modified);
    assert!(follower.begun_anew.is_empty());
}

#[test]
fn only_what_still_holds_what_was_read_of_it_tells_of_the_order() {
    let still = Still::new();
    let mut follower = still.follower();
    let source = still.path("a.log");
    let name = source.to_str().unwrap();
    // Of one nothing was read, one is deleted, and one truncated.
    for (file, is_read) in
        [("a.log.1", true), ("a.log.3", true), ("a.log.4", true), ("a.log.6", false)]
    {
        let mut tail = Tail::new(still.write(file, "0\n1\n"), name, file.into());
        if is_read {
            tail.skip_to_end(follower.settings).unwrap();
        }
        follower.insert(tail, Some(Instant::now()));
    }
    fs::remove_file(still.path("a.log.1")).unwrap();
    still.write("a.log.4", "");
    for (file, key, is_truncated) in [("a.log.7", "file-7", false), ("a.log.8", "file-8", true)] {
        let mut tail = Tail::new(still.write(file, "0\n1\n"), name, key.into());
        tail.skip_to_end(follower.settings).unwrap();
        follower.parked.put(key.into(), tail.position());
        if is_truncated {
            still.write(file, "2\n3\n");
        }
    }
    let found = |name| Found::at(still.path(name), follower.settings.identity).unwrap().unwrap();
    let new = [found("a.log.7"), found("a.log.8"), still.write("a.log.2", "1\n")];
    let mut known = follower.known_since(&source, &new);
    known.sort_by_key(|(_, since)| *since);
    let expected = [
        (still.path("a.log.7"), Since::Before(7)),
        (still.path("a.log.3"), Since::Followed(1)),
        (still.path("a.log.2"), Since::Now),
    ];
    assert_eq!(known, expected);
}

#[test]
fn what_was_unpacked_only_to_be_compared_is_still_to_be_read() {
    let still = Still::new();
    let follower = still.follower();
    let source = still.path("a.log");
    let name = source.to_str().unwrap();
    let mut read = Tail::new(still.write("a.log", "1\n"), name, "1".into());
    read.skip_to_end(follower.settings).unwrap();
    let path = still.path("a.log.1.gz");
    let mut packed = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::fast());
    packed.write_all(b"1\n2\n").unwrap();
    packed.finish().unwrap();
    let found = Found::at(path, follower.settings.identity).unwrap().unwrap();
    let mut copy = Tail::new(found, name, "2".into());
    assert!(copy.resume(&read.position(), follower.settings).unwrap());
    // That unpacks all of it.
    assert!(copy.is_unfinished(follower.settings).is_ok_and(|is_unfinished| !is_unfinished));
    assert_eq!((copy.position().offset, copy.position().packed.is_some()), (2, false));
}
