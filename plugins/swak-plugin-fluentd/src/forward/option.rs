//! What a message says besides its tag and events.

use swak_sdk::data::Slice;

use super::ForwardError;
use crate::msgpack::{Malformed, Reader, Shape};

/// The longest chunk id. It is held until the chunk is delivered; those of Fluentd and of Fluent Bit
/// are 24 bytes, a UUID is 36.
pub(super) const MAX_CHUNK_ID: usize = 256;

/// What a message says besides its events, as far as it is understood; the rest is passed over unread.
#[derive(Default)]
pub(super) struct MessageOption {
    chunk: Option<Slice>,
    compressed: Option<Slice>,
}

impl MessageOption {
    /// nil stands for none, as a whole and for each. Names and words may be text or bytes.
    pub(super) fn read(reader: &mut Reader<'_>, given: bool) -> Result<Self, Malformed> {
        let mut option = MessageOption::default();
        if !given || reader.peek()? == Shape::Nil {
            return Ok(option);
        }
        for _ in 0..reader.begin_map()? {
            let place = match reader.peek()? {
                Shape::Bytes => match &*reader.bytes()? {
                    b"chunk" => Some(&mut option.chunk),
                    b"compressed" => Some(&mut option.compressed),
                    _ => None,
                },
                _ => {
                    reader.skip()?;
                    None
                }
            };
            match place {
                Some(place) if reader.peek()? != Shape::Nil => *place = Some(reader.bytes()?),
                _ => reader.skip()?,
            }
        }
        Ok(option)
    }

    /// A copy: it is held for longer than the message.
    pub(super) fn chunk(&self) -> Result<Option<Slice>, ForwardError> {
        match &self.chunk {
            Some(id) if id.len() > MAX_CHUNK_ID => Err(ForwardError::LongChunkId(id.len())),
            id => Ok(id.as_deref().map(Slice::from)),
        }
    }

    pub(super) fn compression(&self) -> Option<&[u8]> {
        self.compressed.as_deref().filter(|word| *word != b"text")
    }
}

/// What can be seen of a message without reading its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Glance {
    /// It must be unpacked, which takes memory beside its own.
    pub(crate) compressed: bool,
    /// It asks for an ack: who sent it sends it again until it gets one.
    pub(crate) asks_for_ack: bool,
}

impl Glance {
    /// Of what is no message, nothing: that is found out when it is read.
    pub(crate) fn at(message: &Slice) -> Self {
        Glance::look(message, |_| true).unwrap_or_default()
    }

    /// The same, and nothing too of events that are not packed: to go past those takes time.
    pub(crate) fn at_packed(message: &Slice) -> Self {
        Glance::look(message, |shape| shape == Shape::Bytes).unwrap_or_default()
    }

    fn look(message: &Slice, wanted: fn(Shape) -> bool) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let items = reader.array()?;
        reader.bytes()?;
        let shape = reader.peek()?;
        if !wanted(shape) {
            return Ok(Glance::default());
        }
        reader.skip()?;
        let mut before_option = 2;
        if !matches!(shape, Shape::Array | Shape::Bytes) {
            reader.skip()?;
            before_option = 3;
        }
        let option = MessageOption::read(&mut reader, items > before_option)?;
        let compressed = shape == Shape::Bytes && option.compression().is_some();
        Ok(Glance { compressed, asks_for_ack: option.chunk.is_some() })
    }
}
