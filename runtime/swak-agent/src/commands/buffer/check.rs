//! `buffer check`: what is in a buffer, and what is wrong with it.

use std::path::Path;

use serde_json::{Value, json};
use swak_buffer::{Count, FileSystem, Survey, survey};
use swak_recipe::diag::{Diagnostic, Diagnostics};

use super::super::Result;
use super::{buffers, counted, refused};
use crate::Console;
use crate::cli::BufferCheckArgs;
use crate::failure::Failure;
use crate::paint::Paint;

pub(super) fn run(args: &BufferCheckArgs, console: &mut Console<'_>) -> Result {
    let (mut damaged, mut answers) = (Vec::new(), Vec::new());
    for folder in buffers(&args.folder)? {
        let found = survey(&FileSystem::look(&folder)).map_err(|error| refused(&folder, &error))?;
        if found.is_damaged() {
            let what = format!("the buffer in {} is damaged", folder.display());
            let help = "stop the agent, and put aside what is damaged with `buffer repair`; the agent \
                        goes on without it, too";
            damaged.push(Diagnostic::error("buffer-damaged", what).help(help));
        }
        match args.json {
            true => answers.push(as_json(&folder, &found)),
            false => console.print(&as_text(&folder, &found, Paint(console.stdout_color)))?,
        }
    }
    if args.json {
        let ok = damaged.is_empty();
        console.print_json(&json!({ "ok": ok, "buffers": answers }))?;
        // The answer says so already.
        return if ok { Ok(()) } else { Err(Failure::Reported) };
    }
    Diagnostics::or_ok(damaged, ()).map_err(Failure::Tried)
}

fn as_text(folder: &Path, found: &Survey, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.heading(folder.display()));
    let mut line = |what: &str, rest: String| text.push_str(&format!("  {what:<10} {rest}\n"));
    let count = |count: Count| {
        let frames = counted(count.frames, "frame");
        let (records, bytes) = (counted(count.records, "record"), counted(count.bytes, "byte"));
        format!("{records} of {bytes} in {frames}")
    };
    line("waiting", count(found.waiting));
    line("delivered", format!("{}, still on disk", count(found.delivered)));
    if found.lost != Count::default() {
        line("lost", count(found.lost));
    }
    if found.marked != Count::default() {
        line("", format!("{} of these are marked by a repair", count(found.marked)));
    }
    match found.position {
        Some(place) => line("position", format!("before frame {}", place.seq)),
        None if found.position_damaged => {
            line("position", "damaged: all on disk is delivered again".to_owned());
        }
        None => line("position", "missing: all on disk is delivered again".to_owned()),
    }
    let bytes = found.segments.iter().map(|segment| segment.len).sum();
    let segments = counted(found.segments.len() as u64, "segment");
    line("on disk", format!("{} in {segments}", counted(bytes, "byte")));
    if found.torn > 0 {
        line("unfinished", format!("{} at the end, never stored", counted(found.torn, "byte")));
    }
    for segment in &found.segments {
        if segment.header_damaged {
            line("damaged", format!("the header of {}", segment.name));
        }
        for damage in &segment.damages {
            let (from, to) = (damage.from, damage.to);
            line("damaged", format!("bytes {from} to {to} of {}", segment.name));
        }
    }
    for aside in &found.aside {
        line(
            "put aside",
            format!("{} of {}, no part of it any more", aside.name, counted(aside.len, "byte")),
        );
    }
    for name in &found.foreign {
        line("foreign", format!("{name} belongs to another buffer"));
    }
    text
}

fn as_json(folder: &Path, found: &Survey) -> Value {
    let count = |count: Count| json!({ "frames": count.frames, "records": count.records, "bytes": count.bytes });
    let segments = found.segments.iter().map(|segment| {
        let damages = segment.damages.iter().map(|d| json!({ "from": d.from, "to": d.to }));
        json!({
            "name": segment.name,
            "size": segment.len,
            "holds": count(segment.holds),
            "header_damaged": segment.header_damaged,
            "damages": damages.collect::<Vec<_>>(),
        })
    });
    let aside = found.aside.iter().map(|aside| json!({ "name": aside.name, "size": aside.len }));
    json!({
        "folder": folder.display().to_string(),
        "damaged": found.is_damaged(),
        "waiting": count(found.waiting),
        "delivered": count(found.delivered),
        "lost": count(found.lost),
        "marked": count(found.marked),
        "position": found.position.map(|place| place.seq),
        "position_damaged": found.position_damaged,
        "torn": found.torn,
        "foreign": found.foreign,
        "put_aside": aside.collect::<Vec<_>>(),
        "segments": segments.collect::<Vec<_>>(),
    })
}
