//! Single faults, each with what must come of it.

use crate::format::segment_name;
use crate::simulated::{Crash, Simulated};
use crate::storage::{Storage, StoredFile};
use crate::{
    Cause, Count, Durability, FileSystem, Next, Queue, Replay, Settings, repair, replay, survey,
};

/// Two frames of 1000 bytes, each of two records, make a segment.
const SETTINGS: Settings = Settings {
    segment_size: 2500,
    max_size: 100_000,
    durability: Durability::Synced,
    keep_in_memory: 0,
};

fn open(disk: &Simulated) -> Queue<Simulated> {
    Queue::open(disk.clone(), SETTINGS).unwrap()
}

fn append(queue: &mut Queue<Simulated>, count: u64) {
    for _ in 0..count {
        let seq = queue.end().seq;
        queue.append(&[seq as u8; 1000], 2, 1000).unwrap();
    }
}

/// A buffer of so many frames that were stored.
fn with(frames: u64) -> Simulated {
    let disk = Simulated::new(frames + 1);
    let mut queue = open(&disk);
    append(&mut queue, frames);
    queue.sync().unwrap();
    queue.sync_position().unwrap();
    disk
}

fn of(frames: u64) -> Count {
    Count { frames, records: frames * 2, bytes: frames * 1000 }
}

/// All that comes: what was lost, and the numbers of the frames. Everything is acknowledged.
fn drain(queue: &mut Queue<Simulated>) -> (Count, Vec<u64>) {
    let (mut lost, mut came) = (Count::default(), Vec::new());
    while let Some(next) = queue.next().unwrap() {
        match next {
            Next::Lost(count) => lost += count,
            Next::Frame(frame) => {
                assert_eq!(frame.payload, [frame.seq as u8; 1000]);
                queue.ack(frame.seq);
                came.push(frame.seq);
            }
        }
    }
    (lost, came)
}

#[test]
fn what_is_kept_in_memory_is_given_back_as_it_is_and_all_else_is_read() {
    let disk = Simulated::new(1);
    let settings = Settings { keep_in_memory: 1000, ..SETTINGS };
    let mut queue = Queue::<_, Kept>::open_keeping(disk, settings).unwrap();
    for i in 0..6 {
        queue.append_parts(&[b"frame ", &[i]], 1, 7).unwrap();
        // The second and all behind the third one are not kept.
        if i != 1 {
            queue.keep(if i == 3 { 1000 } else { 10 }, || Kept::Number(i));
        }
        if i < 2 {
            let expected =
                if i == 0 { Kept::Number(0) } else { Kept::Bytes(b"frame \x01".to_vec()) };
            assert_eq!(come(&mut queue), [expected]);
        }
    }
    let mut expected = vec![Kept::Number(2)];
    expected.extend((3..6).map(|i| Kept::Bytes([b"frame ", &[i][..]].concat())));
    assert_eq!(come(&mut queue), expected);
}

