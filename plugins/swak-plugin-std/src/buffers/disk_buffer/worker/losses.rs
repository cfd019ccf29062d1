//! What the buffer gives up, in the words of the ledger.

use swak_buffer::{Cause, Gone};
use swak_sdk::data::Name;
use swak_sdk::ledger::{Count, GivenUp};

/// The reasons with which records are counted as dropped.
pub(super) const DAMAGED: &str = "damaged on disk";
pub(super) const FULL: &str = "the buffer is full";
pub(super) const DISK_FULL: &str = "the disk is full";
pub(super) const SKIPPED: &str = "skipped by a replay";
pub(super) const TOO_LARGE: &str = "larger than the buffer";
pub(super) const TOO_DEEP: &str = "nested too deeply";

/// The reason for a cause.
pub(super) fn reason(cause: Cause) -> &'static str {
    match cause {
        Cause::Damaged => DAMAGED,
        Cause::BufferFull => FULL,
        Cause::DiskFull => DISK_FULL,
        Cause::Skipped => SKIPPED,
    }
}

/// All that the buffer has given up of what it had stored.
pub(super) fn given_up(gone: Gone) -> GivenUp {
    let of = |cause| (Name::from(reason(cause)), count(gone.of(cause)));
    GivenUp { since: gone.since, counts: Cause::ALL.map(of).into() }
}

/// As the ledger counts.
pub(super) fn count(count: swak_buffer::Count) -> Count {
    Count { records: count.records, bytes: count.bytes }
}
