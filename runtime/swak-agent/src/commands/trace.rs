//! `test --trace`: each record before and after each step.

use std::io::Write;
use std::sync::Mutex;

use swak_engine::{Trace, When};
use swak_sdk::data::{Chunk, RecordRef};

use crate::paint::Paint;

/// As much of a record is shown, in characters. A terminal is no place for a megabyte.
const LONGEST: usize = 1000;

/// Writes what passes for people. Options are not shown, so that no secret of a recipe is.
pub(super) struct Tracer<W> {
    out: Mutex<W>,
    paint: Paint,
}

impl<W: Write> Tracer<W> {
    pub(super) fn new(out: W, paint: Paint) -> Self {
        Tracer { out: Mutex::new(out), paint }
    }

    fn text(&self, step: &str, when: When, chunk: &Chunk) -> String {
        let paint = self.paint;
        let (arrow, side) = match when {
            When::Before => ("→", "before"),
            When::After => ("←", "after"),
        };
        let count = match chunk.len() {
            1 => "1 record".to_owned(),
            n => format!("{n} records"),
        };
        let mut text =
            format!("{} {side} {}  {}\n", arrow, paint.heading(step), paint.quiet(count));
        for record in chunk.iter() {
            text.push_str(&format!("  {}  {}\n", paint.quiet(record.time()), show(record)));
        }
        text
    }
}

impl<W: Write + Send> Trace for Tracer<W> {
    fn step(&self, _task: &str, step: &str, when: When, chunk: &Chunk) {
        if chunk.is_empty() {
            return;
        }
        let text = self.text(step, when, chunk);
        // One write a chunk, so that steps that run side by side do not mix. A reader who has gone
        // must not stop the task that is watched.
        let mut out = self.out.lock().expect("no panic while a trace is written");
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }
}

/// The line, or the fields as JSON, made harmless for a terminal.
fn show(record: RecordRef<'_>) -> String {
    let mut bytes = Vec::new();
    record.write_raw(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let mut shown = String::new();
    for c in text.chars().take(LONGEST) {
        match c.is_control() && c != '\t' {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push_str(&format!("… ({} bytes)", bytes.len()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use swak_sdk::data::{Batch, Record, Timestamp};

    use super::*;

    fn chunk(lines: &[&str]) -> Chunk {
        let time = Timestamp::from_parts(0, 0);
        let record = |line: &&str| Record::from_line(line.as_bytes().to_vec(), time);
        Batch::new(lines.iter().map(record).collect()).into()
    }

    fn traced(when: When, lines: &[&str]) -> String {
        let tracer = Tracer::new(Vec::new(), Paint(false));
        tracer.step("people", "2 out.Filter", when, &chunk(lines));
        String::from_utf8(tracer.out.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn each_record_has_a_line_under_its_step() {
        let time = Timestamp::from_parts(0, 0);
        assert_eq!(
            traced(When::Before, &["a", "b"]),
            format!("→ before 2 out.Filter  2 records\n  {time}  a\n  {time}  b\n")
        );
        assert!(traced(When::After, &["a"]).starts_with("← after 2 out.Filter  1 record\n"));
        assert_eq!(traced(When::After, &[]), "");
    }

    #[test]
    fn records_do_not_reach_into_the_terminal() {
        assert!(traced(When::After, &["\x1b[2Jx"]).ends_with("  \\u{1b}[2Jx\n"));
        let long = "é".repeat(LONGEST + 1);
        assert!(traced(When::After, &[&long]).ends_with("é… (2002 bytes)\n"));
    }
}
