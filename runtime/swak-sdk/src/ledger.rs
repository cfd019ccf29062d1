//! The ledger of a task: every record that came in, and what became of it.

use std::collections::BTreeMap;
use std::ops::{Add, AddAssign};
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, watch};

use crate::ack::Outcome;
use crate::data::Name;

/// Records, and the bytes that they had when they came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Records.
    pub records: u64,
    /// See [`Record::weight`](crate::data::Record::weight).
    pub bytes: u64,
}

/// What became of some records. A place is a step as people see it: `2 out.Filter`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// They are where they were to go.
    Delivered,
    /// They are kept safely by a buffer.
    Stored {
        /// The buffer.
        place: Name,
    },
    /// The recipe asked to leave them out.
    Filtered {
        /// The step that did so.
        place: Name,
    },
    /// They are lost, or in the dead letters.
    Dropped {
        /// The step that gave them up.
        place: Name,
        /// Why: one of a few fixed phrases, not data.
        reason: Name,
    },
}

impl Fate {
    /// What an input hears of it.
    pub fn outcome(&self) -> Outcome {
        match self {
            Fate::Delivered | Fate::Stored { .. } | Fate::Filtered { .. } => Outcome::Delivered,
            Fate::Dropped { .. } => Outcome::Rejected,
        }
    }
}

/// What became of the records of one batch, while it is on its way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Few: most batches have one fate.
    fates: Vec<(Fate, Count)>,
    copies: Count,
}

/// The books of a task at one moment, over all its runs.
///
/// received + copies + found = read again + delivered + filtered + dropped + buffered + in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// What the input has emitted.
    pub received: Count,
    /// What a `tee` made of it: each branch but one has a copy.
    pub copies: Count,
    /// What buffers held after a kill although it had not been written down here yet.
    pub found: Count,
    /// What was given back to the input, which reads it again and so receives it once more.
    pub again: Count,
    /// What outputs have written.
    pub delivered: Count,
    /// What the recipe asked to leave out, by step.
    pub filtered: BTreeMap<Name, Count>,
    /// What was lost or went to the dead letters, by step and reason.
    pub dropped: BTreeMap<(Name, Name), Count>,
    /// What buffers keep, by step.
    pub buffered: BTreeMap<Name, Count>,
    /// What is on its way and can be read again.
    pub in_flight: Count,
    /// What is on its way and is lost in a crash: nobody can be asked for it again.
    pub in_flight_once: Count,
}

/// What a ledger says of itself that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{records:+} records ({bytes:+} bytes) are not accounted for")]
pub struct Unbalanced {
    /// Records that came in and are nowhere; below zero when there are too many.
    pub records: i128,
    /// The same in bytes.
    pub bytes: i128,
}

/// The ledger of a task.
#[derive(Debug)]
pub struct Ledger {
    sheet: Mutex<Sheet>,
    /// Moves with every change.
    version: AtomicU64,
    /// The greatest cost of what is on its way.
    limit: u64,
    settled: Notify,
    pressure: watch::Sender<u64>,
}

/// How an entry came to be on its way, and with that, what is done when it does not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From an input that reads it again, or whose peer sends it again.
    Again,
    /// From an input that cannot: the place of the input.
    Once(Name),
    /// From a buffer, which keeps it until it has arrived: the place of the buffer.
    Buffer(Name),
}

/// Every record costs this much of [`Ledger::new`]'s limit besides its bytes.
const RECORD_COST: u64 = 32;

impl Default for Ledger {
    /// Empty books without a limit: for tests.
    fn default() -> Self {
        Ledger::new(Sheet::default(), u64::MAX, &Name::default())
    }
}

impl Ledger {
    /// Goes on from a sheet of an earlier life of the agent. What was in flight then is read again, or
    /// lost.
    ///
    /// `limit` bounds what may be on its way, in bytes; each record costs 32 besides its own. `lost` is
    /// the place at which a loss is noted.
    pub fn new(mut sheet: Sheet, limit: u64, lost: &Name) -> Self {
        sheet.again += std::mem::take(&mut sheet.in_flight);
        let once = std::mem::take(&mut sheet.in_flight_once);
        if once.records > 0 {
            let key = (lost.clone(), Name::from("under way when the agent was killed"));
            *sheet.dropped.entry(key).or_default() += once;
        }
        let (pressure, _) = watch::channel(0);
        Ledger {
            sheet: Mutex::new(sheet),
            version: AtomicU64::new(0),
            limit,
            settled: Notify::new(),
            pressure,
        }
    }

    /// The books now.
    pub fn sheet(&self) -> Sheet {
        self.lock().clone()
    }

