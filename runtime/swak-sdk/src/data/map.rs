//! Named values that keep their order.

use std::collections::HashMap;

use super::{Text, Value};

/// Fields in the order in which they were first set; names are unique.
///
/// Up to [`Map::SMALL`] fields are searched one by one, which is fastest for the records that there
/// are; a larger map keeps an index, so that no input makes it slow.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Text, Value)>,
    #[expect(clippy::box_collection, reason = "most maps have none, and are 40 bytes smaller so")]
    index: Option<Box<HashMap<Text, usize>>>,
}

impl Map {
    /// The largest map without an index.
    pub const SMALL: usize = 32;

    /// A map without fields.
    pub fn new() -> Self {
        Map::default()
    }

    /// A map with room for `n` fields.
    pub fn with_capacity(n: usize) -> Self {
        Map { entries: Vec::with_capacity(n), index: None }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).map(|i| &self.entries[i].1)
    }

    /// The value of a field, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.position(name).map(|i| &mut self.entries[i].1)
    }

    /// Sets a field: in its old place if there was one of this name, else at the end. Gives back the
    /// value that was there.
    pub fn insert(&mut self, name: impl Into<Text>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        if let Some(i) = self.position(&name) {
            return Some(std::mem::replace(&mut self.entries[i].1, value));
        }
        if let Some(index) = &mut self.index {
            index.insert(name.clone(), self.entries.len());
        }
        self.entries.push((name, value));
        if self.index.is_none() && self.entries.len() > Map::SMALL {
            self.build_index();
        }
        None
    }

    /// Takes a field out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let i = self.position(name)?;
        let (_, value) = self.entries.remove(i);
        if self.index.take().is_some() && self.entries.len() > Map::SMALL {
            self.build_index();
        }
        Some(value)
    }

    /// Gives a field another name, in its place. `false` when there is no such field. A field that
    /// had the new name is gone.
    pub fn rename(&mut self, from: &str, to: impl Into<Text>) -> bool {
        let to = to.into();
        if *from == *to {
            return self.position(from).is_some();
        }
        if self.position(from).is_none() {
            return false;
        }
        self.remove(&to);
        let i = self.position(from).expect("it was there, and only the other name was removed");
        self.entries[i].0 = to;
        if self.index.is_some() {
            self.build_index();
        }
        true
    }

    /// Keeps the fields for which the function says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.entries.retain_mut(|(name, value)| keep(name, value));
        if self.index.take().is_some() && self.entries.len() > Map::SMALL {
            self.build_index();
        }
    }

    /// The fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> {
        self.entries.iter().map(|(name, value)| (name, value))
    }

    fn position(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(name).copied(),
            None => self.entries.iter().position(|(n, _)| n.as_bytes() == name.as_bytes()),
        }
    }

    fn build_index(&mut self) {
        let index = self.entries.iter().enumerate().map(|(i, (name, _))| (name.clone(), i));
        self.index = Some(Box::new(index.collect()));
    }
}

impl PartialEq for Map {
    /// Equal when the fields are, in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<K: Into<Text>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Map::new();
        for (name, value) in entries {
            map.insert(name, value);
        }
        map
    }
}

impl IntoIterator for Map {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(map: &Map) -> Vec<&str> {
        map.iter().map(|(n, _)| n.as_str()).collect()
    }

    #[test]
    fn order_is_that_of_the_first_insert() {
        let mut map: Map = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        assert_eq!(names(&map), ["b", "a"]);
        assert_eq!(map.get("b"), Some(&Value::Int(3)));
        map.rename("b", "c");
        map.insert("b", 4);
        assert_eq!(names(&map), ["c", "a", "b"]);
    }

    #[test]
    fn renaming_onto_another_field_replaces_it() {
        let mut map: Map = [("a", 1), ("b", 2), ("c", 3)].into_iter().collect();
        assert!(map.rename("c", "a"));
        assert_eq!(names(&map), ["b", "a"]);
        assert!(!map.rename("nothing", "b"));
        assert_eq!(names(&map), ["b", "a"]);
    }

    #[test]
    fn a_large_map_finds_all_its_fields_through_every_change() {
        let mut map: Map = (0..100).map(|i| (format!("f{i}"), i)).collect();
        map.remove("f0");
        map.rename("f50", "fifty");
        map.retain(|name, _| name != "f51");
        map.insert("new", -1);
        assert_eq!(map.len(), 99);
        for (i, (name, value)) in map.iter().enumerate() {
            assert_eq!(map.get(name), Some(value), "field {i}");
        }
        assert_eq!((map.get("f50"), map.get("f51"), map.get("f0")), (None, None, None));
    }
}
