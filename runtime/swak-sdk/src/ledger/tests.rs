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
    starts(&mut batch, 3).settle_as(Fate::Dropped { place: place.clone(), reason: reason.clone() });
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
    assert!(large.as_mut().poll(&mut cx).is_ready(), "a batch larger than the limit goes alone");
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

#[test]
fn what_positions_have_moved_over_is_stored_even_if_nothing_else_changes() {
    let ledger = ledger();
    let before = ledger.version();
    ledger.passed(1);
    assert_ne!(ledger.version(), before, "those who store would not look again");
}