    /// Moves with every change of the books.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Moves when the input waits for what is on its way to arrive: whoever holds records should let
    /// them go.
    pub fn pressure(&self) -> watch::Receiver<u64> {
        self.pressure.subscribe()
    }

    /// Waits until nothing is on its way any more.
    pub async fn quiet(&self) {
        self.until(|sheet| sheet.in_flight + sheet.in_flight_once == Count::default(), || {}).await;
    }

    /// Waits until this much more may be on its way. A batch that is larger than the limit goes alone.
    pub(crate) async fn room_for(&self, count: Count) {
        let press = || self.pressure.send_modify(|n| *n += 1);
        self.until(|sheet| sheet.has_room(count, self.limit), press).await;
    }

    pub(crate) fn has_room(&self, count: Count) -> bool {
        self.lock().has_room(count, self.limit)
    }

    /// Waits until something is so. `wait` is called before it waits, if it does.
    async fn until(&self, so: impl Fn(&Sheet) -> bool, wait: impl FnOnce()) {
        let mut wait = Some(wait);
        loop {
            let mut settled = pin!(self.settled.notified());
            // From here on no settlement is missed.
            settled.as_mut().enable();
            if so(&self.lock()) {
                return;
            }
            if let Some(wait) = wait.take() {
                wait();
            }
            settled.await;
        }
    }

    /// Records set out.
    pub(crate) fn entered(&self, origin: &Origin, count: Count) {
        self.change(|sheet| match origin {
            Origin::Again => {
                sheet.received += count;
                sheet.in_flight += count;
            }
            Origin::Once(_) => {
                sheet.received += count;
                sheet.in_flight_once += count;
            }
            // They stay on the buffer's account until they have arrived.
            Origin::Buffer(_) => {}
        });
    }

    /// They have arrived, or never will.
    pub(crate) fn settled(&self, origin: &Origin, count: Count, outcome: Outcome, tally: Tally) {
        self.change(|sheet| {
            match origin {
                Origin::Again => sheet.in_flight.take(count),
                Origin::Once(_) => sheet.in_flight_once.take(count),
                Origin::Buffer(_) if outcome == Outcome::Errored => return,
                Origin::Buffer(place) => sheet.unbuffer(place, count),
            }
            if outcome == Outcome::Errored {
                // Whatever a part of it had come to, all of it comes again.
                match origin {
                    Origin::Again | Origin::Buffer(_) => sheet.again += count,
                    Origin::Once(place) => {
                        let key = (place.clone(), Name::from("the task failed"));
                        *sheet.dropped.entry(key).or_default() += count;
                    }
                }
                return;
            }
            sheet.copies += tally.copies;
            for (fate, count) in tally.with_bytes_of(count) {
                sheet.note(fate, count);
            }
        });
        self.settled.notify_waiters();
    }

    /// What a buffer really holds when it is opened. After a kill the books may be behind.
    pub(crate) fn buffer_holds(&self, place: &Name, held: Count) {
        self.change(|sheet| {
            let known = sheet.buffered.insert(place.clone(), held).unwrap_or_default();
            // More than was known: it came in. Less: it was delivered.
            sheet.found += held.beyond(known);
            sheet.delivered += known.beyond(held);
        });
    }

    /// A buffer has lost some of what it held.
    pub(crate) fn buffer_lost(&self, place: &Name, lost: Count, reason: &Name) {
        self.change(|sheet| {
            sheet.unbuffer(place, lost);
            *sheet.dropped.entry((place.clone(), reason.clone())).or_default() += lost;
        });
    }

    fn change(&self, change: impl FnOnce(&mut Sheet)) {
        change(&mut self.lock());
        self.version.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sheet> {
        self.sheet.lock().expect("no panic while a ledger is locked")
    }
}

impl Sheet {
    /// Everything that was filtered.
    pub fn all_filtered(&self) -> Count {
        self.filtered.values().copied().sum()
    }

    /// Everything that was dropped.
    pub fn all_dropped(&self) -> Count {
        self.dropped.values().copied().sum()
    }

    /// Everything that buffers keep.
    pub fn all_buffered(&self) -> Count {
        self.buffered.values().copied().sum()
    }

    /// Whether every record is accounted for.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), Unbalanced> {
        let came = self.received + self.copies + self.found;
        let went = self.again
            + self.delivered
            + self.all_filtered()
            + self.all_dropped()
            + self.all_buffered()
            + self.in_flight
            + self.in_flight_once;
        let missing = Unbalanced {
            records: i128::from(came.records) - i128::from(went.records),
            bytes: i128::from(came.bytes) - i128::from(went.bytes),
        };
        if came == went { Ok(()) } else { Err(missing) }
    }

