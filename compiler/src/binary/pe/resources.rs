//! The tree of resources: type, name, language, data.

use std::collections::BTreeMap;

use super::super::bytes::{MAX_NAMES, range, u16_le, u32_le};
use super::{Headers, PeError};

/// Every resource of a file, in the order of the format: names before numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Resources(BTreeMap<[Key; 3], Resource>);

/// A name or a number; Windows looks names up by UTF-16 units, which is how they are ordered here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Name(Vec<u16>),
    Id(u16),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Resource {
    data: Vec<u8>,
    code_page: u32,
}

/// `RT_VERSION`
pub(super) const VERSION: u16 = 16;
/// `RT_MANIFEST`
pub(super) const MANIFEST: u16 = 24;
/// US English, which the texts are in.
pub(super) const ENGLISH: u16 = 0x0409;
/// The bit that says "a name" or "a table".
const HIGH: u32 = 0x8000_0000;
const TABLE: usize = 16;
const ENTRY: usize = 8;
const LEAF: usize = 16;
/// The longest name that is read, in UTF-16 units; resource compilers take less.
const MAX_KEY: usize = 1024;

impl Resources {
    /// Those of a file; none when it has none.
    pub(in super::super) fn read(bytes: &[u8], headers: &Headers) -> Result<Self, PeError> {
        let mut found = Resources::default();
        let Some((address, _)) = headers.resources(bytes) else { return Ok(found) };
        let tree = headers.from(bytes, address).ok_or(DAMAGED)?;
        // Tables and leaves of a damaged file may share their places: together they are never more
        // than the file.
        let mut tables = Tables { tree, budget: bytes.len() };
        let mut budget = bytes.len();
        for (kind, at) in tables.table(0)? {
            for (name, at) in tables.table(below(at)?)? {
                for (language, at) in tables.table(below(at)?)? {
                    let leaf = range(tree, at, LEAF).ok_or(DAMAGED)?;
                    let number = |at| u32_le(leaf, at).ok_or(DAMAGED);
                    let data = headers.from(bytes, number(0)?).ok_or(DAMAGED)?;
                    let data = range(data, 0usize, number(4)?).ok_or(DAMAGED)?;
                    budget = budget.checked_sub(data.len()).ok_or(DAMAGED)?;
                    let resource = Resource { data: data.to_vec(), code_page: number(8)? };
                    found.0.insert([kind.clone(), name.clone(), language], resource);
                    if found.0.len() > MAX_NAMES {
                        return Err(DAMAGED);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The first resource of a type.
    pub(in super::super) fn first(&self, kind: u16) -> Option<&[u8]> {
        let found = self.0.iter().find(|(key, _)| key[0] == Key::Id(kind));
        found.map(|(_, resource)| resource.data.as_slice())
    }

    /// The version information, as the bytes that it is.
    pub(in super::super) fn version(&self) -> Option<&[u8]> {
        self.first(VERSION)
    }

    /// Sets the only resource of a type.
    pub(super) fn set(&mut self, kind: u16, data: Vec<u8>) {
        self.0.retain(|key, _| key[0] != Key::Id(kind));
        let key = [Key::Id(kind), Key::Id(1), Key::Id(ENGLISH)];
        self.0.insert(key, Resource { data, code_page: 0 });
    }

    /// Adds a resource of a type that has a name, which none of ours has.
    #[cfg(test)]
    pub(super) fn set_named(&mut self, kind: Key, data: Vec<u8>) {
        let key = [kind.clone(), kind, Key::Id(ENGLISH)];
        self.0.insert(key, Resource { data, code_page: 1252 });
    }

    /// The bytes of a section that begins at `address`: the tables from the root down, the leaves,
    /// the names, the data.
    pub(super) fn section(&self, address: u32) -> Result<Vec<u8>, PeError> {
        let keys: Vec<&[Key; 3]> = self.0.keys().collect();
        let kinds = groups(&keys, 1);
        let names = groups(&keys, 2);
        let tables = 1 + kinds.len() + names.len();
        let entries = kinds.len() + names.len() + keys.len();
        let leaves_at = tables * TABLE + entries * ENTRY;
        let mut texts = Vec::new();
        let texts_at = leaves_at + keys.len() * LEAF;
        let mut section = Vec::new();
        let mut write = |section: &mut Vec<u8>, keys: &[&Key], targets: &[u32]| {
            let named = keys.iter().filter(|k| matches!(k, Key::Name(_))).count();
            section.extend_from_slice(&[0; 12]);
            section.extend_from_slice(&(named as u16).to_le_bytes());
            section.extend_from_slice(&((keys.len() - named) as u16).to_le_bytes());
            for (key, target) in keys.iter().zip(targets) {
                let key = match key {
                    Key::Id(id) => u32::from(*id),
                    Key::Name(name) => {
                        let at = texts_at + texts.len();
                        texts.extend_from_slice(&(name.len() as u16).to_le_bytes());
                        name.iter().for_each(|unit| texts.extend_from_slice(&unit.to_le_bytes()));
                        HIGH | at as u32
                    }
                };
                section.extend_from_slice(&key.to_le_bytes());
                section.extend_from_slice(&target.to_le_bytes());
            }
        };
        // Where the tables of the next level come: one behind the other.
        let mut next = TABLE + kinds.len() * ENTRY;
        let mut place = |entries: usize| {
            let at = next;
            next += TABLE + entries * ENTRY;
            HIGH | at as u32
        };
        let within = |outer: &[&[Key; 3]], level: usize| groups(outer, level).len();
        let targets: Vec<u32> = kinds.iter().map(|kind| place(within(kind, 2))).collect();
        write(&mut section, &kinds.iter().map(|k| &k[0][0]).collect::<Vec<_>>(), &targets);
        for kind in &kinds {
            let names = groups(kind, 2);
            let targets: Vec<u32> = names.iter().map(|name| place(name.len())).collect();
            write(&mut section, &names.iter().map(|n| &n[0][1]).collect::<Vec<_>>(), &targets);
        }
        let mut leaf = leaves_at;
        for name in &names {
            let targets: Vec<u32> = (0..name.len()).map(|n| (leaf + n * LEAF) as u32).collect();
            leaf += name.len() * LEAF;
            write(&mut section, &name.iter().map(|k| &k[2]).collect::<Vec<_>>(), &targets);
        }
        let mut data = Vec::new();
        let data_at = (texts_at + texts.len()).next_multiple_of(8);
        for resource in self.0.values() {
            let at =
                u32::try_from(data_at + data.len()).ok().and_then(|at| at.checked_add(address));
            let at = at.ok_or(PeError::TooLarge)?;
            for number in [at, resource.data.len() as u32, resource.code_page, 0] {
                section.extend_from_slice(&number.to_le_bytes());
            }
            data.extend_from_slice(&resource.data);
            data.resize(data.len().next_multiple_of(8), 0);
        }
        section.extend_from_slice(&texts);
        section.resize(data_at, 0);
        section.extend_from_slice(&data);
        Ok(section)
    }
}

/// Runs of keys whose first `level` parts are the same.
fn groups<'a, 'b>(keys: &'a [&'b [Key; 3]], level: usize) -> Vec<&'a [&'b [Key; 3]]> {
    keys.chunk_by(|a, b| a[..level] == b[..level]).collect()
}

/// The tables of the tree, and how much of them may still be read.
struct Tables<'a> {
    tree: &'a [u8],
    budget: usize,
}

impl Tables<'_> {
    /// The entries of a table: the key, and where it points.
    fn table(&mut self, at: usize) -> Result<Vec<(Key, u32)>, PeError> {
        self.read(at).ok_or(DAMAGED)
    }

    fn read(&mut self, at: usize) -> Option<Vec<(Key, u32)>> {
        let header = range(self.tree, at, TABLE)?;
        let count = usize::from(u16_le(header, 12)?) + usize::from(u16_le(header, 14)?);
        let entries = range(self.tree, at + TABLE, count * ENTRY)?;
        self.budget = self.budget.checked_sub(TABLE + entries.len())?;
        let entry = |entry: &[u8]| Some((self.key(u32_le(entry, 0)?)?, u32_le(entry, 4)?));
        entries.chunks_exact(ENTRY).map(entry).collect()
    }

    fn key(&mut self, key: u32) -> Option<Key> {
        if key & HIGH == 0 {
            return Some(Key::Id(u16::try_from(key).ok()?));
        }
        let at = (key & !HIGH) as usize;
        let length = usize::from(u16_le(self.tree, at)?);
        let text = range(self.tree, at + 2, length * 2)?;
        self.budget = self.budget.checked_sub(text.len())?;
        if length > MAX_KEY {
            return None;
        }
        Some(Key::Name(text.chunks_exact(2).map(|u| u16::from_le_bytes([u[0], u[1]])).collect()))
    }
}

/// Where the table of the next level is.
fn below(at: u32) -> Result<usize, PeError> {
    if at & HIGH == 0 { Err(DAMAGED) } else { Ok((at & !HIGH) as usize) }
}

const DAMAGED: PeError = PeError::Damaged("its resources point outside of themselves");
