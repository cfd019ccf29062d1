//! The time in made-up data: one day in November 2026, over and over.

use std::io::Write as _;

/// A moment of that day, in milliseconds.
#[derive(Default)]
pub(super) struct Clock(u64);

impl Clock {
    /// Moves it on.
    pub(super) fn advance(&mut self, millis: u64) {
        self.0 = (self.0 + millis) % (24 * 3600 * 1000);
    }

    /// `21/Nov/2026:10:30:00 +0000`, as nginx has it.
    pub(super) fn common_log(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"21/Nov/2026:");
        self.time(out);
        out.extend_from_slice(b" +0000");
    }

    /// `2026-11-21T10:30:00.123Z`
    pub(super) fn rfc3339(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"2026-11-21T");
        self.time(out);
        put(out, format_args!(".{:03}Z", self.0 % 1000));
    }

    fn time(&self, out: &mut Vec<u8>) {
        let seconds = self.0 / 1000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        put(out, format_args!("{hour:02}:{minute:02}:{second:02}"));
    }
}

/// Writes into memory, which cannot fail.
pub(super) fn put(out: &mut Vec<u8>, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("memory takes everything");
}
