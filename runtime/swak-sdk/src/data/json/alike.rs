//! Objects that are laid out as the last one was, written with fields that were set.
//!
//! How a text is written depends on its names, of which none may be there twice, on the space in it, and on
//! its values ([`rewrite`](super::rewrite)). Of an object in which nothing but strings, numbers and words differs
//! from one whose names and space were in order, those alone are looked at.

use super::members::value_end;
use super::rewrite::{write_and_tell, write_like};
use crate::data::{Map, Text};

/// How the last object was laid out that stood as it is written, with other fields behind it.
#[derive(Debug, Default)]
pub(in crate::data) struct Alike {
    /// What stood before, between and behind its values.
    steps: Vec<Box<[u8]>>,
    /// The fields behind it.
    set: Vec<Text>,
    /// How often it was learned.
    learned: usize,
}

/// So often it is learned: where it does not stay the same, that would be work for nothing.
const TRIES: usize = 4;

impl Alike {
    /// As [`write_with`](super::write_with), of one of many that may be alike.
    pub(in crate::data) fn write_with(
        &mut self,
        out: &mut Vec<u8>,
        text: &[u8],
        set: &Map,
    ) -> Option<usize> {
        let start = out.len();
        if let Some(replaced) = self.write_like(out, text, set) {
            return Some(replaced);
        }
        out.truncate(start);
        let (replaced, is_in_order) = write_and_tell(out, text, set)?;
        if is_in_order && self.learned < TRIES {
            self.learned += 1;
            self.learn(text);
            self.set = set.iter().map(|(name, _)| name.clone()).collect();
        }
        Some(replaced)
    }

    /// `None` when it is not alike. What was appended then is to be taken away.
    fn write_like(&self, out: &mut Vec<u8>, text: &[u8], set: &Map) -> Option<usize> {
        let are_set = set.iter().map(|(name, _)| name).eq(&self.set);
        if are_set { write_like(out, text, &self.steps, set) } else { None }
    }

    /// From an object without space between what it consists of.
    fn learn(&mut self, text: &[u8]) {
        self.steps.clear();
        let (mut from, mut at) = (0, 0);
        while let Some(byte) = text.get(at) {
            if matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':') {
                at += 1;
                continue;
            }
            let Some(end) = value_end(text, at) else { break };
            if text.get(end) != Some(&b':') {
                self.steps.push(text[from..at].into());
                from = end;
            }
            at = end;
        }
        self.steps.push(text[from..].into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::json::{is_object, parse_object, write_map};

    fn written_anew(text: &str, set: &Map) -> Vec<u8> {
        let mut map = parse_object(&text.into()).unwrap();
        for (name, value) in set.iter() {
            map.insert(name.clone(), value.clone());
        }
        let mut out = Vec::new();
        write_map(&mut out, &map);
        out
    }

    fn set(names: &[&str]) -> Map {
        names.iter().map(|name| (*name, 7)).collect()
    }

    proptest! {
        #[test]
        fn objects_that_follow_each_other_are_written_as_each_alone(
            texts in prop::collection::vec(
                r#"\{("a":(-?[0-9]\.?[05]?|"x?(/|\\/|\\n|한)?"|true),)?"b":("x"|1|1\.50|null|\[\]|\[1,"b"\]|\{"a":"c"\}|\{"a":1,"a":2\}) ?(,"[ac]":0)?\}"#,
                1..8,
            ),
            names in prop::sample::select(vec![vec!["z"], vec!["b"], vec!["z", "c"], vec![]]),
        ) {
            let (mut alike, set) = (Alike::default(), set(&names));
            for text in texts.iter().filter(|text| is_object(text.as_bytes())) {
                let mut out = Vec::new();
                if alike.write_with(&mut out, text.as_bytes(), &set).is_some() {
                    prop_assert_eq!(out, written_anew(text, &set), "{}", text);
                }
            }
        }
    }

    #[test]
    fn what_differs_in_its_values_alone_is_alike() {
        let (mut alike, set) = (Alike::default(), set(&["z"]));
        let is_like = |alike: &Alike, text: &str, set: &Map| {
            let mut out = Vec::new();
            let written = alike.write_like(&mut out, text.as_bytes(), set);
            written.is_some().then(|| assert_eq!(out, written_anew(text, set), "{text}")).is_some()
        };
        let first = r#"{"a":1,"b":{"c":"d\/","e":[true,null]},"f":{}}"#;
        assert!(!is_like(&alike, first, &set));
        let mut out = Vec::new();
        alike.write_with(&mut out, first.as_bytes(), &set);
        assert_eq!(out, br#"{"a":1,"b":{"c":"d/","e":[true,null]},"f":{},"z":7}"#);
        for (text, expected) in [
            (first, true),
            (r#"{"a":"1","b":{"c":-0.5,"e":["a long text with \n in it",false]},"f":{}}"#, true),
            (r#"{"a":1.0,"b":{"c":"","e":["",""]},"f":{}}"#, true),
            (r#"{"a":"\/\u00e9","b":{"c":"","e":["\"",""]},"f":{}}"#, true),
            (r#"{"a":1.50,"b":{"c":"","e":["",""]},"f":{}}"#, false),
            (r#"{"a":1,"b":{"c":"","e":["",""]},"g":{}}"#, false),
            (r#"{"a":1,"b":{"c":"","e":[""]},"f":{}}"#, false),
            (r#"{"a":1,"b":{"c":"","e":["",{}]},"f":{}}"#, false),
            (r#"{"a":1,"b":{"c":"","e":["",""]},"f":{}} "#, false),
            (r#" {"a":1,"b":{"c":"","e":["",""]},"f":{}}"#, false),
            (r#"{"a": 1,"b":{"c":"","e":["",""]},"f":{}}"#, false),
            ("{}", false),
        ] {
            assert_eq!(is_like(&alike, text, &set), expected, "{text}");
        }
        assert!(!is_like(&alike, first, &Map::new()));
        let mut empty = Alike::default();
        for _ in 0..2 {
            let mut out = Vec::new();
            assert_eq!(empty.write_with(&mut out, b"{}", &set), Some(0));
            assert_eq!(out, b"{\"z\":7}");
        }
        assert!(is_like(&empty, "{}", &set));
    }

    #[test]
    fn what_is_set_in_an_object_or_has_space_in_it_is_not_learned() {
        for text in [r#"{"z":1}"#, r#"{"z":7}"#, r#"{ "a":1}"#, r#"{"a":1} "#] {
            let (mut alike, set) = (Alike::default(), set(&["z"]));
            alike.write_with(&mut Vec::new(), text.as_bytes(), &set);
            assert_eq!(alike.learned, 0, "{text}");
        }
    }
}
