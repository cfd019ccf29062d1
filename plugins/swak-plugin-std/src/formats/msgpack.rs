//! MessagePack: one map a record.

use swak_sdk::prelude::*;

/// Appends the fields as a map. A line is a map with the one field `message`.
pub(super) fn write_record(record: RecordRef<'_>, out: &mut Vec<u8>) {
    match record.line() {
        Some(line) if !record.is_truncated() => {
            write_map_len(out, 1);
            write_str(out, swak_sdk::data::MESSAGE.as_bytes());
            match std::str::from_utf8(line) {
                Ok(_) => write_str(out, line),
                Err(_) => write_bin(out, line),
            }
        }
        _ => write_map(out, &record.to_map()),
    }
}

fn write_map(out: &mut Vec<u8>, map: &Map) {
    write_map_len(out, map.len());
    for (name, value) in map.iter() {
        write_str(out, name.as_bytes());
        write_value(out, value);
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => infallible(rmp::encode::write_nil(out)),
        Value::Bool(v) => infallible(rmp::encode::write_bool(out, *v)),
        Value::Int(v) => {
            infallible(rmp::encode::write_sint(out, *v));
        }
        Value::Float(v) => infallible(rmp::encode::write_f64(out, *v)),
        Value::Text(v) => write_str(out, v.as_bytes()),
        Value::Bytes(v) => write_bin(out, v),
        Value::Time(v) => write_time(out, *v),
        Value::List(items) => {
            infallible(rmp::encode::write_array_len(out, length(items.len())));
            for item in items {
                write_value(out, item);
            }
        }
        Value::Map(map) => write_map(out, map),
    }
}

/// The timestamp extension, in the shortest of its three forms that holds the time.
fn write_time(out: &mut Vec<u8>, time: Timestamp) {
    let (seconds, nanos) = (time.seconds(), time.subsec_nanos());
    match u64::try_from(seconds) {
        Ok(seconds) if nanos == 0 && u32::try_from(seconds).is_ok() => {
            infallible(rmp::encode::write_ext_meta(out, 4, -1));
            out.extend_from_slice(&(seconds as u32).to_be_bytes());
        }
        Ok(seconds) if seconds < 1 << 34 => {
            infallible(rmp::encode::write_ext_meta(out, 8, -1));
            out.extend_from_slice(&(u64::from(nanos) << 34 | seconds).to_be_bytes());
        }
        _ => {
            infallible(rmp::encode::write_ext_meta(out, 12, -1));
            out.extend_from_slice(&nanos.to_be_bytes());
            out.extend_from_slice(&seconds.to_be_bytes());
        }
    }
}

fn write_map_len(out: &mut Vec<u8>, len: usize) {
    infallible(rmp::encode::write_map_len(out, length(len)));
}

fn write_str(out: &mut Vec<u8>, text: &[u8]) {
    infallible(rmp::encode::write_str_len(out, length(text.len())));
    out.extend_from_slice(text);
}

fn write_bin(out: &mut Vec<u8>, bytes: &[u8]) {
    infallible(rmp::encode::write_bin_len(out, length(bytes.len())));
    out.extend_from_slice(bytes);
}

fn length(len: usize) -> u32 {
    u32::try_from(len).expect("a block holds less than 4 GiB, and so does all that is in it")
}

fn infallible<T, E: std::fmt::Debug>(written: std::result::Result<T, E>) -> T {
    written.expect("writing to memory does not fail")
}
