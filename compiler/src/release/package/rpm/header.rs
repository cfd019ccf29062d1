//! A header: tags with values, as the format's "header structure" has them. Numbers are big-endian.

use std::collections::BTreeMap;

/// The tag of the region that a main header is.
pub(super) const IMMUTABLE: u32 = 63;
/// The tag of the region that a signature header is.
pub(super) const SIGNATURES: u32 = 62;

/// The first bytes, with the version of the structure.
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
/// The length of an entry of the index.
const ENTRY: usize = 16;

/// A header while it is put together, ordered by tag.
#[derive(Default)]
pub(super) struct Header {
    values: BTreeMap<u32, Value>,
}

/// A value, of one of the types that a header may have.
pub(super) enum Value {
    Int16(Vec<u16>),
    Int32(Vec<u32>),
    Text(String),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    /// A text in the first of the header's languages.
    Translated(String),
}

impl Value {
    /// Type, number of items, bytes, and what the bytes must be aligned to.
    fn parts(&self) -> (u32, usize, Vec<u8>, usize) {
        let texts =
            |texts: &[String]| texts.iter().flat_map(|t| t.bytes().chain([0])).collect::<Vec<u8>>();
        let one = std::slice::from_ref::<String>;
        match self {
            Value::Int16(list) => {
                (3, list.len(), list.iter().flat_map(|n| n.to_be_bytes()).collect(), 2)
            }
            Value::Int32(list) => {
                (4, list.len(), list.iter().flat_map(|n| n.to_be_bytes()).collect(), 4)
            }
            Value::Text(text) => (6, 1, texts(one(text)), 1),
            Value::Bytes(bytes) => (7, bytes.len(), bytes.clone(), 1),
            Value::Texts(list) => (8, list.len(), texts(list), 1),
            Value::Translated(text) => (9, 1, texts(one(text)), 1),
        }
    }
}

impl Header {
    /// Adds a value; each tag has one.
    pub(super) fn add(&mut self, tag: u32, value: Value) {
        let before = self.values.insert(tag, value);
        debug_assert!(before.is_none(), "the tag {tag} is there twice");
    }

    /// The bytes, the whole as one region: its entry comes first in the index, and its data, which
    /// is that entry once more with the way back to the front, last in the store.
    pub(super) fn to_bytes(&self, region: u32) -> Vec<u8> {
        let mut index = Vec::new();
        let mut store = Vec::new();
        for (tag, value) in &self.values {
            let (kind, count, bytes, alignment) = value.parts();
            store.resize(store.len().next_multiple_of(alignment), 0);
            index.extend(entry(*tag, kind, offset(store.len()), count));
            store.extend(bytes);
        }
        let entries = self.values.len() + 1;
        let first = entry(region, 7, offset(store.len()), ENTRY);
        let way_back = -offset(entries * ENTRY);
        store.extend(entry(region, 7, way_back, ENTRY));

        let mut out = MAGIC.to_vec();
        out.extend(offset(entries).to_be_bytes());
        out.extend(offset(store.len()).to_be_bytes());
        out.extend(first);
        out.extend(index);
        out.extend(store);
        out
    }
}

fn entry(tag: u32, kind: u32, offset: i32, count: usize) -> [u8; ENTRY] {
    let mut out = [0; ENTRY];
    out[..4].copy_from_slice(&tag.to_be_bytes());
    out[4..8].copy_from_slice(&kind.to_be_bytes());
    out[8..12].copy_from_slice(&offset.to_be_bytes());
    let count = u32::try_from(count).expect("a header is small");
    out[12..].copy_from_slice(&count.to_be_bytes());
    out
}

fn offset(n: usize) -> i32 {
    i32::try_from(n).expect("a header is small")
}
