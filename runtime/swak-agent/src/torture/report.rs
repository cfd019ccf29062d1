//! What came of a run, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::judge::{SourceVerdict, Verdict};
use crate::paint::Paint;

/// What came of a run.
pub(super) struct Report {
    pub(super) verdict: Verdict,
    pub(super) seed: u64,
    pub(super) took: Duration,
    /// What happened when, as JSON.
    pub(super) events: Vec<Value>,
    /// What is not as in the recipe, and what was left out.
    pub(super) notes: Vec<String>,
    /// What is wrong beside the lines.
    pub(super) problems: Vec<String>,
    /// The command line that repeats it.
    pub(super) again: String,
    /// Where everything lies that was kept.
    pub(super) kept: Option<String>,
}

/// Rows of lines beyond this many are counted, not listed.
const MOST_ROWS: usize = 10;

impl Report {
    /// Whether the contract was kept.
    pub(super) fn holds(&self) -> bool {
        self.verdict.holds() && self.problems.is_empty()
    }

    /// For people.
    pub(super) fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        let verdict = &self.verdict;
        for note in &self.notes {
            line(paint.quiet(format!("note: {note}")));
        }
        line(paint.heading("faults"));
        let rows = verdict.faults.iter().map(|one| {
            let more = match (one.doubled, one.lost) {
                (0, 0) => String::new(),
                (doubled, 0) => format!("{doubled} copies"),
                (0, lost) => format!("{lost} LOST"),
                (doubled, lost) => format!("{doubled} copies, {lost} LOST"),
            };
            [
                one.fault.name().to_owned(),
                one.done.to_string(),
                one.window.to_string(),
                more,
                one.fault.allows().to_owned(),
            ]
        });
        let head = ["", "times", "most unacked", "came of it", "allowed"].map(str::to_owned);
        table(std::iter::once(head).chain(rows).collect(), &mut line);
        line(paint.heading("sources"));
        let rows = verdict.sources.iter().enumerate().map(|(place, one)| {
            [
                format!("{place} {}", one.path.display()),
                one.written.to_string(),
                one.lost_lines().to_string(),
                one.doubled.to_string(),
                one.late.len().to_string(),
            ]
        });
        let head = ["", "lines", "lost", "copies", "out of order"].map(str::to_owned);
        table(std::iter::once(head).chain(rows).collect(), &mut line);
        for (place, one) in verdict.sources.iter().enumerate() {
            broken(place, one, &mut line);
        }
        if verdict.unexplained_copies > 0 {
            let some: Vec<_> = verdict
                .unexplained
                .iter()
                .take(MOST_ROWS)
                .map(|mark| format!("{}:{}", mark.source, mark.sequence))
                .collect();
            line(format!(
                "{} copies that no fault explains, as of source:line {}",
                verdict.unexplained_copies,
                some.join(", ")
            ));
        }
        if verdict.strange > 0 {
            line(format!("{} lines came that nobody wrote", verdict.strange));
        }
        for problem in &self.problems {
            line(format!("problem: {problem}"));
        }
        if let Some(kept) = &self.kept {
            line(format!("everything is kept in {kept}"));
        }
        let lines: u64 = verdict.sources.iter().map(|one| one.written).sum();
        let times: u32 = verdict.faults.iter().map(|one| one.done).sum();
        let took = self.took.as_secs();
        let word = match self.holds() {
            true => paint.heading("the contract holds"),
            false => "THE CONTRACT IS BROKEN".to_owned(),
        };
        line(format!("{word}: {lines} lines, {times} faults, {took} s, seed {}", self.seed));
        line(format!("again: {}", self.again));
        out
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let verdict = &self.verdict;
        let sources: Vec<Value> = verdict
            .sources
            .iter()
            .map(|one| {
                let lost: Vec<_> =
                    one.lost.iter().map(|(first, last)| json!([first, last])).collect();
                json!({
                    "path": one.path.to_string_lossy(),
                    "written": one.written,
                    "lost": one.lost_lines(),
                    "lost_rows": lost,
                    "left_out": one.left_out,
                    "copies": one.doubled,
                    "out_of_order": one.late.len(),
                })
            })
            .collect();
        let faults: Vec<Value> = verdict
            .faults
            .iter()
            .map(|one| {
                json!({
                    "fault": one.fault.name(),
                    "what": one.fault.what(),
                    "allows": one.fault.allows(),
                    "times": one.done,
                    "lost": one.lost,
                    "copies": one.doubled,
                    "most_unacked": one.window,
                    "first_loss_after_seconds": one.first_loss.map(|at| at.as_secs_f64()),
                })
            })
            .collect();
        json!({
            "ok": self.holds(),
            "seed": self.seed,
            "seconds": self.took.as_secs_f64(),
            "sources": sources,
            "faults": faults,
            "events": self.events,
            "unexplained_copies": verdict.unexplained_copies,
            "torn": verdict.torn,
            "strange": verdict.strange,
            "problems": self.problems,
            "notes": self.notes,
            "again": self.again,
            "kept": self.kept,
        })
    }
}

/// What is wrong with the lines of a source.
fn broken(place: usize, one: &SourceVerdict, line: &mut impl FnMut(String)) {
    let rows = one.lost.iter().take(MOST_ROWS).map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        let more = if one.lost.len() > rows.len() { ", …" } else { "" };
        line(format!("lost of source {place}: lines {}{more}", rows.join(", ")));
    }
    let late: Vec<_> = one.late.iter().take(MOST_ROWS).map(u64::to_string).collect();
    if !late.is_empty() {
        let more = if one.late.len() > late.len() { ", …" } else { "" };
        line(format!("out of order in source {place}: lines {}{more}", late.join(", ")));
    }
}

/// Writes rows under each other: the first column and the last two to the left, numbers to the right.
fn table<const N: usize>(rows: Vec<[String; N]>, line: &mut impl FnMut(String)) {
    let widths: Vec<usize> =
        (0..N).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
    for row in rows {
        let mut text = String::from(" ");
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let is_number = i > 0 && cell.chars().all(|c| c.is_ascii_digit()) && !cell.is_empty();
            let pad = width - cell.chars().count();
            let (before, after) = if is_number { (pad, 0) } else { (0, pad) };
            let _ = write!(text, " {:before$}{cell}{:after$} ", "", "");
        }
        line(text.trim_end().to_owned());
    }
}
