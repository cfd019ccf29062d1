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
//! With `option.chunk` the sender asks for the answer `{"ack": chunk}`. nil, alone, is a heartbeat.
//!
//! Specification: "Forward Protocol Specification v1" and "v1.5", in the wiki of `fluent/fluentd`.

mod decode;
mod encode;
mod entries;
mod gzip;
mod handshake;
mod option;

pub(crate) use decode::{ForwardError, Message, decode};
pub(crate) use encode::{Encoder, Mode, read_ack, write_ack};
pub(crate) use entries::{Entries, Event};
pub(crate) use handshake::{Helo, Ping, Pong, check_shared_key, digest, is_helo, same};
pub(crate) use option::Glance;
