//! What becomes of records that a parser cannot read.

use swak_sdk::options::OptionErrors;
use swak_sdk::prelude::*;

/// What becomes of a record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(crate) enum Unreadable {
    /// It goes on as it is, and is counted as an error.
    Keep,
    /// It is dropped, and counted as dropped.
    Drop,
    /// It goes to the task's `dead_letter`.
    DeadLetter,
}

impl Unreadable {
    /// Refuses `dead_letter` in a task that has none.
    pub(crate) fn check(
        policy: &Placed<Self>,
        option: &str,
        cx: &BuildContext,
    ) -> Result<(), OptionErrors> {
        if policy.value == Unreadable::DeadLetter && !cx.has_dead_letter() {
            return Err(no_dead_letter(policy, option));
        }
        Ok(())
    }

    /// Does with a batch of records that cannot be read what becomes of such.
    pub(crate) fn settle(
        self,
        unread: Batch,
        reason: &'static str,
        why: impl Into<String>,
        out: &mut Outlet,
    ) {
        match self {
            Unreadable::Keep => out.emit(unread),
            Unreadable::Drop => out.drop_batch(unread, reason),
            Unreadable::DeadLetter => out.reject(unread, why),
        }
    }
}

/// The mistake of a step that sends records to a dead letter which the task does not have.
pub(crate) fn no_dead_letter<T>(place: &Placed<T>, option: &str) -> OptionErrors {
    place.error(
        format!("{option}=\"dead_letter\", but this task has no dead letter"),
        "say where such records go: task(…, dead_letter=out.File(\"dead.log\"))",
    )
}

/// Reads the records of a batch in place with `read`, which leaves a record that it cannot read as
/// it is and says why, and hands the batch on.
pub(crate) fn read_records(
    mut batch: Batch,
    policy: Unreadable,
    reason: &'static str,
    out: &mut Outlet,
    mut read: impl FnMut(&mut Record, &mut Outlet) -> Result<(), String>,
) {
    let records = batch.records_mut();
    if policy == Unreadable::Keep {
        for record in records {
            if read(record, out).is_err() {
                out.error();
            }
        }
        out.emit(batch);
        return;
    }
    let mut why = None;
    let unread: Vec<Record> = records
        .extract_if(.., |record| match read(record, out) {
            Ok(()) => false,
            Err(message) => {
                why.get_or_insert(message);
                true
            }
        })
        .collect();
    if let Some(why) = why {
        policy.settle(batch.derive(unread), reason, why, out);
    }
    out.emit(batch);
}
