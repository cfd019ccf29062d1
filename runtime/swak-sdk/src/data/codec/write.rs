//! Chunks to bytes.

use super::{MAX_DEPTH, VERSION, flag, kind};
use crate::data::{Batch, Block, Chunk, LineRange, Map, Name, RecordRef, Value};

/// A record has more than 256 lists and maps in each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record has more than 256 lists and maps in each other")]
pub struct TooDeep;

/// Appends the bytes of a chunk; acks stay where they are.
///
/// # Errors
/// [`TooDeep`]; what was appended is to be thrown away.
pub fn encode(chunk: &Chunk, out: &mut Vec<u8>) -> Result<(), TooDeep> {
    out.reserve(chunk.size() + 64);
    encode_with(chunk, out, &mut |out, run| out.extend_from_slice(run))
}

/// The bytes of a chunk in pieces, in order, for whoever can write several at once: long runs of lines are
/// not copied out of the blocks that they were read into, and the rest is appended to `buffer`, which is
/// best empty and used again.
///
/// # Errors
/// [`TooDeep`]; what was appended is to be thrown away.
pub fn encode_parts<'a>(
    chunk: &'a Chunk,
    buffer: &'a mut Vec<u8>,
) -> Result<Vec<&'a [u8]>, TooDeep> {
    let mut at = buffer.len();
    let mut runs: Vec<(usize, &'a [u8])> = Vec::new();
    encode_with(chunk, buffer, &mut |out, run| match run.len() < LONG_RUN {
        true => out.extend_from_slice(run),
        false => runs.push((out.len(), run)),
    })?;
    let buffer: &'a Vec<u8> = buffer;
    let mut parts = Vec::with_capacity(2 * runs.len() + 1);
    for (place, run) in runs {
        parts.extend([&buffer[at..place], run]);
        at = place;
    }
    parts.push(&buffer[at..]);
    Ok(parts)
}

/// Runs shorter than this are copied: they would cost more as pieces of their own.
const LONG_RUN: usize = 4096;

/// `put` is given the bytes of lines, in runs.
fn encode_with<'a>(
    chunk: &'a Chunk,
    out: &mut Vec<u8>,
    put: &mut impl FnMut(&mut Vec<u8>, &'a [u8]),
) -> Result<(), TooDeep> {
    out.push(VERSION);
    number(out, chunk.batches().len() as u64);
    let mut before = None;
    for batch in chunk.batches() {
        encode_batch(batch, before, out, put)?;
        before = Some(batch);
    }
    Ok(())
}

fn encode_batch<'a>(
    batch: &'a Batch,
    before: Option<&Batch>,
    out: &mut Vec<u8>,
    put: &mut impl FnMut(&mut Vec<u8>, &'a [u8]),
) -> Result<(), TooDeep> {
    let same = |name: fn(&Batch) -> &Name| before.is_some_and(|b| name(b) == name(batch));
    let (same_tag, same_source) = (same(|b| &b.tag), same(|b| &b.source));
    let json_lines = batch.json_lines();
    let lines = batch.lines().or(json_lines).filter(|(_, lines)| !lines.is_empty());
    let flags = u8::from(lines.is_some()) * flag::LINES
        + u8::from(lines.is_some() && json_lines.is_some()) * flag::JSON_LINES
        + u8::from(same_tag) * flag::SAME_TAG
        + u8::from(same_source) * flag::SAME_SOURCE;
    out.push(flags);
    if !same_tag {
        text(out, batch.tag.as_bytes());
    }
    if !same_source {
        text(out, batch.source.as_bytes());
    }
    if let Some((block, lines)) = lines {
        encode_lines(block, lines, batch.get(0), out, put);
        return Ok(());
    }
    number(out, batch.len() as u64);
    let mut time = 0;
    for record in batch.iter() {
        encode_record(record, &mut time, out)?;
    }
    Ok(())
}