#[derive(Debug, PartialEq)]
enum Kept {
    Number(u8),
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for Kept {
    fn from(bytes: Vec<u8>) -> Self {
        Kept::Bytes(bytes)
    }
}

/// All that comes.
fn come(queue: &mut Queue<Simulated, Kept>) -> Vec<Kept> {
    let next = || match queue.next().unwrap()? {
        Next::Frame(frame) => Some(frame.payload),
        Next::Lost(lost) => panic!("{lost:?} are lost"),
    };
    std::iter::from_fn(next).collect()
}

#[test]
fn a_damaged_end_is_missed_after_a_kill_and_its_numbers_are_not_used_again() {
    let disk = Simulated::new(1);
    let mut queue = open(&disk);
    append(&mut queue, 5);
    queue.sync().unwrap();
    queue.save_position().unwrap();
    drop(queue);
    disk.crash(Crash::Kill);
    // A payload, and a header.
    disk.flip(&segment_name(4), 500);
    disk.spoil(&segment_name(2), 48 + 1056..5000);
    let mut queue = open(&disk);
    assert_eq!(queue.holds(), of(5));
    append(&mut queue, 1);
    let (lost, came) = drain(&mut queue);
    assert_eq!((lost, came), (of(2), vec![0, 1, 2, 5]));
    assert_eq!(queue.gone().of(Cause::Damaged), of(2));
}

#[test]
fn what_a_failed_sync_has_forgotten_is_written_anew() {
    for seed in 0..100 {
        let disk = Simulated::new(seed);
        let mut queue = open(&disk);
        append(&mut queue, 3);
        queue.sync().unwrap();
        queue.save_position().unwrap();
        append(&mut queue, 1);
        disk.fail(0, 1);
        queue.sync().unwrap_err();
        drop(queue);
        // It is all there to see, and a sync of it goes well.
        let mut queue = open(&disk);
        assert_eq!(queue.holds(), of(4));
        queue.sync().unwrap();
        drop(queue);
        disk.crash(Crash::PowerLoss);
        assert_eq!(drain(&mut open(&disk)), (Count::default(), vec![0, 1, 2, 3]), "seed {seed}");
    }
}

fn bytes(disk: &Simulated, name: &str) -> Vec<u8> {
    let file = disk.open(name, false).unwrap();
    let mut bytes = vec![0; file.size().unwrap() as usize];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    bytes
}

#[test]
fn what_a_crash_brings_back_of_what_was_written_anew_does_not_stand_in_the_way() {
    let disk = with(1);
    let mut queue = open(&disk);
    append(&mut queue, 6);
    drop(queue);
    // What was not stored, 1 to 6, lies in four segments, then in one.
    let old = ["position".to_owned(), segment_name(4)].map(|name| (bytes(&disk, &name), name));
    drop(open(&disk));
    // The power fails before the removal of one is durable, and the position.
    for (bytes, name) in old {
        let _ = disk.remove(&name);
        disk.create(&name).unwrap().write_at(&[&bytes], 0).unwrap();
    }
    let mut queue = open(&disk);
    assert_eq!(queue.holds(), of(7));
    append(&mut queue, 1);
    assert_eq!(drain(&mut queue), (Count::default(), (0..8).collect()));
}

#[test]
fn on_a_full_disk_it_opens_and_goes_on() {
    let disk = with(3);
    let mut queue = open(&disk);
    append(&mut queue, 1);
    drop(queue);
    disk.set_capacity(Some(disk.used()));
    let mut queue = open(&disk);
    assert!(queue.opened().trusts_disk);
    assert_eq!(drain(&mut queue), (Count::default(), vec![0, 1, 2, 3]));
}

/// Of a buffer whose first frame was stored, and whose second one a failed sync has forgotten: what is told to
/// be lost and what comes when it was opened, with or without room to write it anew, and the power failed at an
/// operation of that. `None` when it was open before.
fn cut_off_after_a_failed_sync(fuse: u64, seed: u64, has_room: bool) -> Option<(Count, Vec<u64>)> {
    let disk = Simulated::new(seed);
    // A segment takes one frame: all of the second one's may be gone.
    let settings = Settings { segment_size: 1200, ..SETTINGS };
    let open = || Queue::open(disk.clone(), settings);
    let mut queue = open().unwrap();
    append(&mut queue, 1);
    queue.sync().unwrap();
    queue.sync_position().unwrap();
    append(&mut queue, 1);
    disk.fail(0, 1);
    queue.sync().unwrap_err();
    drop(queue);
    if !has_room {
        disk.set_capacity(Some(disk.used()));
    }
    disk.set_fuse(fuse);
    let opened = open();
    if !disk.is_dead() {
        assert_eq!(opened.unwrap().opened().trusts_disk, !has_room);
        return None;
    }
    disk.crash(Crash::PowerLoss);
    disk.set_capacity(None);
    let mut queue = open().unwrap();
    let put_aside = queue.opened().put_aside.len();
    let (lost, came) = drain(&mut queue);
    assert!(put_aside as u64 <= lost.frames, "{put_aside} are put aside, {lost:?} are lost");
    Some((lost, came))
}

#[test]
fn what_a_failed_sync_has_forgotten_is_told_to_be_lost_only_where_it_was_taken_for_stored() {
    for has_room in [true, false] {
        let (mut has_come, mut was_lost, mut was_never) = (0, 0, 0);
        for seed in 0..50 {
            let cuts = (0..100).map_while(|fuse| cut_off_after_a_failed_sync(fuse, seed, has_room));
            let mut operations = 0;
            for (lost, came) in cuts {
                operations += 1;
                match (lost.frames, came.as_slice()) {
                    (0, [0, 1]) => has_come += 1,
                    (0, [0]) => was_never += 1,
                    (1, [0]) => was_lost += 1,
                    _ => panic!("{lost:?} are lost, {came:?} come"),
                }
            }
            assert!((5..100).contains(&operations), "{operations}");
        }
        assert!(has_come > 0 && was_never > 0, "{has_come}, {was_never}");
        assert_eq!(was_lost > 0, !has_room, "{was_lost}");
    }
}

#[test]
fn on_a_full_disk_it_opens_without_its_whole_position_and_makes_room_for_it() {
    for len in [None, Some(0), Some(100), Some(4096), Some(9000)] {
        let disk = with(24);
        match len {
            None => disk.remove("position").unwrap(),
            Some(len) => disk.open("position", true).unwrap().truncate(len).unwrap(),
        }
        disk.set_capacity(Some(disk.used()));
        let mut queue = open(&disk);
        assert_eq!(queue.holds(), of(24), "{len:?}");
        let has_slot = len.is_some_and(|len| len >= 4096);
        assert_eq!(queue.is_position_synced(), has_slot, "{len:?}");
        assert_eq!(queue.save_position().is_ok(), has_slot, "{len:?}");
        assert_eq!(drain(&mut queue), (Count::default(), (0..24).collect()), "{len:?}");
        queue.sync_position().unwrap();
        drop(queue);
        disk.crash(Crash::PowerLoss);
        let queue = open(&disk);
        assert!(!queue.opened().position_lost, "{len:?}");
        assert_eq!((queue.holds(), queue.gone().of(Cause::Damaged)), Default::default(), "{len:?}");
        assert_eq!(queue.end().seq, 24, "{len:?}");
    }
}

/// Five frames in the only segment on a full disk, which are discarded; the world ends at an operation of
/// that, unless it is over before. Gives whether it is.
fn discard_the_only_segment(fuse: u64, crash: Crash, has_names: bool) -> bool {
    let case = format!("{crash:?} at {fuse}, {has_names}");
    let disk = Simulated::new(fuse + 1);
    let settings = Settings { segment_size: 50_000, ..SETTINGS };
    let mut queue = Queue::open(disk.clone(), settings).unwrap();
    append(&mut queue, 5);
    queue.sync().unwrap();
    queue.sync_position().unwrap();
    disk.set_capacity(Some(disk.used()));
    assert!(queue.append(&[5; 1000], 2, 1000).is_err(), "{case}");
    if !has_names {
        // The old one is synced, the new one is not made.
        disk.fail(1, 1);
    }
    disk.set_fuse(fuse);
    let discarded = queue.discard_oldest(Cause::DiskFull);
    let is_done = !disk.is_dead();
    if is_done {
        let discarded = discarded.unwrap().expect("five are held");
        assert_eq!((discarded.lost, discarded.before), (of(5), 5), "{case}");
        assert_eq!((queue.size(), queue.holds()), (0, Count::default()), "{case}");
        disk.set_fuse(1000);
        append(&mut queue, 1);
        queue.sync().unwrap();
        queue.sync_position().unwrap();
    }
    drop(queue);
    disk.crash(crash);
    let mut queue = open(&disk);
    let gone = queue.gone().of(Cause::DiskFull);
    let (lost, came) = drain(&mut queue);
    assert_eq!((lost, queue.end().seq), (Count::default(), 5 + u64::from(is_done)), "{case}");
    match gone.is_zero() {
        true => assert_eq!((came, is_done), ((0..5).collect(), false), "{case}"),
        false => assert_eq!((gone, came), (of(5), Vec::from_iter(is_done.then_some(5))), "{case}"),
    }
    is_done
}

#[test]
fn on_a_full_disk_the_only_segment_is_discarded_and_counted_whatever_happens_meanwhile() {
    for crash in [Crash::Kill, Crash::PowerLoss] {
        for has_names in [true, false] {
            let first_done =
                (0..100).find(|fuse| discard_the_only_segment(*fuse, crash, has_names));
            assert!(first_done.is_some_and(|fuse| fuse > 4), "{first_done:?}");
        }
    }
}

#[test]
fn a_segment_of_which_nothing_is_readable_has_its_place_between_the_others() {
    let disk = with(6);
    disk.spoil(&segment_name(2), 0..5000);
    let mut queue = open(&disk);
    assert_eq!(queue.holds(), of(6));
    let discarded = queue.discard_oldest(Cause::BufferFull).unwrap().unwrap();
    assert_eq!((discarded.lost, discarded.before, queue.holds()), (of(2), 2, of(4)));
    assert_eq!(drain(&mut queue), (of(2), vec![4, 5]));
}

#[test]
fn without_its_position_an_unreadable_beginning_is_no_more_than_it_can_be() {
    let disk = with(6);
    let mut queue = open(&disk);
    for _ in 0..3 {
        let Some(Next::Frame(frame)) = queue.next().unwrap() else { panic!("there are six") };
        queue.ack(frame.seq);
    }
    // The first segment is deleted.
    queue.sync_position().unwrap();
    drop(queue);
    disk.spoil(&segment_name(2), 0..5000);
    disk.remove("position").unwrap();
    let queue = open(&disk);
    // How many records were in it is known to nobody; those before it are not in it.
    assert_eq!(queue.holds(), Count { frames: 4, ..of(2) });
}

#[test]
fn when_nothing_is_readable_no_number_is_used_again() {
    let disk = with(2);
    disk.spoil(&segment_name(0), 0..5000);
    disk.remove("position").unwrap();
    let mut queue = open(&disk);
    assert_eq!(queue.opened().put_aside, [format!("{}.damaged", segment_name(0))]);
    let seq = queue.append(b"goes on", 1, 7).unwrap();
    assert!(seq >= 2, "{seq} was the number of another one");
}

#[test]
fn what_cannot_be_read_is_put_aside_when_it_is_done() {
    let disk = with(8);
    disk.flip(&segment_name(0), 500);
    let mut queue = open(&disk);
    assert!(matches!(queue.next().unwrap(), Some(Next::Lost(_))));
    let Some(Next::Frame(frame)) = queue.next().unwrap() else { panic!("the second is whole") };
    queue.ack(frame.seq);
    let Some(Next::Frame(frame)) = queue.next().unwrap() else { panic!("the third is whole") };
    queue.ack(frame.seq);
    queue.skip_segment();
    assert_eq!(drain(&mut queue), (of(1), vec![4, 5, 6, 7]));
    queue.sync_position().unwrap();
    let seen = survey(&disk).unwrap();
    let aside: Vec<_> = seen.aside.iter().map(|aside| aside.name.clone()).collect();
    assert_eq!(aside, [0, 2].map(|first| format!("{}.damaged", segment_name(first))));
    assert!(!seen.is_damaged(), "{seen:?}");
    // On a full disk they go first.
    disk.set_capacity(Some(disk.used()));
    append(&mut queue, 1);
    assert_eq!(survey(&disk).unwrap().aside, []);
}

#[test]
fn a_disk_that_cannot_read_keeps_nobody_from_opening() {
    for after in 0..40 {
        for fails in [2, 3] {
            let disk = with(6);
            disk.damage_reads(after, fails);
            let mut queue = open(&disk);
            let held = queue.holds();
            disk.damage_reads(0, 0);
            let (lost, came) = drain(&mut queue);
            assert_eq!(lost.frames + came.len() as u64, held.frames, "{after}");
            if fails == 2 {
                assert_eq!(came, [0, 1, 2, 3, 4, 5], "it is tried more than once");
            }
            // One segment at the most, or the position.
            assert!(came.len() >= 4, "{after}: {came:?}");
        }
    }
}

#[test]
fn a_repair_keeps_what_is_left_of_a_torn_end_that_was_stored() {
    let disk = with(3);
    let name = segment_name(2);
    disk.open(&name, true).unwrap().truncate(600).unwrap();
    let repaired = repair(&disk).unwrap();
    assert_eq!((repaired.marked, &repaired.put_aside), (of(1), &vec![format!("{name}.damaged")]));
    assert_eq!(disk.size(&repaired.put_aside[0]).unwrap(), 600);
    assert_eq!(drain(&mut open(&disk)), (of(1), vec![0, 1]));
}

#[test]
fn a_replay_does_not_pass_over_what_waits() {
    let disk = with(6);
    assert_eq!(replay(&disk, Some(4), false).unwrap(), Replay::WouldSkip(of(4)));
    assert_eq!(replay(&disk, Some(9), true).unwrap(), Replay::NoSuchFrame);
    // What is lost is counted as that, and not as skipped.
    disk.remove(&segment_name(0)).unwrap();
    let Replay::Done(done) = replay(&disk, None, false).unwrap() else { panic!("nothing waits") };
    assert_eq!((done.now.seq, done.skipped), (0, Count::default()));
    let Replay::Done(done) = replay(&disk, Some(4), true).unwrap() else { panic!("it may skip") };
    assert_eq!((done.now.seq, done.skipped), (4, of(4)));
    let queue = open(&disk);
    assert_eq!((queue.holds(), queue.gone().of(Cause::Skipped)), (of(2), of(4)));
}

#[test]
fn what_is_delivered_and_deleted_while_somebody_looks_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let settings = Settings { durability: Durability::Written, ..SETTINGS };
    let mut queue = Queue::open(FileSystem::lock(&path).unwrap(), settings).unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let agent = std::thread::spawn(move || {
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            for _ in 0..5 {
                let seq = queue.append(&[7; 1000], 2, 1000).unwrap();
                queue.save_position().unwrap();
                // Up to ten of them wait.
                if seq >= 10
                    && let Some(Next::Frame(frame)) = queue.next().unwrap()
                {
                    queue.ack(frame.seq);
                    queue.save_position().unwrap();
                }
            }
        }
    });
    for round in 0..400 {
        let seen = survey(&FileSystem::look(&path)).unwrap();
        assert!(!seen.is_damaged() && seen.lost.is_zero(), "round {round}: {seen:?}");
    }
    stop.send(()).unwrap();
    agent.join().unwrap();
}

#[test]
fn a_segment_that_was_just_begun_is_not_damaged() {
    let disk = with(3);
    disk.create(&segment_name(3)).unwrap();
    let seen = survey(&disk).unwrap();
    assert!(!seen.is_damaged(), "{seen:?}");
}
