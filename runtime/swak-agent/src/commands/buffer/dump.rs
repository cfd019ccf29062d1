//! `buffer dump`: the records in a buffer.

use std::io;

use serde_json::json;
use swak_buffer::{FileSystem, Visited, visit};
use swak_sdk::data::{Block, RecordRef, codec};

use super::super::Result;
use super::{one_buffer, refused};
use crate::Console;
use crate::cli::BufferDumpArgs;

/// How much is gathered before it is written.
const AT_ONCE: usize = 64 * 1024;

pub(super) fn run(args: &BufferDumpArgs, console: &mut Console<'_>) -> Result {
    let folder = one_buffer(&args.folder)?;
    let mut text = Vec::new();
    let mut unwritten = None;
    let visited = visit(&FileSystem::look(&folder), |visited| {
        if visited.is_delivered && !args.all {
            return Ok(());
        }
        write(visited, &mut text);
        if text.len() < AT_ONCE {
            return Ok(());
        }
        let written = console.stdout.write_all(&text);
        text.clear();
        written.map_err(|error| {
            let kind = error.kind();
            unwritten = Some(error);
            io::Error::from(kind)
        })
    });
    if let Some(error) = unwritten {
        return Err(error.into());
    }
    visited.map_err(|error| refused(&folder, &error))?;
    console.stdout.write_all(&text)?;
    console.stdout.flush()?;
    Ok(())
}

/// Appends the records of a frame, one JSON object a line.
fn write(visited: Visited, out: &mut Vec<u8>) {
    let (seq, delivered) = (visited.start.seq, visited.is_delivered);
    match codec::decode(&Block::from(visited.frame.payload)) {
        Ok(chunk) => {
            for batch in chunk.batches() {
                for record in batch.iter() {
                    let about = json!({
                        "seq": seq,
                        "delivered": delivered,
                        "tag": &*batch.tag,
                        "source": &*batch.source,
                        "time": record.time().to_string(),
                    });
                    write_record(&about.to_string(), record, out);
                }
            }
        }
        Err(error) => {
            let line = json!({ "seq": seq, "delivered": delivered, "error": error.to_string() });
            out.extend_from_slice(line.to_string().as_bytes());
            out.push(b'\n');
        }
    }
}

fn write_record(about: &str, record: RecordRef<'_>, out: &mut Vec<u8>) {
    let open = about.strip_suffix('}').expect("an object ends with a brace");
    out.extend_from_slice(open.as_bytes());
    out.extend_from_slice(b",\"record\":");
    record.write_json(out);
    out.extend_from_slice(b"}\n");
}