fn encode_lines<'a>(
    block: &'a Block,
    lines: &[LineRange],
    first: RecordRef<'_>,
    out: &mut Vec<u8>,
    put: &mut impl FnMut(&mut Vec<u8>, &'a [u8]),
) {
    out.extend_from_slice(&first.time().as_nanos().to_le_bytes());
    let gap = common_gap(lines);
    out.push(gap.unwrap_or(0));
    number(out, lines.len() as u64);
    for line in lines {
        match line.end - line.start {
            // What nearly every line has: one step for both bytes.
            n @ 0x80..0x4000 => out.extend_from_slice(&[n as u8 | 0x80, (n >> 7) as u8]),
            n => number(out, n.into()),
        }
    }
    match (gap, lines) {
        (Some(_), [first, .., last] | [first @ last]) => {
            put(out, &block[first.start as usize..last.end as usize]);
        }
        _ => {
            for line in lines {
                put(out, &block[line.start as usize..line.end as usize]);
            }
        }
    }
}

/// How many bytes stand between each line and the next: then all are copied at once.
fn common_gap(lines: &[LineRange]) -> Option<u8> {
    /// A line end has two bytes at most. What is longer was taken out, and must not be kept.
    const LONGEST: u32 = 2;
    let mut gaps = lines.windows(2).map(|pair| pair[1].start.checked_sub(pair[0].end));
    let first = gaps.next().unwrap_or(Some(0))?;
    let all = first <= LONGEST && gaps.all(|gap| gap == Some(first));
    all.then_some(first as u8)
}

fn encode_record(record: RecordRef<'_>, time: &mut i64, out: &mut Vec<u8>) -> Result<(), TooDeep> {
    let (line, json) = (record.line(), record.json());
    let own_length = line.is_some_and(|line| line.len() == record.weight() as usize);
    let flags = u8::from(line.is_none() && json.is_none()) * flag::FIELDS
        + u8::from(record.is_truncated()) * flag::TRUNCATED
        + u8::from(json.is_some()) * flag::JSON
        + u8::from(own_length) * flag::WEIGHS_ITS_LENGTH;
    out.push(flags);
    let now = record.time().as_nanos();
    signed(out, now.wrapping_sub(*time));
    *time = now;
    if !own_length {
        number(out, record.weight().into());
    }
    match line.or(json) {
        Some(bytes) => {
            text(out, bytes);
            Ok(())
        }
        None => map(out, &record.to_map(), 0),
    }
}

fn map(out: &mut Vec<u8>, map: &Map, depth: usize) -> Result<(), TooDeep> {
    number(out, map.len() as u64);
    for (name, field) in map.iter() {
        text(out, name.as_bytes());
        value(out, field, depth)?;
    }
    Ok(())
}

fn value(out: &mut Vec<u8>, v: &Value, depth: usize) -> Result<(), TooDeep> {
    if depth > MAX_DEPTH {
        return Err(TooDeep);
    }
    match v {
        Value::Null => out.push(kind::NULL),
        Value::Bool(false) => out.push(kind::FALSE),
        Value::Bool(true) => out.push(kind::TRUE),
        Value::Int(n) => {
            out.push(kind::INT);
            signed(out, *n);
        }
        Value::Float(n) => {
            out.push(kind::FLOAT);
            out.extend_from_slice(&n.to_bits().to_le_bytes());
        }
        Value::Text(t) => {
            out.push(kind::TEXT);
            text(out, t.as_bytes());
        }
        Value::Bytes(bytes) => {
            out.push(kind::BYTES);
            text(out, bytes);
        }
        Value::Time(time) => {
            out.push(kind::TIME);
            out.extend_from_slice(&time.as_nanos().to_le_bytes());
        }
        Value::List(items) => {
            out.push(kind::LIST);
            number(out, items.len() as u64);
            for item in items {
                value(out, item, depth + 1)?;
            }
        }
        Value::Map(fields) => {
            out.push(kind::MAP);
            map(out, fields, depth + 1)?;
        }
    }
    Ok(())
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn signed(out: &mut Vec<u8>, n: i64) {
    number(out, ((n << 1) ^ (n >> 63)) as u64);
}

fn number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}
