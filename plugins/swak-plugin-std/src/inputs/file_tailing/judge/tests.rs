use std::fs;

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
fn where_a_deleted_file_was_seen_last_says_nothing_of_the_order() {
    let still = Still::new();
    let mut follower = still.follower();
    let source = still.path("a.log");
    for (name, is_deleted) in [("a.log.1", true), ("a.log.3", false)] {
        let found = still.write(name, "0\n");
        follower.insert(
            Tail::new(found.clone(), source.to_str().unwrap(), name.into()),
            Some(Instant::now()),
        );
        if is_deleted {
            fs::remove_file(found.path).unwrap();
        }
    }
    let new = [still.write("a.log.2", "1\n"), still.write("a.log.1", "2\n")];
    let mut known = follower.known_since(&source, &new);
    known.sort_by_key(|(_, since)| *since);
    let expected = [
        (still.path("a.log.3"), Since::Followed(1)),
        (still.path("a.log.2"), Since::Now),
        (still.path("a.log.1"), Since::Now),
    ];
    assert_eq!(known, expected);
}
