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
    assert!(!follower.take_up(&source, vec![new(&found), rotated], true), "one is not there");
    assert!(follower.files.is_empty());
    assert!(follower.take_up(&source, vec![new(&found)], true));
    let begun = follower.files.values().next().expect("it is followed").begun;
    assert!(begun.is_some() && begun.map(i128::from) == found.modified);
    assert!(follower.begun_anew.is_empty());
}