    fn has_room(&self, count: Count, limit: u64) -> bool {
        let under_way = (self.in_flight + self.in_flight_once).cost();
        under_way == 0 || under_way.saturating_add(count.cost()) <= limit
    }

    fn note(&mut self, fate: Fate, count: Count) {
        *match fate {
            Fate::Delivered => &mut self.delivered,
            Fate::Stored { place } => self.buffered.entry(place).or_default(),
            Fate::Filtered { place } => self.filtered.entry(place).or_default(),
            Fate::Dropped { place, reason } => self.dropped.entry((place, reason)).or_default(),
        } += count;
    }

    fn unbuffer(&mut self, place: &Name, count: Count) {
        self.buffered.entry(place.clone()).or_default().take(count);
    }
}

impl Count {
    /// What this takes of the limit of what may be on its way.
    fn cost(self) -> u64 {
        self.bytes.saturating_add(self.records.saturating_mul(RECORD_COST))
    }

    /// Never below zero: a sheet that was damaged must not end the agent. Its check tells.
    fn take(&mut self, other: Count) {
        self.records = self.records.saturating_sub(other.records);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    /// What there is more of here than there.
    fn beyond(self, other: Count) -> Count {
        Count {
            records: self.records.saturating_sub(other.records),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count {
            records: self.records.saturating_add(other.records),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts.fold(Count::default(), Add::add)
    }
}

impl Tally {
    pub(crate) fn note(&mut self, fate: Fate, count: Count) {
        match self.fates.iter_mut().find(|(known, _)| *known == fate) {
            Some((_, sum)) => *sum += count,
            None => self.fates.push((fate, count)),
        }
    }

    pub(crate) fn copied(&mut self, count: Count) {
        self.copies += count;
    }

    /// The fates, and together the bytes that came in. A step that made records anew may have lost
    /// their weights; then the fate of the most records has the rest.
    fn with_bytes_of(mut self, count: Count) -> Vec<(Fate, Count)> {
        let mut left = count.bytes.saturating_add(self.copies.bytes);
        self.fates.sort_by_key(|(_, count)| count.records);
        let most = self.fates.len().saturating_sub(1);
        for (i, (_, count)) in self.fates.iter_mut().enumerate() {
            count.bytes = if i == most { left } else { count.bytes.min(left) };
            left -= count.bytes;
        }
        self.fates
    }

    /// The fate that counts when all records are to have one; none has none when they were left out
    /// on the way.
    pub(crate) fn worst(&self) -> Fate {
        self.fates.iter().map(|(fate, _)| fate).max().cloned().unwrap_or(Fate::Delivered)
    }

    /// The same, for another who waits for the same records.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.copies += other.copies;
        for (fate, count) in &other.fates {
            self.note(fate.clone(), *count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ack::Ack;
    use std::future::Future;

    use crate::data::{Batch, Record, Timestamp};

    fn ledger() -> std::sync::Arc<Ledger> {
        std::sync::Arc::<Ledger>::default()
    }

    /// Three records of 2, 3 and 4 bytes that are on their way from this origin.
    fn sent(ledger: &std::sync::Arc<Ledger>, origin: Origin) -> Batch {
        let line = |text| Record::from_line(text, Timestamp::default());
        let mut batch = Batch::new(["ab", "abc", "abcd"].map(line).into());
        let count = batch.count();
        ledger.entered(&origin, count);
        let ledger = std::sync::Arc::clone(ledger);
        batch.add_ack(Ack::tallied(move |outcome, tally| {
            ledger.settled(&origin, count, outcome, tally);
        }));
        batch
    }

    fn count(records: u64, bytes: u64) -> Count {
        Count { records, bytes }
    }

    fn starts(batch: &mut Batch, len: usize) -> Batch {
        batch.extract(|r| r.line().unwrap().len() == len)
    }

    #[test]
    fn every_record_has_its_fate() {
        let ledger = ledger();
        let mut batch = sent(&ledger, Origin::Again);
        assert_eq!(ledger.sheet().in_flight, count(3, 9));
        let copy = batch.fork();
        let (place, reason) = (Name::from("2 out.X"), Name::from("odd"));
        starts(&mut batch, 2).settle_as(Fate::Filtered { place: place.clone() });
        starts(&mut batch, 3)
            .settle_as(Fate::Dropped { place: place.clone(), reason: reason.clone() });
        batch.settle(Outcome::Delivered);
        assert_eq!(ledger.sheet().delivered, Count::default(), "the copy is still on its way");
        ledger.sheet().check().unwrap();
        copy.settle(Outcome::Delivered);
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.received, sheet.copies), (count(3, 9), count(3, 9)));
        assert_eq!(sheet.delivered, count(4, 13));
        assert_eq!(sheet.filtered[&place], count(1, 2));
        assert_eq!(sheet.dropped[&(place, reason)], count(1, 3));
    }

    #[test]
    fn what_failed_comes_again_or_is_lost() {
        let ledger = ledger();
        let mut partly = sent(&ledger, Origin::Again);
        starts(&mut partly, 2).settle(Outcome::Delivered);
        drop(partly);
        drop(sent(&ledger, Origin::Once("1 in.X".into())));
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.again, sheet.delivered), (count(3, 9), Count::default()));
        assert_eq!(sheet.all_dropped(), count(3, 9));
    }

    #[test]
    fn a_buffer_keeps_what_it_hands_on_until_it_has_arrived() {
        let (ledger, place) = (ledger(), Name::from("2 out.DiskBuffer"));
        sent(&ledger, Origin::Again).settle_as(Fate::Stored { place: place.clone() });
        assert_eq!(ledger.sheet().all_buffered(), count(3, 9));
        drop(sent(&ledger, Origin::Buffer(place.clone())));
        assert_eq!(ledger.sheet().all_buffered(), count(3, 9));
        sent(&ledger, Origin::Buffer(place.clone())).settle(Outcome::Delivered);
        let sheet = ledger.sheet();
        assert_eq!((sheet.all_buffered(), sheet.delivered), (Count::default(), count(3, 9)));
        sheet.check().unwrap();
        ledger.buffer_holds(&place, count(5, 50));
        ledger.buffer_lost(&place, count(1, 20), &"damaged".into());
        ledger.buffer_holds(&place, count(2, 10));
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.found, sheet.delivered), (count(5, 50), count(5, 29)));
    }

    #[test]
    fn after_a_kill_the_rest_comes_again_or_is_lost() {
        let ledger = ledger();
        let (_again, _once) =
            (sent(&ledger, Origin::Again), sent(&ledger, Origin::Once("1 in.X".into())));
        let next = Ledger::new(ledger.sheet(), 1000, &"1 in.X".into()).sheet();
        next.check().unwrap();
        assert_eq!((next.again, next.in_flight), (count(3, 9), Count::default()));
        let lost = ("1 in.X".into(), "under way when the agent was killed".into());
        assert_eq!(next.dropped[&lost], count(3, 9));
    }

    #[test]
    fn a_record_that_was_made_or_lost_on_the_way_is_noticed() {
        let ledger = ledger();
        let mut batch = sent(&ledger, Origin::Again);
        batch.records_mut().pop();
        batch.settle(Outcome::Delivered);
        let missing = ledger.sheet().check().unwrap_err();
        assert_eq!(missing, Unbalanced { records: 1, bytes: 0 });
        assert_eq!(missing.to_string(), "+1 records (+0 bytes) are not accounted for");
    }

    #[test]
    fn records_made_of_others_settle_those() {
        let ledger = ledger();
        let batches = vec![sent(&ledger, Origin::Again), sent(&ledger, Origin::Again)];
        let sum = Record::from_line("sum", Timestamp::default());
        let mut made = Batch::made_of(vec![sum.clone(), sum], batches);
        let one = made.split_off(1);
        one.settle_as(Fate::Filtered { place: "3 out.Filter".into() });
        made.settle(Outcome::Delivered);
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!(sheet.all_filtered(), count(6, 18));
        drop(Batch::made_of(Vec::new(), vec![sent(&ledger, Origin::Again)]));
        assert_eq!(ledger.sheet().again, count(3, 9));
    }

    #[test]
    fn what_is_handed_to_another_task_is_delivered_whatever_that_one_does() {
        let ledger = ledger();
        sent(&ledger, Origin::Again).handed_over().settle(Outcome::Rejected);
        drop(sent(&ledger, Origin::Again).handed_over());
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.delivered, sheet.again), (count(3, 9), count(3, 9)));
    }

    #[test]
    fn what_is_on_its_way_is_bounded() {
        let ledger = Ledger::new(Sheet::default(), 100, &Name::default());
        let pressure = ledger.pressure();
        assert!(ledger.has_room(count(1, 5000)), "a batch larger than the limit goes alone");
        ledger.entered(&Origin::Again, count(1, 5000));
        let mut waits = std::pin::pin!(ledger.room_for(count(1, 1)));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waits.as_mut().poll(&mut cx).is_pending());
        assert!(pressure.has_changed().unwrap());
        ledger.settled(&Origin::Again, count(1, 5000), Outcome::Delivered, Tally::default());
        assert!(waits.poll(&mut cx).is_ready());
    }
}
