//! `audit`: the ledger of each task, and whether it holds.

use serde_json::{Value, json};
use swak_engine::books::{self, Books};
use swak_recipe::diag::{Diagnostic, Diagnostics};
use swak_sdk::ledger::{Count, Sheet};

use super::{Result, recipe};
use crate::cli::AuditArgs;
use crate::failure::Failure;
use crate::paint::Paint;
use crate::{About, Console, data_dir};

pub(super) fn run(args: &AuditArgs, about: &About, console: &mut Console<'_>) -> Result {
    let config = recipe::config(&args.config)?;
    let folder = data_dir::chosen(args.data_dir.as_ref(), config.data_dir, about)?;
    let help = "name the folder of the agent with --data-dir";
    let all = books::read_all(&folder).map_err(|error| {
        let what = format!("cannot read the ledgers in {}: {error}", folder.display());
        Failure::Tried(Diagnostic::error("ledger-unreadable", what).help(help).into())
    })?;
    if all.is_empty() {
        let what = format!("there is no ledger in {}", folder.display());
        return Err(Diagnostic::error("no-ledger", what).help(help).into());
    }
    match args.json {
        true => {
            console.print_json(&json!({ "tasks": all.iter().map(as_json).collect::<Vec<_>>() }))?;
        }
        false => console.print(&as_text(&all, Paint(console.stdout_color)))?,
    }
    let unbalanced = |books: &Books| {
        let error = books.sheet.check().err()?;
        Some(Diagnostic::error("ledger-unbalanced", format!("task {}: {error}", books.task)))
    };
    let found: Vec<_> = all.iter().filter_map(unbalanced).collect();
    match args.json {
        // The answer says so already.
        true if !found.is_empty() => Err(Failure::Reported),
        _ => Diagnostics::or_ok(found, ()).map_err(Failure::Tried),
    }
}

/// One line of the books: what it is, how much, and where.
type Line = (&'static str, Count, String);

fn lines(sheet: &Sheet) -> Vec<Line> {
    let mut lines = vec![("received", sheet.received, String::new())];
    let mut also = |what, count: Count, note: &str| {
        if count != Count::default() {
            lines.push((what, count, note.to_owned()));
        }
    };
    also("copied", sheet.copies, "for the branches of a tee");
    also("found", sheet.found, "in a buffer, after a kill");
    also("again", sheet.again, "given back to the input, and received once more");
    lines.push(("delivered", sheet.delivered, String::new()));
    lines.extend(sheet.filtered.iter().map(|(step, n)| ("filtered", *n, step.to_string())));
    let dropped = sheet.dropped.iter();
    lines.extend(dropped.map(|((step, reason), n)| ("dropped", *n, format!("{step}: {reason}"))));
    lines.extend(sheet.buffered.iter().map(|(step, n)| ("buffered", *n, step.to_string())));
    lines.push(("in flight", sheet.in_flight + sheet.in_flight_once, String::new()));
    lines
}

fn as_text(all: &[Books], paint: Paint) -> String {
    let mut text = String::new();
    for books in all {
        let lines = lines(&books.sheet);
        let width = |number: fn(&Count) -> u64| {
            lines.iter().map(|(_, count, _)| grouped(number(count)).len()).max().unwrap_or(0)
        };
        let (records, bytes) = (width(|c| c.records), width(|c| c.bytes));
        text.push_str(&format!("{}\n", paint.heading(&books.task)));
        for (what, count, note) in &lines {
            let (n, b) = (grouped(count.records), grouped(count.bytes));
            let line = format!("  {what:<9}  {n:>records$} records  {b:>bytes$} bytes  {note}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        let verdict = match books.sheet.check() {
            Ok(()) => "every record is accounted for".to_owned(),
            Err(error) => error.to_string(),
        };
        text.push_str(&format!("  {verdict}\n"));
    }
    text
}

/// `1,204,331`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn as_json(books: &Books) -> Value {
    let sheet = &books.sheet;
    let count = |count: Count| json!({ "records": count.records, "bytes": count.bytes });
    let at =
        |place: &str, n: &Count| json!({ "step": place, "records": n.records, "bytes": n.bytes });
    let dropped = sheet.dropped.iter().map(|((step, reason), n)| {
        json!({ "step": &**step, "reason": &**reason, "records": n.records, "bytes": n.bytes })
    });
    let missing = sheet
        .check()
        .err()
        .map(|missing| json!({ "records": missing.records as i64, "bytes": missing.bytes as i64 }));
    json!({
        "task": books.task,
        "received": count(sheet.received),
        "copied": count(sheet.copies),
        "found": count(sheet.found),
        "again": count(sheet.again),
        "delivered": count(sheet.delivered),
        "filtered": sheet.filtered.iter().map(|(place, n)| at(place, n)).collect::<Vec<_>>(),
        "dropped": dropped.collect::<Vec<_>>(),
        "buffered": sheet.buffered.iter().map(|(place, n)| at(place, n)).collect::<Vec<_>>(),
        "in_flight": count(sheet.in_flight + sheet.in_flight_once),
        "holds": missing.is_none(),
        "missing": missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(records: u64, bytes: u64) -> Count {
        Count { records, bytes }
    }

    #[test]
    fn the_books_as_people_see_them() {
        let mut sheet = Sheet {
            received: count(1_204_331, 214_300_000),
            delivered: count(1_200_000, 213_000_000),
            in_flight: count(331, 400_000),
            ..Sheet::default()
        };
        sheet.filtered.insert("3 out.Filter".into(), count(3_000, 700_000));
        sheet.dropped.insert(("2 out.JsonParser".into(), "not JSON".into()), count(1_000, 200_000));
        let text = |sheet: &Sheet| {
            let books = Books { task: "web".into(), sheet: sheet.clone(), ..Books::default() };
            as_text(&[books], Paint(false))
        };
        assert_eq!(
            text(&sheet),
            "web\n\
             \x20 received   1,204,331 records  214,300,000 bytes\n\
             \x20 delivered  1,200,000 records  213,000,000 bytes\n\
             \x20 filtered       3,000 records      700,000 bytes  3 out.Filter\n\
             \x20 dropped        1,000 records      200,000 bytes  2 out.JsonParser: not JSON\n\
             \x20 in flight        331 records      400,000 bytes\n\
             \x20 every record is accounted for\n"
        );
        sheet.delivered = Count::default();
        assert!(
            text(&sheet).ends_with("  +1200000 records (+213000000 bytes) are not accounted for\n")
        );
    }
}
