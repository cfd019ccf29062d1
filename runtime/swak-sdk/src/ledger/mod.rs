//! The ledger of a task: every record that came in, and what became of it.

mod count;
mod pressure;
mod sheet;
mod tally;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

pub use count::{Count, Fate};
pub use pressure::{Pressing, Pressure};
pub use sheet::{GivenUp, Sheet, Unbalanced};
pub(crate) use tally::Tally;

use crate::ack::Outcome;
use crate::data::Name;

/// The ledger of a task.
#[derive(Debug)]
pub struct Ledger {
    state: Mutex<State>,
    /// Moves with every change.
    version: AtomicU64,
    /// The greatest window.
    limit: u64,
    settled: Notify,
    pressure: Pressure,
    /// Held by the one whose turn it is to set out: what waits for room goes in the order in which it
    /// came.
    turn: tokio::sync::Mutex<()>,
    store_soon: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    sheet: Sheet,
    /// What would come a second time after a kill: all that was emitted after the stored positions, and
    /// what has no position and is on its way. As [`Count::cost`].
    window: u64,
    /// The part of it that positions have passed which are not stored yet.
    passed: u64,
    /// What buffers have handed on and what has arrived before it counted as stored; until it does, the
    /// sheet shows it as found.
    early: BTreeMap<Name, Count>,
}

/// How much of the window is free as soon as the positions of this moment are stored.
#[derive(Debug)]
#[must_use = "without `Ledger::stored` the input comes to a halt"]
pub struct Passed(u64);

