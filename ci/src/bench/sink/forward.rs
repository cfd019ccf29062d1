//! Fluentd's Forward protocol (version 1.5), as far as a receiver of PackedForward messages needs it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use rmp::Marker;
use rmp::encode;

use super::Input;

/// Reads what one peer sends until it leaves, and acknowledges each chunk that asks for it.
pub(super) fn serve(mut stream: TcpStream, input: &mut Input, count: &AtomicU64) -> io::Result<()> {
    let (mut buffer, mut held) = (vec![0; 1 << 20], 0);
    loop {
        if held == buffer.len() {
            buffer.resize(held * 2, 0);
        }
        let read = stream.read(&mut buffer[held..])?;
        if read == 0 {
            return Ok(());
        }
        held += read;
        let mut rest = &buffer[..held];
        while let Some(message) = complete(Message::read(&mut rest))? {
            let mut entries = message.entries;
            while !entries.is_empty() {
                let line = line(&mut entries)?;
                input.take(line)?;
                input.take(b"\n")?;
                count.fetch_add(line.len() as u64 + 1, Ordering::Relaxed);
            }
            if let Some(chunk) = message.chunk {
                stream.write_all(&ack(chunk))?;
            }
        }
        let done = held - rest.len();
        buffer.copy_within(done..held, 0);
        held -= done;
    }
}

/// A message: `[tag, entries, {"chunk": …}]`.
struct Message<'a> {
    entries: &'a [u8],
    chunk: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// Moves `rest` behind the message, if all of it is there.
    fn read(rest: &mut &'a [u8]) -> io::Result<Message<'a>> {
        let mut at = *rest;
        let parts = length_of_array(&mut at)?;
        if !(2..=3).contains(&parts) {
            return Err(other("a message has two or three parts"));
        }
        bytes(&mut at)?;
        let entries = bytes(&mut at)?;
        let mut chunk = None;
        if parts == 3 {
            for _ in 0..length_of_map(&mut at)? {
                match bytes(&mut at)? {
                    b"chunk" => chunk = Some(bytes(&mut at)?),
                    _ => skip(&mut at)?,
                }
            }
        }
        *rest = at;
        Ok(Message { entries, chunk })
    }
}

/// The line of an event, `[time, {"message": line}]`.
fn line<'a>(entries: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    if length_of_array(entries)? != 2 {
        return Err(other("an event has two parts"));
    }
    skip(entries)?;
    let mut line = None;
    for _ in 0..length_of_map(entries)? {
        match bytes(entries)? {
            // What Swak and Fluent Bit call it.
            b"message" | b"log" => line = Some(bytes(entries)?),
            _ => skip(entries)?,
        }
    }
    line.ok_or_else(|| other("an event has no line"))
}

fn ack(chunk: &[u8]) -> Vec<u8> {
    let mut ack = Vec::new();
    let in_memory = "memory takes everything";
    encode::write_map_len(&mut ack, 1).expect(in_memory);
    encode::write_str(&mut ack, "ack").expect(in_memory);
    encode::write_str_len(&mut ack, chunk.len() as u32).expect(in_memory);
    ack.extend_from_slice(chunk);
    ack
}

/// Nothing when there is more to come.
fn complete<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn length_of_array(at: &mut &[u8]) -> io::Result<u32> {
    match marker(at)? {
        Marker::FixArray(length) => Ok(length.into()),
        other_marker => Err(other(&format!("{other_marker:?} is no short array"))),
    }
}

fn length_of_map(at: &mut &[u8]) -> io::Result<u32> {
    match marker(at)? {
        Marker::FixMap(length) => Ok(length.into()),
        Marker::Map16 => Ok(number(at, 2)? as u32),
        Marker::Map32 => Ok(number(at, 4)? as u32),
        other_marker => Err(other(&format!("{other_marker:?} is no map"))),
    }
}

/// Text or binary.
fn bytes<'a>(at: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    let length = match marker(at)? {
        Marker::FixStr(length) => usize::from(length),
        Marker::Str8 | Marker::Bin8 => number(at, 1)?,
        Marker::Str16 | Marker::Bin16 => number(at, 2)?,
        Marker::Str32 | Marker::Bin32 => number(at, 4)?,
        other_marker => return Err(other(&format!("{other_marker:?} is no text"))),
    };
    take(at, length)
}

/// Passes over a time, a number or a text.
fn skip(at: &mut &[u8]) -> io::Result<()> {
    let mut look = *at;
    let length = match marker(&mut look)? {
        Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => 0,
        Marker::U8 | Marker::I8 => 1,
        Marker::U16 | Marker::I16 => 2,
        Marker::U32 | Marker::I32 | Marker::F32 => 4,
        Marker::U64 | Marker::I64 | Marker::F64 => 8,
        // An EventTime: a type and eight bytes.
        Marker::FixExt8 => 9,
        Marker::Ext8 => number(&mut look, 1)? + 1,
        _ => return bytes(at).map(drop),
    };
    take(&mut look, length)?;
    *at = look;
    Ok(())
}

fn marker(at: &mut &[u8]) -> io::Result<Marker> {
    take(at, 1).map(|byte| Marker::from_u8(byte[0]))
}

/// A number of so many bytes.
fn number(at: &mut &[u8], length: usize) -> io::Result<usize> {
    let bytes = take(at, length)?;
    Ok(bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)))
}

fn take<'a>(at: &mut &'a [u8], length: usize) -> io::Result<&'a [u8]> {
    let (taken, rest) = at.split_at_checked(length).ok_or_else(short)?;
    *at = rest;
    Ok(taken)
}

fn short() -> io::Error {
    ErrorKind::UnexpectedEof.into()
}

fn other(what: &str) -> io::Error {
    io::Error::other(what)
}
