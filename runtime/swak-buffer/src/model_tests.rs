//! Crash safety: random operations on a simulated file system with a crash at any of its operations,
//! compared with a model of the contract.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::simulated::{Crash, Simulated};
use crate::storage::Storage;
use crate::{
    AppendError, Cause, Durability, Next, Queue, Replay, Replayed, Settings, repair, replay, survey,
};

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Sync,
    Read(usize),
    /// Acknowledges the nth of those that were read.
    Ack(usize),
    SavePosition,
    SyncPosition,
    Discard,
    Fail {
        after: u64,
        count: u64,
    },
    FailReads {
        after: u64,
        count: u64,
    },
    /// There is room for so many bytes more, or for any number.
    Room(Option<usize>),
    Verify,
    LiftLimit,
    Reopen,
    /// Opens it again after the read position was set to the nth of the last frames.
    Replay {
        back: u64,
        may_skip: bool,
    },
}

#[derive(Clone, Debug)]
struct Run {
    steps: Vec<Step>,
    fuse: u64,
    crash: Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop_oneof![0usize..40, 0usize..3000].prop_map(Step::Append),
        4 => Just(Step::Sync),
        4 => (1usize..6).prop_map(Step::Read),
        6 => (0usize..4).prop_map(Step::Ack),
        2 => Just(Step::SavePosition),
        2 => Just(Step::SyncPosition),
        1 => Just(Step::Discard),
        1 => (0u64..4, 1u64..3).prop_map(|(after, count)| Step::Fail { after, count }),
        1 => (0u64..4, 1u64..9).prop_map(|(after, count)| Step::FailReads { after, count }),
        1 => prop::option::of(0usize..9000).prop_map(Step::Room),
        1 => Just(Step::Verify),
        1 => Just(Step::LiftLimit),
        1 => Just(Step::Reopen),
        1 => (0u64..12, any::<bool>())
            .prop_map(|(back, may_skip)| Step::Replay { back, may_skip }),
    ]
}

fn run() -> impl Strategy<Value = Run> {
    let crash = prop_oneof![Just(Crash::Kill), Just(Crash::PowerLoss)];
    (prop::collection::vec(step(), 0..60), 0u64..120, crash).prop_map(|(steps, fuse, crash)| Run {
        steps,
        fuse,
        crash,
    })
}

/// What the contract says.
#[derive(Default)]
struct Model {
    /// Every frame that was ever appended under a number, the last one that was.
    appended: BTreeMap<u64, Vec<u8>>,
    next: u64,
    /// Everything before this is durable.
    synced: u64,
    /// What was not synced when a crash came: single ones of it may be missing, and this is told.
    unsure: BTreeSet<u64>,
    /// Everything before this was acknowledged or discarded, in this run.
    done: u64,
    /// The position that was made durable last: nothing before it comes again.
    position: u64,
    given: BTreeMap<u64, Given>,
    /// On a full disk what was not known to be durable was left where it was.
    trusts_disk: bool,
    /// It was ever so, or somebody went back to what was done before it was durable.
    may_miss_some: bool,
    /// How many frames before `done` were given up, and each pair of these two that ever was: what is
    /// found after a crash is one of them.
    gone: u64,
    states: BTreeSet<(u64, u64)>,
    serial: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Open,
    Acked,
    Lost,
}

impl Model {
    fn payload(&mut self, size: usize) -> Vec<u8> {
        self.serial += 1;
        let mut payload = self.serial.to_le_bytes().to_vec();
        payload.resize(8 + size, self.serial as u8);
        payload
    }

    /// Reads one and holds it against what was appended.
    fn read(&mut self, queue: &mut Queue<Simulated>, cursor: &mut u64) -> Result<bool, String> {
        match queue.next() {
            Err(_) | Ok(None) => Ok(false),
            Ok(Some(Next::Lost(lost))) => {
                let (from, to) = (*cursor, *cursor + lost.frames);
                *cursor = to;
                if let Some(synced) = (from..to).find(|seq| !self.unsure.contains(seq)) {
                    return Err(format!("lost {from}..{to}, but {synced} was synced"));
                }
                if lost.records != lost.frames * 2 {
                    return Err(format!("the records of {lost:?} are wrong"));
                }
                for seq in from..to {
                    self.given.insert(seq, Given::Lost);
                }
                self.advance();
                Ok(true)
            }
            Ok(Some(Next::Frame(frame))) => {
                if frame.seq != *cursor {
                    return Err(format!("{} came and not {cursor}", frame.seq));
                }
                if self.appended.get(&frame.seq) != Some(&frame.payload) || frame.records != 2 {
                    return Err(format!("{} is not what was appended", frame.seq));
                }
                *cursor += 1;
                self.given.insert(frame.seq, Given::Open);
                Ok(true)
            }
        }
    }

