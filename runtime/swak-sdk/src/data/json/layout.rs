//! How the objects that were read last are laid out, so that the names of the next one are compared and not
//! read.
//!
//! Those who write JSON write the same names in the same order. A name is remembered as it stands in the
//! text, from behind the brace or comma before it to its value, together with the one that came after it. To
//! guess right costs a comparison; to guess wrong costs no more than to read the name, and is learned from.
//! A guess is about bytes alone: whatever is guessed, what matches is a name with its colon.

use wide::u8x16;

use super::members::is_name;
use super::plain::WIDTH;

/// The most names that are remembered. With more, all are forgotten and learned anew, so that names that
/// are data do not stay for ever.
const MOST: usize = 128;

/// The longest text of a name that is remembered, in bytes.
const LONGEST: usize = 2 * WIDTH;

/// Names in the order in which they are expected.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The first is none: after it comes the first name of an object.
    names: Vec<Name>,
    /// Where the name of a text may be among them; 0 when it is nowhere.
    places: Box<[u8]>,
    last: usize,
    next: usize,
}

#[derive(Clone, Debug)]
struct Name {
    /// `"name":`, with the space around it.
    text: [u8; LONGEST],
    len: usize,
    /// One bit for each byte of the first half that must be the same.
    first: u32,
    /// As much for the second.
    second: u32,
    next: usize,
    slot: Option<Slot>,
}

/// The place of a name among those that are looked for.
pub(super) type Slot = u8;

const NO_NAME: Name =
    Name { text: [0; LONGEST], len: 0, first: u32::MAX, second: 0, next: 0, slot: None };

impl Layout {
    /// One that learns.
    pub(super) fn new() -> Self {
        let mut layout = Layout::default();
        layout.forget();
        layout
    }

    /// Begins with the first name.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.last = 0;
        self.next = self.names.first().map_or(0, |none| none.next);
    }

    /// How long the name is that stands here, up to its value, if it is the one that is expected, and its
    /// slot.
    #[inline]
    pub(super) fn guess(&mut self, text: &[u8], at: usize) -> Option<(usize, Option<Slot>)> {
        let name = self.names.get(self.next)?;
        let rest = text.get(at..)?;
        let is_same = |part: usize, mask: u32| {
            let bytes = rest.get(part..).and_then(<[u8]>::first_chunk::<WIDTH>);
            let expected = name.text[part..].first_chunk::<WIDTH>();
            bytes.zip(expected).is_some_and(|(bytes, expected)| {
                let same = u8x16::new(*bytes).simd_eq(u8x16::new(*expected)).to_bitmask();
                same & mask == mask
            })
        };
        if !is_same(0, name.first) || (name.second != 0 && !is_same(WIDTH, name.second)) {
            return None;
        }
        self.last = self.next;
        self.next = name.next;
        Some((name.len, name.slot))
    }

    /// Learns that this name, which was not expected, comes after the last. `raw` is what stands between its
    /// quotes, and the wanted names are those that have slots.
    pub(super) fn learn(&mut self, text: &[u8], raw: &[u8], wanted: &[Box<str>]) -> Option<Slot> {
        let slot = || {
            let place = wanted.iter().position(|name| is_name(raw, name.as_bytes()));
            place.and_then(|place| Slot::try_from(place).ok())
        };
        if self.names.is_empty() || text.len() > LONGEST {
            (self.last, self.next) = (usize::MAX, 0);
            return slot();
        }
        let key = key(text);
        let known = usize::from(self.places[key]);
        let place = match self.names[known].text() == text {
            true => known,
            false => self.add(Name::new(text, slot()), key),
        };
        if let Some(last) = self.names.get_mut(self.last) {
            last.next = place;
        }
        let name = &self.names[place];
        (self.last, self.next) = (place, name.next);
        name.slot
    }

    fn add(&mut self, name: Name, key: usize) -> usize {
        if self.names.len() == MOST {
            self.forget();
            self.last = usize::MAX;
        }
        self.names.push(name);
        let place = self.names.len() - 1;
        self.places[key] =
            u8::try_from(place).expect("there are fewer names than a byte can count");
        place
    }

    /// Forgets all.
    pub(super) fn forget(&mut self) {
        self.names.clear();
        self.names.push(NO_NAME);
        self.places = vec![0; 1 << KEY_BITS].into();
    }
}