/// How an entry came to be on its way, and with that, what is done when it does not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From an input that reads it again from its stored position.
    Position,
    /// From an input whose peer sends it again.
    Again,
    /// From an input that cannot: the place of the input.
    Once(Name),
    /// From a buffer, which keeps it until it has arrived: the place of the buffer.
    Buffer(Name),
}

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
    /// `limit` bounds what may have been emitted and not delivered, or not be written down as such, in
    /// bytes; each record costs 32 besides its own. `lost` is the place at which a loss is noted.
    pub fn new(mut sheet: Sheet, limit: u64, lost: &Name) -> Self {
        sheet.again += std::mem::take(&mut sheet.in_flight);
        let once = std::mem::take(&mut sheet.in_flight_once);
        if once.records > 0 {
            let key = (lost.clone(), Name::from("under way when the agent was killed"));
            *sheet.dropped.entry(key).or_default() += once;
        }
        Ledger {
            state: Mutex::new(State { sheet, window: 0, passed: 0, early: BTreeMap::new() }),
            version: AtomicU64::new(0),
            limit,
            settled: Notify::new(),
            pressure: Pressure::default(),
            turn: tokio::sync::Mutex::new(()),
            store_soon: Arc::default(),
        }
    }

    /// With this to be woken when positions should be stored, so that the input can go on.
    #[must_use]
    pub fn waking(mut self, store_soon: Arc<Notify>) -> Self {
        self.store_soon = store_soon;
        self
    }

    /// The books now.
    pub fn sheet(&self) -> Sheet {
        self.lock().sheet.clone()
    }

    /// The books to be stored with the positions of this moment.
    pub fn sheet_to_store(&self) -> (Sheet, Passed) {
        let state = self.lock();
        (state.sheet.clone(), Passed(state.passed))
    }

    /// They are stored.
    pub fn stored(&self, Passed(cost): Passed) {
        let mut state = self.lock();
        state.passed = state.passed.saturating_sub(cost);
        state.release(cost);
        drop(state);
        self.settled.notify_waiters();
    }

    /// Wakes whoever stores positions.
    pub fn store_soon(&self) {
        self.store_soon.notify_one();
    }

    /// Positions have moved over what cost so much.
    pub fn passed(&self, cost: u64) {
        let mut state = self.lock();
        state.passed += cost;
        if state.passed >= self.limit / 4 || state.window >= self.limit / 2 {
            self.store_soon.notify_one();
        }
    }

    /// Positions will not move over what cost so much: its run has ended.
    pub fn released(&self, cost: u64) {
        self.lock().release(cost);
        self.settled.notify_waiters();
    }

    /// Moves with every change of the books.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Tells whoever holds records that they are waited for.
    pub fn pressure(&self) -> &Pressure {
        &self.pressure
    }

    /// Waits until nothing is on its way any more.
    pub async fn quiet(&self) {
        let under_way = |state: &State| state.sheet.in_flight + state.sheet.in_flight_once;
        self.until(|state| under_way(state) == Count::default()).await;
    }

    /// Waits until this much more may be on its way, and calls `enter` then, which is to enter as much.
    /// A batch that is larger than the limit goes alone.
    pub(crate) async fn when_room_for<T>(&self, count: Count, enter: impl FnOnce() -> T) -> T {
        let _turn = self.turn.lock().await;
        if !self.lock().has_room(count, self.limit) {
            let _pressing = self.pressure.press();
            self.store_soon.notify_one();
            self.until(|state| state.has_room(count, self.limit)).await;
        }
        enter()
    }

    async fn until(&self, so: impl Fn(&State) -> bool) {
        loop {
            let mut settled = pin!(self.settled.notified());
            // From here on no settlement is missed.
            settled.as_mut().enable();
            if so(&self.lock()) {
                return;
            }
            settled.await;
        }
    }

    /// Records set out.
    pub(crate) fn entered(&self, origin: &Origin, count: Count) {
        self.change(|State { sheet, window, .. }| {
            match origin {
                Origin::Position | Origin::Again => sheet.in_flight += count,
                Origin::Once(_) => sheet.in_flight_once += count,
                // They stay on the buffer's account until they have arrived.
                Origin::Buffer(_) => return,
            }
            sheet.received += count;
            *window += count.cost();
        });
    }

    /// They have arrived, or never will.
    pub(crate) fn settled(
        &self,
        origin: &Origin,
        count: Count,
        outcome: Outcome,
        mut tally: Tally,
    ) {
        self.change(|state| {
            if matches!(origin, Origin::Again | Origin::Once(_)) {
                state.release(count.cost());
            }
            let sheet = &mut state.sheet;
            match origin {
                Origin::Position | Origin::Again => sheet.in_flight.take(count),
                Origin::Once(_) => sheet.in_flight_once.take(count),
                Origin::Buffer(_) if outcome == Outcome::Errored => return,
                Origin::Buffer(place) => state.unbuffer(place, count),
            }
            let sheet = &mut state.sheet;
            if outcome == Outcome::Errored {
                // Whatever a part of it had come to, all of it comes again.
                match origin {
                    Origin::Position | Origin::Again | Origin::Buffer(_) => sheet.again += count,
                    Origin::Once(place) => {
                        let key = (place.clone(), Name::from("the task failed"));
                        *sheet.dropped.entry(key).or_default() += count;
                    }
                }
                return;
            }
            sheet.copies += tally.copies;
            let taken = std::mem::take(&mut tally.taken);
            let fates = tally.with_bytes_of(count);
            let counted = |place: &Name| {
                let stored = |fate: &Fate| matches!(fate, Fate::Stored { place: p } if p == place);
                fates.iter().filter(|(fate, _)| stored(fate)).map(|(_, count)| *count).sum()
            };
            let taken: Vec<_> =
                taken.into_iter().map(|(place, count)| (counted(&place), place, count)).collect();
            for (fate, count) in fates {
                state.note(fate, count);
            }
            for (counted, place, count) in taken {
                state.correct(&place, counted, count);
            }
        });
        self.settled.notify_waiters();
    }

    /// What a buffer holds by the books.
    pub(crate) fn buffer_known(&self, place: &Name) -> Count {
        self.lock().sheet.buffered.get(place).copied().unwrap_or_default()
    }

    /// What a buffer really holds when it is opened, and what it has given up until then. After a kill the
    /// books may be behind, or before it.
    pub(crate) fn buffer_holds(&self, place: &Name, held: Count, given_up: GivenUp) {
        self.change(|State { sheet, early, .. }| {
            // What did not count as stored comes again.
            early.remove(place);
            let mut known = sheet.buffered.insert(place.clone(), held).unwrap_or_default();
            let booked = sheet.given_up.insert(place.clone(), given_up.clone()).unwrap_or_default();
            let booked =
                if booked.since == given_up.since { booked.counts } else { BTreeMap::new() };
            for (reason, count) in given_up.counts {
                let before = booked.get(&reason).copied().unwrap_or_default();
                let dropped = sheet.dropped.entry((place.clone(), reason)).or_default();
                // It was written down here and not there: the buffer comes to it once more.
                let again = before.beyond(count).least(*dropped);
                dropped.take(again);
                known += again;
                let missed = count.beyond(before).least(known.beyond(held));
                *dropped += missed;
                known.take(missed);
            }
            sheet.dropped.retain(|_, count| *count != Count::default());
            // More than was known: it came in. Less: it was delivered.
            sheet.found += held.beyond(known);
            sheet.delivered += known.beyond(held);
        });
    }

    /// A buffer has lost some of what it held.
    pub(crate) fn buffer_lost(&self, place: &Name, lost: Count, reason: &Name) {
        self.change(|state| {
            state.unbuffer(place, lost);
            let sheet = &mut state.sheet;
            *sheet.dropped.entry((place.clone(), reason.clone())).or_default() += lost;
            let given_up = sheet.given_up.entry(place.clone()).or_default();
            *given_up.counts.entry(reason.clone()).or_default() += lost;
        });
    }

    /// What a buffer had lost while it was on its way has arrived after all.
    pub(crate) fn buffer_found_again(&self, place: &Name, count: Count, reason: &Name) {
        self.change(|state| {
            let sheet = &mut state.sheet;
            let Some(dropped) = sheet.dropped.get_mut(&(place.clone(), reason.clone())) else {
                return;
            };
            let count = count.least(*dropped);
            dropped.take(count);
            if let Some(given_up) = sheet.given_up.get_mut(place) {
                given_up.counts.entry(reason.clone()).or_default().take(count);
            }
            // Its delivery was taken off the buffer's account, or was more than there was on it.
            let mut gone = Count::default();
            if let Some(early) = state.early.get_mut(place) {
                gone = early.least(count);
                early.take(gone);
            }
            sheet.found.take(gone);
            *sheet.buffered.entry(place.clone()).or_default() += count.beyond(gone);
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.version.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic while a ledger is locked")
    }
}

impl State {
    fn has_room(&self, count: Count, limit: u64) -> bool {
        self.window == 0 || self.window.saturating_add(count.cost()) <= limit
    }

    fn release(&mut self, cost: u64) {
        self.window = self.window.saturating_sub(cost);
    }

    fn note(&mut self, fate: Fate, mut count: Count) {
        if let Fate::Stored { place } = &fate
            && let Some(early) = self.early.get_mut(place)
        {
            // It has gone through already.
            let gone = early.least(count);
            early.take(gone);
            self.sheet.found.take(gone);
            count.take(gone);
        }
        self.sheet.note(fate, count);
    }

    /// A buffer has taken something else than the records that came in: what was made of them. Its
    /// account is what it has; what there is less of was delivered in the rest, and what there is more of
    /// was found in it.
    fn correct(&mut self, place: &Name, counted: Count, taken: Count) {
        let (more, less) = (taken.beyond(counted), counted.beyond(taken));
        if more != Count::default() {
            self.sheet.found += more;
            self.note(Fate::Stored { place: place.clone() }, more);
        }
        if less != Count::default() {
            self.unbuffer(place, less);
            self.sheet.delivered += less;
        }
    }

    fn unbuffer(&mut self, place: &Name, count: Count) {
        let ahead = self.sheet.unbuffer(place, count);
        if ahead != Count::default() {
            self.sheet.found += ahead;
            *self.early.entry(place.clone()).or_default() += ahead;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ack::Ack;
    use std::future::Future;

    use crate::data::{Batch, Record, Timestamp};

    fn ledger() -> Arc<Ledger> {
        Arc::<Ledger>::default()
    }

    /// Three records of 2, 3 and 4 bytes that are on their way from this origin.
    fn sent(ledger: &Arc<Ledger>, origin: Origin) -> Batch {
        let line = |text| Record::from_line(text, Timestamp::default());
        let mut batch = Batch::new(["ab", "abc", "abcd"].map(line).into());
        let count = batch.count();
        ledger.entered(&origin, count);
        let ledger = Arc::clone(ledger);
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
        let damaged = |records, bytes| given_up(&[("damaged", count(records, bytes))]);
        ledger.buffer_holds(&place, count(5, 50), damaged(0, 0));
        ledger.buffer_lost(&place, count(1, 20), &"damaged".into());
        ledger.buffer_holds(&place, count(2, 10), damaged(1, 20));
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.found, sheet.delivered), (count(5, 50), count(5, 29)));
    }

    fn given_up(counts: &[(&str, Count)]) -> GivenUp {
        let counts = counts.iter().map(|(reason, count)| (Name::from(*reason), *count)).collect();
        GivenUp { since: 7, counts }
    }

    #[test]
    fn what_a_buffer_gave_up_before_a_kill_is_dropped_and_not_delivered() {
        let (ledger, place) = (ledger(), Name::from("2 out.DiskBuffer"));
        let dropped = |sheet: &Sheet, reason: &str| {
            sheet.dropped.get(&(place.clone(), reason.into())).copied().unwrap_or_default()
        };
        ledger.buffer_holds(&place, count(10, 100), given_up(&[]));
        // The books were not stored after three were discarded and two were delivered.
        let (full, damaged) = (count(3, 30), count(1, 10));
        ledger.buffer_holds(&place, count(5, 50), given_up(&[("full", full)]));
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((dropped(&sheet, "full"), sheet.delivered), (full, count(2, 20)));
        // The buffer's position was not stored after one was found to be damaged: it comes again.
        ledger.buffer_lost(&place, damaged, &"damaged".into());
        ledger.buffer_holds(
            &place,
            count(5, 50),
            given_up(&[("full", full), ("damaged", count(0, 0))]),
        );
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((dropped(&sheet, "damaged"), sheet.found), (count(0, 0), count(10, 100)));
        assert_eq!((dropped(&sheet, "full"), sheet.delivered), (full, count(2, 20)));
        // Its position was lost, and with it how much was given up: what is in the books stays.
        let anew = GivenUp { since: 8, ..given_up(&[("full", count(0, 0))]) };
        ledger.buffer_holds(&place, count(5, 50), anew);
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((dropped(&sheet, "full"), sheet.delivered), (full, count(2, 20)));
    }

    #[test]
    fn what_was_discarded_on_its_way_and_arrives_is_not_dropped() {
        let (ledger, place) = (ledger(), Name::from("2 out.DiskBuffer"));
        let full = Name::from("full");
        sent(&ledger, Origin::Again).settle_as(Fate::Stored { place: place.clone() });
        let under_way = sent(&ledger, Origin::Buffer(place.clone()));
        ledger.buffer_lost(&place, count(3, 9), &full);
        assert_eq!(ledger.sheet().all_dropped(), count(3, 9));
        under_way.settle(Outcome::Delivered);
        ledger.buffer_found_again(&place, count(3, 9), &full);
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.all_dropped(), sheet.delivered), (Count::default(), count(3, 9)));
        assert_eq!((sheet.all_buffered(), sheet.found), (Count::default(), Count::default()));
    }

    #[test]
    fn a_buffer_may_deliver_before_it_counts_as_stored() {
        let (ledger, place) = (ledger(), Name::from("2 out.DiskBuffer"));
        let came_in = sent(&ledger, Origin::Again);
        sent(&ledger, Origin::Buffer(place.clone())).settle(Outcome::Delivered);
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.found, sheet.delivered), (count(3, 9), count(3, 9)));
        came_in.settle_as(Fate::Stored { place: place.clone() });
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.found, sheet.all_buffered()), (Count::default(), Count::default()));
        // When the task fails in between, it comes again, and the buffer has what it was found with.
        let came_in = sent(&ledger, Origin::Again);
        sent(&ledger, Origin::Buffer(place.clone())).settle(Outcome::Delivered);
        drop(came_in);
        ledger.buffer_holds(&place, Count::default(), GivenUp::default());
        sent(&ledger, Origin::Again).settle_as(Fate::Stored { place });
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!((sheet.found, sheet.all_buffered()), (count(3, 9), count(3, 9)));
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
    fn a_buffer_has_what_was_made_of_others() {
        let place = Name::from("3 out.DiskBuffer");
        let line = |bytes| {
            let mut record = Record::from_line("x", Timestamp::default());
            record.set_weight(bytes);
            record
        };
        // Fewer than came in, as many, and more; heavier and lighter ones.
        for made in [&[1_u32][..], &[20], &[3, 3, 3], &[1, 2, 3, 4, 5], &[9, 9, 9, 9, 9, 9, 9]] {
            let held = count(made.len() as u64, made.iter().map(|bytes| u64::from(*bytes)).sum());
            let hand_on = |ledger: &Arc<Ledger>| {
                let origin = Origin::Buffer(place.clone());
                let mut batch = Batch::new(made.iter().copied().map(line).collect());
                let ledger = Arc::clone(ledger);
                batch.add_ack(Ack::tallied(move |outcome, tally| {
                    ledger.settled(&origin, held, outcome, tally);
                }));
                batch.settle(Outcome::Delivered);
            };
            for hands_on_first in [false, true] {
                let ledger = ledger();
                let batches = vec![sent(&ledger, Origin::Again), sent(&ledger, Origin::Again)];
                let records = made.iter().copied().map(line).collect();
                let batch = Batch::made_of(records, batches);
                if hands_on_first {
                    hand_on(&ledger);
                    ledger.sheet().check().unwrap();
                }
                batch.settle_as(Fate::Stored { place: place.clone() });
                let sheet = ledger.sheet();
                sheet.check().unwrap();
                if !hands_on_first {
                    assert_eq!(sheet.all_buffered(), held, "the books say what is there");
                    hand_on(&ledger);
                }
                let sheet = ledger.sheet();
                sheet.check().unwrap();
                assert_eq!(sheet.all_buffered(), Count::default(), "{made:?} {hands_on_first}");
                assert!(ledger.lock().early.values().all(|early| *early == Count::default()));
                let found = held.beyond(sheet.received);
                assert_eq!((sheet.found, sheet.delivered), (found, sheet.received + found));
            }
        }
    }

    #[test]
    fn a_buffer_has_the_weights_that_a_step_gave() {
        let (ledger, place) = (ledger(), Name::from("3 out.DiskBuffer"));
        let mut batch = sent(&ledger, Origin::Again);
        for record in batch.records_mut() {
            *record = Record::from_line("", Timestamp::default());
        }
        batch.settle_as(Fate::Stored { place });
        let sheet = ledger.sheet();
        sheet.check().unwrap();
        assert_eq!(sheet.all_buffered(), count(3, 0));
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
        let pressed = ledger.pressure().watch();
        let enter = |count: Count| {
            let ledger = &ledger;
            ledger.when_room_for(count, move || ledger.entered(&Origin::Again, count))
        };
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let mut large = pin!(enter(count(1, 5000)));
        assert!(
            large.as_mut().poll(&mut cx).is_ready(),
            "a batch larger than the limit goes alone"
        );
        let (mut first, mut second) = (pin!(enter(count(1, 60))), pin!(enter(count(1, 1))));
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert_eq!(*pressed.borrow(), 1);
        assert!(second.as_mut().poll(&mut cx).is_pending());
        ledger.settled(&Origin::Again, count(1, 5000), Outcome::Delivered, Tally::default());
        assert!(second.as_mut().poll(&mut cx).is_pending(), "nobody overtakes");
        assert!(first.as_mut().poll(&mut cx).is_ready());
        assert_eq!(*pressed.borrow(), 0);
        assert!(second.as_mut().poll(&mut cx).is_pending(), "there is no room for both");
    }

    #[test]
    fn what_has_a_position_is_on_its_way_until_that_is_stored() {
        let ledger = Ledger::new(Sheet::default(), 100, &Name::default());
        let lines = count(1, 60);
        ledger.entered(&Origin::Position, lines);
        let mut tally = Tally::default();
        tally.note(Fate::Delivered, lines);
        ledger.settled(&Origin::Position, lines, Outcome::Delivered, tally);
        ledger.passed(lines.cost());
        let mut stores = pin!(ledger.store_soon.notified());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(stores.as_mut().poll(&mut cx).is_ready());
        assert!(!ledger.lock().has_room(lines, 100));
        let (sheet, passed) = ledger.sheet_to_store();
        assert_eq!(sheet.delivered, lines);
        ledger.stored(passed);
        assert!(ledger.lock().has_room(lines, 100));
        ledger.entered(&Origin::Position, lines);
        ledger.released(lines.cost());
        assert!(ledger.lock().has_room(lines, 100));
    }
}
