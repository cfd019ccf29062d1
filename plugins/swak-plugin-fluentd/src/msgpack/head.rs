//! The first bytes of an encoded value: what it is and how much follows.

use rmp::Marker;

/// What an encoded value is. The content of `Str`, `Bin`, `Ext`, and the items of `Array` and `Map`
/// follow the head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Nil,
    Bool(bool),
    Int(i64),
    /// Too large for `Int`.
    UInt(u64),
    Float(f64),
    Str(usize),
    Bin(usize),
    /// Type, and length of the content.
    Ext(i8, usize),
    Array(u32),
    Map(u32),
}

/// Why there is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHead {
    /// More bytes are needed.
    Incomplete,
    /// The byte that MessagePack never uses.
    Reserved,
}

impl Head {
    /// The head at the beginning of `bytes`, and how many bytes it takes.
    pub(super) fn read(bytes: &[u8]) -> Result<(Head, usize), NoHead> {
        let mut cursor = Cursor { bytes, at: 0 };
        let head = match Marker::from_u8(cursor.u8()?) {
            Marker::Null => Head::Nil,
            Marker::True => Head::Bool(true),
            Marker::False => Head::Bool(false),
            Marker::FixPos(n) => Head::Int(n.into()),
            Marker::FixNeg(n) => Head::Int(n.into()),
            Marker::U8 => Head::Int(cursor.u8()?.into()),
            Marker::U16 => Head::Int(cursor.u16()?.into()),
            Marker::U32 => Head::Int(cursor.u32()?.into()),
            Marker::U64 => {
                let n = u64::from_be_bytes(cursor.array()?);
                i64::try_from(n).map_or(Head::UInt(n), Head::Int)
            }
            Marker::I8 => Head::Int(i8::from_be_bytes(cursor.array()?).into()),
            Marker::I16 => Head::Int(i16::from_be_bytes(cursor.array()?).into()),
            Marker::I32 => Head::Int(i32::from_be_bytes(cursor.array()?).into()),
            Marker::I64 => Head::Int(i64::from_be_bytes(cursor.array()?)),
            Marker::F32 => Head::Float(f32::from_be_bytes(cursor.array()?).into()),
            Marker::F64 => Head::Float(f64::from_be_bytes(cursor.array()?)),
            Marker::FixStr(n) => Head::Str(n.into()),
            Marker::Str8 => Head::Str(cursor.u8()?.into()),
            Marker::Str16 => Head::Str(cursor.u16()?.into()),
            Marker::Str32 => Head::Str(cursor.u32()? as usize),
            Marker::Bin8 => Head::Bin(cursor.u8()?.into()),
            Marker::Bin16 => Head::Bin(cursor.u16()?.into()),
            Marker::Bin32 => Head::Bin(cursor.u32()? as usize),
            Marker::FixArray(n) => Head::Array(n.into()),
            Marker::Array16 => Head::Array(cursor.u16()?.into()),
            Marker::Array32 => Head::Array(cursor.u32()?),
            Marker::FixMap(n) => Head::Map(n.into()),
            Marker::Map16 => Head::Map(cursor.u16()?.into()),
            Marker::Map32 => Head::Map(cursor.u32()?),
            Marker::FixExt1 => cursor.ext(1)?,
            Marker::FixExt2 => cursor.ext(2)?,
            Marker::FixExt4 => cursor.ext(4)?,
            Marker::FixExt8 => cursor.ext(8)?,
            Marker::FixExt16 => cursor.ext(16)?,
            Marker::Ext8 => {
                let len = cursor.u8()?.into();
                cursor.ext(len)?
            }
            Marker::Ext16 => {
                let len = cursor.u16()?.into();
                cursor.ext(len)?
            }
            Marker::Ext32 => {
                let len = cursor.u32()? as usize;
                cursor.ext(len)?
            }
            Marker::Reserved => return Err(NoHead::Reserved),
        };
        Ok((head, cursor.at))
    }

    /// How many bytes of content follow.
    pub(super) fn content(self) -> usize {
        match self {
            Head::Str(len) | Head::Bin(len) | Head::Ext(_, len) => len,
            _ => 0,
        }
    }

    /// How many values follow; a map has two for each entry.
    pub(super) fn items(self) -> u64 {
        match self {
            Head::Array(n) => n.into(),
            Head::Map(n) => u64::from(n) * 2,
            _ => 0,
        }
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], NoHead> {
        let array = self.bytes[self.at..].first_chunk().ok_or(NoHead::Incomplete)?;
        self.at += N;
        Ok(*array)
    }

    fn u8(&mut self) -> Result<u8, NoHead> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, NoHead> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, NoHead> {
        self.array().map(u32::from_be_bytes)
    }

    fn ext(&mut self, len: usize) -> Result<Head, NoHead> {
        Ok(Head::Ext(i8::from_be_bytes(self.array()?), len))
    }
}
