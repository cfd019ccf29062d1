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
        // The positions may be stored already: what they cost is released with the next ones, even if
        // nothing else changes.
        self.version.fetch_add(1, Ordering::Release);
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
mod tests;
