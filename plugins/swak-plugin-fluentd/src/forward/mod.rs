//! The messages of the Forward protocol, version 1.
//!
//! A message is a MessagePack array in one of four modes:
//!
//! | mode | content |
//! |---|---|
//! | Message | `[tag, time, record, option?]` |
//! | Forward | `[tag, [[time, record], …], option?]` |
//! | PackedForward | `[tag, bytes of [time, record] …, option?]` |
//! | CompressedPackedForward | the same, compressed as `option.compressed` says |
//!
//! With `option.chunk` the sender asks for the answer `{"ack": chunk}`.

mod decode;
mod encode;
mod entries;
mod gzip;

pub(crate) use decode::{ForwardError, Message, decode};
pub(crate) use encode::{read_ack, write_ack, write_packed_forward};
use entries::Entries;