    fn ack(&mut self, seq: u64) {
        self.given.insert(seq, Given::Acked);
        self.advance();
    }

    fn advance(&mut self) {
        while let Some(given) = self.given.get(&self.done).filter(|given| **given != Given::Open) {
            self.gone += u64::from(*given == Given::Lost);
            self.given.remove(&self.done);
            self.done += 1;
        }
        self.states.insert((self.done, self.gone));
    }

    fn replayed(&mut self, done: Replayed, may_skip: bool) -> Result<(), String> {
        let (before, now) = (done.before.ok_or("the position is lost")?.seq, done.now.seq);
        let passed = now.saturating_sub(before);
        if done.skipped.frames != passed || (passed > 0 && !may_skip) {
            return Err(format!("{done:?} has moved over {passed} frames"));
        }
        let of_this = |(read, gone): &(u64, u64)| (*read == before).then_some((now, gone + passed));
        let states: Vec<_> = self.states.iter().filter_map(of_this).collect();
        self.states.extend(states);
        self.deleted_before(before);
        (self.position, self.done) = (now, now);
        Ok(())
    }

    fn may_have_replayed(&mut self, from: u64, end: u64) {
        for (read, gone) in self.states.clone() {
            self.states.extend((from..=end).map(|now| (now, gone + now.saturating_sub(read))));
        }
        self.deleted_before(end);
        (self.position, self.done) = (0, end);
    }

    /// Where the disk has said meanwhile that it is full, it may have come so far as to leave what was there
    /// where it was, and to say that it is stored.
    fn died_opening(&mut self, disk: &Simulated, refusals: u64) -> Result<(), String> {
        self.may_miss_some |= disk.refusals() > refusals;
        Ok(())
    }

    /// What was done may be deleted, or only some of it, or may never have been durable when somebody goes
    /// back over it.
    fn deleted_before(&mut self, read: u64) {
        self.unsure.extend(0..read);
        self.may_miss_some = true;
    }

    /// Everything before this was discarded; gives how much of it was not done.
    fn discard(&mut self, before: u64) -> u64 {
        let is_done = |seq: &u64| self.given.get(seq).is_some_and(|given| *given != Given::Open);
        let lost = (self.done..before).filter(|seq| !is_done(seq)).count() as u64;
        let known = self.given.range(self.done..before.max(self.done));
        self.gone += lost + known.filter(|(_, given)| **given == Given::Lost).count() as u64;
        self.done = self.done.max(before);
        self.given.retain(|seq, _| *seq >= before);
        self.advance();
        lost
    }
}

fn settings(durability: Durability) -> Settings {
    Settings { segment_size: 4000, max_size: 20_000, durability, keep_in_memory: 2500 }
}

fn open(disk: &Simulated) -> Result<Queue<Simulated>, String> {
    Queue::open(disk.clone(), settings(Durability::Synced)).map_err(|error| error.to_string())
}