impl Name {
    /// The text is not too long.
    fn new(from: &[u8], slot: Option<Slot>) -> Self {
        let mut text = [0; LONGEST];
        text[..from.len()].copy_from_slice(from);
        let bits = |n: usize| (1u32 << n) - 1;
        let first = bits(from.len().min(WIDTH));
        let second = bits(from.len().saturating_sub(WIDTH));
        Name { text, len: from.len(), first, second, next: 0, slot }
    }

    fn text(&self) -> &[u8] {
        &self.text[..self.len]
    }
}

const KEY_BITS: u32 = 8;

/// A number for a text of which most are different.
fn key(text: &[u8]) -> usize {
    let key = text
        .iter()
        .fold(text.len() as u32, |key, byte| (key ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - KEY_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(layout: &mut Layout, text: &str) -> Option<Slot> {
        let raw = text.trim().trim_end_matches(':').trim().trim_matches('"');
        layout.learn(text.as_bytes(), raw.as_bytes(), &["b".into()])
    }

    fn guess(layout: &mut Layout, text: &str) -> Option<(usize, Option<Slot>)> {
        layout.guess(format!("{text}{}", " ".repeat(LONGEST)).as_bytes(), 0)
    }

    #[test]
    fn the_names_of_the_last_object_are_expected_in_their_order() {
        let long = format!("\"{}\":", "l".repeat(LONGEST - 3));
        let names = ["\"a\":", " \"b\" : ", &long, "\"c\":"];
        let mut layout = Layout::new();
        layout.begin();
        for name in names {
            assert_eq!(guess(&mut layout, name), None);
            learn(&mut layout, name);
        }
        layout.begin();
        for name in names {
            let other = name.replacen(['a', 'b', 'l', 'c'], "x", 1);
            assert_eq!(guess(&mut layout, &other), None);
            let slot = name.contains('b').then_some(0);
            assert_eq!(guess(&mut layout, name), Some((name.len(), slot)));
        }
        assert_eq!(guess(&mut layout, names[0]), None);
        // Another order is learned at once.
        layout.begin();
        learn(&mut layout, names[3]);
        learn(&mut layout, names[0]);
        layout.begin();
        for name in [names[3], names[0], names[1]] {
            assert!(guess(&mut layout, name).is_some(), "{name}");
        }
        layout.forget();
        layout.begin();
        assert_eq!(guess(&mut layout, names[3]), None);
    }

    #[test]
    fn what_is_not_remembered_has_a_slot_too() {
        let escaped = format!("\"\\u0062\"{}:", " ".repeat(LONGEST));
        for mut layout in [Layout::new(), Layout::default()] {
            layout.begin();
            assert_eq!(layout.learn(escaped.as_bytes(), b"\\u0062", &["b".into()]), Some(0));
            assert_eq!(guess(&mut layout, &escaped), None);
        }
    }

    #[test]
    fn names_without_end_are_forgotten_and_those_that_stay_are_learned_again() {
        let mut layout = Layout::new();
        for i in 0..10 * MOST {
            for name in ["\"a\":".to_owned(), format!("\"{i}\":")] {
                layout.begin();
                if guess(&mut layout, &name).is_none() {
                    learn(&mut layout, &name);
                }
            }
            assert!(layout.names.len() <= MOST);
        }
        layout.begin();
        learn(&mut layout, "\"a\":");
        layout.begin();
        assert_eq!(guess(&mut layout, "\"a\":"), Some((4, None)));
    }
}
