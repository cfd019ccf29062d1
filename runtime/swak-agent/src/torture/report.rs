//! What came of a run, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::judge::Verdict;
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
                one.allows.to_owned(),
            ]
        });
        let head = ["", "times", "most unacked", "came of it", "allowed"].map(str::to_owned);
        table(std::iter::once(head).chain(rows).collect(), &mut line);
        line(paint.heading("sources"));
        let rows = verdict.sources.iter().enumerate().map(|(place, one)| {
            [
                format!("{place} {}", one.path.display()),
                one.written.to_string(),
                one.lost.lines().to_string(),
                one.doubled.to_string(),
                one.late.lines().to_string(),
                match one.left_out {
                    0 => String::new(),
                    left_out => format!("{left_out} did not come, and need not"),
                },
            ]
        });
        let head = ["", "lines", "lost", "copies", "out of order", ""].map(str::to_owned);
        table(std::iter::once(head).chain(rows).collect(), &mut line);
        for wrong in self.wrong() {
            line(paint.broken(wrong));
        }
        if let Some(kept) = &self.kept {
            line(format!("everything is kept in {kept}"));
        } else if !self.holds() {
            line("with --keep DIR everything is kept, to be looked at".to_owned());
        }
        let lines: u64 = verdict.sources.iter().map(|one| one.written).sum();
        let times: u32 = verdict.faults.iter().map(|one| one.done).sum();
        let took = self.took.as_secs();
        let word = match self.holds() {
            true => paint.heading("the contract holds"),
            false => paint.broken("THE CONTRACT IS BROKEN".to_owned()),
        };
        line(format!("{word}: {lines} lines, {times} faults, {took} s, seed {}", self.seed));
        line(format!("again: {}", self.again));
        out
    }

    /// All that is wrong, a line each: what, how much of it, where, and when it began.
    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for one in &self.verdict.sources {
            let of = one.path.display();
            if !one.lost.is_empty() {
                let when = one.lost_at.map_or_else(String::new, |(fault, at)| {
                    let seconds = at.as_secs_f64();
                    format!("; the first was on its way at the {fault} after {seconds:.1} s")
                });
                let (count, rows) = (one.lost.lines(), one.lost.shown());
                wrong.push(format!("LOST: {count} of {of}: {rows}{when}"));
            }
            if one.unexplained_copies > 0 {
                let (count, rows) = (one.unexplained_copies, one.unexplained.shown());
                wrong.push(format!("DOUBLED: {count} copies too many of {of}: {rows}"));
            }
            if !one.late.is_empty() {
                let (count, rows) = (one.late.lines(), one.late.shown());
                wrong.push(format!("OUT OF ORDER: {count} of {of}: {rows}"));
            }
        }
        if self.verdict.strange > 0 {
            wrong.push(format!("STRANGE: {} lines that nobody wrote", self.verdict.strange));
        }
        wrong.extend(self.problems.iter().map(|problem| format!("PROBLEM: {problem}")));
        wrong
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let verdict = &self.verdict;
        let sources: Vec<Value> = verdict
            .sources
            .iter()
            .map(|one| {
                let lost_at = one
                    .lost_at
                    .map(|(fault, at)| json!({"fault": fault.name(), "seconds": at.as_secs_f64()}));
                json!({
                    "path": one.path.to_string_lossy(),
                    "written": one.written,
                    "lost": one.lost.lines(),
                    "lost_rows": one.lost.to_json(),
                    "lost_first_at": lost_at,
                    "left_out": one.left_out,
                    "copies": one.doubled,
                    "copies_unexplained": one.unexplained_copies,
                    "copies_unexplained_rows": one.unexplained.to_json(),
                    "out_of_order": one.late.lines(),
                    "out_of_order_rows": one.late.to_json(),
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
                    "allows": one.allows,
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
            "wrong": self.wrong(),
            "torn": verdict.torn,
            "strange": verdict.strange,
            "problems": self.problems,
            "notes": self.notes,
            "again": self.again,
            "kept": self.kept,
        })
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

#[cfg(test)]
mod tests {
    use super::super::fault::Fault;
    use super::super::judge::SourceVerdict;
    use super::super::rows::Rows;
    use super::*;

    fn report() -> Report {
        let mut source = SourceVerdict::new("var/log/a.log".into(), 100);
        source.lost = Rows::of(vec![7, 8, 20]);
        source.lost_at = Some((Fault::Kill, Duration::from_millis(1250)));
        (source.unexplained, source.unexplained_copies) = (Rows::of(vec![30]), 2);
        source.late = Rows::of(vec![41, 42]);
        Report {
            verdict: Verdict { sources: vec![source], ..Verdict::default() },
            seed: 7,
            took: Duration::from_secs(9),
            events: Vec::new(),
            notes: vec!["a stand-in".into()],
            problems: vec!["a panic".into()],
            again: "swak torture a --seed 7".into(),
            kept: None,
        }
    }

    #[test]
    fn a_broken_contract_says_what_where_and_how_to_see_it_again() {
        let text = report().text(Paint(false));
        let end = "\
LOST: 3 of var/log/a.log: lines 7-8, 20; the first was on its way at the kill after 1.2 s
DOUBLED: 2 copies too many of var/log/a.log: line 30
OUT OF ORDER: 2 of var/log/a.log: lines 41-42
PROBLEM: a panic
with --keep DIR everything is kept, to be looked at
THE CONTRACT IS BROKEN: 100 lines, 0 faults, 9 s, seed 7
again: swak torture a --seed 7
";
        assert!(text.ends_with(end), "{text}");
        let json = report().json();
        assert_eq!(json["ok"], false);
        assert_eq!(json["sources"][0]["lost_rows"], json!([[7, 8], [20, 20]]));
        assert_eq!(json["sources"][0]["lost_first_at"]["fault"], "kill");
        assert_eq!(json["sources"][0]["copies_unexplained_rows"], json!([[30, 30]]));
        assert_eq!(json["sources"][0]["out_of_order_rows"], json!([[41, 42]]));
        assert_eq!(json["wrong"].as_array().map(Vec::len), Some(4));
    }

    #[test]
    fn a_contract_that_holds_says_so_in_a_line() {
        let mut report = report();
        report.problems.clear();
        report.verdict.sources = vec![SourceVerdict::new("a".into(), 5)];
        let text = report.text(Paint(false));
        assert!(
            text.contains("\nthe contract holds: 5 lines, 0 faults, 9 s, seed 7\nagain: "),
            "{text}"
        );
        assert_eq!((&report.json()["ok"], &report.json()["wrong"]), (&json!(true), &json!([])));
    }
}