/// One life of a process, from its start to its end.
fn live(disk: &Simulated, model: &mut Model, run: &Run) -> Result<(), String> {
    let mut refusals = disk.refusals();
    let opened = open(disk);
    // A kill may come while it opens.
    if disk.is_dead() {
        return model.died_opening(disk, refusals);
    }
    let mut queue = opened?;
    let mut cursor = after_open(&queue, model)?;
    let mut is_limited = true;
    for step in &run.steps {
        match step {
            Step::Append(size) => {
                let payload = model.payload(*size);
                let (next, bytes) = (model.next, payload.len() as u64);
                match queue.append(&payload, 2, bytes) {
                    Ok(_) if is_limited && queue.size() > 20_000 => {
                        return Err(format!("it takes {} bytes", queue.size()));
                    }
                    Ok(seq) if seq == next => {
                        model.appended.insert(seq, payload);
                        model.next += 1;
                    }
                    Ok(seq) => return Err(format!("{seq} was given as number, not {next}")),
                    Err(AppendError::TooLarge { .. }) => return Err("too large".into()),
                    Err(_) => {}
                }
            }
            Step::Sync => {
                if let Ok(synced) = queue.sync() {
                    if synced != model.next {
                        return Err(format!("synced up to {synced}, appended {}", model.next));
                    }
                    if !disk.is_dead() && !model.trusts_disk {
                        model.synced = synced;
                    }
                }
            }
            Step::Read(count) => {
                for _ in 0..*count {
                    if !model.read(&mut queue, &mut cursor)? {
                        break;
                    }
                }
                model.advance();
            }
            Step::Ack(nth) => {
                let open = model.given.iter().filter(|(_, given)| **given == Given::Open);
                if let Some(seq) = open.map(|(seq, _)| *seq).nth(*nth) {
                    queue.ack(seq);
                    model.ack(seq);
                }
            }
            Step::SavePosition => {
                // It may fail, and promises nothing.
                let _ = queue.save_position();
            }
            Step::SyncPosition => {
                if queue.sync_position().is_ok() && !disk.is_dead() {
                    model.position = model.done;
                }
            }
            Step::Discard => {
                // What is on its way may arrive afterwards.
                let late = model.given.iter().find(|(_, given)| **given == Given::Open);
                let late = late.map(|(seq, _)| *seq);
                if let Ok(Some(discarded)) = queue.discard_oldest(Cause::BufferFull) {
                    cursor = cursor.max(discarded.before);
                    let lost = model.discard(discarded.before);
                    if lost != discarded.lost.frames || lost * 2 != discarded.lost.records {
                        return Err(format!("{lost} are lost, it says {discarded:?}"));
                    }
                    if let Some(seq) = late.filter(|seq| *seq < discarded.before) {
                        let (cause, count) = queue.ack(seq).ok_or("it is not known any more")?;
                        if (cause, count.frames, count.records) != (Cause::BufferFull, 1, 2) {
                            return Err(format!("{count:?} of {seq} have arrived after all"));
                        }
                        model.gone -= 1;
                        model.advance();
                    }
                }
            }
            Step::Fail { after, count } => disk.fail(*after, *count),
            Step::FailReads { after, count } => disk.fail_reads(*after, *count),
            Step::Room(room) => disk.set_capacity(room.map(|room| disk.used() + room)),
            Step::Verify => {
                if let Err(error) = queue.verify() {
                    return Err(error.to_string());
                }
            }
            Step::LiftLimit => {
                queue.lift_limit();
                is_limited = false;
            }
            Step::Reopen => {
                drop(queue);
                refusals = disk.refusals();
                // What fails while it is opened may be tried again, and then it opens.
                let first = open(disk);
                disk.fail(0, 0);
                disk.fail_reads(0, 0);
                match first.or_else(|_| open(disk)) {
                    _ if disk.is_dead() => return model.died_opening(disk, refusals),
                    Ok(again) => queue = again,
                    Err(error) => return Err(error),
                }
                is_limited = true;
                cursor = after_open(&queue, model)?;
            }
            Step::Replay { back, may_skip } => {
                let end = queue.end().seq;
                drop(queue);
                disk.fail(0, 0);
                disk.fail_reads(0, 0);
                let from = end.saturating_sub(*back);
                let replayed = replay(disk, Some(from), *may_skip);
                if disk.is_dead() {
                    // It was cut off before or after.
                    model.may_have_replayed(from, end);
                    return Ok(());
                }
                if let Replay::Done(done) = replayed.map_err(|error| error.to_string())? {
                    model.replayed(done, *may_skip)?;
                }
                refusals = disk.refusals();
                match open(disk) {
                    _ if disk.is_dead() => return model.died_opening(disk, refusals),
                    Ok(again) => queue = again,
                    Err(error) => return Err(error),
                }
                is_limited = true;
                cursor = after_open(&queue, model)?;
            }
        }
        // What the process believes in the moment of its end is of no importance.
        if disk.is_dead() {
            return Ok(());
        }
        if queue.position().seq != model.done {
            return Err(format!("position {:?}, done {}", queue.position(), model.done));
        }
    }
    Ok(())
}

/// Holds what an opened queue says against the contract, and gives the number that comes first.
fn after_open(queue: &Queue<Simulated>, model: &mut Model) -> Result<u64, String> {
    let (read, end) = (queue.position().seq, queue.end().seq);
    if read < model.position || read > model.done.max(model.position) {
        return Err(format!(
            "position {read}, stored {}, acknowledged {}",
            model.position, model.done
        ));
    }
    if end < model.synced || end > model.next {
        return Err(format!("ends at {end}, synced {}, appended {}", model.synced, model.next));
    }
    let is_odd = !queue.opened().put_aside.is_empty() && !model.may_miss_some;
    if queue.opened().position_lost || is_odd {
        return Err(format!("{:?}", queue.opened()));
    }
    let gone: u64 = Cause::ALL.into_iter().map(|cause| queue.gone().of(cause).frames).sum();
    if !model.states.contains(&(read, gone)) {
        return Err(format!("{gone} before {read} were given up, known are {:?}", model.states));
    }
    model.gone = gone;
    model.appended.retain(|seq, _| *seq < end);
    model.next = end;
    model.unsure.extend(model.synced..end);
    // Opening makes durable what it finds.
    model.trusts_disk = queue.opened().trusts_disk;
    model.may_miss_some |= model.trusts_disk;
    model.synced = if model.trusts_disk { model.synced } else { end };
    // On a full disk it opens nevertheless.
    model.position = if queue.is_position_synced() { read } else { model.position };
    model.done = read;
    model.given.clear();
    Ok(read)
}

