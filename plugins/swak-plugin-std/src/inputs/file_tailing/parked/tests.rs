use std::sync::Arc;

use swak_sdk::data::{Batch, Chunk, Record, Timestamp};
use swak_sdk::plugin::{CheckpointStore, Emitter};
use swak_sdk::prelude::Outcome;
use swak_test::InMemory;
use tokio::sync::mpsc;

use super::*;
use crate::inputs::file_tailing::proof::Proof;

/// The position that is stored.
fn position_in(store: &InMemory) -> Option<Position> {
    Position::from_json(&store.get(KEY)?)
}

/// Since when its file is stored to be missing.
fn missing_in(store: &InMemory) -> Option<u64> {
    position_in(store).and_then(|position| position.missing)
}

const KEY: &str = "file-1";

fn read_up_to(offset: u64) -> Position {
    let id = FileId { device: 1, inode: 2 };
    Position::new(Path::new("/mount/a.log"), "/mount/a.log", id, None).at(offset, Proof::default())
}

fn look(parked: &mut Parked<'_>, presence: Presence) {
    parked.look(|_, _| false, |_| presence);
}

#[test]
fn what_is_on_its_way_is_not_stored_when_its_file_system_is_unmounted() {
    let store = InMemory::default();
    let checkpoints = Checkpoints::new(Box::new(store.clone()));
    let (sender, mut chunks) = mpsc::channel::<Chunk>(4);
    let (counters, ledger) = (Arc::default(), Arc::default());
    let out = Emitter::new(sender, "test".into(), checkpoints.clone(), counters, ledger).blocking();
    let (mut parked, _) = Parked::restore(&checkpoints);
    let record = Record::from_line("1", Timestamp::now());
    out.emit_at(Batch::new(vec![record]), KEY, read_up_to(2).to_json()).unwrap();
    parked.put(KEY.to_owned(), read_up_to(2));
    look(&mut parked, Presence::Unmounted);
    assert!(position_in(&store).is_none(), "nothing was delivered");
    for batch in chunks.try_recv().expect("it was emitted") {
        batch.settle(Outcome::Delivered);
    }
    assert_eq!((position_in(&store).unwrap().offset, missing_in(&store)), (2, None));
    look(&mut parked, Presence::Unmounted);
    assert!(missing_in(&store).is_some());
    assert_eq!(position_in(&store).unwrap().offset, 2);
}

#[test]
fn a_file_that_is_there_again_was_never_missing() {
    let store = InMemory::default();
    let checkpoints = Checkpoints::new(Box::new(store.clone()));
    let mut long_ago = read_up_to(2);
    long_ago.missing = Some(1);
    for is_found in [false, true] {
        store.set(KEY, &long_ago.to_json());
        let (mut parked, _) = Parked::restore(&checkpoints);
        parked.look(|_, _| is_found, |_| Presence::There);
        assert_eq!(missing_in(&store), None);
        look(&mut parked, Presence::Unmounted);
        assert!(!parked.has_orphans() && missing_in(&store).is_some_and(|since| since > 1));
    }
    store.set(KEY, &long_ago.to_json());
    let (mut parked, _) = Parked::restore(&checkpoints);
    look(&mut parked, Presence::Unmounted);
    assert!(parked.has_orphans(), "that was longer than it is remembered");
}