proptest! {
    // `PROPTEST_CASES` may ask for more.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(2000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_synced_survives_every_crash(
        seed in any::<u64>(),
        runs in prop::collection::vec(run(), 1..5),
    ) {
        let disk = Simulated::new(seed);
        let mut model = Model { states: [(0, 0)].into(), ..Model::default() };
        for run in &runs {
            disk.set_fuse(run.fuse);
            live(&disk, &mut model, run).map_err(TestCaseError::fail)?;
            disk.crash(run.crash);
        }
        // At the end everything that was synced and is not acknowledged comes, once and in order.
        let mut queue = open(&disk).map_err(TestCaseError::fail)?;
        let mut cursor = after_open(&queue, &mut model).map_err(TestCaseError::fail)?;
        while model.read(&mut queue, &mut cursor).map_err(TestCaseError::fail)? {}
        prop_assert_eq!(cursor, model.next);
    }

    /// A killed process loses nothing that was appended, whether it was synced or not.
    #[test]
    fn what_was_appended_survives_a_kill(
        seed in any::<u64>(),
        sizes in prop::collection::vec(0usize..3000, 1..8),
        fuse in 3u64..30,
    ) {
        let disk = Simulated::new(seed);
        let open = || Queue::open(disk.clone(), settings(Durability::Written)).unwrap();
        disk.set_fuse(1000);
        let mut queue = open();
        disk.set_fuse(fuse);
        let mut model = Model::default();
        for size in sizes {
            let payload = model.payload(size);
            if queue.append(&payload, 2, 0).is_ok() && !disk.is_dead() {
                model.appended.insert(model.next, payload);
                model.next += 1;
            }
        }
        let appended = model.next;
        disk.crash(Crash::Kill);
        let mut queue = open();
        let mut came = 0;
        while let Some(next) = queue.next().unwrap() {
            let Next::Frame(frame) = next else { panic!("lost after {came}") };
            if came < appended {
                prop_assert_eq!(&frame.payload, &model.appended[&came]);
            }
            came += 1;
        }
        // The one in which it was killed may have been whole.
        prop_assert!(came == appended || came == appended + 1, "{} of {}", came, appended);
    }
}

/// Whatever moment a repair is cut off in, the same frames can be read, and no fewer are known to be
/// lost.
#[test]
fn a_repair_that_is_cut_off_loses_nothing() {
    for crash in [Crash::Kill, Crash::PowerLoss] {
        let mut fuse = 0;
        let mut is_done = false;
        while !is_done {
            let disk = Simulated::new(fuse + 1);
            let mut queue = open(&disk).unwrap();
            for i in 0..20u8 {
                queue.append(&[i; 700], 2, 700).unwrap();
            }
            queue.sync().unwrap();
            queue.sync_position().unwrap();
            drop(queue);
            // A header of a segment, a payload in the middle, one at the end of a segment, and all of
            // the last one.
            let names: Vec<_> =
                disk.list().unwrap().into_iter().filter(|name| name.ends_with(".seg")).collect();
            disk.flip(&names[0], 20);
            disk.flip(&names[0], 1000);
            disk.flip(&names[1], 3700);
            disk.remove(names.last().unwrap()).unwrap();
            disk.sync_folder().unwrap();
            let before = survey(&disk).unwrap();
            assert!(before.is_damaged());

            disk.set_fuse(fuse);
            let repaired = repair(&disk);
            is_done = !disk.is_dead();
            disk.crash(crash);
            let after = survey(&disk).unwrap();
            assert_eq!((after.waiting, after.lost), (before.waiting, before.lost), "{fuse}");
            if is_done {
                assert_eq!(repaired.unwrap().marked, before.lost);
            }
            // What is left of it does not stand in the way.
            repair(&disk).unwrap();
            assert!(!survey(&disk).unwrap().is_damaged(), "{fuse}");
            let mut queue = open(&disk).unwrap();
            let (mut came, mut lost) = (0, 0);
            while let Some(next) = queue.next().unwrap() {
                match next {
                    Next::Frame(_) => came += 1,
                    Next::Lost(count) => lost += count.frames,
                }
            }
            assert_eq!((came, lost), (before.waiting.frames, before.lost.frames), "{fuse}");
            fuse += 1;
        }
        assert!(fuse > 10, "it has more steps than {fuse}");
    }
}
